"""What a publication shows: its page for each audience, its list item, its document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from content_sync.citations import Reference, csl_file, reference_of, to_bibtex, to_ris
from content_sync.citations.coins import to_coins
from content_sync.citations.rows import PEOPLE
from content_sync.citations.styles import styled
from content_sync.pages.access import ROOT, effective, visible
from content_sync.pages.maths import with_mathml, without_latex
from content_sync.pages.model import Context, File, Made, Page, Work
from content_sync.pages.publication_head import json_ld, meta_tags, typed_links
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import (
    date_in_words,
    iso_in_words,
    listed,
    paragraphs,
    size_in_words,
    summary,
    title_length,
)
from content_sync.records import Access, Status
from content_sync.urls import record_url, slug

_PUBLICATIONS = """
SELECT p.*, v.name AS venue_name, v.short_name AS venue_short,
       v.issn AS venue_issn, f.size AS file_size, f.ending AS file_ending
FROM publications p
LEFT JOIN venues v ON v.id = p.venue_id
LEFT JOIN cache.full_texts f ON f.publication_id = p.id
WHERE p.id IN :ids ORDER BY p.id"""

_TOPICS = """
SELECT pt.publication_id, t.id, t.name
FROM publication_topics pt JOIN topics t ON t.id = pt.topic_id
WHERE pt.publication_id IN :ids ORDER BY t.name, t.id"""

_PROJECTS = """
SELECT pp.publication_id, p.id, p.title, p.access
FROM project_publications pp JOIN projects p ON p.id = pp.project_id
WHERE pp.publication_id IN :ids ORDER BY p.title, p.id"""

_REPLACEMENTS = """
SELECT p.id AS publication_id, r.id, r.title, r.access, r.public_on, r.status
FROM publications p JOIN publications r ON r.id = p.replaced_by
WHERE p.id IN :ids"""

_REPLACED = """
SELECT p.replaced_by AS publication_id, p.id, p.title, p.access, p.public_on, p.status
FROM publications p WHERE p.replaced_by IN :ids ORDER BY p.id"""

_MARKS = {
    Status.RETRACTED: {"cls": "retracted", "text": "† Retracted"},
    Status.CORRECTED: {"cls": "corrected", "text": "‡ Corrected"},
}
_MEMBERS_MARK = {"cls": "members", "text": "§ Members"}


def make_publications(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield, for each publication that exists, its pages, list item and document."""
    people = reader.grouped(PEOPLE, ids)
    topics = reader.grouped(_TOPICS, ids)
    projects = reader.grouped(_PROJECTS, ids)
    replacements = reader.grouped(_REPLACEMENTS, ids)
    replaced = reader.grouped(_REPLACED, ids)
    for row in reader.rows(_PUBLICATIONS, ids):
        record_id = row["id"]
        yield (
            record_id,
            _make(
                reader,
                row,
                people[record_id],
                topics[record_id],
                projects[record_id],
                replacements[record_id] + replaced[record_id],
            ),
        )


def _make(
    reader: Reader,
    row: Row,
    people: list[Row],
    topics: list[Row],
    projects: list[Row],
    versions: list[Row],
) -> Made:
    access = effective(row["access"], row["public_on"], reader.today)
    made = Made()
    withdrawn = row["status"] == Status.WITHDRAWN
    url = record_url("publication", row["id"])
    siteurl = reader.shared.get("siteurl", "")
    pdf = ""
    if access == Access.PUBLIC and row["file_ending"] and siteurl and not withdrawn:
        pdf = siteurl + file_url(row, access)
    reference = reference_of(row, people, siteurl, pdf)
    facts = _facts(row, people, url) | {"reference": reference, "people": people}
    for audience in ("public", "members"):
        if not visible(access, audience):
            continue
        hidden = [p for p in projects if not visible(p["access"], audience)]
        closed = [
            v
            for v in versions
            if not visible(effective(v["access"], v["public_on"], reader.today), audience)
        ]
        if audience == "members" and access == Access.PUBLIC and not withdrawn:
            public_sees_all = not any(p["access"] != Access.PUBLIC for p in projects) and not any(
                effective(v["access"], v["public_on"], reader.today) == Access.MEMBERS
                for v in versions
            )
            if public_sees_all:
                continue
        if audience == "members" and withdrawn and access != Access.MEMBERS:
            continue
        made.pages.append(
            _page(
                reader,
                row,
                facts,
                audience,
                access,
                topics,
                [p for p in projects if p not in hidden],
                [v for v in versions if v not in closed],
            )
        )
    made.files = _exports(row, reference, access)
    made.work = _work(row, facts, access, url)
    if not withdrawn:
        made.documents.append(
            (
                "members" if access == Access.MEMBERS else "public",
                _document(row, facts, topics, access, url),
            )
        )
    return made


def _facts(row: Row, people: list[Row], url: str) -> Context:
    """Return what page, list item and document of a publication have in common."""
    return {
        "url": url,
        "date": date_in_words(row["year"], row["month"], row["day"]),
        "authors": [p for p in people if p["role"] == "author"],
        "editors": [p for p in people if p["role"] == "editor"],
        "affiliations": _affiliations(people),
    }


def _affiliations(people: list[Row]) -> list[Context]:
    by_name: dict[str, list[str]] = {}
    for person in people:
        if person["affiliation"]:
            by_name.setdefault(person["affiliation"], []).append(person["name"])
    return [{"name": name, "people": names} for name, names in by_name.items()]


def _page(
    reader: Reader,
    row: Row,
    facts: Context,
    audience: str,
    access: Access,
    topics: list[Row],
    projects: list[Row],
    versions: list[Row],
) -> Page:
    root = ROOT[audience]
    withdrawn = row["status"] == Status.WITHDRAWN
    date = facts["date"]
    venue = None
    if row["venue_name"]:
        # A tombstone is not listed, so the page of its venue's year may not exist.
        year = "" if withdrawn else f"{row['year'] or 'undated'}/"
        venue = {
            "name": row["venue_name"],
            "href": f"{root}/venues/{slug(row['venue_id'])}/{year}",
        }
    replacement = next((v for v in versions if v["id"] == row["replaced_by"]), None)
    pub: Context = {
        "id": row["id"],
        "kind": row["kind"],
        "long": title_length(row["title"]),
        "title": with_mathml(row["title"]),
        "authors": _people(facts["authors"], root),
        "editors": _people(facts["editors"], root),
        "author_count": len(facts["authors"]),
        "affiliations": facts["affiliations"],
        "venue": venue,
        "published_in": row["published_in"],
        "volume": row["volume"],
        "issue": row["issue"],
        "pages": row["pages"],
        "publisher": row["publisher"],
        "date": date,
        "year_href": "" if withdrawn else f"{root}/years/{row['year'] or 'undated'}/",
        "doi": row["doi"],
        "doi_url": f"https://doi.org/{row['doi']}" if row["doi"] else None,
        "url": row["url"],
        "banner": _banner(row, replacement, root),
        "replaces": [
            {
                "title": without_latex(v["title"]),
                "href": root + record_url("publication", v["id"]),
            }
            for v in versions
            if v["id"] != row["replaced_by"]
        ],
        "meta": [],
        "styles": [{"name": n, "text": t} for n, t in styled(facts["reference"])],
        "exports": _export_links(row, access),
        "links": [],
        "json_ld": "",
    }
    if not withdrawn:
        shown_file = row["file_size"] is not None and (
            access == Access.PUBLIC or audience == "members"
        )
        pub |= {
            "language": row["language"],
            "licence": _licence(row["licence"]),
            "file": _file(row, access) if shown_file else None,
            "file_for_members": row["file_path"] is not None and access == Access.ABSTRACT,
            "abstract": [with_mathml(p) for p in paragraphs(row["abstract"])],
            "topics": [
                {"name": t["name"], "href": root + record_url("topic", t["id"])} for t in topics
            ],
            "projects": [
                {"name": p["title"], "href": root + record_url("project", p["id"])}
                for p in projects
            ],
        }
        if audience == "public":
            pub |= _head(row, facts, pub["licence"], pub["exports"])
    return Page(
        url=facts["url"],
        audience=audience,
        template="tombstone.html" if withdrawn else "publication.html",
        context={
            "section": "publications",
            "title": without_latex(row["title"]),
            "description": "" if withdrawn else _description(row, facts),
            "noindex": withdrawn,
            "pub": pub,
        },
        records=tuple(
            [f"publication:{row['id']}"]
            + [f"person:{p['person_id']}" for p in facts["authors"] if p["person_id"]]
            + [f"person:{p['person_id']}" for p in facts["editors"] if p["person_id"]]
            + ([f"venue:{row['venue_id']}"] if venue else [])
            + ([] if withdrawn else [f"topic:{t['id']}" for t in topics])
            + ([] if withdrawn else [f"project:{p['id']}" for p in projects])
            + [f"publication:{v['id']}" for v in versions]
        ),
    )


def _people(people: list[Row], root: str) -> list[Context]:
    return [
        {
            "name": p["name"],
            "href": root + record_url("person", p["person_id"]) if p["person_id"] else "",
        }
        for p in people
    ]


def _banner(row: Row, replacement: Row | None, root: str) -> Context | None:
    if row["status"] == Status.CURRENT:
        return None
    return {
        "kind": row["status"],
        "word": row["status"].capitalize(),
        "reason": row["status_reason"] or "",
        "date": iso_in_words(row["status_date"]),
        "replacement": {
            "title": without_latex(replacement["title"]),
            "href": root + record_url("publication", replacement["id"]),
        }
        if replacement
        else None,
    }


def file_url(row: Row, access: Access) -> str:
    """Return where a publication's full text stands: the members' tree unless it is public."""
    name = slug(row["id"])
    root = ROOT["public" if access == Access.PUBLIC else "members"]
    return f"{root}/publications/{name}/{name}{row['file_ending']}"


def _file(row: Row, access: Access) -> Context:
    return {
        "href": file_url(row, access),
        "type": row["file_ending"].lstrip(".").upper(),
        "size": size_in_words(row["file_size"]),
    }


_LICENCES = {
    "CC0-1.0": ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "CC-BY-4.0": ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "CC-BY-3.0": ("CC BY 3.0", "https://creativecommons.org/licenses/by/3.0/"),
    "CC-BY-SA-4.0": ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    "CC-BY-NC-4.0": ("CC BY-NC 4.0", "https://creativecommons.org/licenses/by-nc/4.0/"),
    "CC-BY-ND-4.0": ("CC BY-ND 4.0", "https://creativecommons.org/licenses/by-nd/4.0/"),
    "CC-BY-NC-ND-4.0": ("CC BY-NC-ND 4.0", "https://creativecommons.org/licenses/by-nc-nd/4.0/"),
    "CC-BY-NC-SA-4.0": ("CC BY-NC-SA 4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
    "CC-BY-NC-SA-3.0": ("CC BY-NC-SA 3.0", "https://creativecommons.org/licenses/by-nc-sa/3.0/"),
}


def _licence(licence: str | None) -> Context | None:
    if not licence:
        return None
    if licence in _LICENCES:
        name, url = _LICENCES[licence]
        return {"name": name, "url": url}
    is_url = licence.startswith(("https://", "http://"))
    return {"name": licence, "url": licence if is_url else None}


def _description(row: Row, facts: Context) -> str:
    if row["abstract"]:
        return summary(without_latex(row["abstract"]))
    names = listed([p["name"] for p in facts["authors"]], most=3)
    return f"{row['kind'].capitalize()}{' by ' + names if names else ''}"


def _head(row: Row, facts: Context, licence: Context | None, exports: list[Context]) -> Context:
    """Return what machines are told; on members' pages nobody harvests."""
    work, people = facts["reference"], facts["people"]
    licence_url = (licence["url"] if licence else None) or ""
    return {
        "meta": meta_tags(work, people),
        "links": typed_links(work, people, licence_url, exports) if work.url else [],
        "json_ld": json_ld(work, people, row["abstract"], licence_url) if work.url else "",
    }


_MEDIA_TYPES = {
    "bib": ("BibTeX", "application/x-bibtex"),
    "ris": ("RIS", "application/x-research-info-systems"),
    "json": ("CSL-JSON", "application/json"),
}


def _export_links(row: Row, access: Access) -> list[Context]:
    root = ROOT["members" if access == Access.MEMBERS else "public"]
    return [
        {"name": name, "href": f"{root}/citations/{slug(row['id'])}.{ending}", "type": media_type}
        for ending, (name, media_type) in _MEDIA_TYPES.items()
    ]


def _exports(row: Row, work: Reference, access: Access) -> list[File]:
    audience = "members" if access == Access.MEMBERS else "public"
    written = {
        "bib": to_bibtex(work).encode(),
        "ris": to_ris(work).encode(),
        "json": csl_file([work]),
    }
    return [
        File(audience, f"citations/{work.key}.{ending}", content, f"publication:{row['id']}")
        for ending, content in written.items()
    ]


def _work(row: Row, facts: Context, access: Access, url: str) -> Work:
    names = [p["name"] for p in facts["authors"]]
    if not names and facts["editors"]:
        names = [f"{p['name']} (editor)" for p in facts["editors"]]
    venue = row["venue_short"] or row["venue_name"]
    where = " ".join(str(part) for part in (venue, row["year"]) if part)
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
        "pages": row["pages"] or "",
        "pdf": file_url(row, access) if has_file and access == Access.PUBLIC else "",
        "marks": marks if access == Access.PUBLIC else [*marks, _MEMBERS_MARK],
        "coins": to_coins(facts["reference"], [p["name"] for p in facts["authors"]]),
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
    )


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
