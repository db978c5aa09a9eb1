"""Pages of an event's organisers: list, CSV, mail, check-in, approval, closing."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, session, url_for
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from dynamic.database import db, now
from dynamic.identity import only, reader
from dynamic.limits import SENDING, limiter
from dynamic.registration import acts, blueprint, mails
from dynamic.registration.access import organisers_only
from dynamic.registration.acts import Actor, Refused
from dynamic.registration.definition import Event
from dynamic.registration.forms import offer
from dynamic.registration.models import Mailing, Registration
from dynamic.registration.places import lock_desk
from dynamic.registration.search import matches
from dynamic.registration.shown import WORDS, event_facts, registration_facts
from dynamic.registration.states import By, State
from dynamic.registration.tables import participants_csv
from dynamic.words import one_line, plain_text

WHO = ("member", "researcher", "student", "staff")
ORDER = (
    State.PENDING,
    State.CONFIRMED,
    State.ATTENDED,
    State.OFFERED,
    State.WAITING,
    State.DECLINED,
    State.WITHDRAWN,
)
ACTS: dict[str, tuple[Callable[[Event, str, Actor], Registration], str]] = {
    "admit": (acts.admit, "{name}: {word}."),
    "decline": (acts.decline, "{name} is declined and was told so."),
    "check-in": (acts.check_in, "{name} is here."),
    "undo": (acts.undo_check_in, "{name} is not checked in any more."),
}
AUDIENCES = {
    "confirmed": ("Everyone with a place", (State.CONFIRMED, State.ATTENDED)),
    "waiting": ("The waiting list", (State.WAITING, State.OFFERED)),
    "pending": ("Those who wait for your answer", (State.PENDING,)),
    "attended": ("Those who came", (State.ATTENDED,)),
}


class MailForm(FlaskForm):
    """A mail to participants."""

    whom = RadioField(
        "To whom?",
        choices=offer({key: words for key, (words, _) in AUDIENCES.items()}),
        validators=[InputRequired("Choose to whom it goes.")],
    )
    title = StringField("Subject", [InputRequired("Write a subject."), Length(max=150)])
    text = TextAreaField("Text", [InputRequired("Write a text."), Length(max=10000)])
    nonce = HiddenField(validators=[Length(min=16, max=64)])

    def validate_title(self, field: StringField) -> None:
        """A subject is one line."""
        field.data = one_line(field.data)
        if not field.data:
            raise ValidationError("Write a subject.")

    def validate_text(self, field: TextAreaField) -> None:
        """Something that can be read."""
        field.data = plain_text(field.data)
        if not field.data:
            raise ValidationError("Write a text.")


@blueprint.get("/events/<slug>/organise")
@only(*WHO)
def organise(slug: str) -> Any:
    """Show an event's registrations to its organisers."""
    event = organisers_only(slug, reader)
    words = request.args.get("q", "")[:200]
    found = [r for r in registrations(event) if matches(words, r.name, r.affiliation)]
    counts = Counter(r.stands for r in registrations(event))
    groups = [
        {
            "state": state.value,
            "word": WORDS[state].replace(" for you", ""),
            "rows": [registration_facts(event, r) for r in found if r.stands == state],
        }
        for state in ORDER
    ]
    return render_template(
        "registration/organise.html",
        event=event_facts(event),
        groups=[group for group in groups if group["rows"]],
        counts=[(WORDS[s].replace(" for you", ""), counts[s]) for s in ORDER if counts[s]],
        words=words,
        form=FlaskForm(),
    )


@blueprint.get("/events/<slug>/participants.csv")
@only(*WHO)
def participants_file(slug: str) -> Any:
    """Return an event's registrations as a table for spreadsheets."""
    event = organisers_only(slug, reader)
    content = participants_csv(event, registrations(event))
    answer = Response(content, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{event.slug}.csv"'
    return answer


@blueprint.get("/events/<slug>/check-in")
@only(*WHO)
def check_in(slug: str) -> Any:
    """Show who has a place, found by name, each with one button: made for a phone at a door."""
    event = organisers_only(slug, reader)
    words = request.args.get("q", "")[:200]
    with_place = [r for r in registrations(event) if r.stands in (State.CONFIRMED, State.ATTENDED)]
    found = [r for r in with_place if matches(words, r.name, r.affiliation)]
    found.sort(key=lambda r: (r.stands == State.ATTENDED, r.name.casefold()))
    return render_template(
        "registration/check_in.html",
        event=event_facts(event),
        found=[registration_facts(event, r) for r in found],
        here=sum(r.stands == State.ATTENDED for r in with_place),
        all=len(with_place),
        words=words,
        form=FlaskForm(),
    )


@blueprint.post("/events/<slug>/participants/<uid>/<act>")
@only(*WHO)
def act_on(slug: str, uid: str, act: str) -> Any:
    """Admit, decline, check in, or take a check-in back."""
    event = organisers_only(slug, reader)
    if act not in ACTS or acts.find_by_uid(event, uid) is None:
        abort(404)
    do, words = ACTS[act]
    try:
        done = do(event, uid, Actor(By.ORGANISER, reader.subject))
        flash(words.format(name=done.name, word=WORDS[done.stands].lower()))
    except Refused as refused:
        db.session.rollback()
        flash(str(refused))
    page = "check_in" if act in ("check-in", "undo") else "organise"
    back = request.form.get("q", "")[:200] if act != "check-in" else None
    return redirect(url_for(f"registration.{page}", slug=slug, q=back or None), 303)


@blueprint.post("/events/<slug>/closing")
@only(*WHO)
def closing(slug: str) -> Any:
    """Close registration at once, or open it again."""
    event = organisers_only(slug, reader)
    is_closed = request.form.get("act") == "close"
    acts.close(event, is_closed=is_closed)
    flash("Registration is closed." if is_closed else "Registration is open as its dates allow.")
    return redirect(url_for("registration.organise", slug=slug), 303)


@blueprint.route("/events/<slug>/mail", methods=["GET", "POST"])
@only(*WHO)
@limiter.limit(SENDING, methods=["POST"])
def mail(slug: str) -> Any:
    """Show an organiser what a mail to participants will look like; the second POST sends it."""
    event = organisers_only(slug, reader)
    first = {"whom": "confirmed", "nonce": secrets.token_hex(16)}
    form: Any = MailForm(data=first)  # type: ignore[no-untyped-call]
    counts = Counter(r.stands for r in registrations(event))
    recipients = {
        key: sum(counts[state] for state in states) for key, (_, states) in AUDIENCES.items()
    }
    if not form.validate_on_submit():
        code = 422 if request.method == "POST" else 200
        return _mail_page(event, form, recipients), code
    if request.form.get("act") != "send":
        return _mail_page(event, form, recipients, is_preview=True)
    sent = send_to_participants(event, form)
    flash(f"Sent to {sent}." if sent else "This mail was sent before; nothing was sent again.")
    session.modified = True
    return redirect(url_for("registration.organise", slug=slug), 303)


def send_to_participants(event: Event, form: Any) -> int:
    """Put a mail to each participant into the outbox, once; return to how many."""
    lock_desk(event)
    states = AUDIENCES[form.whom.data][1]
    found = [r for r in registrations(event) if r.stands in states]
    mailing = Mailing(
        nonce=form.nonce.data,
        event_id=event.id,
        actor=reader.subject,
        made=now(),
        whom=form.whom.data,
        recipients=len(found),
        title=form.title.data,
    )
    try:
        with db.session.begin_nested():
            db.session.add(mailing)
    except IntegrityError:
        db.session.rollback()
        return 0
    for registration in found:
        mails.tell_from_organiser(
            event, registration, form.title.data, form.text.data, reader.name, reader.email
        )
    db.session.commit()
    return len(found)


def registrations(event: Event) -> list[Registration]:
    """Return an event's registrations in order of arrival."""
    statement = (
        select(Registration).where(Registration.event_id == event.id).order_by(Registration.arrived)
    )
    return list(db.session.scalars(statement))


def _mail_page(
    event: Event, form: Any, recipients: dict[str, int], *, is_preview: bool = False
) -> str:
    return render_template(
        "registration/mail.html",
        event=event_facts(event),
        form=form,
        recipients=recipients,
        is_preview=is_preview,
    )
