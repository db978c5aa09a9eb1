"""Old addresses, gone ones, the live overlay, and what members get that has no page of theirs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import brotli
import pytest

from content_sync.operations.overlay import restore, set_notice, withdraw
from content_sync.release.addresses import file_of
from content_sync.release.departed import read_redirects
from content_sync.urls import record_url
from tests.deploy.apache.conftest import OPEN, Served
from tests.deploy.apache.test_files import a_page
from tests.deploy.apache.wire import Client, get

pytestmark = pytest.mark.needs("apache")


@pytest.fixture(scope="module")
def site(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
) -> Iterator[Served]:
    """A site with its closed trees open, which these tests may change."""
    with make_served(OPEN) as served:
        yield served


def test_every_old_address_leads_to_its_page_at_once(opened: Served) -> None:
    pairs = read_redirects(opened.file("redirects.txt").read_text("utf-8"))
    assert len(pairs) > 20
    assert any("?" in old for old, _ in pairs), "the demo has addresses with queries"
    with Client(opened.stack) as client:
        for old, new in pairs:
            path, mark, query = old.partition("?")
            asked = path.encode().replace(b" ", b"%20") + mark.encode() + query.encode()
            if old.startswith(("/members/", "/staff/")):
                continue
            answer = client.ask(asked)
            assert answer.status == 301, old
            assert answer["Location"] == opened.stack.url + new, old


def test_old_addresses_of_what_is_for_members_lead_members_there_and_tell_strangers_nothing(
    opened: Served,
) -> None:
    pairs = read_redirects(opened.file("redirects.txt").read_text("utf-8"))
    closed = [(old.removeprefix("/members"), new) for old, new in pairs if _is_closed(old)]
    assert any("?" in old for old, _ in closed)
    assert any("?" not in old for old, _ in closed)
    for old, new in closed:
        assert new.startswith("/members/")
        nothing = opened.get("/show.asp?id=no-such-id")
        answer = opened.get(old)
        assert (answer.status, answer.body) == (404, nothing.body), old
        for address in (old, "/no-such-page?at=all"):
            answer = opened.get(address, Cookie="a=b; nightpress-members=1")
            assert answer.status == 302
            assert answer["Location"] == f"{opened.stack.url}/members{address}"
        answer = opened.get(f"/members{old}")
        assert (answer.status, answer["Location"]) == (301, opened.stack.url + new)
    assert opened.get("/members/no-such-page?at=all").status == 404


def _is_closed(old: str) -> bool:
    return old.startswith(("/members/show.asp", "/members/pubs/"))


def test_an_old_address_answers_with_any_query_unless_it_names_one(opened: Served) -> None:
    pairs = read_redirects(opened.file("redirects.txt").read_text("utf-8"))
    plain = next(pair for pair in pairs if "?" not in pair[0])
    named = next(old for old, _ in pairs if "?" in old)
    answer = opened.get(f"{plain[0]}?from=mail")
    assert (answer.status, answer["Location"]) == (301, opened.stack.url + plain[1])
    assert opened.get(named.partition("?")[0] + "?id=no-such-id").status == 404


def test_a_tombstone_is_answered_410_with_its_own_words(opened: Served) -> None:
    gone = [url for url in opened.file("gone.txt").read_text().split() if url.endswith("/")]
    assert any(url.startswith("/members/") for url in gone)
    assert any(not url.startswith("/members/") for url in gone)
    for url in gone:
        answer = opened.get(url)
        assert answer.status == 410
        assert answer.body == opened.file(file_of(url)).read_bytes()
        assert answer["Cache-Control"] in {"no-cache", "private, no-store"}
        assert opened.get(url[:-1] + ".html").status == 410


def test_a_file_that_is_gone_is_answered_410(opened: Served) -> None:
    gone = [url for url in opened.file("gone.txt").read_text().split() if not url.endswith("/")]
    assert any(url.startswith("/members/citations/") for url in gone)
    assert any(url.startswith("/citations/") for url in gone)
    for url in gone:
        for reader in ({}, {"Accept-Encoding": "br, gzip"}):
            assert opened.get(url, **reader).status == 410, url


# Members


def test_members_get_the_public_page_where_there_is_no_other(opened: Served) -> None:
    own = {f.name for f in opened.file("members/publications").glob("*.html")}
    public = opened.file("public/publications").glob("*.html")
    name = next(f.stem for f in sorted(public) if f.name not in own)
    for form in (f"/members/publications/{name}/", f"/members/publications/{name}"):
        answer = opened.get(form)
        assert (answer.status, answer["Location"]) == (
            302,
            f"{opened.stack.url}/publications/{name}/",
        )
    assert opened.get("/members/about/")["Location"] == f"{opened.stack.url}/about/"
    assert opened.get("/members/about")["Location"] == f"{opened.stack.url}/about/"


def test_members_pages_are_kept_by_nobody_and_come_compressed(opened: Served) -> None:
    tree = opened.file("members/publications")
    name = next(f.name[:-8] for f in sorted(tree.glob("*.html.br")))
    plain = (tree / f"{name}.html").read_bytes()
    answer = get(opened.stack, f"/members/publications/{name}/", {"Accept-Encoding": "br"})
    assert answer.status == 200
    assert brotli.decompress(answer.body) == plain
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Type"].replace("; ", ";") == "text/html;charset=utf-8"
    assert answer["Vary"] == "Accept-Encoding"
    for form in (f"/members/publications/{name}", f"/members/publications/{name}.html"):
        moved = opened.get(form)
        assert (moved.status, moved["Location"]) == (
            301,
            f"{opened.stack.url}/members/publications/{name}/",
        )
    assert opened.get(f"/members/publications/{name}.html.br").status == 404
    assert opened.get("/members/index.html")["Location"] == f"{opened.stack.url}/members/"
    missing = opened.get("/members/publications/no-such-record/")
    assert missing.status == 404
    assert missing["Cache-Control"] in {"no-cache", "private, no-store"}


# The overlay


def test_a_withdrawn_record_is_gone_at_once_with_all_below_it(site: Served) -> None:
    tree = site.file("public/publications")
    name = next(f.parent.name for f in sorted(tree.glob("*/*.pdf")))
    record = record_of(site, name)
    forms = [
        f"/publications/{name}/",
        f"/publications/{name}",
        f"/publications/{name}.html",
        f"/publications/{name}/{name}.pdf",
        f"/publications/{name}/anything/else",
        f"/members/publications/{name}/",
        f"/members/publications/{name}/{name}.pdf",
        f"//publications//{name}/",
        f"/%70ublications/{name}/",
    ]
    assert site.get(forms[0]).status == 200
    assert site.get(forms[3]).status == 200
    assert withdraw(site.settings, record)
    for form in forms:
        for accepted in ("", "br", "gzip"):
            answer = get(site.stack, form, {"Accept-Encoding": accepted, "Accept": "text/html"})
            assert answer.status == 410, form
            assert "This page was removed" in answer.text
    assert site.get(f"/publications/{name}.html.br").status in {404, 410}
    assert record in site.get("/live/withdrawn.json").text
    assert restore(site.settings, record)
    assert site.get(forms[0]).status == 200
    assert site.get(forms[3]).status == 200
    assert record not in site.get("/live/withdrawn.json").text


def test_a_members_record_can_be_withdrawn_too(site: Served) -> None:
    tree = site.file("members/publications")
    public = site.file("public/publications")
    gone = site.file("gone.txt").read_text()
    names = (f.stem for f in sorted(tree.glob("el-*.html")) if not (public / f.name).exists())
    name = next(name for name in names if f"/{name}/" not in gone)
    url = f"/members/publications/{name}/"
    assert site.get(url).status == 200
    withdraw(site.settings, record_of(site, name), "legal")
    assert site.get(url).status == 410
    assert site.get(f"/publications/{name}/").status == 410
    restore(site.settings, record_of(site, name))
    assert site.get(url).status == 200


def test_withdrawals_in_quick_succession_are_all_seen(site: Served) -> None:
    """Apache goes by the file's time, which two changes within a moment could share."""
    name = a_page(site)
    record, url = record_of(site, name), f"/publications/{name}/"
    with Client(site.stack) as client:
        for _ in range(30):
            withdraw(site.settings, record)
            assert client.ask(url).status == 410
            restore(site.settings, record)
            assert client.ask(url).status == 200


def test_the_notice_is_served_as_it_stands(site: Served) -> None:
    set_notice(site.settings, "Search is down tonight – sorry.")
    answer = site.get("/live/notice.json")
    assert "Search is down tonight – sorry." in answer.text
    assert answer["Cache-Control"] == "no-store"
    set_notice(site.settings, "")
    assert '"text": ""' in site.get("/live/notice.json").text


def record_of(site: Served, name: str) -> str:
    """The record whose page has this name."""
    import sqlite3

    with sqlite3.connect(site.settings.snapshot) as snapshot:
        ids = [row[0] for row in snapshot.execute("SELECT id FROM publications")]
    snapshot.close()
    record = next(i for i in ids if record_url("publication", i) == f"/publications/{name}/")
    return f"publication:{record}"
