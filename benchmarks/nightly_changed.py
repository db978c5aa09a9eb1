"""What does an ordinary night cost, when little has changed since the last?

    python -m benchmarks.nightly_changed [--size N]

Nights on the site of `nightly_full`: 200 publications changed; then 200 changed, 50 new and 5
withdrawn; then the same once more, when a release has been removed whose files are taken over, as
in every night but the first of a site; then nothing; then one record alone, with a copy of the
live release that stands ready, as the agent makes it.
"""

from __future__ import annotations

import argparse
import shutil
from typing import Any

from benchmarks.bench_site import WORK, night, nightpress, source_of
from benchmarks.edits import edit, edit_one
from benchmarks.measure import write_result
from benchmarks.nightly_full import run as run_full
from benchmarks.nightly_full import site_name
from benchmarks.report import table

NIGHTS = (
    ("200 changed", 200, 0, 0),
    ("200 changed, 50 new, 5 withdrawn", 200, 50, 5),
    ("the same, upon a spare", 200, 50, 5),
)


def run(size: int | None) -> None:
    """Measure the nights and write the result; a missing site is built first."""
    site = WORK / site_name(size)
    if not (site / "output/current").exists():
        run_full(size)
    # A copy is edited, so that other questions find the source as it was.
    source = WORK / f"edited-{size or 'all'}.sqlite"
    shutil.copyfile(source_of(size), source)
    costs = []
    summaries = []
    for seed, (label, change, new, withdraw) in enumerate(NIGHTS, 1):
        edit(source, change, new, withdraw, seed=seed)
        cost, summary = night(label, site, source)
        costs.append(cost)
        summaries.append(summary)
    cost, summary = night("nothing changed", site, source)
    costs.append(cost)
    summaries.append(summary)
    nightpress("spare", site, source, "spare")
    record = f"publication:{edit_one(source)}"
    cost, summary = night("one record alone", site, source, "--record", record)
    if "part" not in summary:
        raise SystemExit(f"{record} was not brought alone: {site / 'one-record-alone.log'}")
    write_result(
        f"nightly_changed-{size or 'all'}",
        [*costs, cost],
        size=size,
        summaries=[*summaries, summary],
    )
    # The site holds edited records now and is of no use to the other questions.
    shutil.rmtree(site)
    source.unlink()


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    rows: list[list[object]] = []
    for result in results:
        for cost, summary in zip(result["runs"], result["summaries"], strict=True):
            seconds = summary["seconds"]
            rows.append(
                [
                    result["size"] or "all",
                    cost["label"],
                    _pages(summary.get("build", {"written": 0})),
                    cost["cpu_s"],
                    cost["wall_s"],
                    cost["peak_memory"] / 1e6,
                    ", ".join(f"{name} {value:.1f}" for name, value in seconds.items()),
                ]
            )
    heads = ["publications", "night", "pages written", "CPU s", "wall s", "peak MB", "steps, s"]
    return table(heads, rows)


def _pages(build: dict[str, Any]) -> int:
    return int(build.get("pages", build["written"]))  # before citations, all files were pages


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nightly_changed")
    parser.add_argument("--size", type=int, help="publications (default: all)")
    run(parser.parse_args().size)


if __name__ == "__main__":
    main()
