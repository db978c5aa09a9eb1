"""The leak test on real records: what is for members changes no byte of what is public.

Two sites have the same history, in which nobody has seen a members' record. Then the one gets
every twentieth publication as a members' record, the other never does, both get the same other
edits, and all files under `public/` are compared: pages, feeds, sitemaps, shards, compressed ones.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks.bench_site import WORK, source_of
from content_sync.indexing import index_release
from content_sync.pages.site import build_site
from content_sync.release.stage import Stage, staged
from content_sync.release.switch import publish
from content_sync.settings import Settings, read_settings
from content_sync.sync import sync

TITLE = "public files of real records, with and without members' records beside them"
PUBLICATIONS = 5000
_CONF = """
from content_sync.site_defaults import *
SITENAME = "Leak"
SITEURL = "https://publications.example"
"""
_CLOSE = "UPDATE publications SET access = 'members' WHERE rowid % 20 = 0"
_EDIT = "UPDATE publications SET title = title || ' (revised)' WHERE rowid % 20 = 7"


def run(scale: float) -> dict[str, object]:
    """Compare the two sites; raise AssertionError at the first names that differ."""
    size = max(200, round(PUBLICATIONS * scale))
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as temporary:
        folder = Path(temporary)
        given, withheld = folder / "with", folder / "without"
        whole = folder / "whole.sqlite"
        shutil.copy(source_of(size), whole)
        _change(whole, _CLOSE)
        settings = _site(given, whole)
        _change(given / "source.sqlite", "DELETE FROM publications WHERE access = 'members'")
        publish(settings, _night(settings))
        shutil.copytree(given, withheld, symlinks=True)
        shutil.copy(whole, given / "source.sqlite")
        stages = []
        for site in (given, withheld):
            _change(site / "source.sqlite", _EDIT)
            stages.append(_night(_settings(site)))
        one, two = (_files(stage.root / "public") for stage in stages)
        differ = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
        assert not differ, f"{len(differ)} public files differ, such as {differ[:5]}"
        members = {f.name for f in (stages[0].root / "members").rglob("*.html")}
        others = {f.name for f in (stages[1].root / "members").rglob("*.html")}
        assert members - others, "the comparison has no members' record"
        return {
            "public files compared": len(one),
            "kinds": " ".join(sorted({Path(name).suffix or "none" for name in one})),
            "members' pages on one side only": len(members - others),
            "files that differ": 0,
        }


def _site(site: Path, whole: Path) -> Settings:
    (site / "content/pages").mkdir(parents=True)
    (site / "content/news").mkdir()
    shutil.copy(whole, site / "source.sqlite")
    (site / "pelicanconf.py").write_text(_CONF)
    return _settings(site)


def _settings(site: Path) -> Settings:
    return replace(read_settings(site), source=f"sqlite:///{site / 'source.sqlite'}")


def _change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


def _night(settings: Settings) -> Stage:
    sync(settings, accept=True)
    build_site(settings)
    index_release(settings, staged(settings))
    stage = staged(settings)
    assert stage is not None
    return stage


def _files(root: Path) -> dict[str, str]:
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in root.rglob("*")
        if file.is_file()
    }
