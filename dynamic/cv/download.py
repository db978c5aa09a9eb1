"""Hand a stored file to its owner: saved, never shown, never run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from flask import Response
from werkzeug.http import dump_options_header

from dynamic.cv.inspection import MIME


def as_attachment(file: BinaryIO, kind: str, name: str, size: int) -> Response:
    """Return an answer that a browser can only save, piece by piece from the store."""
    response = Response(pieces(file), mimetype=MIME[kind])
    response.headers["Content-Length"] = str(size)
    return private(response, safe_name(name, kind))


def private(response: Response, name: str) -> Response:
    """Add the headers of a file that is nobody else's and no page of this site."""
    ascii_name = name.encode("ascii", "replace").decode().replace("?", "_")
    response.headers["Content-Disposition"] = dump_options_header(
        "attachment", {"filename": ascii_name}
    ) + ("" if name.isascii() else f"; filename*=UTF-8''{_percent(name)}")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def safe_name(name: str, kind: str) -> str:
    """Return a file name with the ending that its content has."""
    stem = name.rpartition(".")[0] if name.lower().endswith((".pdf", ".docx")) else name
    plain = "".join(c if c.isalnum() or c in " .-_()" else "_" for c in stem).strip(" .")
    return f"{plain[:120] or 'cv'}.{kind}"


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file in pieces and close it."""
    try:
        while piece := file.read(65536):
            yield piece
    finally:
        file.close()


def _percent(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")
