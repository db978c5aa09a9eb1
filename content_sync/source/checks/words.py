"""Rules over words from closed lists: kinds, access, status."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from content_sync.records import Access, DeliverableStatus, EventStatus, Kind, ProjectStatus, Status
from content_sync.source.checks.cleaning import clean_word, shown
from content_sync.source.checks.findings import Mended


def kind(value: Any) -> Mended:
    """A kind is one of the known kinds; an unknown one becomes `other`."""
    return (yield from _one_of(value, Kind, missing=Kind.OTHER, unknown=Kind.OTHER))


def access(value: Any) -> Mended:
    """Access is public, abstract or members; anything else closes the door: members."""
    known = yield from _one_of(value, Access, missing=None, unknown=Access.MEMBERS)
    if known is None:
        yield "no access is given, so that only members see it"
        return Access.MEMBERS.value
    return known


def access_of_record(value: Any) -> Mended:
    """Access to what has no full text is public or members; all else means members."""
    known = yield from access(value)
    if known == Access.ABSTRACT:
        yield "'abstract' is for publications, so that only members see it"
        return Access.MEMBERS.value
    return known


def status(value: Any) -> Mended:
    """The status of a publication is a known one; with an unknown one it is left out."""
    return (yield from _one_of(value, Status, missing=Status.CURRENT, unknown=None))


def project_status(value: Any) -> Mended:
    """The status of a project is a known one; an unknown one is dropped."""
    return (yield from _one_of(value, ProjectStatus, missing=None, unknown=None))


def deliverable_status(value: Any) -> Mended:
    """The status of a deliverable is a known one; an unknown one is dropped."""
    return (yield from _one_of(value, DeliverableStatus, missing=None, unknown=None))


def event_status(value: Any) -> Mended:
    """The status of an event is a known one; an unknown one becomes `planned`."""
    if isinstance(value, str) and value.strip().casefold() == "canceled":
        value = EventStatus.CANCELLED.value
    planned = EventStatus.PLANNED
    return (yield from _one_of(value, EventStatus, missing=planned, unknown=planned))


def _one_of(
    value: Any, words: type[StrEnum], *, missing: StrEnum | None, unknown: StrEnum | None
) -> Mended:
    text = yield from clean_word(value)
    if text is None:
        return missing and missing.value
    folded = text.casefold().replace("_", " ").replace("-", " ")
    try:
        return words(folded).value
    except ValueError:
        yield f"{shown(text)} is none of: {', '.join(words)}"
        return unknown and unknown.value
