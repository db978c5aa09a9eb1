"""What the head of a publication's page tells machines: Highwire tags, JSON-LD, links.

Google Scholar and Zotero read the tags, search engines the JSON-LD, crawlers of research
objects the typed links (https://signposting.org/FAIR/).
"""

from __future__ import annotations

from typing import Any

import orjson
from markupsafe import Markup

from content_sync.citations import Reference
from content_sync.pages.maths import without_latex
from content_sync.pages.model import Context
from content_sync.pages.reader import Row
from content_sync.records import Kind

_TYPES = {
    Kind.JOURNAL_ARTICLE: "ScholarlyArticle",
    Kind.CONFERENCE_PAPER: "ScholarlyArticle",
    Kind.REPORT: "Report",
    Kind.THESIS: "Thesis",
    Kind.PRESENTATION: "PresentationDigitalDocument",
    Kind.PATENT: "CreativeWork",
    Kind.DATASET: "Dataset",
    Kind.SOFTWARE: "SoftwareSourceCode",
    Kind.BOOK: "Book",
    Kind.BOOK_CHAPTER: "Chapter",
    Kind.PROCEEDINGS: "Book",
    Kind.OTHER: "CreativeWork",
}


def meta_tags(work: Reference, people: list[Row]) -> list[list[str]]:
    """Return the Highwire and Open Graph tags as names and contents.

    https://scholar.google.com/intl/en/scholar/inclusion.html#indexing
    """
    title = _title(work)
    tags = [["citation_title", title]]
    for person in people:
        if person["role"] != "author":
            continue
        tags.append(["citation_author", person["name"]])
        # An institution belongs to the author whose tag it follows.
        if person["affiliation"]:
            tags.append(["citation_author_institution", person["affiliation"]])
        if person["orcid"]:
            tags.append(["citation_author_orcid", f"https://orcid.org/{person['orcid']}"])
    if date := "/".join(_date(work)):
        tags.append(["citation_publication_date", date])
    tags += [[name, value] for name, value in _where(work) if value]
    for name, value in (
        ("citation_volume", work.volume),
        ("citation_issue", work.issue if work.kind != Kind.REPORT else ""),
        ("citation_firstpage", work.first_page),
        ("citation_lastpage", work.last_page),
        ("citation_doi", work.doi),
        ("citation_issn", work.issn),
        ("citation_language", work.language),
        ("citation_abstract_html_url", work.url),
        ("citation_pdf_url", work.pdf if work.pdf.endswith(".pdf") else ""),
        ("og:type", "article"),
        ("og:title", title),
        ("og:url", work.url),
    ):
        if value:
            tags.append([name, value])
    return tags


def _where(work: Reference) -> list[tuple[str, str]]:
    if work.kind == Kind.JOURNAL_ARTICLE:
        return [
            ("citation_journal_title", work.container),
            ("citation_publisher", work.publisher),
        ]
    if work.kind == Kind.CONFERENCE_PAPER:
        return [
            ("citation_conference_title", work.container),
            ("citation_publisher", work.publisher),
        ]
    if work.kind == Kind.REPORT:
        return [
            ("citation_technical_report_institution", work.publisher),
            ("citation_technical_report_number", work.issue),
        ]
    if work.kind == Kind.THESIS:
        return [("citation_dissertation_institution", work.publisher)]
    if work.kind == Kind.BOOK_CHAPTER:
        return [
            ("citation_inbook_title", work.container),
            ("citation_publisher", work.publisher),
        ]
    return [("citation_publisher", work.publisher)]


def json_ld(work: Reference, people: list[Row], abstract: str | None, licence: str) -> Markup:
    """Return the schema.org record, safe inside a script element."""
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": _TYPES[work.kind],
        "@id": work.url,
        "url": work.url,
        "name": _title(work),
        "author": [_person(p) for p in people if p["role"] == "author"],
        "editor": [_person(p) for p in people if p["role"] == "editor"],
        "datePublished": "-".join(_date(work)),
        "publisher": {"@type": "Organization", "name": work.publisher} if work.publisher else None,
        "isPartOf": _container(work),
        "pageStart": work.first_page,
        "pageEnd": work.last_page,
        "identifier": f"https://doi.org/{work.doi}" if work.doi else None,
        "sameAs": f"https://doi.org/{work.doi}" if work.doi else None,
        "inLanguage": work.language,
        "license": licence,
        "description": without_latex(abstract or "")[:5000] if work.kind == Kind.DATASET else None,
        "creativeWorkStatus": work.mark,
        "encoding": {
            "@type": "MediaObject",
            "contentUrl": work.pdf,
            "encodingFormat": "application/pdf",
        }
        if work.pdf.endswith(".pdf")
        else None,
    }
    if _TYPES[work.kind] == "ScholarlyArticle":
        data["headline"] = data["name"][:110]
    written = orjson.dumps({name: value for name, value in data.items() if value}).decode()
    # Nothing in it may end the script element or begin a comment.
    safe = written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(safe)  # noqa: S704 - escaped just above


def typed_links(
    work: Reference, people: list[Row], licence: str, exports: list[Context]
) -> list[list[str]]:
    """Return Signposting links as relation, address and media type."""
    links = [["type", f"https://schema.org/{_TYPES[work.kind]}", ""]]
    links.append(["type", "https://schema.org/AboutPage", ""])
    links.append(["cite-as", f"https://doi.org/{work.doi}" if work.doi else work.url, ""])
    orcids = dict.fromkeys(p["orcid"] for p in people if p["role"] == "author" and p["orcid"])
    links += [["author", f"https://orcid.org/{orcid}", ""] for orcid in orcids]
    links += [["describedby", e["href"], e["type"]] for e in exports]
    if work.pdf:
        links.append(["item", work.pdf, "application/pdf" if work.pdf.endswith(".pdf") else ""])
    if licence:
        links.append(["license", licence, ""])
    return links


def _title(work: Reference) -> str:
    title = without_latex(work.title)
    return f"{work.mark}: {title}" if work.mark else title


def _date(work: Reference) -> list[str]:
    if not work.year:
        return []
    parts = [f"{work.year:04d}"]
    if work.month:
        parts.append(f"{work.month:02d}")
        if work.day:
            parts.append(f"{work.day:02d}")
    return parts


def _person(person: Row) -> dict[str, Any]:
    data: dict[str, Any] = {"@type": "Person", "name": person["name"]}
    if person["orcid"]:
        data["@id"] = f"https://orcid.org/{person['orcid']}"
    if person["affiliation"]:
        data["affiliation"] = {"@type": "Organization", "name": person["affiliation"]}
        # A printed affiliation is the institution of today only where it has its name.
        if person["ror"] and person["institution"] == person["affiliation"]:
            data["affiliation"]["@id"] = f"https://ror.org/{person['ror']}"
    return data


def _container(work: Reference) -> dict[str, Any] | None:
    if not work.container:
        return None
    if work.kind != Kind.JOURNAL_ARTICLE:
        return {"@type": "Book", "name": work.container}
    part: dict[str, Any] = {"@type": "Periodical", "name": work.container}
    if work.issn:
        part["issn"] = work.issn
    if work.volume:
        part = {"@type": "PublicationVolume", "volumeNumber": work.volume, "isPartOf": part}
    if work.issue:
        part = {"@type": "PublicationIssue", "issueNumber": work.issue, "isPartOf": part}
    return part
