"""The site folder and the sources that the benchmarks run on, kept in `benchmarks/work/`."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, measure
from benchmarks.real_data import ROOT, data_folder, load
from tools.environment import compile_sources

WORK = ROOT / "benchmarks/work"
SITEURL = "https://anthology.example"
SITENAME = "ACL Anthology at night"
SUBTITLE = "Papers on computational linguistics, and research projects"
LEAD = "A benchmark of Nightpress on public data."

_CONF = f'''\
"""A site of real records, for measuring."""

from content_sync.site_defaults import *

SITENAME = "{SITENAME}"
SITESUBTITLE = "{SUBTITLE}"
SITE_LEAD = "{LEAD}"
SITEURL = "{SITEURL}"
TIMEZONE = "UTC"
RELEASES_KEPT = 2
'''


def make_site(name: str, *, left_out: Iterable[str] = ()) -> Path:
    """Return a new, empty site folder `benchmarks/work/<name>`.

    `left_out` names parts that it does not make (`PARTS` in content_sync/settings.py); links to
    the feedback form then go with them.
    """
    site = WORK / name
    if site.exists():
        shutil.rmtree(site)
    (site / "content/pages").mkdir(parents=True)
    (site / "content/news").mkdir()
    (site / "content/pages/about.md").write_text("Title: About\nSlug: about\n\nA benchmark.\n")
    parts = list(left_out)
    conf = f"{_CONF}LEFT_OUT = {parts!r}\nFEEDBACK_LINKS = {not parts}\n"
    (site / "pelicanconf.py").write_text(conf, encoding="utf-8")
    return site


def source_of(size: int | None) -> Path:
    """Return a source database of about `size` publications (None: all), made if absent."""
    name = f"acl-{size}.sqlite" if size else "acl.sqlite"
    path = WORK / name
    if not path.is_file():
        WORK.mkdir(parents=True, exist_ok=True)
        load(path, data_folder(), size)
    return path


def nightpress(label: str, site: Path, source: Path, *arguments: str) -> Cost:
    """Run a command of `nightpress` on a site and return what it cost.

    Its log goes to `<site>/<label>.log`. Raises SystemExit with the log's end if it fails.
    """
    _compile_once()
    log = site / f"{label.replace(' ', '-')}.log"
    command = [sys.executable, "-m", "content_sync.cli", *arguments, "--site", str(site)]
    cost = measure(
        label,
        command,
        cwd=ROOT,
        env={"NIGHTPRESS_SOURCE": f"sqlite:///{source}"},
        folders=[site / "output"],
        log=log,
    )
    if cost.exit_code:
        end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise SystemExit(f"'nightpress {' '.join(arguments)}' ended with {cost.exit_code}:\n{end}")
    return cost


@cache
def _compile_once() -> None:
    """Have the sources compiled, as those of a Nightpress that was installed are."""
    compile_sources(ROOT)


def night(label: str, site: Path, source: Path, *arguments: str) -> tuple[Cost, dict[str, Any]]:
    """Run the nightly job; return its cost and the summary that it prints."""
    cost = nightpress(label, site, source, "nightly", "--json", *arguments)
    summary: dict[str, Any] = json.loads(cost.output.strip().splitlines()[-1])
    return cost, summary


def live_release(site: Path) -> Path:
    """Return the folder of the release that is live."""
    return (site / "output/current").resolve()
