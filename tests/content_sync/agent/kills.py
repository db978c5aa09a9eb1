"""Kill -9 at random moments of every job, while readers ask the live site without a pause.

The short form is a test; `python -m benchmarks.soak --only rebuild_kills` is the long one.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from content_sync.operations.overlay import withdrawn
from content_sync.operations.stack import ADDRESS, Stack, running_stack
from content_sync.release.addresses import COMPRESSED, url_of
from content_sync.release.releases import Release, releases
from content_sync.settings import Settings, read_settings
from content_sync.urls import record_url
from tests.content_sync.agent.conftest import COMMAND, ENVIRONMENT, nightpress

READERS = 3
PAGES = 25
JOBS = ("nightly", "record", "nightly", "mirror", "record", "withdraw", "nightly", "undo")
"""What is killed, in turn."""


class Broken(AssertionError):
    """Readers got something that no release says, or a job did not recover."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader got."""

    path: str
    status: int
    digest: str


@dataclass(slots=True)
class Right:
    """What each address may answer in a round."""

    digests: dict[str, set[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    """Addresses that may answer 410."""

    def learn(self, release: Release) -> None:
        """Add what a release answers."""
        with release.manifest() as listing:
            for entry in listing.entries("public/"):
                if entry.records != COMPRESSED:
                    url = url_of(entry.path)
                    self.digests.setdefault(url, set()).add(entry.sha256.hex())

    def is_wrong(self, answer: Answer) -> bool:
        if answer.status == 410:
            return answer.path not in self.gone
        return answer.status != 200 or answer.digest not in self.digests.get(answer.path, ())


def campaign(site: Path, *, kills: int, seed: int = 8) -> dict[str, int | str]:
    """Kill jobs of a site with one live release; return what was found. Raises Broken.

    The site's settings name a mirror, whose server runs.
    """
    chance = random.Random(seed)
    settings = read_settings(site)
    right = Right()
    for release in releases(settings):
        right.learn(release)
    keys = _publications(settings)[:PAGES]
    record = f"publication:{keys[-1]}"
    killed: Counter[str] = Counter()
    spans = dict.fromkeys(JOBS, 6.0)
    asked = 0
    with running_stack(settings, signin=False, service=False, agent=False) as stack:
        number = -1
        while killed.total() < kills:  # a job that was quicker than the kill does not count
            number += 1
            job = JOBS[number % len(JOBS)]
            _prepare(settings, job, keys, number)
            command = _command(job, keys[number % len(keys)], record)
            right.gone = {record_url(*record.split(":", 1))}
            with _reading(stack, [record_url("publication", key) for key in keys]) as answers:
                began = time.monotonic()
                process = subprocess.Popen(
                    [*COMMAND, *command, "--site", str(site)],
                    env=ENVIRONMENT,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(chance.uniform(0.2, spans[job]))
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    killed[job] += 1
                    spans[job] *= 1.1
                else:
                    spans[job] = max(0.5, 0.9 * (time.monotonic() - began))
                time.sleep(0.3)
            for release in releases(settings):
                right.learn(release)
            asked += len(answers)
            _judge(number, job, right, answers)
            assert set(withdrawn(settings)) <= {record}
    _recover(settings, record)
    return {
        "kills": killed.total(),
        **{f"of {job}": count for job, count in sorted(killed.items())},
        "requests": asked,
        "failed or mixed": 0,
    }


def _prepare(settings: Settings, job: str, keys: list[str], number: int) -> None:
    if job in ("nightly", "record"):
        with sqlite3.connect(settings.demo_source, timeout=60) as source:
            source.execute(
                "UPDATE publications SET title = ?, version = version + 1 WHERE id = ?",
                (f"Round {number}", keys[number % len(keys)]),
            )
        source.close()
    if job == "record":
        nightpress(settings, "spare")


def _command(job: str, key: str, record: str) -> list[str]:
    return {
        "nightly": ["nightly"],
        "record": ["nightly", "--record", f"publication:{key}"],
        "mirror": ["mirror"],
        "withdraw": ["withdraw", record, "--reason", "Kills"],
        "undo": ["withdraw", record, "--undo", "--reason", "Kills"],
    }[job]


def _recover(settings: Settings, record: str) -> None:
    """After all of it, each job runs to its end and the site is whole."""
    nightpress(settings, "withdraw", record, "--undo", "--reason", "Over")
    nightpress(settings, "nightly")
    nightpress(settings, "check", "--full")
    again = json.loads(nightpress(settings, "mirror", "--json").splitlines()[0])
    if again["sent"] or withdrawn(settings):
        raise Broken(f"The mirror of the last night was not whole: {again}")
    left = [f.name for f in (settings.output / "releases").iterdir() if "." in f.name]
    if left:
        raise Broken(f"The last night left {left}")


def _judge(number: int, job: str, right: Right, answers: list[Answer]) -> None:
    if not answers:
        raise Broken(f"round {number}: nothing was asked")
    wrong = [answer for answer in answers if right.is_wrong(answer)]
    if wrong:
        raise Broken(f"round {number}, {job}: {len(wrong)} wrong answers, such as {wrong[:3]}")


def _publications(settings: Settings) -> list[str]:
    connection = sqlite3.connect(settings.snapshot)
    rows = connection.execute(
        "SELECT id FROM publications WHERE access = 'public' AND public_on IS NULL"
        " AND status = 'current' ORDER BY id"
    ).fetchall()
    connection.close()
    return [str(row[0]) for row in rows]


@contextlib.contextmanager
def _reading(stack: Stack, pages: list[str]) -> Iterator[list[Answer]]:
    """Have readers ask until the block ends, and give the list of what they got."""
    answers: list[Answer] = []
    stop = threading.Event()
    threads = [
        threading.Thread(target=_read, args=(stack, pages, number, stop, answers))
        for number in range(READERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _read(
    stack: Stack, pages: list[str], number: int, stop: threading.Event, answers: list[Answer]
) -> None:
    at = number * 7
    while not stop.is_set():
        try:
            with contextlib.closing(_Connection(stack)) as connection:
                for _ in range(80):
                    at += 1
                    answers.append(connection.ask(pages[at % len(pages)])[0])
                    if at % 5 == 0:
                        answers.append(connection.ask("/")[0])
                        _search(connection, answers)
                    if stop.is_set():
                        break
        except (OSError, http.client.HTTPException, ValueError) as error:
            answers.append(Answer(repr(error), 0, ""))


def _search(connection: _Connection, answers: list[Answer]) -> None:
    """Read the search's manifest and a file of each segment, as a browser does."""
    answer, body = connection.ask("/search-index/manifest.json")
    answers.append(answer)
    for segment in json.loads(body)["segments"] if answer.status == 200 else ():
        answers.append(connection.ask(f"/search-index/{segment['name']}/d/0.bin")[0])


class _Connection:
    """A reader's connection, which trusts the stack's own authority."""

    def __init__(self, stack: Stack) -> None:
        context = ssl.create_default_context(cafile=str(stack.authority))
        self._host = f"{stack.host}:{stack.port}"
        self._connection = http.client.HTTPSConnection(stack.host, stack.port, timeout=60)
        plain = socket.create_connection((ADDRESS, stack.port), timeout=60)
        self._connection.sock = context.wrap_socket(plain, server_hostname=stack.host)

    def ask(self, path: str) -> tuple[Answer, bytes]:
        headers = {"Host": self._host, "Accept-Encoding": "gzip", "Accept": "text/html,*/*"}
        self._connection.request("GET", path, headers=headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return Answer(path, response.status, hashlib.sha256(body).hexdigest()), body

    def close(self) -> None:
        self._connection.close()
