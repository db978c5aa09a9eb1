"""A work as RIS, as EndNote, Zotero and Mendeley read it."""

from __future__ import annotations

from collections.abc import Iterator

from content_sync.citations.reference import Name, Reference
from content_sync.pages.maths import without_latex
from content_sync.records import Kind

_TYPES = {
    Kind.JOURNAL_ARTICLE: "JOUR",
    Kind.CONFERENCE_PAPER: "CPAPER",
    Kind.REPORT: "RPRT",
    Kind.THESIS: "THES",
    Kind.PRESENTATION: "SLIDE",
    Kind.PATENT: "PAT",
    Kind.DATASET: "DATA",
    Kind.SOFTWARE: "COMP",
    Kind.BOOK: "BOOK",
    Kind.BOOK_CHAPTER: "CHAP",
    Kind.PROCEEDINGS: "CONF",
    Kind.OTHER: "GEN",
}


def to_ris(work: Reference) -> str:
    """Return one record, its lines ending as the format wants, with an empty line behind."""
    lines = [f"{tag}  - {' '.join(value.split())}" for tag, value in _fields(work) if value]
    return "\r\n".join([*lines, "ER  - ", "", ""])


def _fields(work: Reference) -> Iterator[tuple[str, str]]:
    yield "TY", _TYPES[work.kind]
    yield "ID", work.key
    title = without_latex(work.title)
    yield "TI", f"{work.mark}: {title}" if work.mark else title
    for name in work.authors:
        yield "AU", _name(name)
    for name in work.editors:
        yield "A2", _name(name)  # ED is an older word, which not all programs know
    if work.year:
        yield "PY", f"{work.year:04d}"
        month = f"{work.month:02d}" if work.month else ""
        day = f"{work.day:02d}" if work.day else ""
        yield "DA", f"{work.year:04d}/{month}/{day}"
    yield "T2", work.container
    yield "VL", work.volume
    yield "IS", work.issue
    yield "SP", work.first_page
    yield "EP", work.last_page
    yield "PB", work.publisher
    yield "SN", work.issn
    yield "DO", work.doi
    yield "LA", work.language
    yield "UR", work.url
    yield "L1", work.pdf
    yield "N1", work.note


def _name(name: Name) -> str:
    if name.literal:
        return name.literal
    return ", ".join(part for part in (name.family, name.given, name.suffix) if part)
