"""Staff tie accounts to people of the records. They do not read CVs here, nor anywhere."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy import select

from dynamic.cv.forms import PersonForm, person_id_in
from dynamic.cv.models import AccountPerson, Cv
from dynamic.database import begin_writing, db, now
from dynamic.identity import only, reader
from dynamic.records import find_record
from dynamic.service_export import want_export

blueprint = Blueprint("cv_staff", __name__, url_prefix="/services/cv/staff")


@blueprint.get("/")
@only("staff")
def people() -> Any:
    """List the accounts with a CV and the people that they are tied to."""
    return _show()


@blueprint.post("/<cv_id>/person")
@only("staff")
def tie(cv_id: str) -> Any:
    """Tie the account of a CV to a person, or untie it."""
    form = PersonForm()
    if not form.validate_on_submit():
        if "csrf_token" in form.errors:
            abort(400)
        return _show("That is not an identifier."), 422
    person_id = person_id_in(form.person.data or "")
    if person_id and find_record("person", person_id, for_members=True) is None:
        return _show(f"There is no person {person_id} in the records of the last build."), 422
    begin_writing()
    cv = db.session.get(Cv, cv_id) if len(cv_id) == 32 else None
    if cv is None:
        abort(404)
    known = db.session.get(AccountPerson, cv.subject)
    if not person_id:
        if known:
            db.session.delete(known)
    elif known is None:
        db.session.add(
            AccountPerson(
                subject=cv.subject, person_id=person_id, tied_by=reader.subject, tied=now()
            )
        )
    elif known.person_id != person_id:
        known.person_id, known.tied_by, known.tied = person_id, reader.subject, now()
    db.session.commit()
    want_export()
    return redirect(url_for(".people", done="saved"), 303)


def _show(problem: str = "") -> str:
    ties = {tie.subject: tie for tie in db.session.scalars(select(AccountPerson))}
    accounts = []
    for cv in db.session.scalars(select(Cv).order_by(Cv.name, Cv.id)):
        known = ties.get(cv.subject)
        person = find_record("person", known.person_id, for_members=True) if known else None
        accounts.append({"cv": cv, "tie": known, "person": person})
    return render_template(
        "cv/staff.html", accounts=accounts, problem=problem, done=request.args.get("done", "")
    )
