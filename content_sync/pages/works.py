"""What lists and the search index know of a publication: its list item and its document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from anyascii import anyascii

from content_sync.citations import Reference, reference_of
from content_sync.citations.coins import to_coins
from content_sync.pages.access import ROOT, effective
from content_sync.pages.features import features_of
from content_sync.pages.maths import with_mathml, without_latex
from content_sync.pages.model import Context, Made, Work
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import date_in_words, listed, pages_in_words
from content_sync.records import Access, Status
from content_sync.urls import record_url, slug

PUBLICATIONS = """
SELECT p.*, v.name AS venue_name, v.short_name AS venue_short,
       v.issn AS venue_issn, f.size AS file_size, f.ending AS file_ending
FROM publications p
LEFT JOIN venues v ON v.id = p.venue_id
LEFT JOIN cache.full_texts f ON f.publication_id = p.id
WHERE p.id IN :ids ORDER BY p.id"""

_PEOPLE = """
SELECT pp.publication_id, pp.role, pp.name, pp.affiliation, person.id AS person_id
FROM publication_people pp LEFT JOIN people person ON person.id = pp.person_id
WHERE pp.publication_id IN :ids ORDER BY pp.publication_id, pp.role, pp.position"""

TOPICS = """
SELECT pt.publication_id, t.id, t.name
FROM publication_topics pt JOIN topics t ON t.id = pt.topic_id
WHERE pt.publication_id IN :ids ORDER BY t.name, t.id"""

# What members alone may see tells nobody else which works belong together.
_PROJECTS = """
SELECT pp.publication_id, p.id
FROM project_publications pp JOIN projects p ON p.id = pp.project_id
WHERE pp.publication_id IN :ids AND p.access = 'public' ORDER BY p.id"""

_MARKS = {
    Status.RETRACTED: {"cls": "retracted", "text": "† Retracted"},
    Status.CORRECTED: {"cls": "corrected", "text": "‡ Corrected"},
}
_MEMBERS_MARK = {"cls": "members", "text": "§ Members"}


def make_works(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield, for each publication that exists, its list item and its document.

    They come before all pages: pages show the list items, and which works are related is
    worked out from the documents.
    """
    people = reader.grouped(_PEOPLE, ids)
    topics = reader.grouped(TOPICS, ids)
    projects = reader.grouped(_PROJECTS, ids)
    for row in reader.rows(PUBLICATIONS, ids):
        record_id = row["id"]
        access = effective(row["access"], row["public_on"], reader.today)
        facts = facts_of(row, people[record_id])
        url = facts["url"]
        facts["coins"] = _coins(reader, row, people[record_id], access)
        features = (
            _features(row, facts["people"], topics[record_id], projects[record_id])
            if reader.makes("related")
            else []
        )
        by_title = sort_title(row["title"]) if reader.makes("orders") else ""
        made = Made(work=_work(row, facts, access, url, features, by_title))
        if row["status"] != Status.WITHDRAWN:
            document = _document(row, facts, topics[record_id], access, url)
            made.documents.append(("members" if access == Access.MEMBERS else "public", document))
        yield record_id, made


def _coins(reader: Reader, row: Row, people: list[Row], access: Access) -> str:
    if not reader.makes("citations"):
        return ""
    # COinS have names as printed, and not in parts.
    work = reference_of(row, (), reader.shared.get("siteurl", ""), _pdf(reader, row, access))
    return to_coins(work, [p["name"] for p in people if p["role"] == "author"])


def facts_of(row: Row, people: list[Row]) -> Context:
    """Return what page, list item and document of a publication have in common."""
    return {
        "url": record_url("publication", row["id"]),
        "date": date_in_words(row["year"], row["month"], row["day"]),
        "authors": [p for p in people if p["role"] == "author"],
        "editors": [p for p in people if p["role"] == "editor"],
        "affiliations": _affiliations(people),
        "people": people,
    }


def reference_for(reader: Reader, row: Row, people: list[Row], access: Access) -> Reference:
    """Return what citations and the page's head say of a publication."""
    siteurl = reader.shared.get("siteurl", "")
    # Names in parts are for citations alone, and cost more than all else of a reference.
    named = people if reader.makes("citations") else ()
    return reference_of(row, named, siteurl, _pdf(reader, row, access))


def _pdf(reader: Reader, row: Row, access: Access) -> str:
    siteurl: str = reader.shared.get("siteurl", "")
    if access != Access.PUBLIC or not row["file_ending"] or not siteurl:
        return ""
    return "" if row["status"] == Status.WITHDRAWN else siteurl + file_url(row, access)


def _affiliations(people: list[Row]) -> list[Context]:
    by_name: dict[str, list[str]] = {}
    for person in people:
        if person["affiliation"]:
            by_name.setdefault(person["affiliation"], []).append(person["name"])
    return [{"name": name, "people": names} for name, names in by_name.items()]


def file_url(row: Row, access: Access) -> str:
    """Return where a publication's full text stands: the members' tree unless it is public."""
    name = slug(row["id"])
    root = ROOT["public" if access == Access.PUBLIC else "members"]
    return f"{root}/publications/{name}/{name}{row['file_ending']}"


def _features(row: Row, people: list[Row], topics: list[Row], projects: list[Row]) -> list[str]:
    if row["status"] in (Status.WITHDRAWN, Status.RETRACTED):
        return []
    return features_of(
        row["title"],
        row["abstract"],
        people=[p["person_id"] for p in people if p["person_id"]],
        topics=[t["id"] for t in topics],
        projects=[p["id"] for p in projects],
    )


def _work(
    row: Row, facts: Context, access: Access, url: str, features: list[str], by_title: str
) -> Work:
    names = [p["name"] for p in facts["authors"]]
    if not names and facts["editors"]:
        names = [f"{p['name']} (editor)" for p in facts["editors"]]
    venue = row["venue_short"] or row["venue_name"]
    # A no-break space: a year alone on a line says nothing.
    where = "\u00a0".join(str(part) for part in (venue, row["year"]) if part)
    if not venue:
        where = ", ".join(str(x) for x in (row["kind"].capitalize(), row["year"]) if x)
    marks = [_MARKS[row["status"]]] if row["status"] in _MARKS else []
    has_file = row["file_size"] is not None
    item: Context = {
        "href": url,
        "title": with_mathml(row["title"]),
        "struck": row["status"] == Status.RETRACTED,
        "by": listed(names),
        "where": where,
        "pages": pages_in_words(row["pages"]),
        "pdf": file_url(row, access) if has_file and access == Access.PUBLIC else "",
        "marks": marks if access == Access.PUBLIC else [*marks, _MEMBERS_MARK],
        "coins": facts["coins"],
    }
    members_item = None
    if access != Access.PUBLIC:
        members_item = item | {
            "href": ROOT["members"] + url,
            "pdf": file_url(row, access) if has_file else "",
        }
    hidden = row["status"] == Status.WITHDRAWN
    return Work(
        id=row["id"],
        year=row["year"] or 0,
        date=facts["date"]["iso"] if facts["date"] else "",
        venue_id=row["venue_id"] if row["venue_name"] else "",
        in_print=_in_print(row),
        visible=0 if hidden else 1 if access == Access.MEMBERS else 2,
        item=item,
        members_item=members_item,
        sort_title=by_title,
        features=features,
    )


_ARTICLE = re.compile(r"(?:the|an?) (?=\w)")
_NO_WORD = re.compile(r"[\W_]+")


def sort_title(title: str) -> str:
    """Return a title as lists by title go by it: folded, without a leading article."""
    plain = anyascii(without_latex(title)).casefold()
    words = _NO_WORD.sub(" ", plain).strip()
    return _ARTICLE.sub("", words, count=1) if _ARTICLE.match(words) else words


def _in_print(row: Row) -> tuple[str, ...]:
    def padded(text: str | None) -> str:
        digits = ""
        for char in text or "":
            if char.isdigit():
                digits += char
            elif digits:
                break
        return f"{int(digits[:12] or 0):08d}"

    return (
        row["published_in"] or "",
        padded(row["volume"]),
        padded(row["issue"]),
        padded(row["pages"]),
    )


def _document(
    row: Row, facts: Context, topics: list[Row], access: Access, url: str
) -> dict[str, Any]:
    title = without_latex(row["title"])
    document = {
        "id": f"publication:{row['id']}",
        "type": "publication",
        "url": url,
        "title": title,
        "names": [row["title"]] if title != row["title"] else None,
        "people": [p["name"] for p in facts["authors"] or facts["editors"]],
        "venue": row["venue_name"],
        "venue_short": row["venue_short"],
        "year": row["year"],
        "date": facts["date"]["iso"] if facts["date"] else None,
        "kind": row["kind"],
        "topics": [t["name"] for t in topics],
        "institutions": [a["name"] for a in facts["affiliations"]],
        "abstract": without_latex(row["abstract"] or ""),
        "doi": row["doi"],
        "access": access.value,
        "status": row["status"],
    }
    return {name: value for name, value in document.items() if value}
