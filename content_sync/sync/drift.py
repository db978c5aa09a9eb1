"""Schema drift: columns that came, went, or changed their type since the last sync."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from content_sync.errors import GuardRefused
from content_sync.source.catalogue import Found, contract

Columns = Mapping[str, Mapping[str, str]]
"""View → column, in small letters → its type as the source calls it."""


def check_drift(before: Columns, found: Found, *, accept: bool) -> list[str]:
    """Return what is new, to be noted.

    Raises GuardRefused when a column that was read before is missing, and, unless that is
    accepted, when one has a type of another sort.
    """
    lost = [
        name
        for name in found.missing
        if name.rpartition(".")[2] in before.get(name.split(".")[1], {})
    ]
    if lost:
        raise GuardRefused(
            "The sync was refused: "
            + "; ".join(f"{name} was there in the last sync and is missing" for name in lost)
            + f". {_needed(lost)}",
            hint="Bring the columns back; a value that you do not have any more is NULL AS name.",
        )
    retyped = [] if accept else list(_retyped(before, found))
    if retyped:
        names = [name for name, _told in retyped]
        raise GuardRefused(
            f"The sync was refused: {'; '.join(told for _name, told in retyped)}. {_needed(names)}",
            hint="Give the columns their types back, or go on with 'nightpress sync --accept'.",
        )
    return list(_new(before, found))


def sort_of(type_name: str) -> str:
    """Return which sort of values a type holds: text, number, time, bytes; '' if unknown."""
    name = type_name.casefold().strip()
    if name == "timestamp" or name.startswith(
        ("rowversion", "binary", "varbinary", "bytea", "image")
    ):
        return "bytes"
    for sort, pattern in _SORTS:
        if pattern.match(name):
            return sort
    return ""


_BYTES = ("rowversion", "binary", "varbinary", "bytea", "image")
_SORTS = (
    ("time", re.compile(r"date|time|smalldatetime")),
    ("text", re.compile(r"n?(var)?char|n?text|character|uniqueidentifier|uuid|xml|json|clob|str")),
    (
        "number",
        re.compile(
            r"(big|small|tiny)?int|decimal|numeric|money|smallmoney|real|float|double|bit|bool"
        ),
    ),
)


def _retyped(before: Columns, found: Found) -> Iterator[tuple[str, str]]:
    for name, view in found.views.items():
        for column in contract(name).columns:
            old = before.get(name, {}).get(column, "")
            new = view.types.get(column, "")
            if sort_of(old) and sort_of(new) and sort_of(old) != sort_of(new):
                where = f"web.{name}.{column}"
                yield where, f"{where} was {old} and is {new} now"


def _new(before: Columns, found: Found) -> Iterator[str]:
    for name, view in found.views.items():
        if name not in before:
            continue
        known = {*before[name], *contract(name).columns, "version"}
        fresh = sorted(column for column in view.types if column not in known)
        if fresh:
            columns = ", ".join(fresh)
            yield f"New in web.{name}, and not read: {columns} (the contract does not name it)."


def _needed(names: list[str]) -> str:
    """Return which pages need the columns."""
    pages = dict.fromkeys(page for name in names for page in _pages(name))
    return f"Pages that need them: {', '.join(pages)}."


def _pages(name: str) -> tuple[str, ...]:
    _web, view, column = name.split(".")
    return _BY_COLUMN.get((view, column), ()) + _BY_VIEW.get(view, ())


_BY_COLUMN: dict[tuple[str, str], tuple[str, ...]] = {
    ("publications", "abstract"): ("search",),
    ("publications", "year"): ("years",),
    ("publications", "venue_id"): ("venues",),
    ("publications", "file_path"): ("full texts",),
    ("publications", "access"): ("every listing, for it says who may see a record",),
    ("people", "institution_id"): ("institutions",),
    ("events", "form"): ("registration forms",),
}
_BY_VIEW: dict[str, tuple[str, ...]] = {
    "institutions": ("institutions", "people"),
    "people": ("people", "publications"),
    "person_names": ("people", "search"),
    "venues": ("venues", "publications"),
    "topics": ("topics",),
    "publications": ("publications", "all listings of works", "search"),
    "publication_people": ("publications", "people"),
    "publication_topics": ("topics", "publications"),
    "projects": ("projects",),
    "project_people": ("projects", "people"),
    "project_publications": ("projects", "publications"),
    "deliverables": ("projects",),
    "deliverable_publications": ("projects", "publications"),
    "events": ("events",),
    "event_organisers": ("events", "people"),
    "event_sessions": ("events",),
    "session_speakers": ("events", "people"),
    "session_publications": ("events", "publications"),
    "redirects": ("addresses of the old website",),
}
