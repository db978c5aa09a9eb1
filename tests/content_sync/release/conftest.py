"""A small site whose releases are built, checked and published for real."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from content_sync.release.departed import Departed, settle
from content_sync.release.stage import Entry, Release, Stage, open_stage, write_file
from content_sync.release.switch import publish
from content_sync.settings import Settings

SNAPSHOT_SCHEMA = Path(__file__).parents[3] / "content_sync" / "snapshot.sql"


def html(body: str = "", title: str = "Page") -> bytes:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<title>{title}</title><link rel="stylesheet" href="/assets/press.1a2b.css"></head>'
        f'<body><a href="#main">Skip</a><main id="main">{body}</main></body></html>'
    ).encode()


class Site:
    """A site folder with a snapshot, and a way to build releases from plain mappings."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(site=folder, siteurl="https://press.example", releases_kept=3)
        self.date = "2026-03-01"
        self.settled: Departed
        self.rendered: list[str] = []
        self.settings.var.mkdir()
        with closing(sqlite3.connect(self.settings.snapshot)) as snapshot:
            snapshot.executescript(SNAPSHOT_SCHEMA.read_text("utf-8"))

    def sql(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.settings.snapshot)) as snapshot, snapshot:
            snapshot.execute(statement, values)

    def publication(self, id: str, access: str = "public", public_on: str | None = None) -> None:
        self.sql(
            "INSERT OR REPLACE INTO publications (id, title, kind, access, public_on, status,"
            " version) VALUES (?, ?, 'report', ?, ?, 'current', x'00')",
            id,
            f"Title of {id}",
            access,
            public_on,
        )

    def redirect(self, old: str, target: str) -> None:
        self.sql("INSERT INTO redirects VALUES (?, ?, x'00')", old, target)

    def stage(
        self,
        pages: Mapping[str, bytes],
        *,
        prose: Mapping[str, bytes] | None = None,
        records: Mapping[str, str] | None = None,
        full: bool = False,
        gone_key: bytes | None = b"tomb",
        also_gone: Iterable[str] = (),
    ) -> Stage:
        """Build a finished stage: `pages` as our generator does, `prose` as Pelican does."""
        stage = open_stage(self.settings)
        stage.begin(full=full)
        wanted = {"public/assets/press.1a2b.css": b"body{}", **pages}
        stage.remove([e.path for e in stage.entries() if e.path not in wanted and not _gone(e)])
        for path, content in wanted.items():
            key = hashlib.sha256(content).digest()
            if stage.key_of(path) != key:
                named = (records or {}).get(path, "")
                stage.add([write_file(stage.root, path, content, key, named)])
        for path, content in (prose or {}).items():
            file = stage.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        stage.share()
        stage.adopt()
        self.settled = settle(
            self.settings, stage, self._render_gone, gone_key=gone_key, also_gone=also_gone
        )
        stage.write_release({"date": self.date, "counts": {}})
        stage.finish()
        return stage

    def release(self, pages: Mapping[str, bytes], **options: object) -> Release:
        return publish(self.settings, self.stage(pages, **options))  # type: ignore[arg-type]

    def _render_gone(self, url: str) -> bytes:
        self.rendered.append(url)
        return html("This page is gone.")


def _gone(entry: Entry) -> bool:
    return entry.records.startswith("gone:")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def new_site(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Site]:
    """Return a maker of further sites."""
    return lambda: Site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def page() -> Callable[..., bytes]:
    """Return the maker of a page in the site's theme."""
    return html


@pytest.fixture
def run(site: Site) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a way to run lines of Python on the site in a process of their own."""

    def run_lines(lines: str) -> subprocess.CompletedProcess[str]:
        program = _PROGRAM.format(site=str(site.settings.site)) + textwrap.dedent(lines)
        return subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[3],
        )

    return run_lines


_PROGRAM = """
import os, sys
from pathlib import Path
from content_sync.settings import Settings
from content_sync.lock import holder, lock
from content_sync.release.stage import live, open_stage, staged, write_file
from content_sync.release.switch import prune, publish, rollback, switch_to
settings = Settings(site=Path({site!r}), releases_kept=3)
"""
