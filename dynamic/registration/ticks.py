"""What happens to registrations by itself: offers end, records change, answers are purged.

`tick` may run at any time, as often as one likes and in several processes: each step locks
one event's desk, looks again, and does what is still to be done.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select

from dynamic.database import db, now
from dynamic.registration import acts, mails
from dynamic.registration.access import all_events
from dynamic.registration.definition import Event
from dynamic.registration.models import Desk, Mailing, Registration, Transition
from dynamic.registration.places import lock_desk, lock_desk_of
from dynamic.registration.shown import answer_days
from dynamic.registration.states import ACTIVE

log = logging.getLogger(__name__)



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
    """Do what time and the records ask for; return what was done."""
    done = Ticked()
    known = set(db.session.scalars(select(Desk.event_id)))
    for event in all_events():
        if event.id in known:
            desk = lock_desk(event)
            done.lapsed += acts.lapse_offers(desk, event)
            done.told += _tell_changes(event)
            done.purged += _purge(desk, answer_days(event))
            db.session.commit()
            known.discard(event.id)
    for event_id in sorted(known):  # their records are gone: only time counts
        lost = lock_desk_of(event_id)
        if lost is not None:
            done.purged += _purge(lost, _days_without_record(lost))
        db.session.commit()
    done.deleted = _delete_old()
    if any((done.told, done.lapsed, done.purged, done.deleted)):
        log.info(
            "registration: %d told, %d offers ended, %d purged, %d deleted",
            *(done.told, done.lapsed, done.purged, done.deleted),
        )
    return done


def _tell_changes(event: Event) -> int:
    """Tell each person once what has changed about the event; past events tell nobody."""
    if event.ends_at and now() >= event.ends_at:
        return 0
    news = json.dumps(mails.news_of(event), sort_keys=True)
    told = 0
    for registration in db.session.scalars(
        select(Registration)
        .where(
            Registration.event_id == event.id,
            Registration.state.in_([state.value for state in ACTIVE]),
        )
        .order_by(Registration.arrived)
    ):
        if registration.told != news:
            mails.tell_event(event, registration)
            told += 1
    return told


def _purge(desk: Desk, days: int) -> int:
    """Delete the answers, once their days after the event are over."""
    if desk.ends is None or now() < desk.ends + timedelta(days=days):
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
    if desk.purged is None:
        desk.purged = now()
    return count


def _delete_old() -> int:
    """Delete the registrations of events long past, with all that was noted of them."""
    from flask import current_app

    days = current_app.config["SETTINGS"].event_registrations_kept_days
    before = now() - timedelta(days=days)
    old = select(Desk.event_id).where(Desk.ends.is_not(None), Desk.ends < before)
    count = 0
    for event_id in list(db.session.scalars(old)):
        desk = lock_desk_of(event_id)
        if desk is not None and desk.ends is not None and desk.ends < before:
            count += _delete(desk)
        db.session.commit()
    return count


def _days_without_record(desk: Desk) -> int:
    from flask import current_app

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
