"""Look at an uploaded file before anything else does: size, type, structure, virus, text."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import filetype

from dynamic.cv import scanner
from dynamic.cv.children import Child
from dynamic.cv.refusals import LARGEST, Refused
from dynamic.errors import Unavailable

AT_ONCE = 2
"""Files that one process has looked at at the same time; others wait for their turn."""
PATIENCE = 30
"""Seconds that a file waits for its turn."""

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MIME = {"pdf": "application/pdf", "docx": _DOCX}
_HAS_TEXT = 30
"""Letters and digits from which on a file is more than a picture."""

_turn = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What is known of a file that may be kept."""

    kind: str
    """pdf or docx."""
    pages: int | None
    """None for DOCX, which has pages only once it is laid out."""
    text: str
    warnings: tuple[str, ...]
    """Codes of things to tell the student, see refusals.WARNINGS."""
    is_scanned: bool
    """Whether a virus scanner looked at it; never false where one is configured."""


def inspect(file: Path, *, clamd: str = "") -> Inspected:
    """Return what is in the file, if it may be kept.

    Raises Refused with the reason, or Unavailable if the file could not be looked at.
    """
    size = file.stat().st_size
    if size == 0:
        raise Refused("empty")
    if size > LARGEST:
        raise Refused("too-large")
    kind = _kind(file)
    if not _turn.acquire(timeout=PATIENCE):
        raise Unavailable("Too many CVs are arriving at once. Please try again in a minute.")
    try:
        return _look(file, kind, clamd)
    finally:
        _turn.release()


def _kind(file: Path) -> str:
    with file.open("rb") as content:
        head = content.read(8192)
    guess = filetype.guess(head)
    mime = guess.mime if guess else ""
    if mime == "application/pdf" and head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"PK\x03\x04") and mime in {_DOCX, "application/zip"}:
        return "docx"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise Refused("old-word")
    raise Refused("type")


def _look(file: Path, kind: str, clamd: str) -> Inspected:
    with Child(file, kind) as child:
        structure = child.answer("structure")
        if clamd:
            scanner.scan(clamd, file)
        read = child.answer("text")
    warnings = []
    if sum(char.isalnum() for char in read["text"]) < _HAS_TEXT:
        warnings.append("no-text")
    if read["is_cut"]:
        warnings.append("cut")
    return Inspected(
        kind=kind,
        pages=structure["pages"],
        text=read["text"],
        warnings=tuple(warnings),
        is_scanned=bool(clamd),
    )
