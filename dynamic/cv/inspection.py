"""Look at an uploaded file before anything else does: size, type, structure, virus, text."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filetype

from dynamic.cv import scanner
from dynamic.cv.refusals import LARGEST, Refused
from dynamic.errors import Unavailable

AT_ONCE = 2
"""Files that one process has looked at at the same time; others wait for their turn."""
PATIENCE = 60
"""Seconds that a file waits for its turn."""
SECONDS = 40
"""Seconds on the clock for one file, however busy the machine is."""

_LONGEST_ANSWER = 2_000_000
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
    with _Child(file, kind) as child:
        structure = child.answer()
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


class _Child:
    """The process that opens the file; it ends with the block."""

    def __init__(self, file: Path, kind: str) -> None:
        root = Path(__file__).resolve().parent.parent.parent
        program = (
            "import sys; sys.dont_write_bytecode = True; sys.path[:0] = [sys.argv[3]];"
            "from dynamic.cv.child import main; main(sys.argv[1], sys.argv[2])"
        )
        # Started in a new process and not by fork: nothing of ours is in its memory.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", program, str(file), kind, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=file.parent,
        )
        self._timer = threading.Timer(SECONDS, self._process.kill)

    def __enter__(self) -> _Child:
        self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self._process.wait()

    def answer(self, question: str = "") -> dict[str, Any]:
        """Return the child's next answer; one that died of its limits was too much work."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            if question:
                self._process.stdin.write(f"{question}\n".encode())
                self._process.stdin.flush()
            line = self._process.stdout.readline(_LONGEST_ANSWER)
            answer: dict[str, Any] = json.loads(line)
        except (OSError, ValueError) as error:
            raise Refused("too-complex") from error
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer


def _environment() -> dict[str, str]:
    if sys.platform != "win32":
        return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    import os

    return {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if name in os.environ}
