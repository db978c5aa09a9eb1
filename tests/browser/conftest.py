"""A demo site as the nightly job publishes it, served under a strict CSP, and Chromium."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from benchmarks.web_server import COOKIE, Served, serve_trees
from tests.one_playwright import one_playwright

expect.set_options(timeout=15_000)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a published release of the demo consortium."""
    site = tmp_path_factory.mktemp("search") / "site"
    nightpress = [sys.executable, "-m", "content_sync.cli"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NIGHTPRESS_")}
    for command in (["init", str(site)], ["nightly", "--site", str(site)]):
        subprocess.run(
            [*nightpress, *command], cwd=ROOT, env=environment, check=True, capture_output=True
        )
    return (site / "output" / "current").resolve()


@pytest.fixture
def served(release: Path) -> Iterator[Served]:
    with serve_trees(release) as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with one_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium") or which("google-chrome"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(chromium: Browser, served: Served) -> Iterator[NewPage]:
    """A function that opens a page of a reader who was never here; nothing may go wrong in it.

    What a test expects to be logged as an error it names in `allowed`.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def make(*, member: bool = False, allowed: str = "\0", **options: object) -> Page:
        context = chromium.new_context(
            viewport={"width": 1280, "height": 900}, base_url=served.address, **options
        )
        context.set_default_timeout(15_000)
        if member:
            name, _, value = COOKIE.partition("=")
            context.add_cookies([{"name": name, "value": value, "url": served.address}])
        contexts.append(context)
        page = context.new_page()

        def note(text: str) -> None:
            if allowed not in text:
                faults.append(text)

        page.on("pageerror", lambda error: note(str(error)))
        page.on("console", lambda m: note(m.text) if m.type in ("error", "warning") else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page()
