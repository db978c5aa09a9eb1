"""The files by which the service keeps a CV out of the book: a lock and a list.

Both are written down in docs/cv.md; `dynamic/cv/gate.py` is the other side. The job holds
the lock only while it puts a company's new book in place of the old one, and asks once more
what may be shown before it does, so that a CV withdrawn in mid-night never comes back.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from content_sync.errors import BuildError

if os.name == "nt":
    import msvcrt
else:
    import fcntl

LOCK = "cvbook.lock"
DENIED = "cvbook-denied.txt"
MARK = ".nightpress-cvbook"

_PATIENCE = 60


@contextlib.contextmanager
def locked(var: Path) -> Iterator[None]:
    """Hold the lock of the CV books; raises BuildError if the service keeps it for long."""
    descriptor = os.open(var / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _seize(descriptor)
        yield
    finally:
        os.close(descriptor)


def read_denied(var: Path) -> dict[tuple[str, str], str]:
    """Return the last word on each CV (digest of its id) and company."""
    words: dict[tuple[str, str], str] = {}
    with contextlib.suppress(FileNotFoundError):
        for line in (var / DENIED).read_text(encoding="utf-8").splitlines():
            parts = line.split(" ")
            if len(parts) == 4:
                words[parts[2], parts[3]] = parts[1]
    return words


def digest_of(cv_id: str) -> str:
    """Return what stands for a CV in the list."""
    return hashlib.sha256(cv_id.encode()).hexdigest()


def _seize(descriptor: int) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            if os.name == "nt":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > end:
                raise BuildError(
                    "The service holds the lock of the CV books.", hint="Try again in a minute."
                ) from None
            time.sleep(0.02)
        else:
            return
