"""What registration keeps of a person: told and erased on request."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from dynamic.database import db, now
from dynamic.links import revoke_links
from dynamic.privacy import PARTS, Part, Who
from dynamic.registration import mails
from dynamic.registration.models import AccountTie, Desk, Mailing, Registration, Transition
from dynamic.registration.views import CALENDAR


def known_as(who: Who) -> Who:
    """Return the accounts and addresses of registrations that are this person's."""
    found = _registrations(who)
    return Who(
        frozenset(r.subject for r in found), frozenset(r.email.strip().lower() for r in found)
    )


def export(who: Who) -> dict[str, Any]:
    """Return a person's registrations with every change of state, and what staff tied."""
    ties = db.session.scalars(select(AccountTie).where(_ties(who)).order_by(AccountTie.person_id))
    return {
        "registrations": [_told(r) for r in _registrations(who)],
        "tied_to_persons": [
            {"address": t.email, "person": t.person_id, "since": t.made.isoformat()} for t in ties
        ],
        "mails_sent_as_organiser": [
            {"event": m.event_id, "made": m.made.isoformat(), "subject": m.title}
            for m in db.session.scalars(
                select(Mailing).where(Mailing.actor.in_(sorted(who.subjects)))
            )
        ],
    }


def erase(who: Who) -> int:
    """Delete a person's registrations; a place that one held is offered by the next round.

    What the person did to others' registrations stays, without their name.
    """
    found = _registrations(who)
    for registration in found:
        mails.forget_links(registration)
        db.session.execute(delete(Transition).where(Transition.registration_id == registration.id))
        db.session.execute(
            update(Desk).where(Desk.event_id == registration.event_id).values(changed=now())
        )
        db.session.delete(registration)
    gone = len(found)
    subjects = sorted(who.subjects)
    for subject in subjects:
        gone += revoke_links(CALENDAR, subject)
    for table in (Transition, Mailing, AccountTie):
        db.session.execute(update(table).where(table.actor.in_(subjects)).values(actor=""))
    ties = db.session.execute(delete(AccountTie).where(_ties(who)))
    gone += int(ties.rowcount)  # type: ignore[attr-defined]
    return gone


def _registrations(who: Who) -> list[Registration]:
    is_theirs = or_(
        Registration.subject.in_(sorted(who.subjects)),
        func.lower(Registration.email).in_(sorted(who.addresses)),
    )
    return list(db.session.scalars(select(Registration).where(is_theirs).order_by(Registration.id)))


def _ties(who: Who) -> ColumnElement[bool]:
    return AccountTie.email.in_(sorted(who.addresses))


def _told(registration: Registration) -> dict[str, Any]:
    history = db.session.scalars(
        select(Transition)
        .where(Transition.registration_id == registration.id)
        .order_by(Transition.id)
    )
    return {
        "event": registration.event_id,
        "account": registration.subject,
        "address": registration.email,
        "name": registration.name,
        "organisation": registration.affiliation,
        "state": registration.state,
        "arrived": registration.arrived,
        "made": registration.made.isoformat(),
        "changed": registration.changed.isoformat(),
        "listed": registration.listed,
        **registration.facts(),
        "history": [
            {"from": t.before, "to": t.after, "at": t.at.isoformat(), "by": t.by} for t in history
        ],
    }


PARTS["registration"] = Part(known_as=known_as, export=export, erase=erase)
