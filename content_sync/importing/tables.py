"""CSV, NDJSON and CSL-JSON: fields of our own names, or items as CSL calls them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from content_sync.errors import SourceError
from content_sync.importing.entries import (
    Entry,
    Name,
    Refused,
    made_id,
    name_of,
    parts_of_date,
    plain_doi,
)
from content_sync.records import Access, Kind

COLUMNS = (
    *("id", "title", "authors", "editors", "year", "month", "day", "date", "kind", "venue"),
    *("published_in", "volume", "issue", "pages", "publisher", "doi", "url", "abstract"),
    *("topics", "language", "licence", "access", "file_path"),
)
"""What a column of a CSV file or a key of an NDJSON line may be called."""

CSL_KINDS = {
    "article-journal": Kind.JOURNAL_ARTICLE,
    "paper-conference": Kind.CONFERENCE_PAPER,
    "report": Kind.REPORT,
    "thesis": Kind.THESIS,
    "speech": Kind.PRESENTATION,
    "patent": Kind.PATENT,
    "dataset": Kind.DATASET,
    "software": Kind.SOFTWARE,
    "book": Kind.BOOK,
    "chapter": Kind.BOOK_CHAPTER,
}
_OTHER_WORDS = {
    "author": "authors",
    "editor": "editors",
    "type": "kind",
    "journal": "venue",
    "keywords": "topics",
    "license": "licence",
    "file": "file_path",
    "booktitle": "published_in",
    "number": "issue",
}
_LONGEST_CELL = 10 * 1024 * 1024


def read_csv(path: Path) -> Iterator[Entry | Refused]:
    """Yield the entries of a CSV file whose first line names its columns.

    Several authors, editors or topics stand in one cell with semicolons between them.
    Raises SourceError if it has no column `title` or is not CSV in UTF-8.
    """
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, dialect=_dialect(path), strict=True)
            known = {name: _column(name) for name in rows.fieldnames or ()}
            if "title" not in known.values():
                raise SourceError(
                    f"{path} has no column 'title'.",
                    hint=f"Its first line must name columns of these: {', '.join(COLUMNS)}.",
                )
            for row in rows:
                values = {known[name]: row[name] or "" for name in known if known[name]}
                yield _from_values(values, f"line {rows.line_num}")
    except (csv.Error, UnicodeDecodeError) as error:
        raise SourceError(
            f"{path} cannot be read as CSV: {error}.", hint="Save it as CSV in UTF-8."
        ) from error


def read_json(path: Path) -> Iterator[Entry | Refused]:
    """Yield the entries of a CSL-JSON list, or of one JSON object a line (NDJSON).

    Raises SourceError with the line if the file is not JSON.
    """
    with path.open("rb") as file:
        start = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        file.seek(0)
        if start == b"[":
            items = _parsed(file.read().lstrip(b"\xef\xbb\xbf"), path, "")
            numbered = [(f"item {number}", item) for number, item in enumerate(items, 1)]
        else:
            numbered = (  # type: ignore[assignment]
                (f"line {number}", _parsed(line, path, f" in line {number}"))
                for number, line in enumerate(file, 1)
                if line.strip()
            )
        for place, item in numbered:
            if not isinstance(item, dict):
                yield Refused(place=place, reason="it is not a JSON object")
            elif _is_csl(item):
                yield _from_csl(item, place)
            else:
                yield _from_values({_column(k): v for k, v in item.items() if _column(k)}, place)


def _parsed(text: bytes, path: Path, where: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SourceError(
            f"{path} is not JSON{where}: {error}.",
            hint="It must hold a CSL-JSON list, or one JSON object a line.",
        ) from error


def _is_csl(item: Mapping[str, Any]) -> bool:
    if "issued" in item or "container-title" in item:
        return True
    authors = item.get("author")
    return isinstance(authors, list) and any(isinstance(a, dict) for a in authors)


def _from_values(values: Mapping[str, Any], place: str) -> Entry | Refused:
    title = _text(values.get("title"))
    if not title:
        return Refused(place=place, reason="it has no title")
    access = _text(values.get("access")).lower()
    if access and access not in set(Access):
        return Refused(place=place, reason=f"access is {access!r}, not public, abstract or members")
    year, month, day = parts_of_date(_text(values.get("date")))
    year = year or parts_of_date(_text(values.get("year")))[0]
    doi = plain_doi(_text(values.get("doi")))
    kind = _text(values.get("kind")).lower().replace("_", " ")
    return Entry(
        id=_text(values.get("id")) or made_id(title, year, doi),
        title=title,
        kind=Kind(kind) if kind in set(Kind) else CSL_KINDS.get(kind, Kind.OTHER),
        abstract=_text(values.get("abstract"), lines=True),
        year=year,
        month=month or _number(values.get("month"), 12),
        day=day or _number(values.get("day"), 31),
        doi=doi,
        access=access,
        authors=_people(values.get("authors")),
        editors=_people(values.get("editors")),
        topics=_list(values.get("topics")),
        **{
            name: _text(values.get(name))
            for name in (
                *("venue", "published_in", "volume", "issue", "pages", "publisher"),
                *("url", "file_path", "language", "licence"),
            )
        },
    )


def _from_csl(item: Mapping[str, Any], place: str) -> Entry | Refused:
    title = _text(item.get("title"))
    if not title:
        return Refused(place=place, reason="it has no title")
    year, month, day = _csl_date(item.get("issued"))
    doi = plain_doi(_text(item.get("DOI")))
    kind = CSL_KINDS.get(_text(item.get("type")), Kind.OTHER)
    container = _text(item.get("container-title"))
    is_journal = kind is Kind.JOURNAL_ARTICLE
    return Entry(
        id=_csl_id(item) or made_id(title, year, doi),
        title=title,
        kind=kind,
        abstract=_text(item.get("abstract"), lines=True),
        year=year,
        month=month,
        day=day,
        venue=container if is_journal else _text(item.get("collection-title")),
        published_in="" if is_journal else container,
        volume=_text(item.get("volume")),
        issue=_text(item.get("issue") or item.get("number")),
        pages=re.sub(r"\s*-+\s*", "–", _text(item.get("page"))),
        publisher=_text(item.get("publisher")),
        doi=doi,
        url=_text(item.get("URL")),
        language=_text(item.get("language")),
        licence=_text(item.get("license")),
        authors=_people(item.get("author")),
        editors=_people(item.get("editor")),
        topics=_list(str(item.get("keyword") or "").replace(",", ";")),
    )


def _csl_id(item: Mapping[str, Any]) -> str:
    """Return an item's citation key or id; of an address, as Zotero writes it, the last part."""
    found = _text(item.get("citation-key") or item.get("id"))
    return found.rstrip("/").rpartition("/")[2] if re.match(r"https?://", found) else found


def _csl_date(value: Any) -> tuple[int | None, int | None, int | None]:
    if not isinstance(value, dict):
        return parts_of_date(_text(value))
    parts = value.get("date-parts") or [[]]
    if parts[0]:
        return parts_of_date("-".join(f"{int(part):02}" for part in parts[0][:3]).zfill(4))
    return parts_of_date(_text(value.get("raw") or value.get("literal")))


def _people(value: Any) -> tuple[Name, ...]:
    if isinstance(value, str):
        return tuple(name_of(part) for part in value.split(";") if part.strip())
    names = []
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict):
            family = " ".join(
                part
                for key in ("non-dropping-particle", "family", "suffix")
                if (part := _text(one.get(key)))
            )
            name = Name(
                family=family or _text(one.get("literal") or one.get("name")),
                given=" ".join(
                    part for key in ("given", "dropping-particle") if (part := _text(one.get(key)))
                ),
                orcid=_text(one.get("ORCID") or one.get("orcid")).rpartition("/")[2],
                affiliation=_text(one.get("affiliation")),
            )
        else:
            name = name_of(_text(one))
        if name.family:
            names.append(name)
    return tuple(names)


def _list(value: Any) -> tuple[str, ...]:
    parts = value.split(";") if isinstance(value, str) else value
    found = (_text(part) for part in parts) if isinstance(parts, list) else ()
    return tuple(dict.fromkeys(part for part in found if part))


def _text(value: Any, *, lines: bool = False) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).replace("\r\n", "\n").strip()
    return text if lines else " ".join(text.split())


def _number(value: Any, most: int) -> int | None:
    text = _text(value)
    return int(text) if text.isdigit() and 1 <= int(text) <= most else None


def _column(name: str) -> str:
    word = re.sub(r"[^a-z]+", "_", str(name).lower()).strip("_")
    word = _OTHER_WORDS.get(word, word)
    return word if word in COLUMNS else ""


def _dialect(path: Path) -> type[csv.Dialect]:
    """Return comma, semicolon or tab: whichever the first line has most of."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()

    class Found(csv.excel):
        delimiter = max(",;\t", key=first.count)

    return Found
