"""How fast does the service take what 50 clients send at once?

    python -m benchmarks.service_load [--clients 50] [--seconds 10]

One process of the service as it ships (Waitress with 8 threads, its worker beside it), over
HTTP on the loopback address, on SQLite and on PostgreSQL. Each client holds a connection and
sends the next form when the last is answered. The clients run on the same machine and take
their share of it.

A part of the service adds its POST to `POSTS`: a name, and a function that returns, for a
client and a number, the address of the form, the groups of the reader and the fields to send.
"""

from __future__ import annotations

import argparse
import http.client
import re
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from benchmarks.measure import write_result
from benchmarks.report import table
from benchmarks.soak._service_site import service_site
from tests.dynamic.apache_says import signed_in
from tests.dynamic.process import Service

CLIENTS = 50
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Post:
    """One form to send."""

    path: str
    groups: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    answer: int = 303
    """The status of a form that was taken."""


def _feedback(client: int, number: int) -> Post:
    return Post(
        "/services/feedback/publication/el-2026-17_u",
        ("member",),
        {"text": f"Client {client}, message {number}", "field_title": "A better title"},
    )


POSTS: dict[str, Callable[[int, int], Post]] = {"feedback": _feedback}


class _Client:
    """One of the clients: a connection, a cookie, a token, and what it measured."""

    def __init__(self, number: int, port: int, post: Callable[[int, int], Post]) -> None:
        self.number = number
        self.seconds: list[float] = []
        self.refused = 0
        self._post = post
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._cookie = self._token = ""

    def prepare(self) -> None:
        """Open the form once, as a reader does."""
        first = self._post(self.number, 0)
        status, headers, body = self._ask("GET", first.path, first.groups, 0)
        assert status == 200, body[:500]
        self._cookie = headers["Set-Cookie"].partition(";")[0]
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', body)
        assert found
        self._token = found[1]

    def send(self, until: float) -> None:
        number = 0
        while time.perf_counter() < until:
            number += 1
            post = self._post(self.number, number)
            body = urlencode({"csrf_token": self._token, **post.fields})
            began = time.perf_counter()
            status, _, _ = self._ask("POST", post.path, post.groups, number, body)
            self.seconds.append(time.perf_counter() - began)
            self.refused += status != post.answer

    def _ask(
        self, method: str, path: str, groups: tuple[str, ...], number: int, body: str = ""
    ) -> tuple[int, http.client.HTTPMessage, str]:
        # Another reader each time: limits count for each reader and are not the question here.
        headers = signed_in(f"c{self.number}-{number}", *groups) | {"Cookie": self._cookie}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body or None, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def run(clients: int = CLIENTS, seconds: float = SECONDS) -> None:
    """Measure each POST on each database and write the result."""
    runs = [
        _measure(name, post, kind, clients, seconds)
        for name, post in POSTS.items()
        for kind in ("sqlite", "postgresql")
    ]
    write_result("service_load-all", runs, size=None, clients=clients)


def _measure(
    name: str, post: Callable[[int, int], Post], kind: str, clients: int, seconds: float
) -> dict[str, Any]:
    with service_site(kind) as (site, environment), Service(site, environment) as service:
        crowd = [_Client(number, service.port, post) for number in range(clients)]
        for one in crowd:
            one.prepare()
        until = time.perf_counter() + seconds
        threads = [threading.Thread(target=one.send, args=(until,)) for one in crowd]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = sorted(s for one in crowd for s in one.seconds)
    return {
        "post": name,
        "database": kind,
        "sent": len(took),
        "refused": sum(one.refused for one in crowd),
        "per_second": round(len(took) / seconds, 1),
        "p50_ms": round(statistics.median(took) * 1000, 1),
        "p95_ms": round(took[int(len(took) * 0.95)] * 1000, 1),
        "worst_ms": round(took[-1] * 1000, 1),
    }


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    heads = ["POST", "database", "sent", "refused", "a second", "p50 ms", "p95 ms", "worst ms"]
    keys = ("post", "database", "sent", "refused", "per_second", "p50_ms", "p95_ms", "worst_ms")
    return table(heads, [[run[k] for k in keys] for result in results for run in result["runs"]])


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.service_load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    run(given.clients, given.seconds)


if __name__ == "__main__":
    main()
