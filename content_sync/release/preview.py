"""A plain preview of the live release's public tree: no certificates, no sign-in.

It answers as the real server does: pages without a file name, redirects, tombstones, the
site's own 404 page, ranges for PDFs. A release that goes live meanwhile is seen at once.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from content_sync.errors import ReleaseError
from content_sync.release.addresses import url_of
from content_sync.release.departed import GONE_FILE, REDIRECTS_FILE, read_redirects
from content_sync.release.releases import Release, live
from content_sync.settings import Settings
from content_sync.urls import page_file


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    release: Release | None = None,
) -> None:
    """Serve the live release, or the one given, until the process is interrupted.

    Raises ReleaseError when the port is taken.
    """
    with (
        make_server(settings, host, port, release) as server,
        contextlib.suppress(KeyboardInterrupt),
    ):
        server.serve_forever()


def make_server(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    release: Release | None = None,
) -> Preview:
    """Return a server that listens already; port 0 takes a free one (`server_port`)."""
    try:
        return Preview(settings, host, port, release)
    except OSError as error:
        raise ReleaseError(
            f"Nothing can be served at {host}:{port}: {error.strerror or error}.",
            hint="Choose another port with --port.",
        ) from error


class Preview(ThreadingHTTPServer):
    """The server: one thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, settings: Settings, host: str, port: int, release: Release | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._settings = settings
        self._pinned = release
        self._maps: tuple[Path, _Maps] | None = None
        self._guard = threading.Lock()
        super().__init__((host, port), _Handler)

    def release(self) -> Release | None:
        return self._pinned or live(self._settings)

    def maps(self, release: Release) -> _Maps:
        """Redirects and tombstones of a release, read once."""
        with self._guard:
            if self._maps is None or self._maps[0] != release.root:
                self._maps = (release.root, _read_maps(release.root))
            return self._maps[1]


class _Maps(NamedTuple):
    redirects: dict[str, str]
    gone: frozenset[str]


def _read_maps(root: Path) -> _Maps:
    redirects, gone = root / REDIRECTS_FILE, root / GONE_FILE
    return _Maps(
        dict(read_redirects(redirects.read_text("utf-8"))) if redirects.exists() else {},
        frozenset(gone.read_text("utf-8").splitlines() if gone.exists() else ()),
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Nightpress"
    sys_version = ""
    timeout = 60
    server: Preview

    def do_GET(self) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._answer()

    do_HEAD = do_GET

    def _answer(self) -> None:
        # A body that comes with the request is not read, so nothing may follow it.
        if self.headers.get("Content-Length") or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
        release = self.server.release()
        if release is None:
            text = b"There is no release yet. Run 'nightpress nightly' first.\n"
            self._send_text(HTTPStatus.SERVICE_UNAVAILABLE, text)
            return
        tree = release.root / "public"
        path, query = _requested(self.path)
        if path is None:
            self._send_page(HTTPStatus.NOT_FOUND, tree, "404.html")
            return
        maps = self.server.maps(release)
        if path in {"/signin/", "/signout/"}:
            text = b"This preview signs nobody in. 'nightpress serve --stack' does.\n"
            self._send_text(HTTPStatus.SERVICE_UNAVAILABLE, text)
        elif path in maps.gone:
            self._send_page(HTTPStatus.GONE, tree, page_file(path))
        elif file := _inside(tree, page_file(path)):
            canonical = url_of("public/" + file.relative_to(tree.resolve()).as_posix())
            if path in {canonical, "/404.html"}:
                self._send_file(HTTPStatus.OK, file)
            else:
                self._redirect(_quoted(canonical) + query)
        elif target := maps.redirects.get(path + query) or maps.redirects.get(path):
            self._redirect(target)
        elif not path.endswith("/") and _inside(tree, page_file(path + "/")):
            self._redirect(_quoted(path + "/") + query)
        else:
            self._send_page(HTTPStatus.NOT_FOUND, tree, "404.html")

    def _redirect(self, target: str) -> None:
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", target)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_page(self, status: HTTPStatus, tree: Path, name: str) -> None:
        """Answer with a page that belongs to `status`, or with a line where there is none."""
        file = _inside(tree, name) or _inside(tree, "404.html")
        if file:
            self._send_file(status, file)
        else:
            self._send_text(status, f"{status.value} {status.phrase}\n".encode())

    def _send_text(self, status: HTTPStatus, text: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _send_file(self, status: HTTPStatus, file: Path) -> None:
        with file.open("rb") as content:
            facts = os.fstat(content.fileno())
            tag = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'
            first, last = 0, facts.st_size - 1
            if status == HTTPStatus.OK:
                if tag in self.headers.get("If-None-Match", ""):
                    self._send_not_modified(tag)
                    return
                if self.headers.get("If-Range", tag) == tag:
                    wanted = _range(self.headers.get("Range", ""), facts.st_size)
                    if wanted == _UNSATISFIABLE:
                        self._refuse_range(facts.st_size)
                        return
                    if wanted:
                        status = HTTPStatus.PARTIAL_CONTENT
                        first, last = wanted
            self.send_response(status)
            self.send_header("Content-Type", content_type(file.name))
            self.send_header("Content-Length", str(last - first + 1))
            if status == HTTPStatus.PARTIAL_CONTENT:
                self.send_header("Content-Range", f"bytes {first}-{last}/{facts.st_size}")
            if status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
                self.send_header("ETag", tag)
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Last-Modified", formatdate(facts.st_mtime, usegmt=True))
            self.send_header("Cache-Control", self._caching(status))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if self.command != "HEAD":
                self._copy(content, first, last)

    def _send_not_modified(self, tag: str) -> None:
        self.send_response(HTTPStatus.NOT_MODIFIED)
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", self._caching(HTTPStatus.OK))
        self.end_headers()

    def _refuse_range(self, size: int) -> None:
        self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        self.send_header("Content-Range", f"bytes */{size}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _caching(self, status: HTTPStatus) -> str:
        is_asset = self.path.startswith("/assets/") and status < HTTPStatus.MULTIPLE_CHOICES
        return "public, max-age=31536000, immutable" if is_asset else "no-cache"

    def _copy(self, content: BinaryIO, first: int, last: int) -> None:
        content.seek(first)
        left = last - first + 1
        while left > 0 and (piece := content.read(min(left, 1 << 16))):
            self.wfile.write(piece)
            left -= len(piece)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet: the terminal belongs to the person who previews."""


def content_type(name: str) -> str:
    """Return the Content-Type that a file is served with."""
    ending = name.rpartition(".")[2].lower()
    return _TYPES.get(ending, "application/octet-stream")


_TEXT = "; charset=utf-8"
_TYPES = {
    "atom": "application/atom+xml" + _TEXT,
    "avif": "image/avif",
    "bib": "application/x-bibtex" + _TEXT,
    "css": "text/css" + _TEXT,
    "csv": "text/csv" + _TEXT,
    "gif": "image/gif",
    "html": "text/html" + _TEXT,
    "ico": "image/vnd.microsoft.icon",
    "ics": "text/calendar" + _TEXT,
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript" + _TEXT,
    "json": "application/json",
    "jsonl": "application/jsonl" + _TEXT,
    "mjs": "text/javascript" + _TEXT,
    "pdf": "application/pdf",
    "png": "image/png",
    "ris": "application/x-research-info-systems" + _TEXT,
    "svg": "image/svg+xml",
    "txt": "text/plain" + _TEXT,
    "wasm": "application/wasm",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff2": "font/woff2",
    "xml": "application/xml" + _TEXT,
}


def _requested(target: str) -> tuple[str | None, str]:
    """The decoded path and the '?query' of a request; no path where it is a trick."""
    if target.startswith("//"):
        return None, ""
    try:
        parts = urlsplit(target)
        path = unquote(parts.path, errors="strict")
    except ValueError:
        return None, ""
    query = f"?{parts.query}" if parts.query else ""
    if not path.startswith("/") or "\\" in path or not path.isprintable():
        return None, ""
    if os.name == "nt" and ":" in path:  # drives and alternate streams
        return None, ""
    steps = path.removesuffix("/").split("/")[1:]
    return (None, "") if {"", ".", ".."}.intersection(steps) else (path, query)


def _inside(tree: Path, name: str) -> Path | None:
    """The regular file `name` below `tree`, links followed, or None when it lies elsewhere."""
    tree = tree.resolve()
    try:
        file = (tree / name).resolve()
        return file if file.is_relative_to(tree) and file.is_file() else None
    except (OSError, RuntimeError, ValueError):  # too long, a circle of links, no name at all
        return None


def _quoted(path: str) -> str:
    return quote(path, safe="/~!$&'()*+,;=@")


_UNSATISFIABLE = (-1, -1)


def _range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte that a Range header asks for; None: the whole file."""
    found = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", header.strip())
    if not found or found[1] == found[2] == "":
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        return (size - length, size - 1) if length else _UNSATISFIABLE
    first = int(found[1])
    last = min(int(found[2] or size - 1), size - 1)
    if first >= size:
        return _UNSATISFIABLE
    return (first, last) if first <= last else None
