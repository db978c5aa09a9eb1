"""Who has a place: counted under a lock on the event's desk, so that none is given twice.

Every act on an event's registrations begins with `lock_desk`. The desk's row is held until
the transaction ends: on SQLite by its one write lock, on PostgreSQL by FOR UPDATE, on SQL
Server by the UPDLOCK hint, which SQLAlchemy does not make of `with_for_update` by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from dynamic.database import begin_writing, db, locked, now
from dynamic.registration.definition import Event
from dynamic.registration.models import Desk, Registration, move
from dynamic.registration.states import HOLDING, By, State


def lock_desk(event: Event) -> Desk:
    """Begin the transaction that acts on an event; return its desk, locked and up to date."""
    db.session.rollback()  # a transaction that read before it locked may have read old rows
    begin_writing()
    desk = _locked(event.id)
    if desk is None:
        _make_desk(event)
        desk = _locked(event.id)
        assert desk is not None
    if desk.capacity != event.capacity:
        desk.capacity = event.capacity
        desk.changed = now()
    desk.title, desk.ends = event.title, event.ends_at
    desk.kept_days = event.answers_kept_days
    if desk.purged is not None and desk.ends is not None and desk.ends > now():
        desk.purged = None  # the event was moved to a later day: answers come anew
    return desk


def lock_desk_of(event_id: str) -> Desk | None:
    """Lock the desk of an event whose record may be gone; None if nobody ever registered."""
    db.session.rollback()
    begin_writing()
    return _locked(event_id)


def find_desk(event: Event) -> Desk | None:
    """Return an event's desk for reading only."""
    return db.session.get(Desk, event.id)


def desk_statement(event_id: str) -> Select[Desk]:
    """Return the statement that locks a desk, on every database."""
    return locked(select(Desk).where(Desk.event_id == event_id), Desk)


def held(event_id: str) -> int:
    """Return how many of the counted places are taken or offered."""
    return _count(event_id, HOLDING)


def waiting(event_id: str) -> int:
    """Return how many wait for a place."""
    return _count(event_id, (State.WAITING,))


def is_free(desk: Desk) -> bool:
    """Tell whether a place can be given to one who arrives now: nobody may jump the queue."""
    counted = _count_of(desk.event_id)
    taken = sum(counted.get(state.value, 0) for state in HOLDING)
    is_taken = desk.capacity is not None and taken >= desk.capacity
    return not is_taken and not counted.get(State.WAITING.value)


def has_room(desk: Desk) -> bool:
    """Tell whether a place is free at all."""
    return desk.capacity is None or held(desk.event_id) < desk.capacity


def position(registration: Registration) -> int:
    """Return where a waiting person stands, 1 being next."""
    ahead = select(func.count()).where(
        Registration.event_id == registration.event_id,
        Registration.state == State.WAITING.value,
        Registration.arrived < registration.arrived,
    )
    return int(db.session.scalar(ahead) or 0) + 1


def next_arrival(desk: Desk) -> int:
    """Return the number of one who arrives now."""
    desk.arrivals += 1
    return desk.arrivals


def offer_free_places(desk: Desk, event: Event) -> list[Registration]:
    """Offer each free place to the next who waits, in order of arrival; return the offers.

    Nothing is offered once the event has begun, or while it is cancelled or postponed.
    """
    starts = event.starts_at
    if event.status != "planned" or (starts and now() >= starts):
        return []
    free = None if desk.capacity is None else desk.capacity - held(desk.event_id)
    if free is not None and free <= 0:
        return []
    found = (
        select(Registration)
        .where(Registration.event_id == desk.event_id, Registration.state == State.WAITING.value)
        .order_by(Registration.arrived)
        .limit(free)
    )
    offers = list(db.session.scalars(found))
    for registration in offers:
        move(registration, State.OFFERED, By.SERVICE)
        registration.offer_ends = offer_end(event, now())
    if offers:
        desk.changed = now()
    return offers


def offer_end(event: Event, at: datetime) -> datetime:
    """Return when an offer made at an instant ends: at the event's beginning at the latest."""
    hours = event.offer_hours or current_app.config["SETTINGS"].event_offer_hours
    end = at + timedelta(hours=hours)
    starts = event.starts_at
    return min(end, starts) if starts else end


def _locked(event_id: str) -> Desk | None:
    found: Desk | None = db.session.execute(desk_statement(event_id)).scalar_one_or_none()
    return found


def _make_desk(event: Event) -> None:
    """Make the row; if another process does so at the same moment, its row will do."""
    try:
        with db.session.begin_nested():
            db.session.add(Desk(event_id=event.id, capacity=event.capacity, changed=now()))
    except IntegrityError:
        pass


def _count_of(event_id: str) -> dict[str, int]:
    """Return state → how many of those who need a place stand so."""
    statement = (
        select(Registration.state, func.count())
        .where(Registration.event_id == event_id, Registration.takes_place)
        .group_by(Registration.state)
    )
    return {row[0]: row[1] for row in db.session.execute(statement)}


def _count(event_id: str, states: tuple[State, ...]) -> int:
    statement = select(func.count()).where(
        Registration.event_id == event_id,
        Registration.takes_place,
        Registration.state.in_([s.value for s in states]),
    )
    return int(db.session.scalar(statement) or 0)
