"""What a publication shows: its page for each audience, its list item, its document."""

from __future__ import annotations

from collections.abc import Iterator

from content_sync.citations import Reference, csl_file, to_bibtex, to_ris
from content_sync.citations.lists import FORMATS
from content_sync.citations.rows import PEOPLE
from content_sync.citations.styles import styled
from content_sync.pages.access import ROOT, effective, visible
from content_sync.pages.features import PERSON, PROJECT, TOPIC
from content_sync.pages.languages import language_tag
from content_sync.pages.maths import with_mathml, without_latex
from content_sync.pages.model import Context, File, Made, Page
from content_sync.pages.provenance import Provenance, read_provenance
from content_sync.pages.publication_head import json_ld, meta_tags, typed_links
from content_sync.pages.reader import Reader, Row
from content_sync.pages.related import Related, item, related_works
from content_sync.pages.wording import (
    iso_in_words,
    listed,
    pages_in_words,
    paragraphs,
    size_in_words,
    summary,
    title_length,
)
from content_sync.pages.works import PUBLICATIONS, TOPICS, facts_of, file_url, reference_for
from content_sync.records import Access, Status
from content_sync.urls import record_url, slug

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


def make_publications(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield, for each publication that exists, its pages and the files that cite it."""
    people = reader.grouped(PEOPLE, ids)
    topics = reader.grouped(TOPICS, ids)
    projects = reader.grouped(_PROJECTS, ids)
    replacements = reader.grouped(_REPLACEMENTS, ids)
    replaced = reader.grouped(_REPLACED, ids)
    related = related_works(reader, ids) if reader.makes("related") else {}
    provenance = read_provenance(reader, ids)
    for row in reader.rows(PUBLICATIONS, ids):
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
                provenance.get(record_id, Provenance()),
                related.get(record_id, []),
            ),
        )


def _make(
    reader: Reader,
    row: Row,
    people: list[Row],
    topics: list[Row],
    projects: list[Row],
    versions: list[Row],
    provenance: Provenance,
    related: list[Related],
) -> Made:
    access = effective(row["access"], row["public_on"], reader.today)
    made = Made(related=[(one.row["id"], one.score) for one in related])
    withdrawn = row["status"] == Status.WITHDRAWN
    facts = facts_of(row, people)
    reference = facts["reference"] = reference_for(reader, row, people, access)
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
            public_sees_all = (
                not provenance.members_see_more
                and not any(p["access"] != Access.PUBLIC for p in projects)
                and not any(
                    effective(v["access"], v["public_on"], reader.today) == Access.MEMBERS
                    for v in versions
                )
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
                provenance,
                related,
            )
        )
    if reader.makes("citations"):
        made.files = _exports(row, reference, access)
    return made


def _page(
    reader: Reader,
    row: Row,
    facts: Context,
    audience: str,
    access: Access,
    topics: list[Row],
    projects: list[Row],
    versions: list[Row],
    provenance: Provenance,
    related: list[Related],
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
        "pages": pages_in_words(row["pages"]),
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
        "styles": [],
        "exports": [],
        "links": [],
        "json_ld": "",
    }
    if reader.makes("citations"):
        pub["styles"] = [{"name": n, "text": t} for n, t in styled(facts["reference"])]
        pub["exports"] = _export_links(row, access)
    from_where: tuple[str, ...] = ()
    if not withdrawn:
        shown, from_where = provenance.seen_by(audience)
        pub |= shown
        shown_file = row["file_size"] is not None and (
            access == Access.PUBLIC or audience == "members"
        )
        pub |= {
            "language": language_tag(row["language"]),
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
        names = _names(facts["people"], topics, projects)
        pub["related"] = [item(one, audience, names) for one in related]
        if audience == "public" and not reader.makes("citations"):
            pub["meta"] = meta_tags(facts["reference"], facts["people"])
        elif audience == "public":
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
            + list(from_where)
            + [f"publication:{one.row['id']}" for one in related]
        ),
    )


def _names(people: list[Row], topics: list[Row], projects: list[Row]) -> dict[str, str]:
    """Return the names of this work's people, topics and projects by their features."""
    names = {f"{PERSON}:{p['person_id']}": p["name"] for p in people if p["person_id"]}
    names |= {f"{TOPIC}:{t['id']}": t["name"] for t in topics}
    return names | {f"{PROJECT}:{p['id']}": p["title"] for p in projects}


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


def _export_links(row: Row, access: Access) -> list[Context]:
    root = ROOT["members" if access == Access.MEMBERS else "public"]
    return [
        {"name": name, "href": f"{root}/citations/{slug(row['id'])}.{ending}", "type": media_type}
        for ending, (name, media_type) in FORMATS.items()
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
