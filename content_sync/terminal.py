"""What a run shows: bars when a person watches, plain lines otherwise, and a log file."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

log = logging.getLogger("nightpress")

_LINE_EVERY = 10.0  # seconds


class Progress:
    """Shows how far the steps of a run are; call it with (step, done, total)."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.watched = sys.stderr.isatty() and not quiet
        self._step = ""
        self._bar: Any = None
        self._said = 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        if self.quiet:
            return
        if self.watched:
            self._show(step, done, total)
            return
        now = time.monotonic()
        if step != self._step:
            self._step, self._said = step, now
        elif now - self._said >= _LINE_EVERY:
            self._said = now
            log.info("%s: %s of %s", step, f"{done:,}", f"{total:,}")

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, step: str, done: int, total: int) -> None:
        if step != self._step or self._bar is None:
            from tqdm import tqdm

            self.close()
            self._step = step
            self._bar = tqdm(total=total, desc=f"  {step}", leave=False, unit="")
        self._bar.total = total
        self._bar.update(done - self._bar.n)
        if done >= total:
            self.close()


def start_logging(var: Path, *, quiet: bool, json: bool) -> None:
    """Log to the terminal for people and to `var/nightpress.log` for later."""
    log.setLevel(logging.INFO)
    log.propagate = False
    stop_logging()
    if not quiet and not json:
        terminal = logging.StreamHandler(sys.stderr)
        terminal.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(terminal)
    var.mkdir(parents=True, exist_ok=True)
    file = RotatingFileHandler(
        var / "nightpress.log", maxBytes=5_000_000, backupCount=5, encoding="utf-8"
    )
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(file)


def stop_logging() -> None:
    """Close the log file and forget the terminal."""
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()


@contextmanager
def timed(steps: dict[str, float], name: str) -> Iterator[None]:
    """Note how many seconds a step of the night took."""
    started = time.perf_counter()
    try:
        yield
    finally:
        steps[name] = round(time.perf_counter() - started, 2)
