"""What machines read, read again by programs that did not write it."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import sqlite3
from pathlib import Path

import feedparser
from lxml import etree

from content_sync.machines.feeds import LEAST_WORKS
from content_sync.machines.oai import page_name
from content_sync.machines.sitemaps import MOST_URLS
from content_sync.urls import page_file
from tests.content_sync.pages.conftest import Site, tree

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def public(site: Site) -> Path:
    return site.settings.output / "current/public"


def first_open(site: Site) -> str:
    return str(
        site.snapshot(
            "SELECT min(id) FROM publications"
            " WHERE access = 'public' AND public_on IS NULL AND status = 'current'"
        )[0][0]
    )


def test_feeds_are_read_by_another_program(site: Site) -> None:
    site.night()
    feeds = sorted(public(site).glob("feeds/**/*.atom"))
    assert {f.parent.name for f in feeds} >= {"feeds", "topics", "venues", "people", "themes"}
    for file in feeds:
        feed = feedparser.parse(file.read_bytes())
        assert feed.bozo is False, (file, feed.get("bozo_exception"))
        assert feed.version == "atom10"
        assert feed.feed.title
        assert feed.feed.updated
        assert feed.entries
        assert len({entry.id for entry in feed.entries}) == len(feed.entries)
        for entry in feed.entries:
            assert entry.title
            assert entry.updated_parsed
            url = entry.link.removeprefix("https://publications.example")
            if file.parent.parent != public(site):
                assert (public(site) / page_file(url)).is_file()
    people = {f.stem for f in feeds if f.parent.name == "people"}
    rows = site.snapshot(
        "SELECT person_id FROM publication_people GROUP BY 1 HAVING count(*) < ?",
        LEAST_WORKS["person"],
    )
    assert not people & {str(row[0]) for row in rows}


def test_sitemaps_name_each_page_once_and_no_other(site: Site) -> None:
    site.night()
    root = public(site)
    index = etree.parse(root / "sitemap.xml")
    found: list[str] = []
    for part in index.iter(f"{SITEMAP}loc"):
        file = root / part.text.removeprefix("https://publications.example/")
        urls = [loc.text for loc in etree.parse(file).iter(f"{SITEMAP}loc")]
        assert 0 < len(urls) <= MOST_URLS
        found += urls
    assert len(found) == len(set(found))
    for url in found:
        file = root / page_file(url.removeprefix("https://publications.example"))
        assert file.is_file(), url
    assert (
        f"Sitemap: {'https://publications.example'}/sitemap.xml"
        in (root / "robots.txt").read_text()
    )


def test_only_what_changed_has_a_new_day_and_a_new_file(site: Site) -> None:
    site.night()
    with contextlib.closing(sqlite3.connect(site.settings.history)) as history, history:
        history.execute("UPDATE stamps SET day = '2026-01-05'")
    one = first_open(site)
    site.night()
    site.edit("UPDATE publications SET title = 'Anew', version = version + 1 WHERE id = ?", one)
    before = tree(site.settings.output / "current")
    site.night()
    after = tree(site.settings.output / "current")
    changed = {p for p in after if after[p] != before.get(p)}
    pages = [p for p in changed if p.startswith("oai/pages/")]
    assert 1 <= len(pages) <= 4
    buckets = [p for p in changed if p.startswith(("oai/records/", "catalogue/members/"))]
    assert len(buckets) <= 2 + 2
    deltas = [p for p in after if p.startswith("public/data/changes/")]
    assert len(deltas) == 1
    lines = gzip.decompress(after[deltas[0]]).splitlines()
    assert [json.loads(line)["id"] for line in lines] == [one]


def test_what_is_withdrawn_or_closed_is_deleted_for_machines(site: Site) -> None:
    site.night()
    one = first_open(site)
    with contextlib.closing(sqlite3.connect(site.settings.history)) as history, history:
        history.execute("UPDATE stamps SET day = '2026-01-05'")
    title = site.snapshot("SELECT title FROM publications WHERE id = ?", one)[0][0]
    site.edit("UPDATE publications SET access = 'members', version = version + 1 WHERE id = ?", one)
    site.night()
    with contextlib.closing(sqlite3.connect(site.settings.history)) as history:
        row = history.execute(
            "SELECT deleted, day, kind, page FROM stamps WHERE id = ?", (one,)
        ).fetchone()
    assert row[0] == 1
    release = site.settings.output / "current"
    page = (release / f"oai/pages/{page_name(*row[1:])}.xml").read_text("utf-8")
    assert f":{page_file(f'/x/{one}/')}" not in page
    assert 'status="deleted"' in page
    for folder in ("oai", "public/feeds", "public/data", "public/sitemaps", "catalogue"):
        for file in (release / folder).rglob("*"):
            content = file.read_bytes() if file.is_file() else b""
            if file.suffix == ".gz":
                content = gzip.decompress(content)
            assert str(title).encode() not in content, file


def test_dumps_agree_with_each_other(site: Site, tmp_path: Path) -> None:
    site.night()
    data = public(site) / "data"
    lines = gzip.decompress((data / "publications.jsonl.gz").read_bytes()).splitlines()
    records = {r["id"]: r for r in map(json.loads, lines)}
    file = tmp_path / "publications.sqlite"
    file.write_bytes(gzip.decompress((data / "publications.sqlite.gz").read_bytes()))
    with contextlib.closing(sqlite3.connect(file)) as database:
        rows = dict(database.execute("SELECT id, record FROM publications").fetchall())
        names = database.execute("SELECT count(*) FROM authors").fetchone()[0]
    assert {one: json.loads(text) for one, text in rows.items()} == records
    assert names == sum(len(r.get("authors", ())) for r in records.values())
    statuses = {r["status"] for r in records.values()}
    assert "withdrawn" not in statuses
    page = (data / "index.html").read_text("utf-8")
    for name in re.findall(r"  (\S+)", (data / "SHA256SUMS").read_text()):
        assert f'href="/data/{name}"' in page


def test_a_later_release_is_not_overruled_by_an_earlier_one(site: Site) -> None:
    """Going back to a release must not bring back its days."""
    from content_sync.release.switch import rollback

    site.night()
    one = first_open(site)
    site.edit("UPDATE publications SET title = 'Anew', version = version + 1 WHERE id = ?", one)
    site.night()

    def digest() -> bytes:
        with contextlib.closing(sqlite3.connect(site.settings.history)) as history:
            row = history.execute("SELECT digest FROM stamps WHERE id = ?", (one,)).fetchone()
        return bytes(row[0])

    newest = digest()
    rollback(site.settings)
    assert digest() == newest
