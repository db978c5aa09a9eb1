"""The process that opens a stranger's file: limits first, then parsers, then nothing else.

It reads a line that names the file, then `structure` and `text`, and answers each with one
line of JSON. It has no secrets in its environment and no connection to anything.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import unicodedata
from pathlib import Path
from typing import IO, Any, NoReturn

MEMORY = 1024 * 1024 * 1024
"""Bytes of address space; the parsers map libraries of 200 MB."""
SECONDS = 15
"""Seconds of processor time for structure and text together."""


PATIENCE = 120
"""Seconds for one answer and for the next question: longer than the service itself waits."""
IDLE = 300
"""Seconds without a file after which the process that forks ends, and gives its memory back."""


def main() -> None:
    """Look at the one file that is named on standard input."""
    set_limits()
    _look(sys.stdin.buffer, sys.stdout.buffer)


def serve() -> None:
    """Fork a process for each connection that comes over standard input, which is a socket.

    This process itself opens no file, ever; it ends when nobody has asked for a while.
    """
    # What is read here need not be read for each file.
    import pikepdf  # noqa: F401
    import pypdf  # noqa: F401
    import pypdfium2  # noqa: F401

    from dynamic.cv import docx_file, pdf_file  # noqa: F401

    signal.signal(signal.SIGCHLD, _bury)
    door = socket.socket(fileno=os.dup(0))
    door.settimeout(IDLE)
    while True:
        try:
            said, connections, *_ = socket.recv_fds(door, 1, 1)
        except TimeoutError:
            return
        if not said or not connections:
            return  # the service has ended
        if os.fork() == 0:
            _be_a_child(door, connections[0])
        os.close(connections[0])


def _bury(*_: object) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _be_a_child(door: socket.socket, connection: int) -> NoReturn:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        door.close()
        set_limits()
        os.dup2(connection, 0)
        os.dup2(connection, 1)
        os.close(connection)
        with open(0, "rb", closefd=False) as reads, open(1, "wb", closefd=False) as writes:
            writes.write(b"+")
            writes.flush()
            _look(reads, writes)
    finally:
        os._exit(0)


def _look(reads: IO[bytes], writes: IO[bytes]) -> None:
    named = json.loads(reads.readline())
    path, kind = Path(named["file"]), named["kind"]
    for answer in (_structure, _text):
        if sys.platform != "win32":
            signal.alarm(PATIENCE)  # it ends the process, whatever a parser is busy with
        if not reads.readline():
            return
        if not _answer(writes, lambda answer=answer: answer(path, kind)):
            return


def set_limits() -> None:
    """Bind this process for good; Windows has none of this, only its parent's patience."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _answer(writes: IO[bytes], make: Any) -> bool:
    """Write what was found; return whether the file may be looked at further."""
    from dynamic.cv.refusals import Refused

    try:
        answer = make()
    except Refused as refused:
        answer = {"refused": refused.code}
    except (MemoryError, RecursionError):
        answer = {"refused": "too-complex"}
    writes.write(json.dumps(answer).encode() + b"\n")
    writes.flush()
    return "refused" not in answer


def _structure(path: Path, kind: str) -> dict[str, Any]:
    if kind == "pdf":
        from dynamic.cv.pdf_file import check_pdf

        return {"pages": check_pdf(path)}
    from dynamic.cv.docx_file import check_docx

    check_docx(path)
    return {"pages": None}


def _text(path: Path, kind: str) -> dict[str, Any]:
    if kind == "pdf":
        from dynamic.cv.pdf_file import read_pdf

        text, is_cut = read_pdf(path)
    else:
        from dynamic.cv.docx_file import read_docx

        text, is_cut = read_docx(path)
    return {"text": clean(text), "is_cut": is_cut}


def clean(text: str) -> str:
    """Return text without control characters, lone surrogates and runs of empty lines."""
    lines = [
        "".join(
            " " if char == "\t" else char
            for char in line
            if char == "\t" or unicodedata.category(char) not in {"Cc", "Cs", "Co", "Cn"}
        ).rstrip()
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]
    kept = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(kept).strip()
