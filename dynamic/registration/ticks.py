"""What happens to registrations by itself: offers end, records change, answers are purged.

`tick` may run at any time, as often as one likes and in several processes: each step locks
one event's desk, looks again, and does what is still to be done.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from datetime import timedelta

from flask import current_app
from sqlalchemy import ColumnElement, delete, select

from dynamic.database import db, now
from dynamic.registration import acts, mails
from dynamic.registration.access import all_events
from dynamic.registration.definition import Event
from dynamic.registration.models import Desk, Mailing, Registration, Transition
from dynamic.registration.places import held, lock_desk, lock_desk_of
from dynamic.registration.shown import answer_days
from dynamic.registration.states import ACTIVE, State
from dynamic.service_export import want_export
from dynamic.worker import EACH_ROUND

log = logging.getLogger("nightpress.registration")


@dataclass(slots=True)
class Ticked:
    """What a tick did."""

    told: int = 0
    """People who were told that an event has changed."""
    lapsed: int = 0
    """Offers that ended."""
    purged: int = 0
    """Registrations whose answers were deleted."""
    deleted: int = 0
    """Registrations that were deleted altogether."""


def tick() -> Ticked:
    """Do what time and the records ask for; return what was done.

    Looks first without a lock, and locks only the desks at which there is something to do.
    """
    done = Ticked()
    events = {event.id: event for event in all_events()}
    due = sorted(_due(events))
    db.session.rollback()
    for event_id in due:
        event = events.get(event_id)
        desk = lock_desk(event) if event else lock_desk_of(event_id)
        if desk is None:
            continue
        if event:
            done.lapsed += acts.lapse_offers(desk, event)
            done.told += _tell_changes(event)
        done.purged += _purge(desk, _days(desk, event))
        db.session.commit()
        want_export()
    done.deleted = _delete_old()
    if any((done.told, done.lapsed, done.purged, done.deleted)):
        log.info("round", extra={"facts": asdict(done)})
    return done


def _round() -> int:
    done = tick()
    return done.told + done.lapsed + done.purged + done.deleted


EACH_ROUND.append(_round)


def _due(events: dict[str, Event]) -> set[str]:
    """Return the ids of events at whose desks there may be something to do."""
    due = set(
        db.session.scalars(
            select(Registration.event_id)
            .where(Registration.state == State.OFFERED.value, Registration.offer_ends <= now())
            .distinct()
        )
    )
    told = select(Registration.event_id, Registration.told).where(_is_active()).distinct()
    for event_id, known in db.session.execute(told):
        event = events.get(event_id)
        if event and not _is_over(event) and known != _news(event):
            due.add(event_id)
    waits = select(Registration.event_id).where(Registration.state == State.WAITING.value)
    for event_id in db.session.scalars(waits.distinct()):
        event = events.get(event_id)
        if event and (event.capacity is None or held(event_id) < event.capacity):
            due.add(event_id)
    unpurged = select(Desk).where(Desk.ends.is_not(None), Desk.purged.is_(None))
    for desk in db.session.scalars(unpurged):
        if _is_to_purge(desk, _days(desk, events.get(desk.event_id))):
            due.add(desk.event_id)
    return due


def _tell_changes(event: Event) -> int:
    """Tell each person once what has changed about the event; past events tell nobody."""
    if _is_over(event):
        return 0
    found = (
        select(Registration)
        .where(Registration.event_id == event.id, _is_active())
        .order_by(Registration.arrived)
    )
    told = 0
    for registration in list(db.session.scalars(found)):
        if registration.told != _news(event):
            mails.tell_event(event, registration)
            told += 1
    return told


def _purge(desk: Desk, days: int) -> int:
    """Delete the answers, once their days after the event are over."""
    if not _is_to_purge(desk, days):
        return 0
    found = db.session.scalars(
        select(Registration).where(
            Registration.event_id == desk.event_id, Registration.answers.is_not(None)
        )
    )
    count = 0
    for registration in found:
        registration.answers = None
        registration.listed = False
        mails.forget_links(registration)
        count += 1
    desk.purged = now()
    return count


def _is_to_purge(desk: Desk, days: int) -> bool:
    is_due = desk.ends is not None and now() >= desk.ends + timedelta(days=days)
    return is_due and desk.purged is None


def _is_active() -> ColumnElement[bool]:
    # Whoever was checked in too early must know that there is another day.
    return Registration.state.in_([state.value for state in (*ACTIVE, State.ATTENDED)])


def _is_over(event: Event) -> bool:
    return event.ends_at is not None and now() >= event.ends_at


def _news(event: Event) -> str:
    return json.dumps(mails.news_of(event), sort_keys=True)


def _delete_old() -> int:
    """Delete the registrations of events long past, with all that was noted of them."""
    days = current_app.config["SETTINGS"].event_registrations_kept_days
    before = now() - timedelta(days=days)
    old = select(Desk.event_id).where(Desk.ends.is_not(None), Desk.ends < before)
    count = 0
    for event_id in list(db.session.scalars(old)):
        desk = lock_desk_of(event_id)
        if desk is not None and desk.ends is not None and desk.ends < before:
            count += _delete(desk)
        db.session.commit()
        want_export()
    return count


def _days(desk: Desk, event: Event | None) -> int:
    """Return for how many days answers are kept, even if the event's record is gone."""
    if event is not None:
        return answer_days(event)
    if desk.kept_days is not None:
        return desk.kept_days
    return int(current_app.config["SETTINGS"].event_answers_kept_days)


def _delete(desk: Desk) -> int:
    found = list(
        db.session.scalars(select(Registration).where(Registration.event_id == desk.event_id))
    )
    for registration in found:
        mails.forget_links(registration)
    db.session.execute(delete(Transition).where(Transition.event_id == desk.event_id))
    db.session.execute(delete(Registration).where(Registration.event_id == desk.event_id))
    db.session.execute(delete(Mailing).where(Mailing.event_id == desk.event_id))
    db.session.delete(desk)
    return len(found)
