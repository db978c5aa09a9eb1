"""The live release changes again and again while readers come at a steady rate."""

from __future__ import annotations

import gzip
import hashlib
import multiprocessing
import re
import socket
import sqlite3
import ssl
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli

from content_sync.demo import write_demo
from content_sync.indexing import index_release
from content_sync.operations.stack import ADDRESS, Stack, running_stack
from content_sync.pages.site import build_site
from content_sync.release.releases import Release, releases
from content_sync.release.stage import staged
from content_sync.release.switch import point, publish
from content_sync.settings import Settings, read_settings
from content_sync.sync import sync

TITLE = "2,000 requests a second while the live release changes 100 times"
RATE = 2000
SWITCHES = 100
READERS = 4
_SECONDS_BETWEEN = 0.5
# How readers take a file; Brotli goes another way through Apache's rules than the others.
_PACKED = ("gzip, deflate, br", "gzip", "", "br")

_CONF = """
from content_sync.site_defaults import *
SITENAME = "Soak"
SITEURL = "https://publications.example"
FULL_TEXTS = "var/demo-files"
SITESUBTITLE = "{heading}"
"""


@dataclass(frozen=True, slots=True)
class _Answer:
    """One right answer to an address."""

    status: int
    digest: str = ""
    location: str = ""


def run(scale: float) -> dict[str, object]:
    """Read at the rate above while releases change; raise AssertionError at any wrong answer."""
    switches = max(10, round(SWITCHES * scale))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        settings, two = two_releases(folder / "site")
        with running_stack(settings, signin=False, service=False) as stack:
            return _campaign(settings, stack, two, switches)


def _campaign(
    settings: Settings, stack: Stack, two: list[Release], switches: int
) -> dict[str, object]:
    right = _right_answers(stack.url, two)
    context = multiprocessing.get_context("spawn")
    done = context.Event()
    found: Any = context.Queue()
    where = (stack.port, stack.host, str(stack.authority))
    readers = [
        context.Process(target=_read, args=(where, right, number, done, found))
        for number in range(READERS)
    ]
    for reader in readers:
        reader.start()
    time.sleep(3)  # they have connected
    started = time.monotonic()
    for number in range(switches):
        point(settings.output, two[number % 2])
        time.sleep(_SECONDS_BETWEEN)
    seconds = time.monotonic() - started
    done.set()
    results = [found.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join()
    requests = sum(count for count, _, _ in results)
    wrong = [line for _, lines, _ in results for line in lines]
    waits = sorted(wait for _, _, slow in results for wait in slow)
    assert not wrong, f"{len(wrong)} wrong answers, such as {wrong[:5]}"
    assert requests > 0
    return {
        "switches": switches,
        "requests": requests,
        "a second": round(requests / (seconds + 3)),
        "wrong answers": len(wrong),
        "p99 ms": round(waits[int(len(waits) * 0.99)] * 1000, 1),
        "longest ms": round(waits[-1] * 1000),
    }


def two_releases(site: Path) -> tuple[Settings, list[Release]]:
    """Build two releases that differ in every page, in what is gone and in the search."""
    for folder in ("content/news", "content/pages"):
        (site / folder).mkdir(parents=True)
    (site / "pelicanconf.py").write_text(_CONF.format(heading="The first"))
    settings = read_settings(site)
    write_demo(settings.demo_source, settings.var / "demo-files", publications=300, seed=7)
    _night(settings)
    (site / "pelicanconf.py").write_text(
        _CONF.format(heading="The second").replace('"Soak"', '"Soak, later"')
    )
    with closing(sqlite3.connect(settings.demo_source)) as source, source:
        source.execute("DELETE FROM publications WHERE rowid % 20 = 0")
    settings = read_settings(site)
    _night(settings)
    return settings, releases(settings)[-2:]


def _night(settings: Settings) -> None:
    sync(settings, accept=True)
    build_site(settings)
    index_release(settings, staged(settings))
    stage = staged(settings)
    assert stage is not None
    publish(settings, stage)


def _right_answers(url: str, two: list[Release]) -> dict[str, list[_Answer]]:
    """What each address may answer: as in the one release or as in the other, whole."""
    right: dict[str, list[_Answer]] = {}
    pages = sorted((two[0].root / "public/publications").glob("*.html"))[:60]
    paths = {f"/publications/{page.stem}/": page.name for page in pages if page.stem != "index"}
    for release in two:
        gone = set((release.root / "gone.txt").read_text().split())
        for path, name in paths.items():
            file = release.root / "public/publications" / name
            right.setdefault(path, []).append(_Answer(410 if path in gone else 200, _digest(file)))
        for path, name in (("/", "index.html"), ("/people/", "people/index.html")):
            file = release.root / "public" / name
            right.setdefault(path, []).append(_Answer(200, _digest(file)))
        # Whatever a page of either release names is there, before and after.
        for asset in (*_named(release), *_shards(release)):
            file = release.root / "public" / asset.lstrip("/")
            right.setdefault(asset, []).append(_Answer(200, _digest(file)))
    redirects = (two[0].root / "redirects.txt").read_text().splitlines()
    both = [r for r in redirects if r in (two[1].root / "redirects.txt").read_text().splitlines()]
    for line in [r for r in both if "?" not in r and "/members/" not in r and " " not in r][:20]:
        old, new = line.split("\t")
        right[old] = [_Answer(301, location=url + new)]
    return right


def _named(release: Release) -> list[str]:
    page = (release.root / "public/search/index.html").read_text("utf-8")
    return sorted(set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)))


def _shards(release: Release) -> list[str]:
    root = release.root / "public"
    found = [f for f in sorted((root / "search-index").glob("*/**/*")) if f.is_file()]
    plain = [f for f in found if f.suffix not in {".br", ".gz"}]
    return ["/" + f.relative_to(root).as_posix() for f in plain[:40]]


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _read(
    where: tuple[int, str, str],
    right: dict[str, list[_Answer]],
    number: int,
    done: Any,
    found: Any,
) -> None:
    """Ask for all addresses in turn, at this reader's share of the rate."""
    pause = READERS / RATE
    count, wrong, waits = 0, [], []
    asked = list(right)[number:] + list(right)[:number]
    due = time.monotonic()
    while not done.is_set():
        with closing(_connect(*where)) as connection:
            for at in range(900):  # Apache ends a connection after a thousand
                path = asked[(count + at) % len(asked)]
                due = max(due + pause, time.monotonic() - 1)
                if (early := due - time.monotonic()) > 0:
                    time.sleep(early)
                began = time.perf_counter()
                try:
                    answer = _ask(connection, where[1], where[0], path, _PACKED[at % len(_PACKED)])
                except (OSError, ValueError) as error:
                    wrong.append(f"{path}: {error!r}")
                    break
                waits.append(time.perf_counter() - began)
                if answer not in right[path]:
                    wrong.append(f"{path}: {answer.status}")
                if done.is_set():
                    break
            count += at + 1
    found.put((count, wrong[:100], waits))


def _connect(port: int, host: str, authority: str) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=authority)
    plain = socket.create_connection((ADDRESS, port), timeout=20)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname=host)


def _ask(connection: ssl.SSLSocket, host: str, port: int, path: str, packed: str) -> _Answer:
    accept = f"Accept-Encoding: {packed}\r\n" if packed else ""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{accept}\r\n".encode())
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(_pair(lines[1:]))
    status = int(lines[0].split()[1])
    while len(body) < int(headers["content-length"]):
        body += _more(connection)
    if status == 301:
        return _Answer(status, location=headers["location"])
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    elif headers.get("content-encoding") == "br":
        body = brotli.decompress(body)
    return _Answer(status, hashlib.sha256(body).hexdigest())


def _pair(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name.lower(), value.strip()


def _more(connection: ssl.SSLSocket) -> bytes:
    piece = connection.recv(1 << 16)
    if not piece:
        raise ConnectionError("the server hung up")
    return piece
