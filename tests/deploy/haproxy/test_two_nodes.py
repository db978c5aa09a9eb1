"""Two nodes behind one address: either may die, and no reader notices."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests

from content_sync.operations.children import free_port
from tests.deploy.signin.reader import FETCH, Reader
from tests.deploy.signin.stack import ROOT, Echo, Stack, stack, wait_for

pytestmark = [pytest.mark.needs("apache", "haproxy", "memcached")]


class Farm:
    """Two Apache nodes with a service each, one provider, one memcached, HAProxy before them."""

    def __init__(self, node: Stack, other: Stack) -> None:
        self.nodes = {"node1": node, "node2": other}
        self.node = node

    def reader(self) -> Reader:
        return Reader(self.node)

    def kill(self, name: str) -> None:
        """End a node without a word, as a machine that loses its power."""
        process = self.nodes[name].processes.pop("apache")
        for one in [(root := psutil.Process(process.pid)), *root.children(recursive=True)]:
            one.kill()
        process.wait()

    def answering(self, reader: Reader, requests_: int = 20) -> Counter[str]:
        """Return how often each node's service answered."""
        found: Counter[str] = Counter()
        for _ in range(requests_):
            found[reader.fetch("/services/echo").json()["SERVER_PORT"]] += 1
        return found


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    balancer, cache = free_port(), free_port()
    shared = {"NIGHTPRESS_BALANCER": "On", "NIGHTPRESS_MEMCACHED": f"127.0.0.1:{cache}"}
    with (
        stack(public_port=balancer, **shared) as node,
        _program(["memcached", "-l", "127.0.0.1", "-p", str(cache), "-u", "nobody"], cache, node),
    ):
        node.nightpress("signin", "demo")
        node.start_provider()
        node.start_apache()
        with _second(node) as other, _balancer(balancer, node, other):
            yield Farm(node, other)


def test_the_nodes_share_the_readers_and_their_sessions(farm: Farm) -> None:
    reader = _signed_in(farm)
    assert len(farm.answering(reader)) == 2
    told = reader.fetch("/services/echo").json()
    assert told["HTTP_X_REMOTE_EMAIL"] == "member@demo.example"


def test_a_client_cannot_say_where_it_comes_from(farm: Farm) -> None:
    reader = _signed_in(farm)
    reader.fetch("/services/echo/whence", headers={"X-Forwarded-For": "203.0.113.9"})
    logs = [Path(node.defines["NIGHTPRESS_LOG"]) for node in farm.nodes.values()]
    lines: list[str] = []
    for _ in range(100):  # a request is logged after it was answered
        text = "".join((log / "apache-access.log").read_text() for log in logs)
        lines = [line for line in text.splitlines() if "/services/echo/whence" in line]
        if lines:
            break
        time.sleep(0.05)
    # Each reader of these tests connects from an address of its own.
    assert [line.startswith("127.0.1.") for line in lines] == [True], text


def test_a_node_that_dies_under_load_costs_no_reader_anything(farm: Farm) -> None:
    member = _signed_in(farm)
    cookies = {c.name: str(c.value) for c in member.cookies if c.name.startswith("__Host-")}
    failures: list[str] = []
    answered = Counter[str]()
    over = threading.Event()

    def read(path: str, cookie: dict[str, str]) -> None:
        reader = farm.reader()
        while not over.is_set():
            try:
                answer = reader.fetch(path, cookies=cookie, allow_redirects=False, timeout=20)
            except requests.RequestException as error:
                failures.append(f"{path}: {error!r}")
            else:
                answered[path] += 1
                if answer.status_code != 200:
                    failures.append(f"{path}: {answer.status_code}")

    acknowledged: list[str] = []

    def post() -> None:
        reader = farm.reader()
        url = f"{farm.node.url}/services/echo"
        while not over.is_set():
            number = f"post {len(acknowledged)} {time.monotonic_ns()}"
            with contextlib.suppress(requests.RequestException):
                answer = reader.post(url, data=number, headers=FETCH, cookies=cookies, timeout=20)
                if answer.status_code == 200:
                    acknowledged.append(number)

    threads = [
        threading.Thread(target=read, args=(path, cookie))
        for path, cookie in [("/", {}), ("/publications/one/", {}), ("/members/", cookies)] * 2
    ]
    threads.append(threading.Thread(target=post))
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    before = answered.total()
    farm.kill("node1")
    time.sleep(3)
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert answered.total() > before > 0
    # Reading is repeated on the other node; what was posted is done once at most.
    posted = [number for node in farm.nodes.values() if node.echo for number in node.echo.posted]
    assert len(posted) == len(set(posted))
    assert acknowledged
    assert set(acknowledged) <= set(posted)
    assert len(farm.answering(member)) == 1
    farm.nodes["node1"].start_apache()
    for _ in range(100):
        if len(farm.answering(member, 6)) == 2:
            break
        time.sleep(0.1)
    assert len(farm.answering(member)) == 2


def _signed_in(farm: Farm) -> Reader:
    password = (farm.node.site / "var" / "secrets" / "demo-password").read_text()
    reader = farm.reader()
    page = reader.sign_in("member@demo.example", password)
    assert page.url.startswith(farm.node.url), page.text
    return reader


@contextlib.contextmanager
def _second(node: Stack) -> Iterator[Stack]:
    """A second node on the same site folder, with a run folder and a service of its own."""
    run = node.site / "var" / "apache2"
    (run / "sessions").mkdir(parents=True)
    (node.site / "var" / "log2").mkdir()
    other = replace(node, port=free_port(), service_port=free_port(), processes={}, echo=None)
    other.defines = node.defines | {
        "NIGHTPRESS_PORT": str(other.port),
        "NIGHTPRESS_SERVICE_PORT": str(other.service_port),
        "NIGHTPRESS_RUN": str(run),
        "NIGHTPRESS_LOG": str(node.site / "var" / "log2"),
    }
    other.echo = echo = Echo(other.service_port)
    echo.start()
    try:
        other.start_apache()
        yield other
    finally:
        other.stop_all()
        echo.stop()


@contextlib.contextmanager
def _balancer(port: int, node: Stack, other: Stack) -> Iterator[None]:
    folder = node.site.parent
    combined = folder / "balancer.pem"
    combined.write_bytes((folder / "site.pem").read_bytes() + (folder / "site.key").read_bytes())
    environment = {
        "NIGHTPRESS_BIND": f"127.0.0.1:{port}",
        "NIGHTPRESS_CERTIFICATES": str(combined),
        "NIGHTPRESS_CA": str(folder / "ca.pem"),
        "NIGHTPRESS_HOST": f"localhost:{port}",
        "NIGHTPRESS_CHECK_SNI": "localhost",
        "NIGHTPRESS_NODE1": f"127.0.0.1:{node.port}",
        "NIGHTPRESS_NODE2": f"127.0.0.1:{other.port}",
    }
    command = ["haproxy", "-db", "-f", str(ROOT / "deploy" / "haproxy" / "haproxy.cfg")]
    with _program(command, port, node, environment):
        yield


@contextlib.contextmanager
def _program(
    command: list[str], port: int, node: Stack, environment: dict[str, str] | None = None
) -> Iterator[None]:
    log = node.log / f"{Path(command[0]).name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(port, process, log)
        yield
    finally:
        process.terminate()
        process.wait(15)
