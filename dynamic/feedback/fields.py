"""The fields of a record that readers may correct, and what the release shows in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dynamic.records import Record
from dynamic.words import plain_text


@dataclass(frozen=True, slots=True)
class Field:
    """One field that can be corrected."""

    name: str
    label: str
    value: Callable[[dict[str, Any]], str]
    """Returns what the record's facts say, as text; several values stand one a line."""
    lines: int = 1
    longest: int = 1_000
    help: str = ""


def _text(*keys: str) -> Callable[[dict[str, Any]], str]:
    def value(facts: dict[str, Any]) -> str:
        found = next((facts[key] for key in keys if facts.get(key)), "")
        return plain_text(str(found))

    return value


def _lines(key: str) -> Callable[[dict[str, Any]], str]:
    return lambda facts: plain_text("\n".join(str(one) for one in facts.get(key) or ()))


_TITLE = Field("title", "Title", _text("title"), longest=2_000)
_ONE_A_LINE = "One a line, in order."

FIELDS: dict[str, tuple[Field, ...]] = {
    "publication": (
        _TITLE,
        Field("people", "Authors", _lines("people"), 4, 40_000, _ONE_A_LINE),
        Field("venue", "Venue", _text("venue")),
        Field("date", "Date", _text("date", "year"), help="Such as 2026-03-17, 2026-03 or 2026."),
        Field("kind", "Kind of work", _text("kind")),
        Field("doi", "DOI", _text("doi")),
        Field("topics", "Topics", _lines("topics"), 3, 10_000, _ONE_A_LINE),
        Field("abstract", "Abstract", _text("abstract"), 8, 100_000),
    ),
    "project": (
        _TITLE,
        Field("people", "Team", _lines("people"), 4, 40_000, _ONE_A_LINE),
        Field("institutions", "Institution", _lines("institutions")),
        Field("date", "Start", _text("date"), help="Such as 2026-03-17."),
        Field("abstract", "Summary", _text("abstract"), 6, 100_000),
    ),
    "event": (
        _TITLE,
        Field("starts", "Starts", _text("starts", "date"), help="Such as 2027-01-19T09:00."),
        Field("ends", "Ends", _text("ends"), help="Such as 2027-01-20T16:00."),
        Field("place", "Place", _text("place", "venue")),
        Field("people", "Speakers", _lines("people"), 4, 40_000, _ONE_A_LINE),
        Field("abstract", "Description", _text("abstract"), 6, 100_000),
    ),
    "deliverable": (
        _TITLE,
        Field("due", "Due", _text("due"), help="Such as 2026-06-30."),
        Field("submitted", "Submitted", _text("submitted")),
        Field("accepted", "Accepted", _text("accepted")),
        Field("status", "Status", _text("status")),
    ),
}
"""Record type → its fields, in the order of the form."""

TYPES = tuple(FIELDS)


def shown_values(record: Record) -> dict[str, str]:
    """Return what the release shows in each field of a record."""
    return {field.name: field.value(record.facts) for field in FIELDS[record.type]}


def label_of(record_type: str, name: str) -> str:
    """Return a field's label; its name if it is no longer known."""
    found = [field.label for field in FIELDS.get(record_type, ()) if field.name == name]
    return found[0] if found else name
