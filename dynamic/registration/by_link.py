"""What the signed links in mails open: change, withdraw, take or leave an offered place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, render_template, request, url_for
from flask_wtf import FlaskForm

from dynamic.database import db
from dynamic.link_pages import PAGES
from dynamic.links import Link
from dynamic.registration import acts
from dynamic.registration.access import find_event
from dynamic.registration.acts import Actor, Refused
from dynamic.registration.definition import Event
from dynamic.registration.mails import CHANGE, OFFER, WITHDRAW
from dynamic.registration.models import Registration
from dynamic.registration.shown import event_facts, registration_facts
from dynamic.registration.states import By, State
from dynamic.registration.views import change_page

_LINK = Actor(By.LINK)


def change_by_link(link: Link) -> Any:
    """Show the answers to be changed; a POST changes them."""
    event, registration = _found(link)
    if request.method == "GET" and request.args.get("done"):
        return _show(event, registration, "Your answers are changed.")
    here = url_for("links.open_link", **(request.view_args or {}), done=1)
    return change_page(event, registration, _LINK, here)


def withdraw_by_link(link: Link) -> Any:
    """Ask whether to withdraw; a POST does."""
    event, registration = _found(link)
    if request.method == "POST":
        return _act(event, registration, acts.withdraw)
    return _show(event, registration, "", ask="withdraw")


def offer_by_link(link: Link) -> Any:
    """Ask whether to take the place; a POST takes it or leaves it."""
    event, registration = _found(link)
    if request.method == "POST":
        leaves = request.form.get("act") == "leave"
        return _act(event, registration, acts.withdraw if leaves else acts.take_offer)
    return _show(event, registration, "", ask="offer")


def _act(
    event: Event,
    registration: Registration,
    act: Callable[[Event, str, Actor], Registration],
) -> Any:
    try:
        registration = act(event, registration.uid, _LINK)
    except Refused as refused:
        uid = registration.uid
        db.session.rollback()
        found = acts.find_by_uid(event, uid)
        if found is None:
            abort(410)
        return _show(event, found, str(refused)), 409
    return _show(event, registration, "")


def _show(event: Event, registration: Registration, words: str, ask: str = "") -> str:
    if registration.stands == State.WITHDRAWN:
        ask = ""
    return render_template(
        "registration/by_link.html",
        event=event_facts(event),
        registration=registration_facts(event, registration),
        words=words,
        ask=ask,
        form=FlaskForm(),
    )


def _found(link: Link) -> tuple[Event, Registration]:
    registration = db.session.query(Registration).filter_by(uid=link.target).one_or_none()
    event = find_event(registration.event_id) if registration else None
    if registration is None or event is None:
        abort(410)
    return event, registration


PAGES[CHANGE] = change_by_link
PAGES[WITHDRAW] = withdraw_by_link
PAGES[OFFER] = offer_by_link
