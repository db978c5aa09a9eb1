"""Atom feeds of works: of all, and of each topic, theme, person and venue that has some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from content_sync.machines.catalogue import Catalogue
from content_sync.machines.files import Files
from content_sync.machines.records import Record, marked_title, read_records, xml_text
from content_sync.pages.reader import Reader, in_batches
from content_sync.urls import PLURALS, name_slug, record_url, slug

FOLDER = "feeds"
ALL_FEED = f"/{FOLDER}/all.atom"
LEAST_WORKS = {"person": 5, "venue": 1, "topic": 1}
"""Works from which on something has a feed of its own: one for each of 100,000 people who
wrote once would cost a file that never says anything new."""
_MOST = 10
_MOST_OF_ALL = 50
_BATCH = {"person": 500, "venue": 50, "topic": 20}

_WORKS = {
    "person": """
        SELECT DISTINCT pp.person_id AS of, w.id, w.date FROM publication_people pp
        JOIN cache.works w ON w.id = pp.publication_id AND w.visible = 2
        WHERE pp.person_id IN :ids""",
    "venue": """
        SELECT w.venue_id AS of, w.id, w.date FROM cache.works w
        WHERE w.visible = 2 AND w.venue_id IN :ids""",
    "topic": """
        WITH RECURSIVE below (top, id) AS (
            SELECT id, id FROM topics WHERE id IN :ids
            UNION SELECT b.top, t.id FROM topics t JOIN below b ON t.parent_id = b.id
        )
        SELECT DISTINCT b.top AS of, w.id, w.date FROM below b
        JOIN publication_topics pt ON pt.topic_id = b.id
        JOIN cache.works w ON w.id = pt.publication_id AND w.visible = 2""",
}
_NEWEST = """
SELECT of, id, n FROM (
    SELECT of, id, date, count(*) OVER (PARTITION BY of) AS n,
           row_number() OVER (PARTITION BY of ORDER BY date DESC, id DESC) AS place
    FROM ({works})
) WHERE place <= ? ORDER BY of, place"""

_NAMES = {
    "person": "SELECT id, trim(coalesce(given_name, '') || ' ' || coalesce(family_name, ''))"
    " AS name FROM people WHERE id IN :ids",
    "venue": "SELECT id, name FROM venues WHERE id IN :ids",
    "topic": "SELECT id, name FROM topics WHERE id IN :ids",
}
_THEMES = """
SELECT DISTINCT p.theme AS of, w.id, w.date FROM projects p
JOIN project_publications pp ON pp.project_id = p.id
JOIN cache.works w ON w.id = pp.publication_id AND w.visible = 2
WHERE p.access = 'public' AND p.theme IS NOT NULL AND p.theme <> ''"""
_KINDS = {"person": "people", "venue": "venues", "topic": "topics"}


class _Feed(NamedTuple):
    path: str
    title: str
    page: str
    works: list[str]


def feed_url(record_type: str, record_id: str) -> str:
    """Return the path of a record's feed, such as `/feeds/people/ada-lovelace.atom`."""
    return f"/{FOLDER}/{PLURALS[record_type]}/{slug(record_id)}.atom"


def theme_feed_url(name: str) -> str:
    """Return the path of a theme's feed."""
    return f"/{FOLDER}/themes/{name_slug(name)}.atom"


def write_feeds(
    files: Files,
    reader: Reader,
    catalogue: Catalogue,
    scope: Mapping[str, set[str]] | None,
    *,
    siteurl: str,
    sitename: str,
) -> None:
    """Write the feeds that changed, of whole addresses below `siteurl`.

    `scope` names the records of each kind that may have changed, None means all. A work that
    changed has touched its people, its venue and its topics with those above them.
    """
    for feeds in _shared_feeds(reader, catalogue, sitename):
        _write(files, reader, catalogue, feeds, siteurl, sitename)
    files.finish(f"public/{FOLDER}/themes/")
    for kind in _WORKS:
        if scope is None:
            rows = reader.connection.execute(f"SELECT id FROM {_KINDS[kind]}")  # noqa: S608
            ids = [row[0] for row in rows]
        else:
            ids = sorted(scope[kind])
        made: set[str] = set()
        for some in in_batches(ids, _BATCH[kind]):
            feeds = list(_feeds_of(reader, kind, some, sitename))
            made |= {feed.path for feed in feeds}
            _write(files, reader, catalogue, feeds, siteurl, sitename)
        if scope is None:
            files.finish(f"public/{FOLDER}/{_KINDS[kind]}/")
        else:
            files.finish()
            files.remove(f"public{url}" for one in ids if (url := feed_url(kind, one)) not in made)


def _shared_feeds(reader: Reader, catalogue: Catalogue, sitename: str) -> Iterator[list[_Feed]]:
    dates = dict(
        reader.connection.execute("SELECT id, date FROM cache.works WHERE visible = 2").fetchall()
    )
    alive = (s for s in catalogue.stamps.values() if not s.deleted)
    newest = sorted(alive, key=lambda s: (s.day, dates.get(s.id, ""), s.id), reverse=True)
    ids = [stamp.id for stamp in newest[:_MOST_OF_ALL]]
    yield [_Feed(ALL_FEED, f"New in {sitename}", "/publications/", ids)]
    themes: dict[str, list[str]] = {}
    for row in reader.rows(_NEWEST.format(works=_THEMES).replace("?", str(_MOST))):
        themes.setdefault(row["of"], []).append(row["id"])
    yield [
        _Feed(theme_feed_url(theme), f"{theme}: {sitename}", record_url("theme", theme), works)
        for theme, works in themes.items()
    ]


def _feeds_of(reader: Reader, kind: str, ids: list[str], sitename: str) -> Iterator[_Feed]:
    works: dict[str, list[str]] = {}
    for row in reader.rows(_NEWEST.format(works=_WORKS[kind]), ids, _MOST):
        if row["n"] >= LEAST_WORKS[kind]:
            works.setdefault(row["of"], []).append(row["id"])
    names = {row["id"]: row["name"] for row in reader.rows(_NAMES[kind], list(works))}
    for one, newest in works.items():
        if one in names:
            page = record_url(kind, one)
            yield _Feed(feed_url(kind, one), f"{names[one] or one}: {sitename}", page, newest)


def _write(
    files: Files,
    reader: Reader,
    catalogue: Catalogue,
    feeds: Iterable[_Feed],
    siteurl: str,
    sitename: str,
) -> None:
    feeds = list(feeds)
    read: dict[str, str] = {}

    def make(feed: _Feed) -> bytes:
        if not read:
            wanted = sorted({one for f in feeds for one in f.works})
            read.update(
                (one, _entry(record, catalogue.stamps[one].day))
                for one, record in read_records(reader, wanted).items()
            )
        updated = max((catalogue.stamps[one].day for one in feed.works), default="1970-01-01")
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
            f"<title>{xml_text(feed.title)}</title><id>{xml_text(siteurl + feed.path)}</id>"
            f'<link rel="self" type="application/atom+xml" href="{xml_text(siteurl + feed.path)}"/>'
            f'<link rel="alternate" type="text/html" href="{xml_text(siteurl + feed.page)}"/>'
            f"<updated>{updated}T00:00:00Z</updated>"
            f"<author><name>{xml_text(sitename)}</name></author>\n"
            f"{''.join(read[one] for one in feed.works)}</feed>\n"
        ).encode()

    for feed in feeds:
        stamps = [catalogue.stamps[one] for one in feed.works]
        files.put(
            f"public{feed.path}",
            [siteurl, sitename, feed.title, *(p for s in stamps for p in (s.id, s.day, s.digest))],
            lambda feed=feed: make(feed),  # type: ignore[misc]
        )


def _entry(record: Record, day: str) -> str:
    authors = record.get("authors") or record.get("editors") or ()
    names = "".join(f"<author><name>{xml_text(a['name'])}</name></author>" for a in authors[:30])
    where = [record["kind"].capitalize(), record.get("published_in") or record.get("venue"),
             record.get("date")]  # fmt: skip
    summary = ", ".join(str(part) for part in where if part)
    return (
        f"<entry><title>{xml_text(marked_title(record))}</title><id>{xml_text(record['url'])}</id>"
        f'<link rel="alternate" type="text/html" href="{xml_text(record["url"])}"/>'
        f"<updated>{day}T00:00:00Z</updated>{names}<summary>{xml_text(summary)}</summary></entry>\n"
    )
