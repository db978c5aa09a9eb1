"""A demo site behind a real Apache, on a free port, without sign-in."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from content_sync.demo import write_demo
from content_sync.indexing import index_release
from content_sync.operations.stack import Stack, running_stack
from content_sync.pages.site import build_site
from content_sync.release.stage import staged
from content_sync.release.switch import publish
from content_sync.settings import Settings, read_settings
from content_sync.sync import sync
from tests.deploy.apache.wire import Answer, get
from tests.sites import copy_site

CONF = """
from content_sync.site_defaults import *
SITENAME = "Test Consortium"
SITEURL = "https://publications.example"
FULL_TEXTS = "var/demo-files"
SECURITY_CONTACT = "mailto:security@publications.example"
WORKERS = 1
"""

# Opened for these tests, which ask what the members' tree answers to those let in. Who is let
# in is tested with the sign-in; the tests of the shut door use a stack without this.
OPEN = """
<DirectoryMatch "^${NIGHTPRESS_RELEASES}/[0-9]+/(?:members|staff)(?:/|$)">
    Require all granted
</DirectoryMatch>
<Directory "${NIGHTPRESS_SITE}/var/cvbook">
    Require all granted
</Directory>
"""


class Served:
    """A site and the stack that serves it."""

    def __init__(self, settings: Settings, stack: Stack) -> None:
        self.settings = settings
        self.stack = stack

    def get(self, path: str | bytes, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return get(self.stack, path, named)

    def edit(self, sql: str, *values: object) -> None:
        """Change the source as its owner would."""
        with sqlite3.connect(self.settings.demo_source) as connection:
            connection.execute(sql, values)
        connection.close()

    def night(self) -> int:
        return night(self.settings)

    def file(self, path: str) -> Path:
        """A file of the live release."""
        return self.settings.output / "current" / path


def night(settings: Settings) -> int:
    """Sync, build, index and publish; return the release's number."""
    sync(settings, accept=True)
    build_site(settings)
    index_release(settings, staged(settings))
    stage = staged(settings)
    assert stage is not None
    return publish(settings, stage).number


@pytest.fixture(scope="session")
def reachable() -> Iterator[Callable[[], Path]]:
    """Return a maker of folders that the user whom Apache serves as may enter.

    pytest's own temporary folders are for their owner alone.
    """
    made: list[Path] = []

    def make() -> Path:
        folder = Path(tempfile.mkdtemp(prefix="nightpress-apache-"))
        folder.chmod(0o755)
        made.append(folder)
        return folder

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def built(reachable: Callable[[], Path]) -> Path:
    """A site folder with two published releases, to be copied by those who change it.

    The second one has tombstones, and other shards of the search than the first.
    """
    root = reachable()
    for folder in ("content/news", "content/pages"):
        (root / folder).mkdir(parents=True)
    (root / "pelicanconf.py").write_text(CONF)
    (root / "content/pages/about.md").write_text("Title: About\nSlug: about\n\nWho we are.\n")
    (root / "content/news/first.md").write_text(
        "Title: First\nDate: 2026-01-02\nSlug: first\nSummary: It runs.\n\nIt *runs*.\n"
    )
    settings = read_settings(root)
    write_demo(settings.demo_source, settings.var / "demo-files", publications=60, seed=3)
    night(settings)
    with sqlite3.connect(settings.demo_source) as connection:
        for access in ("public", "members"):
            connection.execute(
                "DELETE FROM publications WHERE id = (SELECT min(id) FROM publications"
                " WHERE access = ? AND public_on IS NULL AND status = 'current')",
                (access,),
            )
    connection.close()
    night(settings)
    return root


@pytest.fixture(scope="session")
def make_served(
    built: Path, reachable: Callable[[], Path]
) -> Callable[..., contextlib.AbstractContextManager[Served]]:
    """Return a maker of stacks over a copy of the site."""

    @contextlib.contextmanager
    def make(lines: str = "", **options: bool) -> Iterator[Served]:
        root = reachable() / "site"
        copy_site(built, root)
        if lines:
            (root / "apache").mkdir()
            (root / "apache" / "test.conf").write_text(lines)
        settings = read_settings(root)
        options = {"signin": False, "service": False} | options
        with running_stack(settings, **options) as stack:
            yield Served(settings, stack)

    return make


@pytest.fixture(scope="session")
def shut(make_served: Callable[..., contextlib.AbstractContextManager[Served]]) -> Iterator[Served]:
    """The site as an anonymous reader meets it; no test changes it."""
    with make_served() as served:
        yield served


@pytest.fixture(scope="session")
def opened(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
) -> Iterator[Served]:
    """The site with its closed trees open; no test changes it."""
    with make_served(OPEN) as served:
        yield served
