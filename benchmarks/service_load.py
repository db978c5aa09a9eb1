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

import psutil
from urllib3 import encode_multipart_formdata

from benchmarks.measure import write_result
from benchmarks.report import table
from benchmarks.soak._service_site import service_site
from tests.dynamic.apache_says import signed_in
from tests.dynamic.cv.files import pdf
from tests.dynamic.cv.students import ENTRY
from tests.dynamic.process import Service
from tests.dynamic.registration.conftest import SLUG
from tests.dynamic.registration.test_crowd import ANSWERS

CLIENTS = 50
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Post:
    """One form to send."""

    path: str
    groups: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    form: str = ""
    """The address of the form, where it is another than that of the POST."""
    file: tuple[str, bytes] | None = None
    """Name and content of the file that goes with it, in the field `file`."""
    answer: int = 303
    """The status of a form that was taken."""


def _feedback(client: int, number: int) -> Post:
    return Post(
        "/services/feedback/publication/el-2026-17_u",
        ("member",),
        {"text": f"Client {client}, message {number}", "field_title": "A better title"},
    )


def _state(client: int, number: int) -> Post:
    """Staff note that a message of the first fifty is being worked on, over and over."""
    return Post(
        f"/services/staff/feedback/{client + 1}",
        ("staff",),
        {"version": str(number), "state": "working", "note": f"Note {number}", "build": ""},
    )


def _register(client: int, number: int) -> Post:
    return Post(
        f"/services/events/{SLUG}/register",
        ("member",),
        {"name": f"Client {client}, person {number}", **ANSWERS},
    )


def _cv(client: int, number: int) -> Post:
    return Post(
        "/services/cv/edit",
        ("student",),
        {**CV, "name": f"Client {client}, student {number}"},
        file=("cv.pdf", PDF),
    )


PDF = pdf(padding=100_000)
"""A CV as most are: text and a small picture."""
CV = {key: value if isinstance(value, str) else value[0] for key, value in ENTRY.items()}

POSTS: dict[str, Callable[[int, int], Post]] = {
    "feedback": _feedback,
    "feedback: state": _state,
    "registration": _register,
    "CV": _cv,
}


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
        status, headers, body = self._ask("GET", first.form or first.path, first.groups, 0)
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
            body, kind = _body({"csrf_token": self._token, **post.fields}, post.file)
            began = time.perf_counter()
            status, _, _ = self._ask("POST", post.path, post.groups, number, body, kind)
            self.seconds.append(time.perf_counter() - began)
            self.refused += status != post.answer

    def _ask(
        self,
        method: str,
        path: str,
        groups: tuple[str, ...],
        number: int,
        body: bytes = b"",
        kind: str = "",
    ) -> tuple[int, http.client.HTTPMessage, str]:
        # Another reader each time: limits count for each reader and are not the question here.
        headers = signed_in(f"c{self.number}-{number}", *groups) | {"Cookie": self._cookie}
        if body:
            headers["Content-Type"] = kind
        self._connection.request(method, path, body or None, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def _body(fields: Mapping[str, str], file: tuple[str, bytes] | None) -> tuple[bytes, str]:
    """Return the body of a form and its type."""
    if file is None:
        return urlencode(fields).encode(), "application/x-www-form-urlencoded"
    return encode_multipart_formdata({**fields, "file": (*file, "application/pdf")})


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
    with (
        service_site(kind, places=1_000_000) as (site, environment),
        Service(site, environment) as service,
    ):
        if post is _state:
            _write_messages(service, clients)
        crowd = [_Client(number, service.port, post) for number in range(clients)]
        for one in crowd:
            one.prepare()
        assert service.process
        process = psutil.Process(service.process.pid)
        before = _cpu_of(process)
        until = time.perf_counter() + seconds
        threads = [threading.Thread(target=one.send, args=(until,)) for one in crowd]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = sorted(s for one in crowd for s in one.seconds)
        spent = _cpu_of(process) - before
    return {
        "post": name,
        "database": kind,
        "sent": len(took),
        "refused": sum(one.refused for one in crowd),
        "per_second": round(len(took) / seconds, 1),
        "cpu_ms": round(spent / len(took) * 1000, 1),
        "p50_ms": round(statistics.median(took) * 1000, 1),
        "p95_ms": round(took[int(len(took) * 0.95)] * 1000, 1),
        "worst_ms": round(took[-1] * 1000, 1),
    }


def _cpu_of(process: psutil.Process) -> float:
    """Return the processor time of the service and of all that it started, in seconds."""
    found = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        found += times.user + times.system + times.children_user + times.children_system
    return found


def _write_messages(service: Service, count: int) -> None:
    for number in range(count):
        message = _feedback(number, 0)
        browser = service.browse(f"w-{number}", *message.groups)
        assert browser.post(message.path, dict(message.fields)).status_code == 303


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    columns = {
        "post": "POST",
        "database": "database",
        "sent": "sent",
        "refused": "refused",
        "per_second": "a second",
        "cpu_ms": "CPU ms each",
        "p50_ms": "p50 ms",
        "p95_ms": "p95 ms",
        "worst_ms": "worst ms",
    }
    runs = [run for result in results for run in result["runs"]]
    known = [key for key in columns if all(key in run for run in runs)]
    return table([columns[key] for key in known], [[run[key] for key in known] for run in runs])


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
