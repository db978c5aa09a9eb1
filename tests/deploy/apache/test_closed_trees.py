"""No address, however written, opens the members' tree, the staff's, the CV book or the rest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.deploy.apache.conftest import Served
from tests.deploy.apache.wire import Answer, Client, get

pytestmark = pytest.mark.needs("apache")

SECRET = b"For the eyes of one company"


@pytest.fixture(scope="module")
def served(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
) -> Iterator[Served]:
    """The shut site with something in every closed place."""
    with make_served() as served:
        book = served.settings.var / "cvbook" / "acme"
        book.mkdir(parents=True)
        (book / "index.html").write_bytes(SECRET)
        (book / "cv.pdf").write_bytes(b"%PDF-1.7 " + SECRET)
        root = served.file("").resolve()
        (root / "staff").mkdir(exist_ok=True)
        (root / "staff" / "index.html").unlink(missing_ok=True)
        (root / "staff" / "index.html").write_bytes(SECRET)
        yield served


def members_url(served: Served) -> str:
    """A page that only members have."""
    tree = served.file("members/publications")
    only = [
        f.stem
        for f in sorted(tree.glob("*.html"))
        if f.stem != "index" and not served.file(f"public/publications/{f.name}").exists()
    ]
    return f"/members/publications/{only[0]}/"


def is_shut(answer: Answer, *secrets: bytes) -> bool:
    return answer.status >= 300 and not any(secret in answer.body for secret in secrets)


def test_every_file_of_a_closed_tree_is_shut(served: Served) -> None:
    checked = 0
    for tree in ("members", "staff"):
        root = served.file(tree)
        with Client(served.stack) as client:
            for file in sorted(root.rglob("*")):
                if not file.is_file():
                    continue
                path = f"/{tree}/{file.relative_to(root).as_posix()}"
                page = path.removesuffix("index.html") if path.endswith("index.html") else path
                page = page.removesuffix(".html") + ("/" if page.endswith(".html") else "")
                for form in dict.fromkeys((path, page)):
                    answer = client.ask(form)
                    assert answer.status in {401, 403}, form
                    checked += 1
    assert checked > 100


def tricks(path: str) -> dict[str, bytes]:
    """Ways of writing a path that some server somewhere took for the path itself."""
    plain = path.encode()
    first = path.split("/")[1]
    rest = path[len(first) + 1 :].encode()
    name = first.encode()
    letter = f"%{name[0]:02x}".encode()
    return {
        "as it is": plain,
        "double slash": b"/" + plain,
        "inner double slash": b"/" + name + b"/" + rest,
        "many slashes": b"////" + name + b"///" + rest.lstrip(b"/"),
        "encoded letter": b"/" + letter + name[1:] + rest,
        "encoded capital": b"/" + letter.upper() + name[1:] + rest,
        "twice encoded": b"/%25" + letter[1:] + name[1:] + rest,
        "encoded slash": b"/" + name + b"%2f" + rest[1:],
        "encoded slash in capitals": b"/" + name + b"%2F" + rest[1:],
        "encoded first slash": b"%2f" + name + rest,
        "dot": b"/./" + name + rest,
        "inner dot": b"/" + name + b"/." + rest,
        "encoded dot": b"/%2e/" + name + rest,
        "dot dot": b"/about/../" + name + rest,
        "dot dot from assets": b"/assets/css/../../" + name + rest,
        "encoded dot dot": b"/about/%2e%2e/" + name + rest,
        "dot dot to the root": b"/../" + name + rest,
        "encoded dot dot slash": b"/..%2f" + name + rest,
        "dot dot through public": b"/public/../" + name + rest,
        "beyond": b"/assets/..%2f..%2f" + name + rest,
        "overlong dot": b"/%c0%ae%c0%ae/" + name + rest,
        "overlong slash": b"/about%c0%af..%c0%af" + name + rest,
        "backslash": b"/" + name + rest.replace(b"/", b"\\"),
        "encoded backslash": b"/" + name + rest.replace(b"/", b"%5c"),
        "backslash dot dot": b"/about\\..\\" + name + rest,
        "capitals": b"/" + name.upper() + rest,
        "title": b"/" + name.title() + rest,
        "trailing dot": b"/" + name + b"." + rest,
        "trailing space": b"/" + name + b"%20" + rest,
        "trailing dot at the end": plain.rstrip(b"/") + b".",
        "trailing slash": plain.rstrip(b"/") + b"//",
        "trailing encoded space": plain.rstrip(b"/") + b"%20",
        "parameter": b"/" + name + b";x=1" + rest,
        "parameter at the end": plain.rstrip(b"/") + b";x",
        "parameter dot dot": b"/about/..;/" + name + rest,
        "null byte": plain.rstrip(b"/") + b"%00",
        "null byte and ending": plain.rstrip(b"/") + b"%00.html",
        "null byte before": b"/%00" + name + rest,
        "newline": plain.rstrip(b"/") + b"%0a",
        "carriage return": b"/" + name + b"%0d%0a" + rest,
        "question": plain.rstrip(b"/") + b"%3f",
        "hash": plain.rstrip(b"/") + b"%23",
        "fragment": plain + b"#x",
        "query": plain + b"?x=1",
        "path info": plain.rstrip(b"/") + b"/x/y",
        "page file": plain.rstrip(b"/") + b".html",
        "page file of brotli": plain.rstrip(b"/") + b".html.br",
        "page file of gzip": plain.rstrip(b"/") + b".html.gz",
        "half sibling": plain.rstrip(b"/") + b".br",
        "index": plain + b"index.html",
        "index of brotli": plain + b"index.html.br",
        "tree through current": b"/current" + plain,
        "tree through releases": b"/releases/1" + plain,
        "tilde": b"/~" + plain.lstrip(b"/"),
        "data stream": plain.rstrip(b"/") + b"::$DATA",
        "star": b"/" + name + b"/*",
        "error page": b"/.errors/410?" + plain,
        "error page below": b"/.errors/" + name + rest,
        "alias without slash": b"/" + name + b"..%2f" + rest,
        "full width": b"/" + "ｍ".encode() + name[1:] + rest,
        "combining": b"/" + name + "\u0301".encode() + rest,
        "absolute address": b"https://nightpress.localhost" + plain,
        "absolute address elsewhere": b"http://evil.example" + plain,
        "absolute address, double slash": b"https://nightpress.localhost/" + plain,
    }


PLACES = ("/members/", "members page", "/staff/", "/cvs/acme/", "/cvs/acme/cv.pdf")
NAMES = sorted(tricks("/x/"))


@pytest.mark.parametrize("place", PLACES)
def test_no_way_of_writing_an_address_opens_a_closed_place(served: Served, place: str) -> None:
    path = members_url(served) if place == "members page" else place
    secrets = (SECRET, *secrets_of(served))
    for name, form in tricks(path).items():
        for headers in ({}, {"Accept": "text/html"}, {"Accept-Encoding": "br"}):
            answer = get(served.stack, form, headers)
            assert is_shut(answer, *secrets), f"{name}: {form!r} gave {answer.status}"


def secrets_of(served: Served) -> tuple[bytes, ...]:
    """The title of a work that only members may see."""
    page = served.file(members_url(served)[1:-1] + ".html").read_text("utf-8")
    heading = page.partition("<h1")[2].partition(">")[2].partition("</h1>")[0]
    assert len(heading) > 8
    return (heading.encode(),)


OVERRIDES = {
    "X-Original-URL": "{path}",
    "X-Rewrite-URL": "{path}",
    "X-Forwarded-Path": "{path}",
    "X-Forwarded-Uri": "{path}",
    "X-Forwarded-Prefix": "/members",
    "X-HTTP-Method-Override": "HEAD",
    "X-Forwarded-For": "127.0.0.1",
    "X-Real-IP": "127.0.0.1",
    "Forwarded": "for=127.0.0.1",
    "X-Remote-User": "boss",
    "X-Remote-Groups": "member,staff",
    "OIDC_CLAIM_groups": "member,staff",
    "OIDC-CLAIM-groups": "member,staff",
    "REMOTE_USER": "boss",
    "Authorization": "Basic Ym9zczpib3Nz",
    "Cookie": "nightpress-members=1; __Host-nightpress-session=forged",
    "Content-Location": "{path}",
    "If-None-Match": "*",
    "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT",
    "Range": "bytes=0-10",
    "If-Match": "*",
}


@pytest.mark.parametrize("place", PLACES)
def test_no_header_opens_a_closed_place(served: Served, place: str) -> None:
    path = members_url(served) if place == "members page" else place
    for name, value in OVERRIDES.items():
        header = {name: value.replace("{path}", path)}
        answer = get(served.stack, path, header)
        assert answer.status in {401, 403}, name
        # Nor does one make an open address stand for it.
        assert secrets_of(served)[0] not in get(served.stack, "/about/", header).body


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "OPTIONS", "POST", "get", "GETX", "LOCK", "COPY"]
)
def test_no_method_opens_a_closed_place(served: Served, method: str) -> None:
    for path in (members_url(served), "/staff/", "/cvs/acme/cv.pdf"):
        with Client(served.stack) as client:
            answer = client.ask(path, method=method)
        assert answer.status >= 400, f"{method} {path}"
        assert SECRET not in answer.body


def test_old_http_opens_nothing(served: Served) -> None:
    for path in (members_url(served), "/staff/", "/cvs/acme/cv.pdf"):
        for version in ("HTTP/1.0", "HTTP/1.1"):
            with Client(served.stack) as client:
                headers = {"Connection": "close", "Host": client.host}
                answer = client.ask(path, headers, version=version)
            assert answer.status >= 400
    with Client(served.stack) as client:
        answer = client.ask("/about/", {"Host": client.host}, version="HTTP/1.0")
        assert (answer.status, answer.body) == (200, shut_page(served))
    with Client(served.stack) as client:
        assert client.ask("/about/", version="HTTP/1.0").status == 400  # no host at all


def shut_page(served: Served) -> bytes:
    return served.file("public/about/index.html").read_bytes()


def test_nobody_learns_what_a_closed_tree_holds(served: Served) -> None:
    """What is there and what is not, gone, moved or public is answered alike."""
    real = members_url(served)
    public = next(f.stem for f in sorted(served.file("public/publications").glob("el-*.html")))
    forms = [
        real,
        real.rstrip("/"),
        real.rstrip("/") + ".html",
        real.rstrip("/") + ".html.br",
        "/members/publications/no-such-record/",
        "/members/publications/no-such-record",
        f"/members/publications/{public}/",
        "/members/no-such-folder/x/y.json",
        "/members/search-index/manifest.json",
    ]
    told = set()
    for form in forms:
        answer = get(served.stack, form, {"Accept": "text/html"})
        told.add((answer.status, answer["Location"], answer.body, answer["ETag"]))
    assert len(told) == 1
    assert told.pop()[0] in {401, 403}


def test_the_overlay_shows_two_files_and_no_others(served: Served) -> None:
    answer = served.get("/live/withdrawn.json")
    assert (answer.status, answer["Cache-Control"]) == (200, "no-store")
    assert answer["Content-Type"] == "application/json"
    assert served.get("/live/notice.json").status == 200
    for name in ("withdrawn.txt", "blocked.grp", ".lock", "", "../job.lock", "withdrawn.json/"):
        assert served.get(f"/live/{name}").status in {403, 404}, name


def test_the_site_folder_is_not_served(served: Served) -> None:
    for name in ("pelicanconf.py", "var/snapshot.sqlite", "var/secrets/proxy-secret", "output/"):
        for form in (
            f"/{name}",
            f"/live/../../{name}",
            f"/cvs/../../{name}",
            f"/cvs/..%2f..%2f{name}",
        ):
            assert served.get(form).status in {400, 403, 404}, form
