"""A stand-in for Apache on a loopback port: the release, the service and the CV books.

It decides nothing but what Apache's rules decide (deploy/apache has tests of its own): who a
reader is comes from the port's owner, and a company's book is for that company.
"""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from waitress.server import create_server

from tests.dynamic.apache_says import signed_in

Start = Callable[..., Any]


class Front:
    """Serves one site; `reader` is who is signed in at this moment."""

    def __init__(self, app: Flask, site: Path) -> None:
        self.app = app
        self.site = site
        self.reader: dict[str, str] = {}
        self._server = create_server(self._answer, host="127.0.0.1", port=0, threads=8)
        self.url = f"http://127.0.0.1:{self._server.effective_port}"
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Front:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.close()
        self._server.task_dispatcher.shutdown()

    def sign_in(self, subject: str, *groups: str, **facts: str) -> None:
        self.reader = signed_in(subject, *groups, **facts)

    def _answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/services"):
            for name, value in self.reader.items():
                environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
            return self.app(environ, start)
        if path.startswith("/cvs/"):
            return self._book(path, start)
        tree = self.site / "output" / "current"
        if path.startswith("/members/"):
            found = self._file(tree / "members", path.removeprefix("/members")) or self._file(
                tree / "public", path.removeprefix("/members")
            )
        else:
            found = self._file(tree / "public", path)
        return self._send(found, start)

    def _book(self, path: str, start: Start) -> Iterable[bytes]:
        company = path.split("/")[2]
        if company != self.reader.get("X-Remote-Company") or not company:
            start("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"not yours"]
        found = self._file(self.site / "var" / "cvbook", path.removeprefix("/cvs"))
        if found:
            log = self.site / "var" / "log" / "apache-access.log"
            log.parent.mkdir(exist_ok=True)
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
            with log.open("a") as file:
                file.write(f'127.0.0.1 x [{now}] "GET {path} HTTP/1.1" 200 1 1\n')
        return self._send(found, start)

    def _file(self, tree: Path, path: str) -> Path | None:
        for name in (path, f"{path.rstrip('/')}.html", f"{path.rstrip('/')}/index.html"):
            file = (tree / name.lstrip("/")).resolve()
            if file.is_file() and file.is_relative_to(tree.resolve()):
                return file
        return None

    def _send(self, file: Path | None, start: Start) -> Iterable[bytes]:
        if file is None:
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"nothing here"]
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if kind == "text/html":
            kind = "text/html; charset=utf-8"
        headers = [("Content-Type", kind), ("X-Content-Type-Options", "nosniff")]
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self';"
            " img-src 'self'; form-action 'self'; base-uri 'none'"
        )
        headers.append(("Content-Security-Policy", policy))
        if not kind.startswith("text/") and file.suffix in {".pdf", ".docx"}:
            headers.append(("Content-Disposition", "attachment"))
        start("200 OK", headers)
        return [file.read_bytes()]
