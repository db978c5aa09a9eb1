"""The comparison's Hugo site: the frozen templates with the content of a site of ours.

    python -m benchmarks.make_hugo_site benchmarks/work/site-49000 benchmarks/work/hugo-49000

`--content files` writes one Markdown file per page with its facts as front matter;
`adapter` (the default: it was the faster in the trial) writes the same facts as data,
1,000 pages a file, which Hugo's content adapters turn into pages.
"""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from benchmarks.page_contexts import Contexts, Page

TEMPLATES = Path(__file__).resolve().parent / "hugo"
PAGES_PER_FILE = 1000


def make_hugo_site(site: Path, target: Path, content: str = "adapter") -> dict[str, int]:
    """Make Hugo's site in the folder `target`, anew; return pages per template.

    `site` is a site of ours whose pages have been built.
    """
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(TEMPLATES, target)
    contexts = Contexts(site)
    counts: Counter[str] = Counter()
    write = _write_files if content == "files" else _write_data
    write(_counted(contexts.pages(), counts), target)
    (target / "data").mkdir()
    (target / "data/cards.json").write_bytes(orjson.dumps(contexts.cards))
    contexts.close()
    return dict(counts)


def _counted(pages: Iterable[Page], counts: Counter[str]) -> Iterator[Page]:
    for page in pages:
        counts[page.layout] += 1
        yield page


def _front_matter(page: Page) -> dict[str, Any]:
    facts = page.facts
    return {
        "title": facts.pop("title", ""),
        "url": f"/{page.file}",
        "type": page.layout,
        "description": facts.pop("description", ""),
        "params": facts,
    }


def _write_files(pages: Iterable[Page], target: Path) -> None:
    for number, page in enumerate(pages):
        folder = target / "content" / page.layout / f"{number // PAGES_PER_FILE:04}"
        if number % PAGES_PER_FILE == 0 or not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
        text = orjson.dumps(_front_matter(page), option=orjson.OPT_INDENT_2)
        (folder / f"{number:07}.md").write_bytes(text + b"\n")


def _write_data(pages: Iterable[Page], target: Path) -> None:
    """Write `assets/pages/<template>/<n>.json`, and an adapter for each template."""
    waiting: dict[str, list[dict[str, Any]]] = {}
    files: Counter[str] = Counter()

    def flush(layout: str) -> None:
        folder = target / "assets/pages" / layout
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{files[layout]:04}.json").write_bytes(orjson.dumps(waiting.pop(layout)))
        files[layout] += 1

    for number, page in enumerate(pages):
        facts = {"path": f"{number:07}", "kind": "page", **_front_matter(page)}
        some = waiting.setdefault(page.layout, [])
        some.append(facts)
        if len(some) == PAGES_PER_FILE:
            flush(page.layout)
    for layout in list(waiting):
        flush(layout)
    adapter = (target / "adapter.gotmpl").read_text("utf-8")
    for layout in files:
        folder = target / "content" / layout
        folder.mkdir(parents=True)
        (folder / "_content.gotmpl").write_text(adapter.replace("LAYOUT", layout), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_hugo_site")
    parser.add_argument("site", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--content", choices=("adapter", "files"), default="adapter")
    given = parser.parse_args()
    for layout, count in make_hugo_site(given.site, given.target, given.content).items():
        print(f"{layout:24}{count:>10,}")


if __name__ == "__main__":
    main()
