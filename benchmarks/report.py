"""The tables of `benchmarks/README.md`, made from the results.

python -m benchmarks.report
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
QUESTIONS = (
    "nightly_full",
    "nightly_changed",
    "sync_million",
    "against_hugo",
    "growth",
    "cluster",
    "titles",
    "real_pages",
    "search_browser",
    "lighthouse",
    "against_servers",
    "service_load",
    "cv_memory",
    "mirror_objects",
)


def table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; numbers get separators and at most one digit after the point."""
    lines = [list(map(str, heads)), ["---"] * len(list(heads))]
    lines += [[_cell(value) for value in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_report(readme: Path = FOLDER / "README.md", results: Path = FOLDER / "results") -> None:
    """Put the tables of all results between the markers of each question."""
    text = readme.read_text(encoding="utf-8")
    for question in QUESTIONS:
        found = read_results(results, question)
        if not found:
            continue
        tables = import_module(f"benchmarks.{question}").tables(found)
        body = f"{tables}\n\n{_origin(found)}"
        text = between(text, question, body)
    readme.write_text(text, encoding="utf-8")


def read_results(folder: Path, question: str) -> list[dict[str, Any]]:
    """Return the results of a question, the smallest size first."""
    found: list[dict[str, Any]] = [
        json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(folder.glob(f"{question}-*.json"))
    ]
    return sorted(found, key=lambda result: result["size"] or float("inf"))


def between(text: str, name: str, body: str) -> str:
    """Return `text` with what stands between the markers of `name` replaced by `body`."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"README has no markers {start} … {end}")
    return pattern.sub(lambda _: f"{start}\n{body}\n{end}", text)


def _origin(results: list[dict[str, Any]]) -> str:
    lines = []
    for result in results:
        machine = result["machine"]
        versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
        lines.append(
            f"{result['size'] or 'All'}: {result['date']}, {machine['cpu']}, {machine['cores']} "
            f"cores, {machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}, "
            f"{versions}; anchor {machine['anchor_cpu_s']} CPU s."
        )
    return "<sub>" + "<br>".join(lines) + "</sub>"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    write_report()
