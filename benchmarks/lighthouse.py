"""What does Google's Lighthouse say of the pages?

    python -m benchmarks.lighthouse [--size N] [--release FOLDER] [--rounds 3]

Home, a publication, a project, a listing and the search page of a site of real records, in
Chromium as Lighthouse sets it up by default: a phone on a slow line with a CPU four times
slower. Scores are medians of the rounds. Lighthouse itself comes from npm into
`benchmarks/work/lighthouse/`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

from benchmarks.bench_site import WORK, live_release
from benchmarks.measure import write_result
from benchmarks.nightly_full import run as run_full
from benchmarks.nightly_full import site_name
from benchmarks.report import table
from benchmarks.web_server import serve_trees

VERSION = "13.5.0"
SIZE = 5000
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
_TIMES = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time")


def run(size: int | None = SIZE, rounds: int = 3) -> None:
    """Measure on a site of real records and write the result; a missing site is built first."""
    site = WORK / site_name(size)
    if not (site / "output/current").exists():
        run_full(size)
    pages = measure_release(live_release(site), rounds)
    write_result(f"lighthouse-{size or 'all'}", [], size=size, lighthouse=VERSION, pages=pages)


def measure_release(release: Path, rounds: int) -> list[dict[str, Any]]:
    """Return for each kind of page its scores, times and the audits that it does not pass."""
    program = _install()
    pages = []
    with serve_trees(release) as served:
        for kind, path in _sample(release).items():
            reports = [_report(program, served.address + path) for _ in range(rounds)]
            pages.append({"page": kind, "path": path, **_summary(reports)})
    return pages


def _install() -> Path:
    """Return Lighthouse's program, brought by npm if it is not there."""
    folder = WORK / "lighthouse"
    program = folder / "node_modules/lighthouse/cli/index.js"
    if not program.is_file():
        npm = which("npm")
        if not npm:
            raise SystemExit("Lighthouse needs Node.js with npm: apt-get install nodejs npm")
        folder.mkdir(parents=True, exist_ok=True)
        wanted = f"lighthouse@{VERSION}"
        subprocess.run(
            [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, wanted],
            check=True,
        )
    return program


def _sample(release: Path) -> dict[str, str]:
    """Return a path of each kind of page: of records, the one whose page is the median in size."""
    return {
        "home": "/",
        "publication": f"/publications/{_median(release / 'public/publications')}/",
        "project": f"/projects/{_median(release / 'public/projects')}/",
        "listing": f"/venues/{_median(release / 'public/venues')}/",
        "search": "/search/",
        "search, results": "/search/?q=language+models",
    }


def _median(folder: Path) -> str:
    pages = [page for page in folder.glob("*.html") if page.stem != "index"]
    if not pages:
        raise SystemExit(f"{folder} holds no pages.")
    return sorted(pages, key=lambda page: (page.stat().st_size, page.name))[len(pages) // 2].stem


def _report(program: Path, url: str) -> dict[str, Any]:
    chromium = which("chromium") or which("google-chrome") or ""
    done = subprocess.run(
        [
            which("node") or "node",
            program,
            url,
            "--quiet",
            "--output=json",
            f"--only-categories={','.join(CATEGORIES)}",
            "--chrome-flags=--headless=new --no-sandbox",
        ],
        env={**os.environ, "CHROME_PATH": chromium},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"Lighthouse failed on {url}:\n{done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _summary(reports: list[dict[str, Any]]) -> dict[str, Any]:
    scores = {
        name: round(100 * statistics.median(r["categories"][name]["score"] for r in reports))
        for name in CATEGORIES
    }
    times = {
        name: round(statistics.median(r["audits"][name]["numericValue"] for r in reports))
        for name in _TIMES
    }
    shift = statistics.median(
        r["audits"]["cumulative-layout-shift"]["numericValue"] for r in reports
    )
    failed = {
        audit["id"]
        for report in reports
        for category in CATEGORIES[1:]
        for reference in report["categories"][category]["auditRefs"]
        if reference["weight"]
        for audit in (report["audits"][reference["id"]],)
        if audit["score"] is not None and audit["score"] < 1
    }
    return {**scores, **times, "shift": round(shift, 3), "failed": sorted(failed)}


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    heads = [
        "publications",
        "page",
        "performance",
        "accessibility",
        "best practices",
        "SEO",
        "first paint, s",
        "largest paint, s",
        "blocked, ms",
        "layout shift",
    ]
    rows = [
        [
            r["size"] or "all",
            page["page"],
            *(page[name] for name in CATEGORIES),
            *(page[name] / 1000 for name in _TIMES[:2]),
            page["total-blocking-time"],
            f"{page['shift']:.3f}",
        ]
        for r in results
        for page in r["pages"]
    ]
    return table(heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lighthouse")
    parser.add_argument("--size", type=int, default=SIZE, help="publications (default: 5000)")
    parser.add_argument("--release", type=Path, help="measure this release and print the figures")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if given.release:
        print(json.dumps(measure_release(given.release.resolve(), given.rounds), indent=2))
    else:
        run(given.size, given.rounds)


if __name__ == "__main__":
    main()
