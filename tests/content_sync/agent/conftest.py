"""A small demo site, built once, and a real agent in a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from content_sync.agent import queue
from content_sync.demo import write_demo
from content_sync.operations.children import free_port, listens
from content_sync.settings import Settings, read_settings
from tests.sites import copy_site

ROOT = Path(__file__).parents[3]
SECRET = "a secret that only Apache and the service know"
CONF = """
from content_sync.site_defaults import *
SITENAME = "Test Consortium"
SITEURL = "https://publications.example"
FULL_TEXTS = "var/demo-files"
STAFF_MAILBOXES = {"": "office@publications.example"}
WORKERS = 1
"""


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one live release, to be copied."""
    root = tmp_path_factory.mktemp("agent-site")
    for folder in ("content/news", "content/pages"):
        (root / folder).mkdir(parents=True)
    (root / "pelicanconf.py").write_text(CONF)
    (root / "content/pages/about.md").write_text("Title: About\nSlug: about\n\nWho we are.\n")
    settings = read_settings(root)
    write_demo(settings.demo_source, settings.var / "demo-files", publications=40, seed=3)
    nightpress(settings, "service", "migrate")
    nightpress(settings, "nightly")
    return root


@pytest.fixture
def settings(built_site: Path, tmp_path: Path) -> Settings:
    copy_site(built_site, tmp_path / "site")
    return read_settings(tmp_path / "site")


class RunningAgent:
    """An agent that can be killed."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.settings, self.port = settings, port
        self.log = settings.var / "agent-under-test.log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*COMMAND, "agent", "--no-schedule", "--port", str(port)],
                cwd=settings.site,
                env=ENVIRONMENT,
                stdout=output,
                stderr=output,
            )
        wait_for(lambda: listens(port), self.log)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


COMMAND = (sys.executable, "-m", "content_sync.cli")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "NIGHTPRESS_PROXY_SECRET": SECRET}


def nightpress(settings: Settings, *words: str, fails: bool | None = False) -> str:
    """Run a command on a site and return what it said; `fails` None: it may or may not."""
    done = subprocess.run(
        [*COMMAND, *words, "--site", str(settings.site)],
        cwd=settings.site,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert fails in (None, done.returncode != 0), done.stdout + done.stderr
    return done.stdout + done.stderr


def wait_for(ready: Callable[[], object], log: Path | None = None) -> None:
    deadline = time.monotonic() + 180
    while not ready():
        said = log.read_text() if log and log.exists() else ""
        assert time.monotonic() < deadline, said
        time.sleep(0.05)


def ended(settings: Settings, number: int) -> queue.Build:
    """Wait until a build is over and return it."""
    wait_for(lambda: state_of(settings, number) not in ("pending", "running"))
    found = queue.build_of(settings, number)
    assert found is not None
    return found


def state_of(settings: Settings, number: int) -> str:
    found = queue.build_of(settings, number)
    assert found is not None
    return found.state


@pytest.fixture
def agent(settings: Settings) -> Iterator[Callable[[], RunningAgent]]:
    """Start agents of the site; they end with the test."""
    started: list[RunningAgent] = []

    def start() -> RunningAgent:
        started.append(RunningAgent(settings, free_port()))
        return started[-1]

    yield start
    for one in started:
        with contextlib.suppress(ProcessLookupError):
            one.stop()
