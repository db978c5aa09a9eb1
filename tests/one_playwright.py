"""Playwright, started once for each process: a second one beside it refuses to start."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from playwright.sync_api import Playwright, sync_playwright


@contextmanager
def one_playwright() -> Iterator[Playwright]:
    """Give this process's Playwright; it ends with the process."""
    yield _started()


@cache
def _started() -> Playwright:
    started = sync_playwright().start()
    atexit.register(started.stop)
    return started
