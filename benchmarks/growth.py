"""Does a night from nothing grow with the site, and its memory not?

    python -m benchmarks.growth [--sizes 10000 50000 200000]

Whole nights of the synthetic consortium (`nightpress demo`), whose records have people, venues,
topics, projects and events in the same proportions at every size.
"""

from __future__ import annotations

import argparse
import shutil
from typing import Any

from benchmarks.bench_site import make_site, night, nightpress
from benchmarks.measure import write_result
from benchmarks.report import table

SIZES = (10_000, 50_000, 200_000)


def run(sizes: tuple[int, ...] = SIZES) -> None:
    """Measure each size, the smallest first, and write its result."""
    for size in sizes:
        site = make_site(f"growth-{size}")
        source = site / "var/demo.sqlite"
        nightpress("demo", site, source, "demo", "--publications", str(size))
        cost, summary = night("full night", site, source)
        write_result(f"growth-{size}", [cost], size=size, summary=summary)
        shutil.rmtree(site)


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    rows: list[list[object]] = []
    for result in results:
        cost, summary = result["runs"][0], result["summary"]
        pages = summary["check"]["pages checked"]
        rows.append(
            [
                result["size"],
                pages,
                cost["files"],
                cost["cpu_s"],
                1000 * cost["cpu_s"] / pages,
                cost["wall_s"],
                cost["peak_memory"] / 1e6,
                cost["bytes"] / 1e6,
                ", ".join(f"{name} {value:.1f}" for name, value in summary["seconds"].items()),
            ]
        )
    heads = ["publications", "pages", "files", "CPU s", "CPU ms a page", "wall s", "peak MB", "MB"]
    return table([*heads, "steps, s"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    run(tuple(parser.parse_args().sizes))


if __name__ == "__main__":
    main()
