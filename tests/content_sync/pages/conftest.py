"""A small demo site that tests build, change and build again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from content_sync.demo import write_demo
from content_sync.pages.build import BuildReport
from content_sync.pages.site import build_site
from content_sync.release.stage import Stage, staged
from content_sync.release.switch import publish
from content_sync.settings import Settings, read_settings
from content_sync.sync import SyncReport, sync

CONF = """
from content_sync.site_defaults import *
SITENAME = "Test Consortium"
SITEURL = "https://publications.example"
FULL_TEXTS = "var/demo-files"
WORKERS = 1
"""


@dataclass(slots=True)
class Site:
    """A site folder with a source database that tests may edit."""

    settings: Settings

    @property
    def root(self) -> Path:
        return self.settings.site

    def edit(self, sql: str, *values: object) -> None:
        """Change the source as its owner would."""
        with sqlite3.connect(self.settings.demo_source) as connection:
            connection.execute(sql, values)
        connection.close()

    def sync(self) -> SyncReport:
        return sync(self.settings, accept=True)

    def build(self, *, full: bool = False) -> tuple[BuildReport, Stage]:
        report, _ = build_site(self.settings, full=full)
        stage = staged(self.settings)
        assert stage is not None
        return report, stage

    def night(self) -> BuildReport:
        """Sync, build and publish."""
        self.sync()
        report, stage = self.build()
        publish(self.settings, stage)
        return report

    def page(self, path: str) -> str:
        """Return a page of the live release."""
        return (self.settings.output / "current" / path).read_text("utf-8")

    def optional_tables(self) -> list[str]:
        """Return the source's tables that are not publications."""
        with sqlite3.connect(self.settings.demo_source) as connection:
            rows = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'publications'"
            ).fetchall()
        connection.close()
        return [name for (name,) in rows]

    def source(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the source database."""
        with sqlite3.connect(self.settings.demo_source) as connection:
            rows = connection.execute(sql, values).fetchall()
        connection.close()
        return rows

    def snapshot(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.settings.snapshot) as connection:
            rows = connection.execute(sql, values).fetchall()
        connection.close()
        return rows


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[..., Site]:
    def make(name: str = "site", *, publications: int = 60, conf: str = CONF) -> Site:
        root = tmp_path / name
        for folder in ("content/news", "content/pages"):
            (root / folder).mkdir(parents=True)
        (root / "pelicanconf.py").write_text(conf)
        (root / "content/pages/about.md").write_text("Title: About\nSlug: about\n\nWho we are.\n")
        (root / "content/news/first.md").write_text(
            "Title: First\nDate: 2026-01-02\nSlug: first\nSummary: It runs.\n\nIt *runs*.\n"
        )
        settings = read_settings(root)
        write_demo(
            settings.demo_source, settings.var / "demo-files", publications=publications, seed=3
        )
        return Site(settings)

    return make


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()


def tree(root: Path) -> dict[str, bytes]:
    """Return every file below `root` by its path."""
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }
