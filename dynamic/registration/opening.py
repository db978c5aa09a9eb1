"""When one may register: decided by the event's own clock, to the second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dynamic.registration.definition import Event
from dynamic.registration.words import moment_in_words


class When(StrEnum):
    OPEN = "open"
    NOT_YET = "not yet"
    CLOSED = "closed"
    OVER = "over"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether registration is open, and a sentence that says so."""

    when: When
    words: str

    @property
    def is_open(self) -> bool:
        return self.when == When.OPEN


def opening(event: Event, now: datetime, *, closed_by_organiser: bool = False) -> Opening:
    """Return whether one can register at the instant `now`.

    Registration is open from the moment that the record names up to, and without, the
    moment at which it closes; without such a moment up to the event's beginning.
    """
    opens, closes = event.opens_at, event.closes_at or event.starts_at
    if event.status == "cancelled":
        return Opening(When.CANCELLED, "The event is cancelled.")
    if not event.takes_registrations:
        return Opening(When.NEVER, "There is no registration for this event.")
    if event.ends_at and now >= event.ends_at:
        return Opening(When.OVER, "The event is over.")
    if event.status == "postponed":
        words = "The event is postponed. Registration is closed until its new date is known."
        return Opening(When.POSTPONED, words)
    if opens and now < opens:
        words = f"Registration opens on {moment_in_words(event.registration_opens, event.zone)}."
        return Opening(When.NOT_YET, words)
    if closes and now >= closes:
        local = event.registration_closes or event.starts
        return Opening(When.CLOSED, f"Registration closed on {moment_in_words(local, event.zone)}.")
    if closed_by_organiser:
        return Opening(When.CLOSED, "The organisers have closed registration.")
    if not closes:
        return Opening(When.OPEN, "Registration is open.")
    local = event.registration_closes or event.starts
    return Opening(When.OPEN, f"Registration closes on {moment_in_words(local, event.zone)}.")
