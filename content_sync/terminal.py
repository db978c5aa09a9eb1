"""What a run shows: bars when a person watches, plain lines otherwise, and a log file."""

from __future__ import annotations

import contextlib
import json as _json
import logging
import os
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
        told.progress(step, done, total)
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


class Told:
    """How far a run is, in the file that NIGHTPRESS_PROGRESS names: the agent reads it."""

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}
        self._written = 0.0

    def begin(self, name: str, seconds: dict[str, float]) -> None:
        """Tell which step of the night runs, and what those before it took."""
        self._facts.update(step=name, part="", done=0, total=0, seconds=dict(seconds))
        self._write()

    def progress(self, part: str, done: int, total: int) -> None:
        """Tell how far a part of a step is; written a few times a second at most."""
        moment = time.monotonic()
        if part == self._facts.get("part") and moment - self._written < 0.3:
            return
        self._facts.update(part=part, done=done, total=total)
        self._write()

    def end(self, **facts: Any) -> None:
        """Tell what came of the run."""
        self._facts.update(facts)
        self._write()

    def _write(self) -> None:
        name = os.environ.get("NIGHTPRESS_PROGRESS")
        if not name:
            return
        self._written = time.monotonic()
        fresh = Path(f"{name}.{os.getpid()}")
        with contextlib.suppress(OSError):  # a full disk must not stop a run for this
            fresh.write_text(_json.dumps(self._facts), "utf-8")
            fresh.replace(name)


told = Told()


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
    told.begin(name, steps)
    try:
        yield
    finally:
        steps[name] = round(time.perf_counter() - started, 2)
        told.begin("", steps)
