"""Many people who register at once, through several processes of the service."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from sqlalchemy import create_engine, text

from tests.dynamic.apache_says import signed_in
from tests.dynamic.process import Service

FORM = "application/x-www-form-urlencoded"


@dataclass
class Visitor:
    """One person: gets the form, waits for the word, and posts it to one or more processes."""

    subject: str
    ports: tuple[int, ...]
    slug: str
    answers: dict[str, str]
    token: str = ""
    cookie: str = ""
    began: float = 0.0
    ended: float = 0.0
    codes: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def look(self) -> None:
        """Get the form, with its token and the cookie that belongs to it."""
        answer, body = self._ask(self.ports[0], "GET", "register")
        assert answer.status == 200, (answer.status, body[:300])
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', body)
        assert found
        self.token = found[1]
        self.cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]

    def register(self) -> None:
        """Post the form to each port at once; what is refused for now is sent again."""
        self.began = time.monotonic()
        posts = [threading.Thread(target=self._post, args=(port,)) for port in self.ports]
        for post in posts:
            post.start()
        for post in posts:
            post.join()
        self.ended = time.monotonic()

    def _post(self, port: int) -> None:
        data = urlencode({"csrf_token": self.token, "name": self.subject, **self.answers})
        for _ in range(100):
            began = time.monotonic()
            answer, _ = self._ask(port, "POST", "register", data)
            self.seconds.append(time.monotonic() - began)
            self.codes.append(answer.status)
            if answer.status != 503:
                return
            time.sleep(0.2)

    def _ask(
        self, port: int, method: str, page: str, body: str | None = None
    ) -> tuple[http.client.HTTPResponse, str]:
        headers = {**signed_in(self.subject, "member"), "Cookie": self.cookie}
        if body is not None:
            headers["Content-Type"] = FORM
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.request(method, f"/services/events/{self.slug}/{page}", body, headers)
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()


@dataclass(frozen=True)
class Outcome:
    """What came of it, as the database and the clients have it."""

    rows: list[tuple[str, str, int]]
    """Subject, state and number of each registration, in order of arrival."""
    visitors: Sequence[Visitor]
    seconds: float

    @property
    def states(self) -> Counter[str]:
        return Counter(row[1] for row in self.rows)

    @property
    def codes(self) -> Counter[int]:
        return Counter(code for v in self.visitors for code in v.codes)

    def check(self, places: int) -> None:
        """Hold what must be true: no place too many, none too few, order of arrival."""
        everyone = sorted(v.subject for v in self.visitors)
        assert sorted(row[0] for row in self.rows) == everyone
        waiting = len(everyone) - places
        assert [r[1] for r in self.rows] == ["confirmed"] * places + ["waiting"] * waiting
        assert [r[2] for r in self.rows] == list(range(1, len(everyone) + 1))
        assert set(self.codes) <= {303, 503}
        self._check_order()

    def _check_order(self) -> None:
        """Whoever was answered before another one asked stands before them."""
        number = {row[0]: row[2] for row in self.rows}
        ended = sorted((v.ended, number[v.subject]) for v in self.visitors)
        highest, at = 0, 0
        for began, own in sorted((v.began, number[v.subject]) for v in self.visitors):
            while at < len(ended) and ended[at][0] < began:
                highest = max(highest, ended[at][1])
                at += 1
            assert own > highest


def rush(
    services: Sequence[Service],
    database_url: str,
    slug: str,
    people: int,
    *,
    answers: dict[str, str],
    twice: int = 0,
) -> Outcome:
    """Let that many people register at once; `twice` of them send the form to two processes."""
    ports = [service.port for service in services]
    visitors = [
        Visitor(
            f"visitor-{n:04d}",
            tuple(ports) if n < twice else (ports[n % len(ports)],),
            slug,
            answers,
        )
        for n in range(people)
    ]
    _all_at_once([v.look for v in visitors], width=16)
    start = threading.Barrier(people + 1)
    threads = [threading.Thread(target=_after, args=(start, v)) for v in visitors]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.monotonic()
    for thread in threads:
        thread.join()
    return Outcome(rows_of(database_url), visitors, time.monotonic() - began)


def rows_of(database_url: str) -> list[tuple[str, str, int]]:
    """Return subject, state and number of all registrations, in order of arrival."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT subject, state, arrived FROM registrations ORDER BY arrived")
        ).all()
    engine.dispose()
    return [(row[0], row[1], row[2]) for row in found]


def _after(start: threading.Barrier, visitor: Visitor) -> None:
    start.wait()
    visitor.register()


def _all_at_once(calls: Sequence[object], *, width: int) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(width) as pool:
        for done in [pool.submit(call) for call in calls]:  # type: ignore[arg-type]
            done.result()
