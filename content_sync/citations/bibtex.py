"""A work as BibTeX, in the types and fields that BibTeX, biber and pandoc all know."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote

from content_sync.citations.latex import in_latex, title_in_latex
from content_sync.citations.reference import Name, Reference
from content_sync.records import Kind

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()

# Type, field of the container, field of the publisher. Where the type demands a container or
# a publisher and the work has none, it is `misc`.
_TYPES = {
    Kind.JOURNAL_ARTICLE: ("article", "journal", "publisher"),
    Kind.CONFERENCE_PAPER: ("inproceedings", "booktitle", "publisher"),
    Kind.BOOK_CHAPTER: ("incollection", "booktitle", "publisher"),
    Kind.REPORT: ("techreport", "series", "institution"),
    Kind.THESIS: ("phdthesis", "series", "school"),
    Kind.BOOK: ("book", "series", "publisher"),
    Kind.PROCEEDINGS: ("proceedings", "series", "publisher"),
}
_OTHER = ("misc", "series", "publisher")
_NEEDS = {"article": 1, "inproceedings": 1, "incollection": 1, "techreport": 2, "phdthesis": 2}

_SPOKEN = {
    Kind.REPORT: "Report",
    Kind.THESIS: "Thesis",
    Kind.PRESENTATION: "Presentation",
    Kind.PATENT: "Patent",
    Kind.DATASET: "Data set",
    Kind.SOFTWARE: "Software",
}


def to_bibtex(work: Reference) -> str:
    """Return one entry, ending in a line feed."""
    kind, container, publisher = _TYPES.get(work.kind, _OTHER)
    present = ("", work.container, work.publisher)
    if kind in _NEEDS and not present[_NEEDS[kind]]:
        kind, container, publisher = _OTHER
    lines = [f"@{kind}{{{work.key},"]
    for name, value in _fields(work, kind, container, publisher):
        lines.append(f"  {name} = {value},")
    lines.append("}\n")
    return "\n".join(lines)


def _fields(
    work: Reference, kind: str, container: str, publisher: str
) -> Iterator[tuple[str, str]]:
    title = title_in_latex(work.title)
    yield "title", f"{{{{{work.mark}}}: {title}}}" if work.mark else f"{{{title}}}"
    for role, people in (("author", work.authors), ("editor", work.editors)):
        if people:
            yield role, f"{{{' and '.join(map(_name, people))}}}"
    if work.container:
        yield container, f"{{{title_in_latex(work.container)}}}"
    if work.year:
        yield "year", f"{{{work.year}}}"
        if work.month:
            yield "month", _MONTHS[work.month - 1]
    for name, value in (
        ("volume", work.volume),
        ("number", work.issue),
        (publisher, work.publisher),
    ):
        if value:
            yield name, f"{{{in_latex(value)}}}"
    if work.first_page:
        last = f"--{in_latex(work.last_page)}" if work.last_page else ""
        yield "pages", f"{{{in_latex(work.first_page)}{last}}}"
    if kind in ("techreport", "phdthesis"):
        yield "type", f"{{{_SPOKEN[work.kind]}}}"
    elif kind == "misc" and work.kind in _SPOKEN:
        yield "howpublished", f"{{{_SPOKEN[work.kind]}}}"
    if work.issn:
        yield "issn", f"{{{in_latex(work.issn)}}}"
    if work.doi and not set(work.doi) & set("{}\\"):
        yield "doi", f"{{{work.doi}}}"
    if work.url:
        yield "url", f"{{{quote(work.url, safe=_IN_URLS)}}}"
    if work.note:
        yield "note", f"{{{in_latex(work.note)}}}"


_IN_URLS = ":/?#[]@!$&'()*+,;=%-._~"


@lru_cache(maxsize=65536)
def _name(name: Name) -> str:
    if name.literal:
        return f"{{{in_latex(name.literal)}}}"
    parts = [name.family, name.suffix, name.given] if name.suffix else [name.family, name.given]
    return ", ".join(_part(part) for part in parts)


def _part(text: str) -> str:
    """Return a part of a name; what would divide it again stands in braces."""
    written = in_latex(text)
    words = text.casefold().split()
    return f"{{{written}}}" if "," in text or "and" in words else written
