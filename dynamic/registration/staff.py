"""Pages of staff: all events, and which account belongs to which organiser."""

from __future__ import annotations

import re
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from dynamic.database import begin_writing, db, now
from dynamic.identity import only, reader
from dynamic.registration import blueprint
from dynamic.registration.access import all_events
from dynamic.registration.forms import offer
from dynamic.registration.models import AccountTie
from dynamic.registration.shown import event_facts
from dynamic.registration.words import day_in_words
from dynamic.words import one_line

_ADDRESS = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")


class TieForm(FlaskForm):
    """Which account belongs to which person."""

    email = StringField(
        "Confirmed address of the account",
        [InputRequired("Write the address."), Length(max=320)],
    )
    person = SelectField("Person", validators=[InputRequired("Choose a person.")])

    def validate_email(self, field: StringField) -> None:
        """An address, in the form in which it is compared."""
        field.data = one_line(field.data).casefold()
        if not _ADDRESS.fullmatch(field.data):
            raise ValidationError("Write it with an @, such as name@university.example")


@blueprint.get("/events/all")
@only("staff")
def all_desks() -> Any:
    """Show every event that takes registrations, the latest first."""
    events = [event_facts(e) for e in reversed(all_events()) if e.takes_registrations]
    return render_template("registration/desks.html", events=events)


@blueprint.route("/events/accounts", methods=["GET", "POST"])
@only("staff")
def accounts() -> Any:
    """Show which accounts staff tied to organisers; a POST ties or unties one."""
    if request.form.get("act") == "untie":
        _untie(request.form.get("tie", ""))
        return redirect(url_for("registration.accounts"), 303)
    people = {o.id: o.name for event in all_events() for o in event.organisers}
    form: Any = TieForm()  # type: ignore[no-untyped-call]
    in_order = sorted(people.items(), key=lambda pair: pair[1].casefold())
    form.person.choices = offer(dict(in_order))
    if form.validate_on_submit():
        _tie(form.email.data, form.person.data)
        flash(f"{form.email.data} now organises the events of {people[form.person.data]}.")
        return redirect(url_for("registration.accounts"), 303)
    ties = db.session.scalars(select(AccountTie).order_by(AccountTie.email, AccountTie.person_id))
    page = render_template(
        "registration/accounts.html",
        form=form,
        ties=[
            {
                "id": tie.id,
                "email": tie.email,
                "person": people.get(tie.person_id, tie.person_id),
                "made": day_in_words(tie.made.date()),
            }
            for tie in ties
        ],
    )
    return page, 422 if request.method == "POST" else 200


def _tie(email: str, person_id: str) -> None:
    db.session.rollback()
    begin_writing()
    try:
        with db.session.begin_nested():
            tie = AccountTie(email=email, person_id=person_id, actor=reader.subject, made=now())
            db.session.add(tie)
    except IntegrityError:
        pass  # it is tied already
    db.session.commit()


def _untie(number: str) -> None:
    db.session.rollback()
    begin_writing()
    tie = (
        db.session.get(AccountTie, int(number)) if number.isdecimal() and len(number) < 10 else None
    )
    if tie is not None:
        db.session.delete(tie)
        flash(f"{tie.email} is no longer tied.")
    db.session.commit()
