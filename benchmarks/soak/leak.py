"""The leak test on real records: what is for members changes no byte of what is public.

Two sites have the same history, in which nobody has seen a members' record. Then the one gets
every twentieth publication, project and event as a members' record and a members' file behind
every twentieth abstract, the other never does; both get the same other edits. All that everybody
may read is compared: pages, feeds, sitemaps, citations, dumps, harvesters' files, shards of the
search, compressed ones and tombstones.
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

TITLE = "what everybody may read of real records, with and without members' records"
PUBLICATIONS = 5000
_CONF = """
from content_sync.site_defaults import *
SITENAME = "Leak"
SITEURL = "https://publications.example"
FULL_TEXTS = "files"
"""
_CLOSED = ("publications", "projects", "events")
_OPEN = ("public", "oai", "errors", "gone/public")
_PLACES = ("citations", "data", "feeds", "search-index", "sitemaps", "projects", "events")
_EDIT = (
    "UPDATE publications SET title = title || ' (revised)', version = version + 1"
    " WHERE rowid % 20 = 7"
)


def run(scale: float) -> dict[str, object]:
    """Compare the two sites; raise AssertionError at the first names that differ."""
    size = max(200, round(PUBLICATIONS * scale))
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as temporary:
        folder = Path(temporary)
        given, withheld = folder / "with", folder / "without"
        whole = folder / "whole.sqlite"
        shutil.copy(source_of(size), whole)
        for view in _CLOSED:
            _change(whole, f"UPDATE {view} SET access = 'members' WHERE rowid % 20 = 0")  # noqa: S608
        _change(
            whole,
            "UPDATE publications SET access = 'abstract', file_path = 'paper.pdf'"
            " WHERE rowid % 20 = 3",
        )
        settings = _site(given, whole)
        for view in _CLOSED:
            _change(given / "source.sqlite", f"DELETE FROM {view} WHERE access = 'members'")  # noqa: S608
        publish(settings, _night(settings))
        shutil.copytree(given, withheld, symlinks=True)
        shutil.copy(whole, given / "source.sqlite")
        stages = []
        for site in (given, withheld):
            # The file behind an abstract is another one: only members can tell.
            (site / "files/paper.pdf").write_bytes(b"%PDF-1.7 " + site.name.encode())
            _change(site / "source.sqlite", _EDIT)
            stages.append(_night(_settings(site)))
        one, two = (_files(stage.root) for stage in stages)
        absent = [p for p in _PLACES if not any(n.startswith(f"public/{p}/") for n in one)]
        assert not absent, f"nothing to compare below {absent}"
        differ = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
        assert not differ, f"{len(differ)} public files differ, such as {differ[:5]}"
        only = [_members(stage) for stage in stages]
        hidden = {view: len(only[0][view] - only[1][view]) for view in _CLOSED}
        assert all(hidden.values()), f"the comparison has no members' record: {hidden}"
        papers = [list((stage.root / "members").rglob("*.pdf")) for stage in stages]
        assert papers[0]
        assert papers[0][0].read_bytes() != papers[1][0].read_bytes()
        return {
            "files compared": len(one),
            "kinds": " ".join(sorted({Path(name).suffix or "none" for name in one})),
            **{f"members' {view} on one side only": count for view, count in hidden.items()},
            "files behind abstracts that differ for members": len(papers[0]),
            "files that differ": 0,
        }


def _members(stage: Stage) -> dict[str, set[str]]:
    return {v: {f.name for f in (stage.root / "members" / v).glob("*.html")} for v in _CLOSED}


def _site(site: Path, whole: Path) -> Settings:
    (site / "content/pages").mkdir(parents=True)
    (site / "content/news").mkdir()
    (site / "files").mkdir()
    (site / "files/paper.pdf").write_bytes(b"%PDF-1.7 the first night's")
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
    # When the data was read stands on /changes/; here it is not what is compared.
    _change(settings.snapshot, "UPDATE syncs SET finished = '2026-01-01T02:03:04+00:00'")
    build_site(settings)
    index_release(settings, staged(settings))
    stage = staged(settings)
    assert stage is not None
    return stage


def _files(root: Path) -> dict[str, str]:
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for folder in _OPEN
        for file in (root / folder).rglob("*")
        if file.is_file()
    }
