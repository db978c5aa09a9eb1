"""Pages of a person who comes to an event: register, see, change, withdraw."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from dynamic.database import begin_writing, db, now
from dynamic.identity import only, reader, without_sign_in
from dynamic.limits import SENDING, limiter
from dynamic.links import find_link, give_link, revoke_links
from dynamic.outbox import can_be_mailed
from dynamic.registration import acts, blueprint
from dynamic.registration.access import (
    all_events,
    event_at,
    find_event,
    is_organiser,
    may_register,
    may_see,
)
from dynamic.registration.acts import Actor, Refused
from dynamic.registration.calendars import one_event, personal_calendar
from dynamic.registration.definition import Event
from dynamic.registration.forms import build_form
from dynamic.registration.models import Registration
from dynamic.registration.opening import opening
from dynamic.registration.places import find_desk
from dynamic.registration.shown import event_facts, registration_facts
from dynamic.registration.states import ACTIVE, By, State

WHO = ("member", "researcher", "student", "staff")
CALENDAR = "registration.calendar"
_IN_CALENDAR = (*ACTIVE, State.ATTENDED)


@blueprint.get("/events/")
@only(*WHO)
def my_events() -> Any:
    """Show what a person is registered for, what is open, and what they organise."""
    events = all_events()
    mine = {r.event_id: r for r in _all_mine()}
    at = now()
    is_open = {
        event.id: opening(event, at, closed_by_organiser=_is_closed(event)).is_open
        for event in events
        if event.takes_registrations and may_see(event, reader) and may_register(event, reader)
    }
    return render_template(
        "registration/mine.html",
        registered=[
            (event_facts(e), registration_facts(e, mine[e.id])) for e in events if e.id in mine
        ],
        open_events=[event_facts(e) for e in events if is_open.get(e.id) and e.id not in mine],
        organised=[
            event_facts(e)
            for e in events
            if e.takes_registrations and "staff" not in reader.groups and is_organiser(e, reader)
        ],
        is_staff="staff" in reader.groups,
    )


@blueprint.route("/events/<slug>/register", methods=["GET", "POST"])
@only(*WHO)
@limiter.limit(SENDING, methods=["POST"])
def register(slug: str) -> Any:
    """Show the form of an event; a POST registers, once."""
    event = event_at(slug, reader)
    known = acts.find(event, reader.subject)
    if known is not None and known.stands not in (State.WITHDRAWN, State.DECLINED):
        return redirect(url_for("registration.registration", slug=slug), 303)
    state_of = opening(event, now(), closed_by_organiser=_is_closed(event))
    refusal = _refusal(event, known)
    form = build_form(event, known, reader.name)
    if refusal or not state_of.is_open:
        code = 200 if request.method == "GET" else 409
        return _form_page(event, form, refusal or state_of.words, is_open=False), code
    if not form.validate_on_submit():
        code = 422 if request.method == "POST" else 200
        return _form_page(event, form, state_of.words), code
    try:
        acts.register(event, reader, form.answers())
    except Refused as refused:
        db.session.rollback()
        return _form_page(event, form, str(refused), is_open=False), 409
    return redirect(url_for("registration.registration", slug=slug), 303)


@blueprint.get("/events/<slug>/registration")
@only(*WHO)
def registration(slug: str) -> Any:
    """Show a person where their registration stands."""
    event, known = _mine(slug)
    return render_template(
        "registration/registration.html",
        event=event_facts(event),
        registration=registration_facts(event, known),
        is_mine=True,
    )


@blueprint.route("/events/<slug>/change", methods=["GET", "POST"])
@only(*WHO)
def change(slug: str) -> Any:
    """Show a person's answers to be changed; a POST changes them."""
    event, known = _mine(slug)
    here = url_for("registration.registration", slug=slug)
    return change_page(event, known, Actor(By.PERSON, reader.subject), here)


@blueprint.post("/events/<slug>/withdraw")
@only(*WHO)
def withdraw(slug: str) -> Any:
    """Withdraw a person's own registration."""
    event, known = _mine(slug)
    return _act(slug, lambda: acts.withdraw(event, known.uid, _self()))


@blueprint.post("/events/<slug>/take")
@only(*WHO)
def take(slug: str) -> Any:
    """Take a place that was offered."""
    event, known = _mine(slug)
    return _act(slug, lambda: acts.take_offer(event, known.uid, _self()))


@blueprint.get("/events/<slug>/event.ics")
@only(*WHO)
def calendar_file(slug: str) -> Any:
    """Return the calendar file of a person's own registration."""
    event, known = _mine(slug)
    if not event.starts or known.stands not in _IN_CALENDAR:
        abort(404)
    answer = _ics(one_event(event, known))
    answer.headers["Content-Disposition"] = f'attachment; filename="{event.slug}.ics"'
    return answer


@blueprint.route("/events/calendar", methods=["GET", "POST"])
@only(*WHO)
def calendar_address() -> Any:
    """Give a person the secret address of their calendar, or take it back."""
    address = ""
    target = reader.subject
    if request.method == "POST":
        begin_writing()
        revoke_links(CALENDAR, target)
        if request.form.get("act") == "give":
            token = give_link(CALENDAR, target, expires=None)
            siteurl = current_app.config["SETTINGS"].siteurl
            address = f"{siteurl}{url_for('registration.calendar', token=token)}"
        db.session.commit()
    return render_template("registration/calendar.html", address=address, method=request.method)


@blueprint.get("/calendars/<token>.ics")
@without_sign_in
def calendar(token: str) -> Any:
    """Return a person's calendar to whoever has its address; read-only, and revocable."""
    link = find_link(token)
    if link is None or link.purpose != CALENDAR:
        abort(404)
    statement = select(Registration).where(
        Registration.subject == link.target, Registration.state.in_([s.value for s in _IN_CALENDAR])
    )
    found = [(find_event(r.event_id), r) for r in db.session.scalars(statement)]
    answer = _ics(personal_calendar((e, r) for e, r in found if e is not None))
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def change_page(event: Event, known: Registration, actor: Actor, then: str) -> Any:
    """Show or take the form that changes a registration; `then` is where it leads."""
    form = build_form(event, known)
    words = ""
    if known.stands in (State.WITHDRAWN, State.DECLINED, State.ATTENDED):
        return _form_page(event, form, "This registration can no longer be changed.", False), 409
    if event.starts_at and now() >= event.starts_at:
        words = "The event has begun: answers can no longer be changed."
        return _form_page(event, form, words, is_open=False), 409
    if not form.validate_on_submit():
        code = 422 if request.method == "POST" else 200
        return _form_page(event, form, words, known=known), code
    try:
        acts.change(event, known.uid, form.answers(), actor)
    except Refused as refused:
        db.session.rollback()
        return _form_page(event, form, str(refused), known=known, is_refused=True), 409
    flash("Your answers are changed.")
    return redirect(then, 303)


def _form_page(
    event: Event,
    form: Any,
    words: str,
    is_open: bool = True,
    *,
    known: Registration | None = None,
    is_refused: bool = False,
) -> str:
    return render_template(
        "registration/form.html",
        event=event_facts(event),
        form=form,
        words=words,
        is_open=is_open,
        known=registration_facts(event, known) if known else None,
        is_refused=is_refused,
    )


def _refusal(event: Event, known: Registration | None) -> str:
    if not may_register(event, reader):
        return "This event is not for your account: it is for " + _listed(event.groups) + "."
    if not can_be_mailed(reader.email):
        return (
            "Your account has no confirmed address for mail, and we could not write to you. Add"
            " one to your account first."
        )
    if known is not None and known.stands == State.DECLINED:
        return "The organisers could not offer you a place. Please speak with them."
    return ""


def _listed(groups: frozenset[str]) -> str:
    names = sorted(f"{group}s" for group in groups)
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "nobody"


def _mine(slug: str) -> tuple[Event, Registration]:
    event = event_at(slug, reader)
    known = acts.find(event, reader.subject)
    if known is None:
        abort(404)
    return event, known


def _act(slug: str, act: Any) -> Any:
    try:
        act()
    except Refused as refused:
        db.session.rollback()
        flash(str(refused))
    return redirect(url_for("registration.registration", slug=slug), 303)


def _all_mine() -> list[Registration]:
    statement = select(Registration).where(
        Registration.subject == reader.subject, Registration.state != State.WITHDRAWN.value
    )
    return list(db.session.scalars(statement))


def _self() -> Actor:
    return Actor(By.PERSON, reader.subject)


def _is_closed(event: Event) -> bool:
    desk = find_desk(event)
    return desk is not None and desk.closed is not None


def _ics(content: bytes) -> Response:
    return Response(content, content_type="text/calendar; charset=utf-8")
