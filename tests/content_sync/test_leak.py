"""The leak test: what is for members changes no byte of what is public."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from content_sync.demo import write_demo
from content_sync.indexing import index_release
from content_sync.pages.site import build_site
from content_sync.release.stage import Stage, staged
from content_sync.release.switch import publish
from content_sync.settings import Settings, read_settings
from content_sync.sync import sync

CONF = """
from content_sync.site_defaults import *
SITENAME = "Test Consortium"
SITEURL = "https://publications.example"
FULL_TEXTS = "var/demo-files"
WORKERS = 1
"""

CLOSED = (
    "access = 'members' AND (public_on IS NULL OR public_on > date('now'))"
    " OR access = 'public' AND public_on > date('now')"
)
WITHOUT_MEMBERS = (
    f"DELETE FROM publications WHERE {CLOSED}",
    "DELETE FROM projects WHERE access = 'members'",
    "DELETE FROM events WHERE access = 'members'",
    "DELETE FROM deliverables WHERE access = 'members'",
)


def edit(settings: Settings, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(settings.demo_source)) as source, source:
        for statement in statements:
            source.execute(statement)


def night(settings: Settings) -> Stage:
    sync(settings, accept=True)
    # When the data was read stands on /changes/; here it is not what is compared.
    with contextlib.closing(sqlite3.connect(settings.snapshot)) as snapshot, snapshot:
        snapshot.execute("UPDATE syncs SET finished = '2026-01-01T02:03:04+00:00'")
    build_site(settings)
    index_release(settings, staged(settings))
    stage = staged(settings)
    assert stage is not None
    return stage


# All files that Apache gives to everybody: the tree, harvesters' files, pages of errors, and what
# is gone. Not the map of old addresses: that of a members' record leads to the sign-in.
OPEN = ("public", "oai", "errors", "gone/public")


def public(stage: Stage) -> dict[str, bytes]:
    return {
        file.relative_to(stage.root).as_posix().removeprefix("public/"): file.read_bytes()
        for folder in OPEN
        for file in (stage.root / folder).rglob("*")
        if file.is_file()
    }


def twins(tmp_path: Path, seed: int) -> tuple[Settings, Settings]:
    """Two sites with the same history, which has never seen a members' record.

    The first one's source has them from now on, with their full texts; the other's never.
    """
    one = tmp_path / "with"
    for folder in ("content/news", "content/pages"):
        (one / folder).mkdir(parents=True)
    (one / "pelicanconf.py").write_text(CONF)
    (one / "content/news/first.md").write_text(
        "Title: First\nDate: 2026-01-02\nSlug: first\nSummary: It runs.\n\nIt *runs*.\n"
    )
    settings = read_settings(one)
    write_demo(settings.demo_source, settings.var / "demo-files", publications=80, seed=seed)
    whole = tmp_path / "whole.sqlite"
    shutil.copy(settings.demo_source, whole)
    edit(settings, *WITHOUT_MEMBERS)
    publish(settings, night(settings))
    shutil.copytree(one, tmp_path / "without", symlinks=True)
    shutil.copy(whole, settings.demo_source)
    return settings, read_settings(tmp_path / "without")


@pytest.mark.parametrize("seed", [3, 1994])
def test_members_records_change_no_public_byte(tmp_path: Path, seed: int) -> None:
    given, withheld = twins(tmp_path, seed)
    for settings in (given, withheld):
        edit(settings, "UPDATE publications SET title = title || ' (revised)' WHERE rowid % 9 = 0")
    one, two = night(given), night(withheld)
    mine, others = public(one), public(two)
    assert {p for p in mine | others if mine.get(p) != others.get(p)} == set()
    kinds = {Path(name).suffix for name in mine}
    assert {".html", ".br", ".gz", ".json", ".xml", ".pdf", ".css"} <= kinds
    for place in ("search-index", "citations", "data", "feeds", "oai/records", "oai/pages"):
        assert any(name.startswith(f"{place}/") for name in mine), place
    assert {"sitemap.xml", "data/SHA256SUMS", "errors/404.html"} <= mine.keys()
    # The test would find something: members got what the others know nothing of.
    members = {f.name for f in (one.root / "members").rglob("*.html")}
    assert members - {f.name for f in (two.root / "members").rglob("*.html")}


@pytest.mark.parametrize("seed", [3])
def test_members_full_texts_change_no_public_byte(tmp_path: Path, seed: int) -> None:
    """The file behind a public abstract can be exchanged, and nobody else sees it."""
    given, withheld = twins(tmp_path, seed)
    shutil.copy(given.demo_source, withheld.demo_source)
    with contextlib.closing(sqlite3.connect(withheld.demo_source)) as source:
        rows = source.execute(
            "SELECT file_path FROM publications WHERE file_path IS NOT NULL"
            " AND (access = 'abstract' AND (public_on IS NULL OR public_on > date('now'))"
            f" OR {CLOSED})"
        ).fetchall()
    replaced = 0
    for (path,) in rows:
        file = withheld.var / "demo-files" / path
        if file.is_file():
            file.write_bytes(b"%PDF-1.7\n%another text\n")
            replaced += 1
    assert replaced
    mine, others = public(night(given)), public(night(withheld))
    assert {p for p in mine | others if mine.get(p) != others.get(p)} == set()
