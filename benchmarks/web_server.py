"""A web server for browsers under measurement: a release's trees, compressed, under a strict CSP.

It answers as the real one does where a browser can tell: pages without file names, Brotli,
long-lived files with hashed names, a manifest that is asked for anew, members' files for
signed-in members only. It counts what it sends.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import brotli

from content_sync.release.preview import content_type
from content_sync.urls import page_file

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
COOKIE = "nightpress-members=1"
_PIECE = 1400
_HEADERS = 500
"""Bytes of the headers of one answer, about, which a slow line carries too."""
_COMPRESSED = ("text/", "application/json", "image/svg", "application/xml", "application/octet")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in place of a file."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    announced: int | None = None
    """The length that is announced, where fewer bytes follow."""


@dataclass(slots=True)
class Sent:
    """One answer that went out."""

    path: str
    status: int
    size: int


class Line:
    """A slow line: each answer begins late, and all together share its width."""

    def __init__(self, round_trip_s: float, bytes_per_s: float) -> None:
        self.round_trip_s = round_trip_s
        self._bytes_per_s = bytes_per_s
        self._free_at = 0.0
        self._guard = threading.Lock()

    def carry(self, size: int) -> None:
        """Wait until so many bytes have gone through."""
        with self._guard:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._bytes_per_s
            free_at = self._free_at
        time.sleep(max(0.0, free_at - time.monotonic()))


@dataclass(slots=True)
class Served:
    """A running server: its address, what it sent, and what it does otherwise than usual."""

    address: str
    sent: list[Sent] = field(default_factory=list)
    faults: dict[str, Callable[[bytes], Answer]] = field(default_factory=dict)
    """Beginning of a path → the answer that is made of the file's bytes."""
    withdrawn: bytes = b'{"version": 1, "withdrawn": []}'
    withdrawn_asked: int = 0
    line: Line | None = None

    def since(self, mark: int) -> list[Sent]:
        """What went out after the first `mark` answers."""
        return self.sent[mark:]


@contextmanager
def serve_trees(release: Path, port: int = 0) -> Iterator[Served]:
    """Serve the folders `public` and `members` of a release at a free port of this machine."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", port), handler)
    served = Served(f"http://127.0.0.1:{server.server_port}")
    handler.release, handler.served = release.resolve(), served  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Browsers hang up as they please; anything else is a fault."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    release: Path
    served: Served

    def do_GET(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/live/withdrawn.json":
            self.served.withdrawn_asked += 1
            self._send(Answer(200, self.served.withdrawn), path, "no-store")
            return
        tree, url = ("members", path[8:]) if path.startswith("/members/") else ("public", path)
        if tree == "members" and COOKIE not in self.headers.get("Cookie", ""):
            self._send(Answer(401, b"Please sign in.\n"), path, "no-store")
            return
        file = (self.release / tree / page_file(url)).resolve()
        is_there = file.is_relative_to(self.release / tree) and file.is_file()
        body = file.read_bytes() if is_there else b"Not found\n"
        answer = self._ranged(body) if is_there else Answer(404, body)
        for start, fault in self.served.faults.items():
            if path.startswith(start):
                answer = fault(body)
        lasts = answer.status in (200, 206) and (
            path.startswith("/assets/")
            or ("/search-index/" in path and not path.endswith("manifest.json"))
        )
        self._send(
            answer, file.name, "public, max-age=31536000, immutable" if lasts else "no-cache"
        )

    def _ranged(self, body: bytes) -> Answer:
        """The part of a file that the request asks for, or all of it."""
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not wanted:
            return Answer(200, body)
        first, last = int(wanted[1]), min(int(wanted[2]), len(body) - 1)
        place = ("Content-Range", f"bytes {first}-{last}/{len(body)}")
        return Answer(206, body[first : last + 1], (place,))

    def _send(self, answer: Answer, name: str, caching: str) -> None:
        kind, body = content_type(name), answer.body
        self.send_response(answer.status)
        if (
            answer.status != 206
            and "br" in self.headers.get("Accept-Encoding", "")
            and kind.startswith(_COMPRESSED)
            and answer.announced is None
        ):
            smaller = _compressed(body)
            if len(smaller) < len(body):
                body = smaller
                self.send_header("Content-Encoding", "br")
        length = len(body) if answer.announced is None else answer.announced
        for header, value in (
            ("Content-Type", kind),
            ("Content-Length", str(length)),
            ("Content-Security-Policy", CSP),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", caching),
            *answer.headers,
        ):
            self.send_header(header, value)
        if length != len(body):
            self.close_connection = True
        self.served.sent.append(Sent(urlsplit(self.path).path, answer.status, len(body)))
        line = self.served.line
        if line is None:
            self.end_headers()
            self.wfile.write(body)
            return
        time.sleep(line.round_trip_s)
        line.carry(_HEADERS)
        self.end_headers()
        for at in range(0, len(body), _PIECE):
            piece = body[at : at + _PIECE]
            line.carry(len(piece))
            self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@lru_cache(maxsize=4000)
def _compressed(body: bytes) -> bytes:
    return brotli.compress(body, quality=11)
