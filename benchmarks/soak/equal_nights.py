"""Nights upon nights give what one build from nothing gives: the same bytes in every file.

A site of real records lives through ordinary nights. Then one more day's edits are read, and two
builds are made of them: one upon the last release, and one in a twin of the site that forgets
its cache and what its last release was made of, so that nothing is taken over.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks.bench_site import WORK, source_of
from benchmarks.edits import edit
from content_sync.indexing import index_release
from content_sync.pages.site import build_site
from content_sync.release import manifest
from content_sync.release.releases import RELEASE_FILE
from content_sync.release.stage import Stage, staged
from content_sync.release.switch import prune, publish
from content_sync.settings import Settings, read_settings
from content_sync.sync import sync

TITLE = "every file after ordinary nights, and of a build from nothing of the same records"
PUBLICATIONS = 49_000
NIGHTS = 3
_CONF = """
from content_sync.site_defaults import *
SITENAME = "Equal"
SITEURL = "https://publications.example"
RELEASES_KEPT = 2
"""


def run(scale: float) -> dict[str, object]:
    """Compare the two builds; raise AssertionError at the first names that differ."""
    size = max(500, round(PUBLICATIONS * scale))
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as temporary:
        site = Path(temporary, "site")
        (site / "content").mkdir(parents=True)
        shutil.copy(source_of(size), site / "source.sqlite")
        (site / "pelicanconf.py").write_text(_CONF, encoding="utf-8")
        settings = replace(read_settings(site), source=f"sqlite:///{site / 'source.sqlite'}")
        _night(settings)
        for number in range(1, NIGHTS + 1):
            _edit(site, size, number)
            _night(settings)
        _edit(site, size, NIGHTS + 1)
        sync(settings)
        twin = _twin(site)
        report, number = build_site(settings)
        assert not report.full, "the last night was no ordinary one"
        anew, _ = build_site(twin, full=True)
        assert anew.full
        with closing(sqlite3.connect(_stage(settings).manifest_file)) as connection:
            connection.execute("ATTACH ? AS twin", (str(_stage(twin).manifest_file),))
            differ = connection.execute(_DIFFER, (RELEASE_FILE,)).fetchall()
            (files,) = connection.execute("SELECT count(*) FROM files").fetchone()
        assert not differ, f"{len(differ)} files differ, such as {[p for (p,) in differ[:8]]}"
        return {
            "publications": size,
            "nights": NIGHTS + 1,
            "files": files,
            "rendered": f"{report.written:,} and {anew.written:,}",
            "differ": 0,
        }


_DIFFER = """
SELECT coalesce(a.path, b.path) AS path FROM files AS a
FULL JOIN twin.files AS b ON a.path = b.path
WHERE coalesce(a.path, b.path) <> ? AND a.sha256 IS NOT b.sha256 ORDER BY 1
"""


def _edit(site: Path, size: int, seed: int) -> None:
    share = size / PUBLICATIONS
    counts = (max(2, round(n * share)) for n in (200, 50, 5))
    edit(site / "source.sqlite", *counts, seed=seed)


def _night(settings: Settings) -> None:
    sync(settings)
    build_site(settings)
    index_release(settings, staged(settings), lambda step, done, total: None)
    publish(settings, _stage(settings))
    prune(settings)


def _stage(settings: Settings) -> Stage:
    stage = staged(settings)
    assert stage is not None
    return stage


def _twin(site: Path) -> Settings:
    """Return the same site, from whose last release a build can take nothing but old values."""
    twin = site.with_name("twin")
    shutil.copytree(site / "output", twin / "output", symlinks=True, copy_function=_link)
    shutil.copytree(site / "content", twin / "content")
    shutil.copytree(site / "var", twin / "var", ignore=shutil.ignore_patterns("cache.sqlite*"))
    shutil.copy(site / "pelicanconf.py", twin)
    for file in (twin / "output/releases").glob(f"*/{manifest.NAME}"):
        own = file.with_name("own.sqlite")
        shutil.copy(file, own)
        own.replace(file)
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE files SET key = NULL")
    return read_settings(twin)


def _link(source: str, target: str) -> str:
    os.link(source, target)
    return target
