"""Which file answers an address, and how it is sent."""

from __future__ import annotations

import gzip
import re
import ssl
from datetime import UTC, datetime, timedelta

import brotli
import pytest

from tests.deploy.apache.conftest import Served
from tests.deploy.apache.wire import Client, get

pytestmark = pytest.mark.needs("apache")

HTML = "text/html; charset=utf-8"
TYPES = {
    "html": "text/html;charset=utf-8",
    "css": "text/css;charset=utf-8",
    "js": "text/javascript;charset=utf-8",
    "json": "application/json",
    "txt": "text/plain;charset=utf-8",
    "svg": "image/svg+xml",
    "xml": "application/xml;charset=utf-8",
}


def a_page(served: Served) -> str:
    """The name of a public publication's page that has compressed siblings."""
    folder = served.file("public/publications")
    return next(f.name[:-8] for f in sorted(folder.glob("*.html.br")))


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("/", "public/index.html"),
        ("/about/", "public/about/index.html"),
        ("/publications/", "public/publications/index.html"),
        ("/news/first/", "public/news/first.html"),
        ("/404.html", "public/404.html"),
        ("/feeds/news.atom.xml", "public/feeds/news.atom.xml"),
        ("/search-index/manifest.json", "public/search-index/manifest.json"),
    ],
)
def test_addresses_are_answered_by_their_files(shut: Served, address: str, file: str) -> None:
    answer = shut.get(address)
    assert answer.status == 200
    assert answer.body == shut.file(file).read_bytes()


def test_every_public_page_is_answered_at_its_address(shut: Served) -> None:
    tree = shut.file("public")
    pages = [f.relative_to(tree).as_posix() for f in sorted(tree.glob("*/**/*.html"))]
    gone = set(shut.file("gone.txt").read_text().split())
    assert len(pages) > 200
    with Client(shut.stack) as client:
        for page in pages:
            url = "/" + page.removesuffix("index.html")
            url = url if url.endswith("/") else url.removesuffix(".html") + "/"
            answer = client.ask(url)
            assert answer.status == (410 if url in gone else 200), url
            assert answer.body == (tree / page).read_bytes(), url


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("/index.html", "/"),
        ("/about", "/about/"),
        ("/about/index.html", "/about/"),
        ("/publications", "/publications/"),
        ("/news/first", "/news/first/"),
        ("/news/first.html", "/news/first/"),
        ("/news/first?x=1", "/news/first/?x=1"),
        ("//news//first", "/news/first/"),
        ("/members", "/members/"),
    ],
)
def test_a_page_has_one_address(shut: Served, asked: str, target: str) -> None:
    answer = shut.get(asked)
    assert (answer.status, answer["Location"]) == (301, shut.stack.url + target)


@pytest.mark.parametrize("path", ["/nothing", "/nothing/", "/publications/nothing/", "/a/b/c.html"])
def test_what_is_not_there_is_told_on_a_page_with_search(shut: Served, path: str) -> None:
    answer = shut.get(path, Accept="text/html,*/*;q=0.8")
    assert answer.status == 404
    assert answer["Content-Type"] == HTML
    assert "There is no page at this address" in answer.text
    assert 'action="/search/"' in answer.text
    assert answer["Cache-Control"] == "no-cache"


def test_programs_are_told_in_plain_words(shut: Served) -> None:
    for headers in ({"Sec-Fetch-Mode": "cors", "Accept": "*/*"}, {"Accept": "application/json"}):
        answer = get(shut.stack, "/search-index/nothing.json", headers)
        assert answer.status == 404
        assert answer["Content-Type"].startswith("text/plain")
        assert len(answer.body) < 100


def test_error_pages_have_no_address(shut: Served) -> None:
    for path in ("/.errors/404", "/.errors/503", "/.errors/", "/errors/404.html"):
        assert shut.get(path).status == 404


# Compression


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "br"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.0, gzip;q=0.001", "gzip"),
        ("br ; q=0 , gzip ; q=0.000", ""),
        ("br;q=0,gzip;q=0", ""),
        ("identity", ""),
        ("", ""),
        ("brx, xbr, zip", ""),
    ],
)
def test_the_encoding_is_the_one_that_is_accepted(shut: Served, accepted: str, sent: str) -> None:
    page = a_page(shut)
    plain = shut.file(f"public/publications/{page}.html").read_bytes()
    answer = get(shut.stack, f"/publications/{page}/", {"Accept-Encoding": accepted})
    assert answer.status == 200
    assert answer["Content-Encoding"] == sent
    assert answer["Content-Type"].replace("; ", ";") == TYPES["html"]
    assert answer["Vary"] == "Accept-Encoding"
    expand = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[sent]
    assert expand(answer.body) == plain


def test_every_kind_of_file_keeps_its_type_when_compressed(shut: Served) -> None:
    tree = shut.file("public")
    seen = set()
    for ending, kind in TYPES.items():
        for file in sorted(tree.rglob(f"*.{ending}.br"))[:3]:
            path = "/" + file.relative_to(tree).as_posix()[:-3]
            if path.endswith(".html"):
                continue
            for accepted in ("br", "gzip", ""):
                answer = get(shut.stack, path, {"Accept-Encoding": accepted})
                assert answer.status == 200, path
                assert answer["Content-Type"].replace("; ", ";") == kind, path
                assert answer["Vary"] == "Accept-Encoding", path
                assert answer["Content-Encoding"] == accepted, path
            seen.add(ending)
    assert {"css", "js"} <= seen


def test_each_variant_has_an_etag_that_answers_for_it_alone(shut: Served) -> None:
    url = f"/publications/{a_page(shut)}/"
    tags = {}
    for accepted in ("br", "gzip", ""):
        tags[accepted] = get(shut.stack, url, {"Accept-Encoding": accepted})["ETag"]
    assert len(set(tags.values())) == 3
    for accepted in tags:
        for other, tag in tags.items():
            headers = {"Accept-Encoding": accepted, "If-None-Match": tag}
            answer = get(shut.stack, url, headers)
            assert answer.status == (304 if other == accepted else 200)
            assert answer["Vary"] == "Accept-Encoding"
            assert answer["Cache-Control"] == "public, max-age=60, must-revalidate"
            assert answer["ETag"] == tags[accepted]


def test_head_says_what_get_says(shut: Served) -> None:
    url = f"/publications/{a_page(shut)}/"
    for accepted in ("br", "gzip", ""):
        with Client(shut.stack) as client:
            got = client.ask(url, {"Accept-Encoding": accepted})
            head = client.ask(url, {"Accept-Encoding": accepted}, method="HEAD")
        assert head.status == 200
        assert head.body == b""
        ignored = {"date", "keep-alive", "connection", "upgrade"}
        assert [h for h in head.headers if h[0] not in ignored] == [
            h for h in got.headers if h[0] not in ignored
        ]


def test_ranges_are_of_what_is_sent(shut: Served) -> None:
    page = a_page(shut)
    file = shut.file(f"public/publications/{page}.html")
    for accepted, ending in (("br", ".br"), ("gzip", ".gz"), ("", "")):
        whole = file.with_name(file.name + ending).read_bytes()
        headers = {"Accept-Encoding": accepted, "Range": "bytes=10-29"}
        answer = get(shut.stack, f"/publications/{page}/", headers)
        assert answer.status == 206
        assert answer.body == whole[10:30]
        assert answer["Content-Range"] == f"bytes 10-29/{len(whole)}"
        assert answer["Content-Encoding"] == accepted
        stale = get(shut.stack, f"/publications/{page}/", headers | {"If-Range": '"other"'})
        assert (stale.status, stale.body) == (200, whole)
        beyond = headers | {"Range": "bytes=999999-"}
        assert get(shut.stack, f"/publications/{page}/", beyond).status == 416


def test_compressed_siblings_have_no_address(shut: Served) -> None:
    page = a_page(shut)
    for ending in (".br", ".gz"):
        assert shut.get(f"/publications/{page}.html{ending}").status == 404
        assert shut.get(f"/index.html{ending}").status == 404
        assert shut.get(f"/publications/{page}{ending}/").status == 404


def test_small_files_and_pictures_are_sent_as_they_are(shut: Served) -> None:
    tree = shut.file("public")
    font = next(tree.rglob("*.woff2"))
    answer = get(
        shut.stack, "/" + font.relative_to(tree).as_posix(), {"Accept-Encoding": "br, gzip"}
    )
    assert (answer["Content-Type"], answer["Content-Encoding"]) == ("font/woff2", "")
    assert answer.body == font.read_bytes()


def test_full_texts_are_pdfs_in_ranges(shut: Served) -> None:
    tree = shut.file("public")
    pdf = next(tree.glob("publications/*/*.pdf"))
    path = "/" + pdf.relative_to(tree).as_posix()
    answer = get(shut.stack, path, {"Range": "bytes=0-7"})
    assert (answer.status, answer["Content-Type"]) == (206, "application/pdf")
    assert answer.body.startswith(b"%PDF-")


# Caching and headers


def test_names_with_a_hash_are_kept_for_good_and_others_asked_for_again(shut: Served) -> None:
    tree = shut.file("public")
    files = ["/" + f.relative_to(tree).as_posix() for f in sorted(tree.rglob("*")) if f.is_file()]
    hashed = [
        f for f in files if re.search(r"^/assets/.*\.[0-9a-f]{10}[./]|^/search-index/[^/]+/", f)
    ]
    plain = [f for f in files if f.startswith(("/assets/", "/search-index/"))]
    plain = [f for f in plain if f not in hashed and not f.endswith((".br", ".gz"))]
    hashed = [f for f in hashed if not f.endswith((".br", ".gz"))]
    assert len(hashed) > 20
    assert plain
    with Client(shut.stack) as client:
        for path in hashed[:60]:
            kept = client.ask(path)["Cache-Control"]
            assert kept == "public, max-age=31536000, immutable", path
        for path in [*plain, "/", "/about/"]:
            kept = client.ask(path)["Cache-Control"]
            assert kept == "public, max-age=60, must-revalidate", path


EVERYWHERE = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "Apache",
}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/members/",
        "/index.html",
        "/live/notice.json",
        "/services/x",
        "/%00",
        "/cvs/a/",
    ],
)
def test_every_answer_carries_the_same_protection(shut: Served, path: str) -> None:
    answer = shut.get(path)
    for name, value in EVERYWHERE.items():
        assert answer[name] == value, name
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["X-Powered-By"] == ""


def test_http2_and_modern_tls_are_spoken_and_nothing_older(shut: Served) -> None:
    with Client(shut.stack, protocols=["h2", "http/1.1"]) as client:
        assert client.connection.selected_alpn_protocol() == "h2"
        assert client.connection.version() == "TLSv1.3"
    context = ssl.create_default_context(cafile=str(shut.stack.authority))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert _handshake(shut, context) == "TLSv1.2"
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _handshake(shut, old)


def _handshake(served: Served, context: ssl.SSLContext) -> str | None:
    import socket

    with (
        socket.create_connection(("127.0.0.1", served.stack.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=served.stack.host) as secure,
    ):
        return secure.version()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "MKCOL"])
def test_pages_can_only_be_read(shut: Served, method: str) -> None:
    for path in ("/", "/publications/", "/nothing"):
        with Client(shut.stack) as client:
            answer = client.ask(path, method=method, body=b"x=1")
        assert answer.status == 405, path
        assert answer["Allow"] == "GET, HEAD, OPTIONS"


def test_trace_is_off(shut: Served) -> None:
    with Client(shut.stack) as client:
        answer = client.ask("/", {"X-Secret": "echo-me"}, method="TRACE")
    assert answer.status == 405
    assert b"echo-me" not in answer.body


def test_folders_are_not_listed(shut: Served) -> None:
    for path in ("/assets/", "/assets/css/", "/search-index/", "/search-index/results/", "/feeds/"):
        answer = shut.get(path)
        assert answer.status == 404, path
        assert "Index of" not in answer.text


def test_the_log_holds_no_queries_and_no_tokens(shut: Served) -> None:
    shut.get("/search/?q=a-private-question")
    shut.get("/services/links/a-secret-token-1234")
    shut.get("/nothing/?next=private")
    shut.get("/about?q=private-too", Referer="https://else.example/?q=private")
    log = (shut.stack.log / "apache-access.log").read_text()
    assert "GET /search/ HTTP/1.1" in log
    for secret in ("private", "secret-token"):
        assert secret not in log


def test_addresses_of_the_site_are_its_own_whatever_host_is_asked_for(shut: Served) -> None:
    answer = get(shut.stack, "/about", {"Host": "evil.example"})
    assert answer["Location"] == f"{shut.stack.url}/about/"


def test_the_root_of_the_release_is_not_served(shut: Served) -> None:
    root = shut.file("")
    outside = [
        p.relative_to(root).as_posix()
        for p in sorted(root.rglob("*"))
        if p.is_file() and not p.relative_to(root).as_posix().startswith("public/")
    ]
    assert {"manifest.sqlite", "release.json", "gone.txt"} <= set(outside)
    with Client(shut.stack) as client:
        for path in outside:
            assert client.ask(f"/{path}").status in {403, 404}, path
    for path in outside[:: max(1, len(outside) // 15)]:
        for form in (f"/../{path}", f"/%2e%2e/{path}", f"/assets/../../{path}"):
            assert shut.get(form).status in {400, 403, 404}, form


def test_faults_can_be_reported(shut: Served) -> None:
    answer = shut.get("/.well-known/security.txt")
    assert answer.status == 200
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Contact"] == "mailto:security@publications.example"
    assert fields["Canonical"] == "https://publications.example/.well-known/security.txt"
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=300) < expires - datetime.now(UTC) < timedelta(days=366)
