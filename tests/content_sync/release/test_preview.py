import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest

from content_sync.errors import ReleaseError
from content_sync.release.preview import content_type, make_server
from content_sync.release.stage import releases
from content_sync.release.switch import rollback

PAGES = {
    "public/index.html": b"home",
    "public/404.html": b"not here",
    "public/people/index.html": b"people",
    "public/people/ada.html": b"ada",
    "public/people/ada/ada.pdf": b"%PDF-0123456789",
    "public/assets/press.1a2b.css": b"body{}",
    "members/secret.html": b"secret",
}


@pytest.fixture
def ask(site):
    """Serve the site and return a way to ask it: (status, headers, body)."""
    site.redirect("/old?id=5", "/people/")
    site.redirect("/alt/seite", "/people/ada/")
    records = {"public/people/bob.html": "person:bob"}
    site.release({**PAGES, "public/people/bob.html": b"bob"}, records=records)
    site.release(PAGES)
    with make_server(site.settings, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def request(path, method="GET", **headers):
            connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", "press.example")
            for name, value in names.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, answer.headers, body

        yield request
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/", 200, b"home"),
        ("/?utm=1", 200, b"home"),
        ("/people/", 200, b"people"),
        ("/people/ada/", 200, b"ada"),
        ("/people/%61da/", 200, b"ada"),
        ("/people/ada/ada.pdf", 200, b"%PDF-0123456789"),
        ("/nothing/", 404, b"not here"),
        ("/nothing", 404, b"not here"),
        ("/404.html", 200, b"not here"),
        ("http://any.example/people/ada/", 200, b"ada"),
    ],
)
def test_pages_are_found_without_a_file_name(ask, path, status, body):
    assert ask(path)[::2] == (status, body)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/people", "/people/"),
        ("/people/ada", "/people/ada/"),
        ("/people/ada?q=1&r=%20", "/people/ada/?q=1&r=%20"),
        ("/people/ada.html", "/people/ada/"),
        ("/people/index.html", "/people/"),
        ("/index.html", "/"),
        ("/old?id=5", "/people/"),
        ("/alt/seite", "/people/ada/"),
        ("/alt/seite?x=1", "/people/ada/"),
    ],
)
def test_other_spellings_and_old_paths_redirect(ask, path, target):
    status, headers, body = ask(path)
    assert (status, headers["Location"], body) == (301, target, b"")


def test_a_tombstone_is_answered_410_with_its_page(ask):
    status, headers, body = ask("/people/bob/")
    assert status == 410
    assert b"This page is gone." in body
    assert headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/../members/secret.html",
        "/people/../../members/secret.html",
        "/%2e%2e/members/secret.html",
        "/..%2fmembers/secret.html",
        "/people/%2e%2e/%2e%2e/members/secret/",
        "/..\\members\\secret.html",
        "/..%5cmembers%5csecret.html",
        "//members/secret/",
        "//evil.example/",
        "/people//ada/",
        "/./people/",
        "/people/ada.html%00.pdf",
        "/people/%0d%0aX: y",
        "/%ff",
        "/members/secret/",
        "/redirects.txt",
        "/../release.json",
        "/linked/secret.html",
        "/linked.html",
        "/" + "a" * 5000,
        "http://[/",
    ],
)
def test_nothing_outside_the_tree_is_served(ask, site, path):
    public = releases(site.settings)[-1].root / "public"
    (public / "linked").symlink_to(public.parent / "members")
    (public / "linked.html").symlink_to(public.parent / "members/secret.html")
    status, _, body = ask(path.replace(" ", "%20"))
    assert status in {400, 404}
    assert b"secret" not in body


def test_types_and_caching(ask):
    _, headers, _ = ask("/assets/press.1a2b.css")
    assert headers["Content-Type"] == "text/css; charset=utf-8"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["X-Content-Type-Options"] == "nosniff"
    _, headers, _ = ask("/people/ada/")
    assert headers["Cache-Control"] == "no-cache"
    _, headers, _ = ask("/assets/nothing.css")
    assert headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.woff2", "font/woff2"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("all.atom.xml", "application/xml; charset=utf-8"),
        ("A.PDF", "application/pdf"),
        ("LICENSE", "application/octet-stream"),
    ],
)
def test_every_file_has_its_type(name, expected):
    assert content_type(name) == expected


def test_an_unchanged_page_is_not_sent_again(ask):
    _, headers, _ = ask("/people/ada/")
    status, _, body = ask("/people/ada/", If_None_Match=headers["ETag"])
    assert (status, body) == (304, b"")


def test_head_is_get_without_the_body(ask):
    status, headers, body = ask("/people/ada/", method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, "3", b"")
    assert ask("/nothing/", method="HEAD")[::2] == (404, b"")
    assert ask("/", method="POST")[0] == 501


@pytest.mark.parametrize(
    ("header", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"%PDF", "bytes 0-3/15"),
        ("bytes=11-", 206, b"6789", "bytes 11-14/15"),
        ("bytes=-2", 206, b"89", "bytes 13-14/15"),
        ("bytes=-99", 206, b"%PDF-0123456789", "bytes 0-14/15"),
        ("bytes=13-99", 206, b"89", "bytes 13-14/15"),
        ("bytes=15-", 416, b"", "bytes */15"),
        ("bytes=-0", 416, b"", "bytes */15"),
        ("bytes=3-1", 200, b"%PDF-0123456789", None),
        ("bytes=0-1,3-4", 200, b"%PDF-0123456789", None),
        ("bytes=-", 200, b"%PDF-0123456789", None),
        ("lines=1-2", 200, b"%PDF-0123456789", None),
    ],
)
def test_ranges(ask, header, status, body, content_range):
    got = ask("/people/ada/ada.pdf", Range=header)
    assert (got[0], got[2], got[1]["Content-Range"]) == (status, body, content_range)


def test_a_range_of_another_version_gives_the_whole_file(ask):
    got = ask("/people/ada/ada.pdf", Range="bytes=0-3", If_Range='"other"')
    assert (got[0], len(got[2])) == (200, 15)


def test_a_release_that_goes_live_is_seen_at_once(ask, site):
    assert ask("/people/bob/")[0] == 410
    rollback(site.settings)
    assert ask("/people/bob/")[::2] == (200, b"bob")
    site.release({**PAGES, "public/index.html": b"new home"})
    assert ask("/")[2] == b"new home"


def test_a_connection_stays_open_for_more_requests(site):
    site.release(PAGES)
    with make_server(site.settings, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        for path, status in (("/", 200), ("/nothing", 404), ("/people", 301), ("/people/", 200)):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
        connection.close()
        server.shutdown()
        thread.join()


def test_before_the_first_release_the_reader_is_told(site):
    with make_server(site.settings, port=0) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, b"nightpress nightly" in answer.read()) == (503, True)
        connection.close()
        thread.join()


def test_a_port_in_use_is_told_in_one_line(site):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ReleaseError, match="--port"):
            make_server(site.settings, port=taken.getsockname()[1])


def test_a_pinned_release_is_served_whatever_is_live(site):
    first = site.release({"public/index.html": b"first"})
    site.release({"public/index.html": b"second"})
    with make_server(site.settings, port=0, release=first) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"first"
        connection.close()
        thread.join()


def test_many_readers_are_served_at_once(ask):
    with ThreadPoolExecutor(20) as readers:
        answers = list(readers.map(ask, ["/people/ada/"] * 60))
    assert {(status, body) for status, _, body in answers} == {(200, b"ada")}
