"""Where deliverables stand: one alone, and many counted and put into a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from content_sync.pages.reader import Row
from content_sync.pages.wording import counted
from content_sync.records import DeliverableStatus

STATES = ("accepted", "in review", "late", "to come", "dropped")
"""What a deliverable can be, in the order in which it is told."""


def state_of(row: Row, today: str) -> str:
    """Return where a deliverable stands on the day `today`: one of `STATES`."""
    status = row["status"]
    if status == DeliverableStatus.DROPPED:
        return "dropped"
    if row["accepted_on"] or status == DeliverableStatus.ACCEPTED:
        return "accepted"
    if row["submitted_on"] or status == DeliverableStatus.SUBMITTED:
        return "in review"
    return "late" if row["due_on"] and row["due_on"] < today else "to come"


def slip_days(row: Row) -> int | None:
    """Return how many days after its date a deliverable was handed in; None while it is not."""
    if not row["due_on"] or not row["submitted_on"]:
        return None
    handed_in, due = (date.fromisoformat(row[name]) for name in ("submitted_on", "due_on"))
    return (handed_in - due).days


def slip_in_words(days: int | None) -> str:
    """Return `6 days early`, `on time`, `47 days late`, or nothing."""
    if days is None:
        return ""
    if days > 0:
        return f"{counted(days, 'day')} late"
    return f"{counted(-days, 'day')} early" if days < 0 else "on time"


def tally(deliverables: Iterable[Row], today: str) -> Counter[str]:
    """Return how many deliverables are in each state."""
    return Counter(state_of(row, today) for row in deliverables)


def in_words(states: Counter[str]) -> str:
    """Return one sentence: `12 deliverables: 8 accepted, 1 late, 3 to come.`"""
    if not states:
        return ""
    parts = [f"{states[state]:,} {state}" for state in STATES if states[state]]
    return f"{counted(states.total(), 'deliverable')}: {', '.join(parts)}."


def in_short(states: Counter[str]) -> str:
    """Return a few words for a table: `8 of 12 accepted, 1 late`."""
    total = states.total() - states["dropped"]
    if not total:
        return "all dropped" if states["dropped"] else ""
    late = f", {states['late']:,} late" if states["late"] else ""
    return f"{states['accepted']:,} of {total:,} accepted{late}"
