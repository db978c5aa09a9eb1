"""What can be done to a registration: each act is one transaction, all of it or nothing.

Each locks the event's desk, reads afresh, moves states, writes the mails that tell it into
the outbox, and commits. An act that was done before is no error: doing it again does nothing.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from dynamic.database import db, now
from dynamic.identity import Reader
from dynamic.registration import mails
from dynamic.registration.definition import Event
from dynamic.registration.models import Desk, Registration, move
from dynamic.registration.opening import Opening, opening
from dynamic.registration.places import (
    is_free,
    lock_desk,
    next_arrival,
    offer_free_places,
)
from dynamic.registration.states import By, NotPossible, State
from dynamic.service_export import want_export


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a person wrote into the form, checked."""

    name: str
    affiliation: str = ""
    listed: bool = False
    takes_place: bool = True
    answers: dict[str, Any]
    consents: dict[str, dict[str, Any]]

    def as_json(self) -> str:
        facts = {"answers": self.answers, "consents": self.consents}
        return json.dumps(facts, ensure_ascii=False, sort_keys=True)


class Refused(Exception):
    """An act is not possible now; the words say why, for the person who asked for it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: how they came to it, and their account."""

    by: By
    subject: str = ""


def register(event: Event, reader: Reader, answers: Answers) -> tuple[Registration, bool]:
    """Register a person once; return the registration and whether it was made just now.

    A person who is registered already keeps what they have: a form sent twice changes
    nothing. Raises Refused if registration is not open or the organisers have said no.
    """
    desk = lock_desk(event)
    known = find(event, reader.subject)
    if known is not None and known.stands not in (State.WITHDRAWN, State.DECLINED):
        db.session.commit()
        return known, False
    state_of = opening(event, now(), closed_by_organiser=desk.closed is not None)
    _let_in(known, state_of)
    registration = known or Registration(
        uid=secrets.token_hex(16), event_id=event.id, subject=reader.subject, made=now()
    )
    registration.email = reader.email
    registration.arrived = next_arrival(desk)
    _write_down(registration, answers)
    move(registration, _first_state(desk, event, answers), By.PERSON, actor=reader.subject)
    _told(desk, event, registration)
    _keep()
    return registration, True


def change(event: Event, uid: str, answers: Answers, actor: Actor) -> Registration:
    """Change a person's answers; taking part without a place gives the place to the next."""
    desk = lock_desk(event)
    registration = _fresh(uid)
    if registration.stands in (State.WITHDRAWN, State.DECLINED, State.ATTENDED):
        raise Refused("This registration can no longer be changed.")
    if event.starts_at and now() >= event.starts_at:
        raise Refused("The event has begun: answers can no longer be changed.")
    wants_place = answers.takes_place and not registration.takes_place
    if wants_place and registration.stands == State.CONFIRMED and not is_free(desk):
        raise Refused(
            "All places on site are taken. Your answers are as before. To join the waiting list,"
            " withdraw and register anew."
        )
    gives_place = registration.takes_place and not answers.takes_place
    if registration.facts() == _facts(answers) and _same(registration, answers):
        db.session.commit()
        return registration
    _write_down(registration, answers)
    registration.changed = now()
    if gives_place and registration.stands in (State.WAITING, State.OFFERED):
        move(registration, State.CONFIRMED, actor.by, actor=actor.subject, note="without a place")
        mails.tell_state(event, registration)
    else:
        mails.tell_change(event, registration)
    desk.changed = now()
    _offer(desk, event)
    _keep()
    return registration


def withdraw(event: Event, uid: str, actor: Actor) -> Registration:
    """Withdraw a registration; its place goes to the next who waits."""
    return _once(event, uid, State.WITHDRAWN, actor)


def take_offer(event: Event, uid: str, actor: Actor) -> Registration:
    """Take the place that was offered. Raises Refused if the offer has ended."""
    desk = lock_desk(event)
    registration = _fresh(uid)
    if registration.stands in (State.CONFIRMED, State.ATTENDED):
        db.session.commit()
        return registration
    ends = registration.offer_ends
    if registration.stands != State.OFFERED or ends is None or now() >= ends:
        raise Refused("This offer has ended, and the place went to the next.")
    if event.status == "cancelled":
        raise Refused("The event is cancelled.")
    _done(desk, event, registration, State.CONFIRMED, actor)
    return registration


def admit(event: Event, uid: str, actor: Actor) -> Registration:
    """Say yes to one who was pending or declined: confirmed, or waiting if all is full."""
    desk = lock_desk(event)
    registration = _fresh(uid)
    if registration.stands in (State.CONFIRMED, State.WAITING, State.OFFERED, State.ATTENDED):
        db.session.commit()
        return registration
    free = not registration.takes_place or is_free(desk)
    _done(desk, event, registration, State.CONFIRMED if free else State.WAITING, actor)
    return registration


def decline(event: Event, uid: str, actor: Actor) -> Registration:
    """Say no to a registration; a place that it held goes to the next."""
    return _once(event, uid, State.DECLINED, actor)


def check_in(event: Event, uid: str, actor: Actor) -> Registration:
    """Note that a confirmed person has come."""
    return _once(event, uid, State.ATTENDED, actor, tell=False)


def undo_check_in(event: Event, uid: str, actor: Actor) -> Registration:
    """Take a check-in back."""
    return _once(event, uid, State.CONFIRMED, actor, tell=False, only_from=State.ATTENDED)


def close(event: Event, *, is_closed: bool) -> None:
    """Close registration at once, or open it again as far as the record's dates allow."""
    desk = lock_desk(event)
    if (desk.closed is not None) != is_closed:
        desk.closed = now() if is_closed else None
    db.session.commit()


def lapse_offers(desk: Desk, event: Event) -> int:
    """End the offers whose time has passed and make new ones; the desk must be locked."""
    ended = list(
        db.session.scalars(
            select(Registration)
            .where(
                Registration.event_id == desk.event_id,
                Registration.state == State.OFFERED.value,
                Registration.offer_ends <= now(),
            )
            .order_by(Registration.arrived)
        )
    )
    for registration in ended:
        move(registration, State.WITHDRAWN, By.SERVICE, note="offer ended")
        mails.forget_links(registration)
        mails.tell_lapsed(event, registration)
        desk.changed = now()
    _offer(desk, event)
    return len(ended)


def find(event: Event, subject: str) -> Registration | None:
    """Return a person's registration for an event, whatever its state."""
    return db.session.scalars(
        select(Registration)
        .where(Registration.event_id == event.id, Registration.subject == subject)
        .execution_options(populate_existing=True)
    ).one_or_none()


def find_by_uid(event: Event, uid: str) -> Registration | None:
    """Return a registration of this event and no other by its random name."""
    return db.session.scalars(
        select(Registration)
        .where(Registration.event_id == event.id, Registration.uid == uid)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _once(
    event: Event,
    uid: str,
    after: State,
    actor: Actor,
    *,
    tell: bool = True,
    only_from: State | None = None,
) -> Registration:
    """Bring a registration into a state, once: nothing happens if it is there already."""
    desk = lock_desk(event)
    registration = _fresh(uid)
    if registration.stands == after:
        db.session.commit()
        return registration
    if only_from is not None and registration.stands != only_from:
        raise Refused("That is not possible any more: the registration has changed meanwhile.")
    _done(desk, event, registration, after, actor, tell=tell)
    return registration


def _done(
    desk: Desk,
    event: Event,
    registration: Registration,
    after: State,
    actor: Actor,
    *,
    tell: bool = True,
) -> None:
    try:
        move(registration, after, actor.by, actor=actor.subject)
    except NotPossible:
        raise Refused(
            f"That is not possible any more: the registration is {registration.state}."
        ) from None
    desk.changed = now()
    if after in (State.WITHDRAWN, State.DECLINED):
        mails.forget_links(registration)
        registration.listed = False
    if tell:
        mails.tell_state(event, registration)
    _offer(desk, event)
    _keep()


def _keep() -> None:
    """Commit, and let the build know of it."""
    db.session.commit()
    want_export()


def _told(desk: Desk, event: Event, registration: Registration) -> None:
    desk.changed = now()
    mails.tell_state(event, registration)
    # Whoever comes to a free place or for a yes waits for nothing, and so do all others.
    if registration.stands == State.WAITING:
        _offer(desk, event)


def _offer(desk: Desk, event: Event) -> None:
    db.session.flush()
    for offered in offer_free_places(desk, event):
        mails.tell_state(event, offered)


def _let_in(known: Registration | None, state_of: Opening) -> None:
    if not state_of.is_open:
        raise Refused(state_of.words)
    if known is not None and known.stands == State.DECLINED:
        raise Refused(
            "The organisers could not offer you a place. Please speak with them before you"
            " register again."
        )


def _first_state(desk: Desk, event: Event, answers: Answers) -> State:
    if event.approval:
        return State.PENDING
    if not answers.takes_place or is_free(desk):
        return State.CONFIRMED
    return State.WAITING


def _write_down(registration: Registration, answers: Answers) -> None:
    registration.name = answers.name
    registration.affiliation = answers.affiliation
    registration.listed = answers.listed
    registration.takes_place = answers.takes_place
    registration.answers = answers.as_json()


def _facts(answers: Answers) -> dict[str, Any]:
    known: dict[str, Any] = json.loads(answers.as_json())
    return known


def _same(registration: Registration, answers: Answers) -> bool:
    return (registration.name, registration.affiliation, registration.listed) == (
        answers.name,
        answers.affiliation,
        answers.listed,
    )


def _fresh(uid: str) -> Registration:
    """Return a registration as it stands now that the desk is locked."""
    statement = select(Registration).where(Registration.uid == uid)
    found = db.session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise Refused("This registration does not exist any more.")
    return found
