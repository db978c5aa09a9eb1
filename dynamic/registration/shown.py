"""What templates show of events and registrations: finished words, no decisions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import current_app

from dynamic.database import now
from dynamic.registration.definition import Event
from dynamic.registration.forms import shown_answers
from dynamic.registration.models import Desk, Registration
from dynamic.registration.opening import opening
from dynamic.registration.places import find_desk, held, position, waiting
from dynamic.registration.states import State
from dynamic.registration.words import (
    counted,
    day_in_words,
    instant_in_words,
    span_in_words,
)

WORDS = {
    State.PENDING: "Waiting for the organisers",
    State.CONFIRMED: "Confirmed",
    State.WAITING: "On the waiting list",
    State.OFFERED: "A place is kept for you",
    State.DECLINED: "Declined by the organisers",
    State.WITHDRAWN: "Withdrawn",
    State.ATTENDED: "Attended",
}


def event_facts(event: Event) -> dict[str, Any]:
    """Return what a page says of an event."""
    desk = find_desk(event)
    state_of = opening(event, now(), closed_by_organiser=bool(desk and desk.closed))
    return {
        "id": event.id,
        "slug": event.slug,
        "title": event.title,
        "length": "long" if len(event.title) > 180 else "mid" if len(event.title) > 90 else "",
        "when": span_in_words(event.starts, event.ends, event.zone),
        "place": event.place,
        "url": event.url,
        "status": event.status,
        "places": places_in_words(event, desk),
        "opening": state_of.words,
        "is_open": state_of.is_open,
        "approval": event.approval,
        "kept_until": kept_until(event),
        "closed": bool(desk and desk.closed),
        "organisers": ", ".join(o.name for o in event.organisers),
    }


def places_in_words(event: Event, desk: Desk | None) -> str:
    """Return how many places are left, as it is at this moment."""
    if event.capacity is None:
        return ""
    left = max(0, event.capacity - (held(event.id) if desk else 0))
    queue = waiting(event.id) if desk else 0
    if left and not queue:
        return f"{left:,} of {counted(event.capacity, 'place')} left."
    waits = f"; {counted(queue, 'person waits', 'people wait')}" if queue else ""
    if left:
        return f"{left:,} of {counted(event.capacity, 'place')} left for the waiting list{waits}."
    return f"All {counted(event.capacity, 'place')} taken{waits}."


def registration_facts(event: Event, registration: Registration) -> dict[str, Any]:
    """Return what a page says of one registration."""
    state = registration.stands
    has_begun = bool(event.starts_at and now() >= event.starts_at)
    is_cancelled = event.status == "cancelled"
    return {
        "uid": registration.uid,
        "name": registration.name,
        "affiliation": registration.affiliation,
        "email": registration.email,
        "state": state.value,
        "word": WORDS[state],
        "position": position(registration) if state == State.WAITING else 0,
        "arrived": registration.arrived,
        "offer_ends": instant_in_words(registration.offer_ends, event.zone)
        if registration.offer_ends
        else "",
        "listed": registration.listed,
        "answers": shown_answers(event, registration),
        "is_purged": registration.answers is None,
        "made": instant_in_words(registration.made, event.zone),
        "can_withdraw": state in (State.PENDING, State.CONFIRMED, State.WAITING, State.OFFERED),
        "can_change": not has_begun
        and not is_cancelled
        and state in (State.PENDING, State.CONFIRMED, State.WAITING, State.OFFERED),
        "can_take": state == State.OFFERED and not is_cancelled,
        "can_register": state == State.WITHDRAWN and not is_cancelled,
        "has_calendar": bool(event.starts) and state not in (State.DECLINED, State.WITHDRAWN),
    }


def kept_until(event: Event) -> str:
    """Return the day on which answers are deleted, in words."""
    days = answer_days(event)
    if event.ends_at is None:
        return f"{counted(days, 'day')} after the event"
    return day_in_words((event.ends_at + timedelta(days=days)).astimezone(event.zone).date())


def answer_days(event: Event) -> int:
    """Return how many days after the event its answers are kept."""
    if event.answers_kept_days is not None:
        return event.answers_kept_days
    return int(current_app.config["SETTINGS"].event_answers_kept_days)
