"""What reaches the programs behind Apache, and what slow or large senders get."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.deploy.apache.conftest import Served
from tests.deploy.apache.wire import Client, get

pytestmark = pytest.mark.needs("apache")

LINK = "/services/links/a-token-of-1234567890"


class Recorder(ThreadingHTTPServer):
    """A program behind Apache that notes what it is sent."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.seen: list[tuple[str, str, dict[str, list[str]], bytes]] = []
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Recorder
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        headers: dict[str, list[str]] = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        self.server.seen.append((self.command, self.path, headers, body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Connection", "close")  # Apache keeps no way to a recorder that ended
        self.send_header("Content-Security-Policy", "default-src *")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
) -> Iterator[Served]:
    with make_served() as served:
        yield served


@pytest.fixture
def recorder(site: Served) -> Iterator[Recorder]:
    with Recorder(site.stack.service_port) as recorder:
        thread = threading.Thread(target=recorder.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield recorder
        recorder.shutdown()
        thread.join()


def test_nobody_says_who_he_is_but_apache(site: Served, recorder: Recorder) -> None:
    forged = {
        "X-Remote-User": "boss",
        "x-remote-email": "boss@example.org",
        "X-REMOTE-NAME": "Boss",
        "X-Remote-Groups": "staff,member",
        "X-Remote-Company": "acme",
        "X-Proxy-Secret": "guessed",
        "X_Remote_User": "boss",
        "X_Proxy_Secret": "guessed",
        "OIDC_CLAIM_groups": "staff",
        "Authorization": "Basic Ym9zczpib3Nz",
        "Proxy": "http://evil.example",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "Forwarded": "for=6.6.6.6;host=evil.example",
        "X-HTTP-Method-Override": "DELETE",
    }
    assert get(site.stack, LINK, forged).status == 200
    ((_, path, headers, _),) = recorder.seen
    assert path == LINK
    assert headers["x-proxy-secret"] == [site.stack.proxy_secret]
    assert headers["x-forwarded-for"] == ["127.0.0.1"]
    assert headers["x-forwarded-proto"] == ["https"]
    assert headers["host"] == [f"{site.stack.host}:{site.stack.port}"]
    for values in headers.values():
        for value in values:
            for word in ("boss", "guessed", "evil", "6.6.6.6", "staff", "DELETE", "acme"):
                assert word not in value


def test_header_names_in_other_spellings_reach_nobody_who_believes_them(
    site: Served, recorder: Recorder
) -> None:
    for name in ("X-Remote_User", "X_Remote-User", "x_REMOTE_user", "X.Remote.User"):
        get(site.stack, LINK, {name: "boss"})
    for _, _, headers, _ in recorder.seen:
        assert "x-remote-user" not in headers
        assert "x_remote_user" not in headers


def test_the_service_gets_its_own_cookie_and_no_other(site: Served, recorder: Recorder) -> None:
    own = "__Host-nightpress-service=abc.def"
    for sent, passed in (
        (f"nightpress-members=1; {own}; __Host-nightpress-session=secret", [own]),
        (f"{own}", [own]),
        ("__Host-nightpress-session=secret; other=1", []),
        ("x__Host-nightpress-service=1", []),
    ):
        get(site.stack, LINK, {"Cookie": sent})
        assert recorder.seen[-1][2].get("cookie", []) == passed


def test_protection_is_said_once_and_by_apache(site: Served, recorder: Recorder) -> None:
    answer = get(site.stack, LINK)
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/services/",
        "/services/feedback/",
        "/services/metrics",
        "/services/health",
        "/services/links/",
        "/services/links/short",
        "/services/links/a-token-of-1234567890/more",
        "/services/links/..%2ffeedback-1234",
        "/services/links/%2e%2e/feedback/",
        "/services/links/a-token-of-1234567890/../../feedback/",
        "/services/calendars/a-token-of-1234567890",
        "/services/calendars/a-token-of-1234567890.ics.html",
        "/SERVICES/links/a-token-of-1234567890",
        "/staff/agent/",
        "/services/links/a-token-of-1234567890%00",
        "/services/links/a-token-of-1234567890%0d%0aX-Remote-User:%20boss",
    ],
)
def test_nothing_else_reaches_the_service_without_sign_in(
    site: Served, recorder: Recorder, path: str
) -> None:
    assert get(site.stack, path).status in {400, 401, 403, 404}
    assert recorder.seen == []


def test_apache_is_no_proxy_to_the_world(site: Served, recorder: Recorder) -> None:
    target = f"http://127.0.0.1:{site.stack.service_port}/services/links/abcdefghijkl"
    for asked in (target, target.replace("127.0.0.1", "localhost")):
        get(site.stack, asked.encode(), {"Host": f"127.0.0.1:{site.stack.service_port}"})
    with Client(site.stack) as client:
        answer = client.ask(f"127.0.0.1:{site.stack.service_port}", method="CONNECT")
    assert answer.status >= 400
    # An absolute address is read as a path of this site, so the link itself may be asked for.
    assert all(path == "/services/links/abcdefghijkl" for _, path, _, _ in recorder.seen)
    for _, _, headers, _ in recorder.seen:
        assert headers["x-proxy-secret"] == [site.stack.proxy_secret]


def test_what_is_sent_in_must_say_its_size_and_be_small(site: Served, recorder: Recorder) -> None:
    cases = [
        (LINK, {"Content-Length": "1048577"}, 413),
        (LINK, {"Content-Length": "12582913"}, 413),
        ("/services/cv/", {"Content-Length": "12582913"}, 413),
        ("/services/cv/../links/a-token-of-1234567890", {"Content-Length": "1048577"}, 413),
        ("/services/feedback/", {"Content-Length": "1048577"}, 413),
        ("/staff/agent/", {"Content-Length": "1048577"}, 413),
        (LINK, {"Transfer-Encoding": "chunked"}, 411),
        (LINK, {}, 411),
    ]
    for path, headers, status in cases:
        with Client(site.stack) as client:
            answer = client.ask(path, headers | {"Expect": ""}, method="POST")
        assert answer.status == status, (path, headers)
    assert recorder.seen == []
    with Client(site.stack) as client:
        answer = client.ask(LINK, method="POST", body=b"x" * 1048576)
    assert answer.status == 200
    assert len(recorder.seen[-1][3]) == 1048576
    with Client(site.stack) as client:
        assert client.ask("/services/cv/", method="POST", body=b"x" * 2_000_000).status in {
            401,
            403,
        }


def test_two_lengths_are_refused(site: Served, recorder: Recorder) -> None:
    with Client(site.stack) as client:
        client.connection.sendall(
            f"POST {LINK} HTTP/1.1\r\nHost: {client.host}\r\nContent-Length: 4\r\n"
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /services/smuggled HTTP/1.1\r\n"
            f"Host: {client.host}\r\n\r\n".encode()
        )
        assert client.read().status in {400, 411, 413}
    assert recorder.seen == []


def test_a_service_that_rests_is_told_on_a_page(site: Served) -> None:
    answer = get(site.stack, LINK, {"Accept": "text/html"})
    assert answer.status == 503
    assert answer["Retry-After"] == "30"
    assert "This part of the site is resting" in answer.text
    assert get(site.stack, "/about/").status == 200
    plain = get(site.stack, LINK, {"Accept": "application/json"})
    assert plain["Content-Type"].startswith("text/plain")


def test_slow_clients_do_not_keep_others_waiting(site: Served) -> None:
    context = ssl.create_default_context(cafile=str(site.stack.authority))
    slow: list[socket.socket] = []
    try:
        for number in range(600):
            plain = socket.create_connection(("127.0.0.1", site.stack.port), timeout=20)
            if number % 3:
                slow.append(plain)  # not even a handshake
                continue
            secure = context.wrap_socket(plain, server_hostname=site.stack.host)
            secure.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            slow.append(secure)
        for _ in range(5):
            with Client(site.stack) as client:
                client.connection.settimeout(3)
                assert client.ask("/about/").status == 200
    finally:
        for connection in slow:
            connection.close()
