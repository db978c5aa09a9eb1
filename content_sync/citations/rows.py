"""From rows of the snapshot to references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from content_sync.citations.names import take_apart
from content_sync.citations.reference import Name, Reference
from content_sync.pages.reader import Reader
from content_sync.pages.wording import iso_in_words
from content_sync.records import Kind, Status
from content_sync.urls import record_url, slug

PEOPLE = """
SELECT pp.publication_id, pp.role, pp.name, pp.affiliation, person.id AS person_id,
       person.given_name, person.family_name, person.orcid, i.name AS institution, i.ror
FROM publication_people pp
LEFT JOIN people person ON person.id = pp.person_id
LEFT JOIN institutions i ON i.id = person.institution_id
WHERE pp.publication_id IN :ids ORDER BY pp.publication_id, pp.role, pp.position"""
"""The people of works, with what `reference_of` wants of each."""

_WORKS = """
SELECT p.*, v.name AS venue_name, v.issn AS venue_issn
FROM publications p LEFT JOIN venues v ON v.id = p.venue_id
WHERE p.id IN :ids ORDER BY p.id"""

_DASH = re.compile(r"\s*(?:--?-?|[‐-―])\s*")


def read_references(reader: Reader, ids: Sequence[str], siteurl: str) -> Iterator[Reference]:
    """Yield the references of those works that exist, by id.

    Who may see them is for the caller to know, as is whether they are withdrawn.
    """
    people = reader.grouped(PEOPLE, ids)
    for row in reader.rows(_WORKS, ids):
        yield reference_of(row, people[row["id"]], siteurl)


def reference_of(
    row: Mapping[str, Any] | Any, people: Sequence[Any], siteurl: str, pdf: str = ""
) -> Reference:
    """Return the reference of a publication.

    The row has all columns of the table and its venue's `venue_name` and `venue_issn`.
    `siteurl` has no slash at its end and may be empty: then there is no `url`.
    """
    kind = _KINDS[row["kind"]]
    first, last = pages_of(row["pages"])
    if kind == Kind.JOURNAL_ARTICLE:
        container = row["venue_name"] or row["published_in"]
    else:
        container = row["published_in"] or row["venue_name"]
    title = " ".join(row["title"].split())
    if container and container.casefold() == title.casefold():
        container = ""  # proceedings stand in nothing but themselves
    return Reference(
        key=slug(row["id"]),
        kind=kind,
        title=title,
        mark=_MARKS.get(row["status"], ""),
        note=_note(row),
        authors=_names(people, "author"),
        editors=_names(people, "editor"),
        year=row["year"],
        month=row["month"],
        day=row["day"],
        container=container or "",
        volume=row["volume"] or "",
        issue=row["issue"] or "",
        first_page=first,
        last_page=last,
        publisher=row["publisher"] or "",
        doi=row["doi"] or "",
        issn=row["venue_issn"] or "",
        language=row["language"] or "",
        url=siteurl + record_url("publication", row["id"]) if siteurl else "",
        pdf=pdf,
    )


def pages_of(text: str | None) -> tuple[str, str]:
    """Return the first and the last page; a text that names no two pages is the first."""
    parts = _DASH.split((text or "").strip())
    if len(parts) == 2 and all(parts):
        return parts[0], parts[1]
    return (text or "").strip(), ""


_KINDS = {kind.value: kind for kind in Kind}
_MARKS = {Status.RETRACTED.value: "Retracted", Status.WITHDRAWN.value: "Withdrawn"}


def _note(row: Any) -> str:
    if row["status"] == Status.CURRENT:
        return ""
    day = iso_in_words(row["status_date"])
    said = row["status"].capitalize() + (f" on {day['text']}" if day else "")
    return f"{said}: {row['status_reason']}" if row["status_reason"] else f"{said}."


def _names(people: Sequence[Any], role: str) -> tuple[Name, ...]:
    return tuple(
        take_apart(p["name"], p["given_name"], p["family_name"])
        for p in people
        if p["role"] == role
    )
