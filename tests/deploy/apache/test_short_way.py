"""The short way through the rules answers as the long way does, for every file and every reader."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from content_sync.operations.children import Children, free_port
from content_sync.operations.overlay import withdraw
from content_sync.operations.stack import answers
from tests.deploy.apache.conftest import OPEN, Served
from tests.deploy.apache.test_maps import record_of
from tests.deploy.apache.wire import Answer, Client

pytestmark = pytest.mark.needs("apache")

BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd", "Accept": "text/html"}
READERS: dict[str, dict[str, str]] = {
    "a browser": BROWSER,
    "Brotli alone": {"Accept-Encoding": "br"},
    "no Brotli": {"Accept-Encoding": "gzip;q=1.0, br;q=0"},
    "nothing packed": {},
    "a word with br in it": {"Accept-Encoding": "brotli, xbr"},
    "part of it": {**BROWSER, "Range": "bytes=0-99"},
    "a copy of any age": {**BROWSER, "If-None-Match": "*"},
    "another method asked for": {**BROWSER, "X-HTTP-Method-Override": "DELETE"},
    "a header named as one for the way": {**BROWSER, "Connection": "keep-alive, x-remote-user"},
}
NAMED_LIKE_FILES = ("report.gz", "report.br", "report.css", "report.html")
SHOWN = ("Content-Type", "Content-Encoding", "Content-Length", "Content-Range", "Vary", "ETag")
SHOWN += ("Cache-Control", "Location", "Last-Modified", "Content-Security-Policy")


class Both:
    """Two servers of one site: one with the short way, one without."""

    def __init__(self, served: Served, ports: tuple[int, int]) -> None:
        self.served = served
        self._ports = ports
        self._clients: dict[int, Client] = {}
        self._asked: dict[int, int] = {}

    def ask(self, path: str, headers: dict[str, str], method: str = "GET") -> tuple[Answer, Answer]:
        """Return what the short way answers, and what the long one does."""
        one, two = (self._ask(port, path, headers, method) for port in self._ports)
        return one, two

    def _ask(self, port: int, path: str, headers: dict[str, str], method: str) -> Answer:
        kept = port in self._clients
        try:
            return self._ask_once(port, path, headers, method)
        except ConnectionError:
            if not kept:
                raise
            self._clients.pop(port).close()  # Apache ends a connection that rests for a while
            return self._ask_once(port, path, headers, method)

    def _ask_once(self, port: int, path: str, headers: dict[str, str], method: str) -> Answer:
        if port not in self._clients:
            stack = self.served.stack
            stack.port, ours = port, stack.port
            self._clients[port] = Client(stack)
            stack.port = ours
            self._clients[port].host = f"{stack.host}:{ours}"
            self._asked[port] = 0
        answer = self._clients[port].ask(path, headers, method=method)
        self._asked[port] += 1
        if answer["Connection"].lower() == "close" or self._asked[port] == 500:
            self._clients.pop(port).close()
        return answer

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


@pytest.fixture(scope="module")
def both(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
    reachable: Callable[[], Path],
) -> Iterator[Both]:
    """A site with its closed trees open, by the short way and by the long one."""
    with make_served(OPEN) as served, Children() as children:
        for name in NAMED_LIKE_FILES:
            served.edit(
                "INSERT INTO publications (id, title, access) VALUES (?, ?, 'public')", name, name
            )
        served.night()
        folder, port, ours = reachable(), free_port(), served.stack.port
        text = (served.stack.run / "site.conf").read_text()
        for name in ("RUN", "LOG"):
            text = re.sub(rf'(Define NIGHTPRESS_{name}) ".*"', rf'\1 "{folder}"', text)
        text = re.sub(r'Define NIGHTPRESS_PORT ".*"', f'Define NIGHTPRESS_PORT "{port}"', text)
        (folder / "site.conf").write_text(f"Define NIGHTPRESS_LONG_WAY\n{text}")
        command = ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", str(folder / "site.conf")]
        apache = children.start("Apache", command, log=folder / "start.log")
        children.wait_for(apache, lambda: answers(served.stack, port))

        pair = Both(served, (ours, port))
        yield pair
        pair.close()


def addresses(served: Served) -> list[str]:
    """Every address of the release, as pages and as files, and some that are not there."""
    found = ["/", "/members/", "/staff/", "/publications", "/publications/no-such-record/"]
    found += ["/members/publications/no-such-record/", "/services/x/", "/live/x/", "/oai/x/"]
    for tree, before in (("public", ""), ("members", "/members"), ("staff", "/staff")):
        root = served.file(tree).resolve()
        for file in sorted(root.rglob("*")):
            if file.is_file() and file.suffix not in (".br", ".gz"):
                name = f"{before}/{file.relative_to(root).as_posix()}"
                page = name.removesuffix("index.html") if name.endswith("/index.html") else name
                found.append(page.removesuffix(".html") + "/" if page.endswith(".html") else page)
    gone = served.file("gone").resolve()
    for file in sorted(gone.rglob("*.html")):
        name = file.relative_to(gone).as_posix().removesuffix(".html")
        found.append(f"/{name.removeprefix('public/')}/")
    return found


def test_every_address_is_answered_alike(both: Both) -> None:
    told: set[tuple[int, str]] = set()
    for path in addresses(both.served):
        one, two = both.ask(path, BROWSER)
        assert shown(one) == shown(two), path
        told.add((one.status, one["Content-Encoding"]))
    assert {(200, "br"), (200, ""), (404, ""), (410, "")} <= told


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_is_answered_alike(both: Both, reader: str) -> None:
    kinds: dict[str, str] = {}
    for path in addresses(both.served):
        kinds.setdefault(re.sub(r"[^/]*[\d._][^/]*", "*", path), path)
    odd = ["/publications//", "/./about/", "/about/?x=1", "/%61bout/", "/About/", "/about%2f"]
    for path in [*kinds.values(), *odd]:
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            one, two = both.ask(path, READERS[reader], method)
            assert shown(one) == shown(two), (method, path)


@pytest.mark.parametrize("name", NAMED_LIKE_FILES)
def test_a_record_named_like_a_file_has_a_page_like_the_others(both: Both, name: str) -> None:
    page = both.served.file(f"public/publications/{name}.html")
    for wanted, file in (("br", f"{page}.br"), ("gzip", f"{page}.gz"), ("", str(page))):
        for answer in both.ask(f"/publications/{name}/", {"Accept-Encoding": wanted}):
            assert answer.status == 200
            assert answer["Content-Encoding"] == wanted
            assert answer["Content-Type"].replace(" ", "") == "text/html;charset=utf-8"
            assert answer.body == Path(file).read_bytes()


def test_a_record_that_is_withdrawn_is_gone_by_both_ways(both: Both) -> None:
    served = both.served
    for tree, before in (("public", ""), ("members", "/members")):
        page = sorted(served.file(f"{tree}/publications").glob("el-*.html"))[-1]
        path = f"{before}/publications/{page.stem}/"
        assert both.ask(path, BROWSER)[0].status == 200
        assert withdraw(served.settings, record_of(served, page.stem))
        one, two = both.ask(path, BROWSER)
        assert one.status == 410
        assert shown(one) == shown(two)


def shown(answer: Answer) -> tuple[object, ...]:
    """What a reader gets, apart from the date."""
    allowed = sorted(answer["Allow"].replace(" ", "").split(","))  # in any order
    return (answer.status, *(answer[name] for name in SHOWN), *allowed, answer.body)
