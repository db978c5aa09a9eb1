"""A publication as machines are given it: one plain dictionary, made of what everyone may see."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

import orjson

from content_sync.pages.access import effective
from content_sync.pages.maths import without_latex
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import date_in_words
from content_sync.records import Access, Status
from content_sync.urls import record_url

Record = dict[str, Any]

PUBLIC_IDS = """
SELECT p.id FROM publications p JOIN cache.works w ON w.id = p.id
WHERE w.visible = 2 ORDER BY p.id"""

_PUBLICATIONS = """
SELECT p.*, v.name AS venue_name, f.size AS file_size, f.ending AS file_ending
FROM publications p JOIN cache.works w ON w.id = p.id AND w.visible = 2
LEFT JOIN venues v ON v.id = p.venue_id
LEFT JOIN cache.full_texts f ON f.publication_id = p.id
WHERE p.id IN :ids ORDER BY p.id"""

_PEOPLE = """
SELECT pp.publication_id, pp.role, pp.name, pp.affiliation, person.id AS person_id, person.orcid
FROM publication_people pp LEFT JOIN people person ON person.id = pp.person_id
WHERE pp.publication_id IN :ids ORDER BY pp.publication_id, pp.role, pp.position"""

_TOPICS = """
SELECT pt.publication_id, t.name
FROM publication_topics pt JOIN topics t ON t.id = pt.topic_id
WHERE pt.publication_id IN :ids ORDER BY t.name, t.id"""

_REPLACEMENTS = """
SELECT p.id, r.id AS replaced_by FROM publications p
JOIN publications r ON r.id = p.replaced_by
JOIN cache.works w ON w.id = r.id AND w.visible = 2
WHERE p.id IN :ids"""

_COPIED = (
    *("kind", "published_in", "volume", "issue", "pages", "publisher", "doi", "language"),
    *("licence", "status"),
)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


_REMEMBERED = "SELECT id, record FROM temp.exports WHERE id IN :ids"


def remember_records(reader: Reader) -> None:
    """Let a reader keep what is handed to `keep_records`: several exports hold each record."""
    reader.connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS exports (id TEXT PRIMARY KEY, record BLOB) WITHOUT ROWID"
    )


def keep_records(reader: Reader, records: Iterable[Record]) -> None:
    """Keep records for the `read_records` of this build."""
    reader.connection.executemany(
        "INSERT OR REPLACE INTO temp.exports VALUES (?, ?)",
        ((record["id"], orjson.dumps(record)) for record in records),
    )


def read_records(reader: Reader, ids: list[str]) -> dict[str, Record]:
    """Return those of the publications that everyone may see, by id."""
    found = {row["id"]: orjson.loads(row["record"]) for row in reader.rows(_REMEMBERED, ids)}
    if rest := [one for one in ids if one not in found]:
        found |= make_records(reader, rest)
    return {one: found[one] for one in sorted(found)}


def make_records(reader: Reader, ids: list[str]) -> dict[str, Record]:
    """Return the same, made of the snapshot."""
    people = reader.grouped(_PEOPLE, ids)
    topics = reader.grouped(_TOPICS, ids)
    replaced = {row["id"]: row["replaced_by"] for row in reader.rows(_REPLACEMENTS, ids)}
    siteurl = reader.shared.get("siteurl", "")
    return {
        row["id"]: _record(
            row, people[row["id"]], topics[row["id"]], replaced.get(row["id"]), siteurl, reader
        )
        for row in reader.rows(_PUBLICATIONS, ids)
    }


def marked_title(record: Record) -> str:
    """Return the title with what must be known before the work is used: that it is retracted."""
    mark = {Status.RETRACTED: "Retracted: ", Status.CORRECTED: "Corrected: "}
    return mark.get(record["status"], "") + str(record["title"])


def xml_text(value: object) -> str:
    """Return a text for XML: escaped, without the characters that XML cannot hold."""
    return escape(_NO_XML.sub("", str(value)), {'"': "&quot;"})


def _record(
    row: Row,
    people: list[Row],
    topics: list[Row],
    replaced: str | None,
    siteurl: str,
    reader: Reader,
) -> Record:
    date = date_in_words(row["year"], row["month"], row["day"])
    record: Record = {
        "id": row["id"],
        "url": siteurl + record_url("publication", row["id"]),
        "title": without_latex(row["title"]),
        "authors": [_person(p, siteurl) for p in people if p["role"] == "author"],
        "editors": [_person(p, siteurl) for p in people if p["role"] == "editor"],
        "year": row["year"],
        "date": date["iso"] if date else None,
        "venue": row["venue_name"],
        "link": row["url"],
        "abstract": without_latex(row["abstract"] or ""),
        "topics": [t["name"] for t in topics],
        "replaced_by": replaced,
    }
    record |= {name: row[name] for name in _COPIED}
    if row["status"] != Status.CURRENT:
        record |= {"status_reason": row["status_reason"], "status_date": row["status_date"]}
    access = effective(row["access"], row["public_on"], reader.today)
    if row["file_size"] is not None and access == Access.PUBLIC:
        name = record_url("publication", row["id"])
        record["full_text"] = f"{siteurl}{name}{name.split('/')[2]}{row['file_ending']}"
    return {name: value for name, value in record.items() if value not in (None, "", [])}


def _person(row: Row, siteurl: str) -> dict[str, str]:
    person = {
        "name": row["name"],
        "affiliation": row["affiliation"],
        "url": siteurl + record_url("person", row["person_id"]) if row["person_id"] else "",
        "orcid": row["orcid"],
    }
    return {name: value for name, value in person.items() if value}
