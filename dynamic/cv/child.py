"""The process that opens a stranger's file: limits first, then parsers, then nothing else.

`python -c … FILE KIND` writes one line of JSON on the structure, waits for a line, writes
one on the text. It has no secrets in its environment and no connection to anything.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

MEMORY = 1024 * 1024 * 1024
"""Bytes of address space; the parsers map libraries of 200 MB."""
SECONDS = 15
"""Seconds of processor time for structure and text together."""


def main(path: str, kind: str) -> None:
    """Check the file at `path`, which is a `pdf` or `docx`."""
    set_limits()
    _answer(lambda: _structure(Path(path), kind))
    if sys.stdin.readline().strip() == "text":
        _answer(lambda: _text(Path(path), kind))


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


def _answer(make: Any) -> None:
    from dynamic.cv.refusals import Refused

    try:
        answer = make()
    except Refused as refused:
        answer = {"refused": refused.code}
    except (MemoryError, RecursionError):
        answer = {"refused": "too-complex"}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    if "refused" in answer:
        sys.exit(0)


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
