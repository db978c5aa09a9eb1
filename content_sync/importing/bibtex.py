"""BibTeX: entries and names by pybtex, LaTeX to text by pylatexenc."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
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

    Raises SourceError with the line if the file is not BibTeX.
    """
    from pybtex.database.input.bibtex import Parser
    from pybtex.exceptions import PybtexError

    try:
        found = Parser(encoding="utf-8-sig").parse_file(str(path))
    except (PybtexError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{path} cannot be read as BibTeX: {' '.join(str(error).split())}.",
            hint="Mend the file there and import it again; nothing was imported from it.",
        ) from error
    for key, entry in found.entries.items():
        fields = {name.lower(): str(value) for name, value in entry.fields.items()}
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
        doi=plain_doi(fields.get("doi", "").replace("\\_", "_")),
        url=fields.get("url", "").replace("\\_", "_").replace("\\%", "%").strip(),
        language=text("language", "langid"),
        authors=_names(persons.get("author", ())),
        editors=_names(persons.get("editor", ())),
        topics=_topics(text("keywords", "keyword")),
    )


def latex_to_text(source: str) -> str:
    """Return LaTeX as text, with formulas between dollar signs left as they are."""
    if not source.strip():
        return ""
    text: str = _converter().latex_to_text(source)
    return " ".join(text.split())


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
