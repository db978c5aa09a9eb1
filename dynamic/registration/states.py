"""The states of a registration, and the only place where one becomes another."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a registration stands."""

    PENDING = "pending"
    """An organiser has still to say yes or no."""
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    OFFERED = "offered"
    """A place came free and is kept for this person until the offer ends."""
    DECLINED = "declined"
    """The organisers said no."""
    WITHDRAWN = "withdrawn"
    """The person gave it back, or let an offer pass."""
    ATTENDED = "attended"


class By(StrEnum):
    """Who acted."""

    PERSON = "person"
    LINK = "link"
    """Whoever held the person's signed link."""
    ORGANISER = "organiser"
    SERVICE = "service"
    """The service itself: an offer was due, or ran out."""


HOLDING = (State.CONFIRMED, State.OFFERED, State.ATTENDED)
"""States that hold a place."""
ACTIVE = (State.PENDING, State.CONFIRMED, State.WAITING, State.OFFERED)
"""States of people who mean to come."""

_PERSON = frozenset({By.PERSON, By.LINK})
_SIGNED_IN = frozenset({By.PERSON})
_ORGANISER = frozenset({By.ORGANISER})
_SERVICE = frozenset({By.SERVICE})

_ENTERED = {
    State.PENDING: _SIGNED_IN,
    State.CONFIRMED: _SIGNED_IN,
    State.WAITING: _SIGNED_IN,
}
TRANSITIONS: dict[State | None, dict[State, frozenset[By]]] = {
    None: _ENTERED,
    State.PENDING: {
        State.CONFIRMED: _ORGANISER,
        State.WAITING: _ORGANISER,
        State.DECLINED: _ORGANISER,
        State.WITHDRAWN: _PERSON,
    },
    State.CONFIRMED: {
        State.ATTENDED: _ORGANISER,
        State.DECLINED: _ORGANISER,
        State.WITHDRAWN: _PERSON,
    },
    State.WAITING: {
        State.OFFERED: _SERVICE,
        State.CONFIRMED: _PERSON,  # changes to an answer that needs no place
        State.DECLINED: _ORGANISER,
        State.WITHDRAWN: _PERSON,
    },
    State.OFFERED: {
        State.CONFIRMED: _PERSON,
        State.DECLINED: _ORGANISER,
        State.WITHDRAWN: _PERSON | _SERVICE,
    },
    State.DECLINED: {State.CONFIRMED: _ORGANISER, State.WAITING: _ORGANISER},
    State.WITHDRAWN: _ENTERED,
    State.ATTENDED: {State.CONFIRMED: _ORGANISER},
}
"""State before → states after → who may bring it about. Nothing else ever happens."""


class NotPossible(Exception):
    """A registration cannot go where somebody wants it to."""

    def __init__(self, before: State | None, after: State, by: By) -> None:
        super().__init__(f"{before or 'nothing'} → {after} by {by}")
        self.before, self.after, self.by = before, after, by


def may_become(before: State | None, after: State, by: By) -> bool:
    """Tell whether `by` may bring a registration from one state to another."""
    return by in TRANSITIONS[before].get(after, frozenset())


def check(before: State | None, after: State, by: By) -> None:
    """Raise NotPossible unless this may happen."""
    if not may_become(before, after, by):
        raise NotPossible(before, after, by)
