"""A work as CSL-JSON, the data model of citation processors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from content_sync.citations.reference import Name, Reference
from content_sync.pages.maths import without_latex
from content_sync.records import Kind

_TYPES = {
    Kind.JOURNAL_ARTICLE: "article-journal",
    Kind.CONFERENCE_PAPER: "paper-conference",
    Kind.REPORT: "report",
    Kind.THESIS: "thesis",
    Kind.PRESENTATION: "speech",
    Kind.PATENT: "patent",
    Kind.DATASET: "dataset",
    Kind.SOFTWARE: "software",
    Kind.BOOK: "book",
    Kind.BOOK_CHAPTER: "chapter",
    Kind.PROCEEDINGS: "book",
    Kind.OTHER: "document",
}


def to_csl(work: Reference) -> dict[str, Any]:
    """Return one item."""
    title = without_latex(work.title)
    issued = [part for part in (work.year, work.month, work.day) if part]
    item = {
        "id": work.key,
        "type": _TYPES[work.kind],
        "title": f"{work.mark}: {title}" if work.mark else title,
        "author": [_name(name) for name in work.authors],
        "editor": [_name(name) for name in work.editors],
        "issued": {"date-parts": [issued]} if issued else None,
        "container-title": work.container,
        "volume": work.volume,
        # A report's number is its own; an issue is a part of something.
        "number" if work.kind in (Kind.REPORT, Kind.PATENT) else "issue": work.issue,
        "page": work.pages.replace("–", "-"),
        "publisher": work.publisher,
        "DOI": work.doi,
        "ISSN": work.issn,
        "URL": work.url,
        "language": work.language,
        "note": work.note,
    }
    return {name: value for name, value in item.items() if value}


def csl_file(works: Iterable[Reference]) -> bytes:
    """Return a file of items, each on a line of its own."""
    return b"[\n" + b",\n".join(orjson.dumps(to_csl(work)) for work in works) + b"\n]\n"


def _name(name: Name) -> dict[str, str]:
    if name.literal:
        return {"literal": name.literal}
    parts = {"family": name.family, "given": name.given, "suffix": name.suffix}
    return {part: value for part, value in parts.items() if value}
