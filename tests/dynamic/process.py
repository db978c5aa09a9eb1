"""The service as a process of its own: Waitress on a port, asked over real HTTP."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from content_sync.operations.children import free_port
from tests.dynamic.apache_says import signed_in

ROOT = Path(__file__).parent.parent.parent


class Service:
    """A running service; `with` starts and stops it, `kill` ends it without a chance."""

    def __init__(self, site: Path, environment: dict[str, str], *options: str) -> None:
        self.site = site
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = site / "var" / f"service-{self.port}.log"
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("NIGHTPRESS_")},
            **environment,
            "PYTHONPATH": str(ROOT),
        }
        self._options = options
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "content_sync.cli", "service", "run"),
                    *("--site", str(self.site), "--port", str(self.port), *self._options),
                ],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        for _ in range(4800):
            if self.process.poll() is not None:
                raise RuntimeError(self.log.read_text("utf-8"))
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                time.sleep(0.025)
        raise RuntimeError(f"It does not answer: {self.log.read_text('utf-8')}")

    def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def __enter__(self) -> Service:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def browse(self, subject: str = "u-1", *groups: str, **facts: str) -> Browser:
        """Return a signed-in reader with a cookie jar."""
        return Browser(self.url, signed_in(subject, *(groups or ("member",)), **facts))


class Browser:
    """A reader behind Apache: sends what Apache sends, keeps the service's cookie."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.url = url
        self.headers = headers
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **more: Any) -> requests.Response:
        return self._ask("GET", path, **more)

    def post(self, path: str, data: Any = None, **more: Any) -> requests.Response:
        """Post a form; without a `csrf_token` of its own it is fetched from the page first."""
        if isinstance(data, dict) and "csrf_token" not in data:
            data = data | {"csrf_token": self.token(path)}
        return self._ask("POST", path, data=data, **more)

    def token(self, path: str) -> str:
        """Return the token of the form at `path`."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(path).text)
        assert found, f"no form at {path}"
        return found[1]

    def _ask(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        headers = {k: v.encode("latin-1") for k, v in headers.items()}
        if self.cookies:
            pairs = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
            headers["Cookie"] = pairs.encode()
        answer = requests.request(
            method, self.url + path, headers=headers, timeout=60, allow_redirects=False, **more
        )
        self.cookies.update(answer.cookies.get_dict())
        return answer
