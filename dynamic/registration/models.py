"""Tables of event registration, and the one function that changes a state."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Unicode, UnicodeText, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dynamic.database import Base, UtcDateTime, db, exact, now
from dynamic.registration.states import By, State, check


class Desk(Base):
    """One event's desk: whoever acts on registrations of the event locks this row first."""

    __tablename__ = "registration_desks"

    event_id: Mapped[str] = mapped_column(exact(400), primary_key=True)
    capacity: Mapped[int | None]
    """As the records last had it; None means no limit."""
    arrivals: Mapped[int] = mapped_column(default=0)
    """How many arrived so far: the next one's number is one more."""
    closed: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the organisers closed registration."""
    title: Mapped[str] = mapped_column(Unicode(2000), default="")
    ends: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """End of the event: known here so that answers go even if the record is gone."""
    kept_days: Mapped[int | None]
    """Days that the record allows answers to be kept after the end."""
    purged: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the answers were deleted."""
    changed: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    """When a place was last taken, given back or waited for."""


class Registration(Base):
    """One person's registration for one event."""

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("event_id", "subject", name="uq_registrations_event_subject"),
        UniqueConstraint("event_id", "arrived", name="uq_registrations_event_arrived"),
        Index("ix_registrations_event_state", "event_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    """Random name in addresses, links and calendars."""
    event_id: Mapped[str] = mapped_column(exact(400), ForeignKey("registration_desks.event_id"))
    subject: Mapped[str] = mapped_column(exact(255), index=True)
    """The account."""
    email: Mapped[str] = mapped_column(Unicode(320), index=True)
    name: Mapped[str] = mapped_column(Unicode(200))
    affiliation: Mapped[str] = mapped_column(Unicode(200), default="")
    state: Mapped[str] = mapped_column(String(12))
    takes_place: Mapped[bool] = mapped_column(default=True)
    """False for those who take part without one of the counted places (online)."""
    arrived: Mapped[int]
    """Number in order of arrival; a withdrawn person who comes again gets a new one."""
    made: Mapped[datetime] = mapped_column(UtcDateTime)
    changed: Mapped[datetime] = mapped_column(UtcDateTime)
    offer_ends: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    listed: Mapped[bool] = mapped_column(default=False)
    """Consent to be named among those who come."""
    answers: Mapped[str | None] = mapped_column(UnicodeText)
    """JSON: {"answers": {name: value}, "consents": {name: {given, at, text}}}."""
    sequence: Mapped[int] = mapped_column(default=0)
    """SEQUENCE of the next calendar entry that this person gets."""
    told: Mapped[str] = mapped_column(UnicodeText, default="{}")
    """JSON: the event's times, place and status as this person was last told."""

    @property
    def stands(self) -> State:
        return State(self.state)

    def facts(self) -> dict[str, Any]:
        """Return answers and consents; nothing of them is left after the purge."""
        known = json.loads(self.answers) if self.answers else {}
        return {"answers": known.get("answers", {}), "consents": known.get("consents", {})}


class Transition(Base):
    """One change of state: who, when, from what to what."""

    __tablename__ = "registration_transitions"

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    event_id: Mapped[str] = mapped_column(exact(400), index=True)
    before: Mapped[str | None] = mapped_column(String(12))
    after: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(12))
    actor: Mapped[str] = mapped_column(exact(255), default="")
    """The account that acted; empty for links and for the service itself."""
    note: Mapped[str] = mapped_column(String(200), default="")


class Mailing(Base):
    """A mail that an organiser sent to participants: once, however often the button is used."""

    __tablename__ = "registration_mailings"

    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[str] = mapped_column(exact(400), index=True)
    actor: Mapped[str] = mapped_column(exact(255))
    made: Mapped[datetime] = mapped_column(UtcDateTime)
    whom: Mapped[str] = mapped_column(String(40))
    recipients: Mapped[int]
    title: Mapped[str] = mapped_column(Unicode(200))


class AccountTie(Base):
    """Staff's word that an account belongs to a person of the records."""

    __tablename__ = "registration_account_ties"
    __table_args__ = (
        UniqueConstraint("email", "person_id", name="uq_registration_account_ties_email_person"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Unicode(320))
    """The account's confirmed address, in lower case."""
    person_id: Mapped[str] = mapped_column(exact(400))
    actor: Mapped[str] = mapped_column(exact(255))
    made: Mapped[datetime] = mapped_column(UtcDateTime)


def move(
    registration: Registration, after: State, by: By, *, actor: str = "", note: str = ""
) -> None:
    """Bring a registration into another state and write down who did it.

    The event's desk must be locked. Raises NotPossible if the state machine has no such
    transition for `by`.
    """
    before = State(registration.state) if registration.id is not None else None
    check(before, after, by)
    at = now()
    registration.state = after.value
    registration.changed = at
    if after != State.OFFERED:
        registration.offer_ends = None
    if registration.id is None:
        db.session.add(registration)
        db.session.flush()
    db.session.add(
        Transition(
            registration_id=registration.id,
            event_id=registration.event_id,
            before=before.value if before else None,
            after=after.value,
            at=at,
            by=by.value,
            actor=actor,
            note=note,
        )
    )
