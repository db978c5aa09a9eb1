"""An upload on its way in: on the disk, never whole in memory, gone when it has been dealt with."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dynamic.cv.refusals import LARGEST, Refused
from dynamic.errors import Unavailable

_PIECE = 1 << 16
_LEFT_BEHIND = 3600
"""Seconds after which a file here belongs to a process that was killed."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file as it arrived."""

    path: Path
    sha256: bytes
    size: int


@contextlib.contextmanager
def spooled(upload: BinaryIO, folder: Path) -> Iterator[Spooled]:
    """Copy an upload into a private folder for the length of the block.

    Raises Refused if it is empty or too large, Unavailable if the disk is full.
    """
    path = folder / secrets.token_hex(16)
    try:
        yield _copy(upload, path)
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def clear(folder: Path) -> int:
    """Delete what killed processes left behind; return how many files."""
    if not folder.is_dir():
        return 0
    limit = time.time() - _LEFT_BEHIND
    old = [file for file in folder.iterdir() if file.stat().st_mtime < limit]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)


def _copy(upload: BinaryIO, path: Path) -> Spooled:
    digest = hashlib.sha256()
    size = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, 0o600), "wb") as target:
            while piece := upload.read(_PIECE):
                size += len(piece)
                if size > LARGEST:
                    raise Refused("too-large")
                digest.update(piece)
                target.write(piece)
    except OSError as error:
        raise Unavailable(
            "There is no room for your file just now. Nothing of it was kept. Please try again"
            " later.",
            retry_after=600,
        ) from error
    if size == 0:
        raise Refused("empty")
    return Spooled(path, digest.digest(), size)
