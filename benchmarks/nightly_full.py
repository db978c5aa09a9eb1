"""What does a whole night cost, from an empty site to a live release?

    python -m benchmarks.nightly_full [--size N]

Sync, every page, search index, check and release of the real data, in one run of
`nightpress nightly`: CPU seconds and memory of the whole process tree, seconds per step.
The site stays in `benchmarks/work/` for the questions that come after.
"""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks.bench_site import make_site, night, source_of
from benchmarks.measure import write_result
from benchmarks.report import table


def run(size: int | None) -> None:
    """Measure one full night and write the result."""
    source = source_of(size)
    site = make_site(site_name(size))
    cost, summary = night("full night", site, source)
    write_result(f"nightly_full-{size or 'all'}", [cost], size=size, summary=summary)


def site_name(size: int | None) -> str:
    """Return the name of the site folder that holds a full night of this size."""
    return f"site-{size or 'all'}"


def tables(results: list[dict[str, Any]]) -> str:
    """Return the tables of the README."""
    rows: list[list[object]] = []
    steps: list[list[object]] = []
    for result in results:
        cost = result["runs"][0]
        summary = result["summary"]
        works = summary["sync"]["views"]["publications"]["rows"]
        rows.append(
            [
                works,
                summary["sync"]["rows"],
                summary["check"]["pages checked"],
                cost["cpu_s"],
                cost["wall_s"],
                cost["peak_memory"] / 1e6,
                cost["files"],
                cost["bytes"] / 1e6,
            ]
        )
        steps.append([works, *(summary["seconds"][name] for name in _STEPS)])
    return "\n\n".join(
        (
            table(
                ["publications", "records", "pages", "CPU s", "wall s", "peak MB", "files", "MB"],
                rows,
            ),
            table(["publications", *(f"{name} s" for name in _STEPS)], steps),
        )
    )


_STEPS = ("sync", "build", "index", "check", "publish")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nightly_full")
    parser.add_argument("--size", type=int, help="publications (default: all)")
    run(parser.parse_args().size)


if __name__ == "__main__":
    main()
