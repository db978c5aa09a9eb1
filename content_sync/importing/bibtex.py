"""BibTeX: entries and names by pybtex, LaTeX to text by pylatexenc."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from content_sync.errors import SourceError
from content_sync.importing.entries import Entry, Name, Refused, parts_of_date, plain_doi
from content_sync.records import Kind

KINDS = {
    "article": Kind.JOURNAL_ARTICLE,
    "inproceedings": Kind.CONFERENCE_PAPER,
    "conference": Kind.CONFERENCE_PAPER,
    "techreport": Kind.REPORT,
    "report": Kind.REPORT,
    "phdthesis": Kind.THESIS,
    "mastersthesis": Kind.THESIS,
    "thesis": Kind.THESIS,
    "book": Kind.BOOK,
    "incollection": Kind.BOOK_CHAPTER,
    "inbook": Kind.BOOK_CHAPTER,
    "proceedings": Kind.PROCEEDINGS,
    "patent": Kind.PATENT,
    "dataset": Kind.DATASET,
    "software": Kind.SOFTWARE,
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read_bibtex(path: Path) -> Iterator[Entry | Refused]:
    """Yield the entries of a BibTeX file, in order; those it cannot use as Refused.

    The file is read as UTF-8, or as Windows-1252 where it is not. An entry takes what it lacks
    from the one that its `crossref` names. Raises SourceError with the line if the file is not
    BibTeX.
    """
    from pybtex.database.input.bibtex import Parser
    from pybtex.exceptions import PybtexError

    try:
        found, repeated = _parse(Parser, _text_of(path))
    except PybtexError as error:
        raise SourceError(
            f"{path} cannot be read as BibTeX: {' '.join(str(error).split())}.",
            hint="Mend the file there and import it again; nothing was imported from it.",
        ) from error
    for key in repeated:
        yield Refused(place=key, reason="another entry has the same key")
    for key, entry in found.entries.items():
        fields = {name.lower(): str(value) for name, value in entry.fields.items()}
        parent = found.entries.get(fields.get("crossref", ""))
        if parent is not None:
            fields = _inherited(parent) | fields
        title = latex_to_text(fields.get("title", ""))
        if not title:
            yield Refused(place=key, reason="it has no title")
            continue
        persons: dict[str, Any] = {role.lower(): p for role, p in entry.persons.items()}
        yield _entry(key, entry.type.lower(), title, fields, persons)


def _entry(
    key: str, kind: str, title: str, fields: dict[str, str], persons: dict[str, Any]
) -> Entry:
    def text(*names: str) -> str:
        return next((t for name in names if (t := latex_to_text(fields.get(name, "")))), "")

    year, month, day = parts_of_date(fields.get("date", "") or fields.get("year", ""))
    published_in = text("booktitle")
    doi = plain_doi(fields.get("doi", "").replace("\\_", "_"))
    url = fields.get("url", "").replace("\\_", "_").replace("\\%", "%").strip()
    if fields.get("eprint") and fields.get("archiveprefix", "").lower() == "arxiv":
        published_in = published_in or f"arXiv:{fields['eprint']}"
    return Entry(
        id=key,
        title=title,
        kind=KINDS.get(kind, Kind.OTHER),
        abstract=text("abstract"),
        year=year,
        month=month or _month(fields.get("month", "")),
        day=day,
        venue=text("journal", "journaltitle", "series"),
        published_in=published_in,
        volume=text("volume"),
        issue=text("number", "issue"),
        pages=re.sub(r"\s*-+\s*", "–", fields.get("pages", "")).strip("{} "),
        publisher=text("publisher", "institution", "school", "organization"),
        doi=doi,
        url="" if doi and plain_doi(url) == doi else url,
        language=text("language", "langid"),
        authors=_names(persons.get("author", ())),
        editors=_names(persons.get("editor", ())),
        topics=_topics(text("keywords", "keyword")),
    )


def latex_to_text(source: str) -> str:
    """Return LaTeX as text, with formulas between dollar signs left as they are.

    Reference managers leave HTML in their LaTeX: its entities are read and its tags of
    italics and the like taken away.
    """
    if not source.strip():
        return ""
    source = re.sub(r"\{\\textless\}|\\textless(?:\{\}|\s|(?![A-Za-z]))", "<", source)
    source = re.sub(r"\{\\textgreater\}|\\textgreater(?:\{\}|\s|(?![A-Za-z]))", ">", source)
    text: str = _converter().latex_to_text(re.sub(r"(?<!\\)&(?=#?\w+;)", r"\&", source))
    return " ".join(_TAGS.sub("", unescape(text)).split())


_TAGS = re.compile(r"</?(?:i|b|em|strong|sub|sup|span|p|jats:\w+)(?:\s[^<>]*)?>", re.IGNORECASE)


def _text_of(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _parse(parser: Any, text: str) -> tuple[Any, list[str]]:
    """Return what a file holds, and the keys that are in it more than once.

    Raises PybtexError for anything else that is wrong.
    """
    from pybtex.errors import capture

    repeated = []
    with capture() as faults:
        found = parser().parse_string(text)
    for fault in faults:
        words = re.fullmatch(r"repeated bibliography entry: (.+)", str(fault))
        if not words:
            raise fault
        repeated.append(words[1])
    return found, repeated


def _inherited(parent: Any) -> dict[str, str]:
    """What an entry takes from the one that it is part of: its title is where that appeared."""
    fields = {name.lower(): str(value) for name, value in parent.fields.items()}
    title = fields.pop("booktitle", "") or fields.get("title", "")
    for own in ("title", "doi", "url", "abstract", "pages", "crossref", "keywords"):
        fields.pop(own, None)
    return fields | {"booktitle": title}


@cache
def _converter() -> Any:
    from pylatexenc.latex2text import LatexNodes2Text

    return LatexNodes2Text(math_mode="verbatim", keep_braced_groups=False)


def _names(persons: Any) -> tuple[Name, ...]:
    names = []
    for person in persons:
        given = [*person.first_names, *person.middle_names]
        family = [*person.prelast_names, *person.last_names]
        whole = latex_to_text(" ".join(family))
        if whole and not (whole == "others" and not given):
            suffix = [part.rstrip(",") for part in person.lineage_names]
            names.append(
                Name(
                    family=" ".join([whole, *map(latex_to_text, suffix)]),
                    given=latex_to_text(" ".join(given)),
                )
            )
    return tuple(names)


def _month(text: str) -> int | None:
    word = text.strip().lower()
    if word[:3] in _MONTHS:
        return _MONTHS.index(word[:3]) + 1
    return int(word) if word.isdigit() and 1 <= int(word) <= 12 else None


def _topics(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t.strip() for t in re.split(r"[;,]", text) if t.strip()))
