"""What people are told by mail: each with a subject, a reason, a calendar and a way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

from flask import current_app

from dynamic.database import now
from dynamic.links import give_link, revoke_links
from dynamic.outbox import queue_mail
from dynamic.registration.calendars import cancel, invite
from dynamic.registration.definition import Event
from dynamic.registration.models import Registration
from dynamic.registration.places import position
from dynamic.registration.states import ACTIVE, State
from dynamic.registration.words import instant_in_words, span_in_words

CHANGE, WITHDRAW, OFFER = "registration.change", "registration.withdraw", "registration.offer"
PURPOSES = (CHANGE, WITHDRAW, OFFER)
_AFTER_THE_END = timedelta(days=1)
_WITHOUT_DATE = timedelta(days=365)


def tell_state(event: Event, registration: Registration) -> None:
    """Tell a person where the registration stands now."""
    subject, text = _STATES[registration.stands](event, registration)
    is_over = registration.stands in (State.WITHDRAWN, State.DECLINED)
    _send(event, registration, subject, text, is_gone=is_over)


def tell_lapsed(event: Event, registration: Registration) -> None:
    """Tell a person that an offer has passed and the place went to the next."""
    text = (
        f"A place at {event.title} was kept for you until the offer ended, and you did not take"
        " it up. It has been offered to the next on the waiting list.\n\n"
        "Your registration is withdrawn. If you still want to come, register again: you then"
        f" stand at the end of the waiting list.\n\n{_page(event, 'register')}"
    )
    _send(event, registration, f"Offer ended: {event.title}", text, is_gone=True)


def tell_change(event: Event, registration: Registration) -> None:
    """Tell a person that their own answers were changed."""
    text = f"Your answers for {event.title} are changed as you asked.\n\n{_facts(event)}"
    _send(event, registration, f"Changed: {event.title}", text)


def tell_event(event: Event, registration: Registration) -> None:
    """Tell a person what has changed about the event since they were last told."""
    before = json.loads(registration.told)
    subject, text, is_gone = _event_news(event, before)
    _send(event, registration, subject, f"{text}\n\n{_facts(event)}", is_gone=is_gone)


def tell_from_organiser(
    event: Event, registration: Registration, subject: str, text: str, organiser: str, email: str
) -> None:
    """Hand on what an organiser writes to a participant."""
    answer = f"Answers reach {organiser} at {email}." if email else "Nobody reads answers to it."
    body = f"{text}\n\n{organiser}, for the organisers of {event.title}.\n{answer}"
    _send(event, registration, f"{event.title}: {subject}", body)


def news_of(event: Event) -> dict[str, str]:
    """Return those facts of an event that people must be told when they change."""
    return {
        "starts": event.starts,
        "ends": event.ends,
        "zone": event.zone.key,
        "place": event.place,
        "status": event.status,
    }


def forget_links(registration: Registration) -> None:
    """Take back every link that was sent to a person for this registration."""
    for purpose in PURPOSES:
        revoke_links(purpose, registration.uid)


def link_address(token: str) -> str:
    """Return the full address of a signed link."""
    return f"{current_app.config['SETTINGS'].siteurl}/services/links/{token}"


def _send(
    event: Event, registration: Registration, subject: str, text: str, *, is_gone: bool = False
) -> None:
    entry = cancel(event, registration) if is_gone else invite(event, registration)
    registration.sequence += 1
    registration.told = json.dumps(news_of(event), sort_keys=True)
    if registration.stands in ACTIVE and event.status != "cancelled":
        text = f"{text.rstrip()}\n\n{_ways(event, registration)}"
    queue_mail(
        registration.email,
        subject,
        text,
        reason=_reason(event, registration),
        calendar=(entry.method, entry.content) if entry else None,
    )


def _ways(event: Event, registration: Registration) -> str:
    """Return the links that a person needs no sign-in for: nothing happens by opening one."""
    end = (event.ends_at or now() + _WITHOUT_DATE) + _AFTER_THE_END
    lines: list[str] = []
    if registration.stands == State.OFFERED:
        token = give_link(OFFER, registration.uid, expires=registration.offer_ends)
        lines += ["Take the place or leave it:", link_address(token), ""]
    if not event.starts_at or event.starts_at > now():
        closes = event.starts_at or end
        token = give_link(CHANGE, registration.uid, expires=closes)
        lines += ["See or change your answers:", link_address(token), ""]
    token = give_link(WITHDRAW, registration.uid, expires=end)
    lines += ["Withdraw, so that somebody else can come:", link_address(token), ""]
    lines.append("Whoever holds these links can use them: do not hand this mail on.")
    return "\n".join(lines)


def _reason(event: Event, registration: Registration) -> str:
    said = f"You get this mail because you registered for {event.title}."
    if registration.stands in ACTIVE and event.status != "cancelled":
        return f"{said} To get no more, withdraw by the link above."
    return f"{said} You get no more unless you register again."


def _facts(event: Event) -> str:
    lines = [f"When: {span_in_words(event.starts, event.ends, event.zone)}"]
    if event.place:
        lines.append(f"Where: {event.place}")
    lines.append(f"Page: {current_app.config['SETTINGS'].siteurl}{event.url}")
    return "\n".join(lines)


def _page(event: Event, page: str) -> str:
    return f"{current_app.config['SETTINGS'].siteurl}/services/events/{event.slug}/{page}"


def _confirmed(event: Event, registration: Registration) -> tuple[str, str]:
    text = f"You have a place at {event.title}. We look forward to seeing you.\n\n{_facts(event)}"
    return f"Confirmed: {event.title}", text


def _pending(event: Event, registration: Registration) -> tuple[str, str]:
    text = (
        f"Your registration for {event.title} has arrived. The organisers look at each one; you"
        f" get a mail when they have decided.\n\n{_facts(event)}"
    )
    return f"Received: {event.title}", text


def _waiting(event: Event, registration: Registration) -> tuple[str, str]:
    text = (
        f"All places at {event.title} are taken. You stand on the waiting list, at number"
        f" {position(registration)} in order of arrival. When a place comes free for you, you get"
        f" a mail with an offer.\n\n{_facts(event)}"
    )
    return f"Waiting list: {event.title}", text


def _offered(event: Event, registration: Registration) -> tuple[str, str]:
    assert registration.offer_ends is not None
    until = instant_in_words(registration.offer_ends, event.zone)
    text = (
        f"A place at {event.title} has come free. It is kept for you until {until}; after that"
        f" it goes to the next.\n\n{_facts(event)}"
    )
    return f"A place for you: {event.title}", text


def _withdrawn(event: Event, registration: Registration) -> tuple[str, str]:
    text = (
        f"Your registration for {event.title} is withdrawn. If you did not mean to, register"
        f" again: {_page(event, 'register')}"
    )
    return f"Withdrawn: {event.title}", text


def _declined(event: Event, registration: Registration) -> tuple[str, str]:
    names = ", ".join(o.name for o in event.organisers)
    ask = f" If you have questions, ask them: {names}." if names else ""
    text = f"The organisers of {event.title} cannot offer you a place.{ask}"
    return f"No place: {event.title}", text


_STATES: dict[State, Callable[[Event, Registration], tuple[str, str]]] = {
    State.CONFIRMED: _confirmed,
    State.ATTENDED: _confirmed,
    State.PENDING: _pending,
    State.WAITING: _waiting,
    State.OFFERED: _offered,
    State.WITHDRAWN: _withdrawn,
    State.DECLINED: _declined,
}


def _event_news(event: Event, before: dict[str, str]) -> tuple[str, str, bool]:
    """Return subject, text, and whether the entry leaves people's calendars."""
    has_moved = (event.starts, event.ends, event.zone.key) != (
        before.get("starts"),
        before.get("ends"),
        before.get("zone"),
    )
    status = before.get("status")
    if event.status == "cancelled":
        text = f"{event.title} is cancelled and will not take place. There is nothing to do."
        return f"Cancelled: {event.title}", text, True
    if event.status == "postponed" and not has_moved:
        text = (
            f"{event.title} is postponed: it does not take place at the time below. A new date"
            " will follow by mail. Your registration stays as it is, until you withdraw."
        )
        return f"Postponed: {event.title}", text, True
    if event.status == "postponed" or (status == "postponed" and has_moved):
        text = f"{event.title} has a new date. Your registration stays, unless you withdraw."
        return f"New date: {event.title}", text, False
    if status in ("cancelled", "postponed"):
        text = f"{event.title} takes place after all. Your registration stays as it was."
        return f"Takes place: {event.title}", text, False
    changed = []
    if has_moved:
        changed.append("a new time")
    if event.place != before.get("place"):
        changed.append("a new place")
    text = f"{event.title} has {' and '.join(changed) or 'changed'}. Your registration stays."
    return f"Changed: {event.title}", text, False
