"""What does it cost to answer a reader: Apache with our configuration, beside other servers?

    python -m benchmarks.against_servers [--size N] [--rounds R]

The same 200 pages of publications, asked for in turn: from Apache as deployed (TLS, all
headers, access rules, precompressed files, access log; members' pages with the session of
somebody who signed in), from nginx with the same files, and rendered per request by Flask and
by Django from the database, behind Waitress on plain HTTP and without sign-in, which flatters
them. CPU for each request is that of the server's whole process tree at saturation; times are
taken at half of the saturated rate.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.bench_site import WORK, live_release, make_site, night, source_of
from benchmarks.measure import write_result
from benchmarks.per_request.load import answer_times, percentile, saturate
from benchmarks.per_request.servers import memcached, nginx, peer
from benchmarks.per_request.sign_in import session_of
from benchmarks.report import table
from benchmarks.visible_text import words
from content_sync.operations.stack import running_stack
from content_sync.settings import read_settings
from content_sync.urls import slug

PAGES = 200
CONNECTIONS = 32


@dataclass(slots=True)
class _Asked:
    """One server that is asked, and how."""

    label: str
    url: str
    paths: list[str]
    server: int
    headers: Mapping[str, str] = field(default_factory=dict)


def run(size: int | None, rounds: int = 3) -> None:
    """Measure all servers in turn, `rounds` times, and write the result."""
    site, source = _site(size)
    ids = _sample(source, "public")
    figures: dict[str, list[dict[str, float]]] = {}
    with _servers(site, source, ids) as servers:
        likeness = _likeness(site, servers[-1], ids)
        for _ in range(rounds):
            for asked in servers:
                figures.setdefault(asked.label, []).append(_measured(asked))
    runs = [
        {
            "label": label,
            **{key: round(median(one[key] for one in found), 2) for key in found[0]},
            "cpu_us_rounds": [round(one["cpu_us"], 1) for one in found],
        }
        for label, found in figures.items()
    ]
    write_result(f"against_servers-{size or 'all'}", runs, size=size, likeness=likeness)


def _site(size: int | None) -> tuple[Path, Path]:
    """Return a site with a live release, made if absent, and its source.

    The real data are public; every twentieth work is made one for members.
    """
    name = f"served-{size or 'all'}"
    site, source = WORK / name, WORK / f"{name}.sqlite"
    if not source.is_file():
        shutil.copy(source_of(size), source)
        with closing(sqlite3.connect(source)) as connection, connection:
            connection.execute("UPDATE publications SET access = 'members' WHERE rowid % 20 = 0")
    if not (site / "output/current").exists():
        night("full night", make_site(name), source)
    return site, source


@contextmanager
def _servers(site: Path, database: Path, ids: list[str]) -> Iterator[list[_Asked]]:
    """Give all servers, running at the same time; only one is asked at a time."""
    static = [f"/publications/{slug(record_id)}/" for record_id in ids]
    dynamic = [f"/publications/{record_id}/" for record_id in ids]
    packed = {"Accept-Encoding": "br, gzip"}
    with ExitStack() as open_:
        settings = read_settings(site)
        stack = open_.enter_context(
            running_stack(settings, signin=True, service=False, agent=False)
        )
        member = {"Cookie": session_of(settings, stack, "member@demo.example")}
        closed = [
            f"/members/publications/{slug(record_id)}/"
            for record_id in _sample(database, "members")
        ]
        apache = next(c for c in stack.children.running if c.title == "Apache").process.pid
        tls = site / "var/apache/tls"
        tree = live_release(site) / "public"
        other, port, plain = open_.enter_context(
            nginx(WORK / "nginx", tree, tls / "site.pem", tls / "site.key")
        )
        cache = open_.enter_context(memcached())
        flask = open_.enter_context(peer("flask_app", database))
        cached = open_.enter_context(peer("django_app", database, cache))
        django = open_.enter_context(peer("django_app", database))
        host = {"Host": f"{stack.host}:{stack.port}"}
        here = host | packed
        local = "127.0.0.1"
        yield [
            _Asked("Apache", f"https://{local}:{stack.port}", static, apache, here),
            _Asked("Apache, not compressed", f"https://{local}:{stack.port}", static, apache, host),
            _Asked(
                "Apache, members", f"https://{local}:{stack.port}", closed, apache, here | member
            ),
            _Asked("nginx", f"https://{local}:{port}", static, other, packed),
            _Asked("nginx, plain HTTP", f"http://{local}:{plain}", static, other, packed),
            _Asked("Flask per request", f"http://{local}:{flask[1]}", dynamic, flask[0]),
            _Asked("Django, memcached", f"http://{local}:{cached[1]}", dynamic, cached[0]),
            _Asked("Django per request", f"http://{local}:{django[1]}", dynamic, django[0]),
        ]


def _measured(asked: _Asked) -> dict[str, float]:
    how: dict[str, Any] = {"headers": asked.headers, "connections": CONNECTIONS}
    load = saturate(asked.url, asked.paths, server=asked.server, **how)
    if load.failed:
        raise SystemExit(f"{asked.label}: {load.failed} answers failed")
    times = answer_times(asked.url, asked.paths, rate=load.rate / 2, **how)
    return {
        "cpu_us": load.cpu_us,
        "rate": load.rate,
        "p50_ms": percentile(times, 0.5),
        "p99_ms": percentile(times, 0.99),
    }


def _sample(database: Path, access: str) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(
            "SELECT id FROM publications WHERE access = ? AND status = 'current' ORDER BY id",
            (access,),
        ).fetchall()
    return random.Random(1).sample([row[0] for row in found], PAGES)  # noqa: S311


def _likeness(site: Path, django: _Asked, ids: list[str]) -> float:
    """Return how much of our pages' words Django's have, over some of them."""
    shared = total = 0
    for record_id in ids[:20]:
        file = live_release(site) / "public" / "publications" / f"{slug(record_id)}.html"
        ours = words(file.read_text(encoding="utf-8"))
        address = f"{django.url}/publications/{record_id}/"
        answer = subprocess.run(["curl", "-s", address], capture_output=True, text=True, check=True)
        theirs = set(words(answer.stdout))
        total += len(ours)
        shared += sum(word in theirs for word in ours)
    return round(shared / total, 3)


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    rows: list[list[object]] = []
    notes = []
    for result in results:
        runs = {run["label"]: run for run in result["runs"]}
        for label, one in runs.items():
            share = one["cpu_us"] / runs["Django per request"]["cpu_us"]
            rows.append(
                [
                    result["size"] or "all",
                    label,
                    one["cpu_us"],
                    f"1/{1 / share:.0f}" if share < 1 else "1",
                    int(one["rate"]),
                    one["p50_ms"],
                    one["p99_ms"],
                ]
            )
        notes.append(f"Django's pages have {result['likeness']:.0%} of the words of ours.")
    heads = [
        *("publications", "server", "CPU µs a request", "of Django's"),
        *("requests/s", "p50 ms", "p99 ms"),
    ]
    return table(heads, rows) + "\n\n" + " ".join(notes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against_servers")
    parser.add_argument("--size", type=int, help="publications (default: all)")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    run(given.size, given.rounds)


if __name__ == "__main__":
    main()
