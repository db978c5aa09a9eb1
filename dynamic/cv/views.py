"""A student's own CV: send, see, change, renew, withdraw, take along. Nobody else's."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from dynamic.cv import archive, mails, shelf
from dynamic.cv.companies import companies, name_of
from dynamic.cv.consent import CONSENTS, CURRENT
from dynamic.cv.download import as_attachment
from dynamic.cv.forms import ConfirmForm, CvForm, RenewForm
from dynamic.cv.inspection import Inspected, inspect
from dynamic.cv.models import AVAILABILITY, DEGREES, Cv
from dynamic.cv.refusals import WARNINGS, Refused
from dynamic.cv.spool import Spooled, spooled
from dynamic.database import db
from dynamic.errors import Unavailable
from dynamic.identity import reader
from dynamic.limits import MEGABYTE, limiter
from dynamic.outbox import can_be_mailed

blueprint = Blueprint("cv", __name__, url_prefix="/services/cv")

LARGEST_BODY = 12 * MEGABYTE
"""Bytes of the largest request: a CV with all that is entered beside it."""
_LONGEST_FILE_NAME = 200
_NO_ADDRESS = (
    "Your account has no confirmed address for mail, so no company could write to you. Confirm"
    " one where you sign in, sign in again, and come back."
)


@blueprint.url_value_preprocessor
def _accept_files(endpoint: str | None, values: dict[str, Any] | None) -> None:
    # Before anything looks into the form: only here may a request be larger than a megabyte.
    if endpoint == "cv.edit":
        request.max_content_length = LARGEST_BODY
        request.max_form_parts = 600


@blueprint.get("/")
def overview() -> Any:
    """Show the reader's own CV, what employers see, and who opened it."""
    cv = shelf.cv_of(reader.subject)
    if cv is None:
        _students_only()
        return render_template("cv/none.html", done=request.args.get("done", ""))
    return render_template(
        "cv/overview.html",
        cv=cv,
        done=request.args.get("done", ""),
        degree=DEGREES[cv.degree],
        availability=[AVAILABILITY[key] for key in cv.availability.split()],
        warnings=[WARNINGS[code] for code in cv.warnings.split()],
        consent=CONSENTS[cv.consent],
        newer="" if cv.consent == CURRENT else CONSENTS[CURRENT],
        newer_version=CURRENT,
        sees=[name for slug, name in companies().items() if cv.may_read(slug)],
        blocked=[name_of(slug) for slug in cv.named("blocked")],
        receipts=[(one, name_of(one.company)) for one in cv.receipts[:200]],
        form=ConfirmForm(),
        person=_person(),
    )


@blueprint.route("/edit", methods=["GET", "POST"])
@limiter.limit("30 per hour", methods=["POST"])
def edit() -> Any:
    """Ask for a CV and what belongs to it, or change it."""
    cv = shelf.cv_of(reader.subject)
    if cv is None:
        _students_only()
    form = CvForm(companies=_companies_for(cv), **_entered(cv))
    if not can_be_mailed(reader.email):
        return _show(form, cv, trouble=_NO_ADDRESS)
    if request.method == "GET":
        return _show(form, cv)
    upload = request.files.get("file")
    is_valid = form.validate_on_submit()
    if "csrf_token" in form.errors:
        abort(400)
    settings = current_app.config["SETTINGS"]
    try:
        if upload is None or not upload.filename:
            if cv is None:
                raise Refused("missing")
            return _save(form, None) if is_valid else _show(form, cv)
        with spooled(cast(BinaryIO, upload.stream), settings.var / "cv-spool") as file:
            found = inspect(file.path, clamd=settings.clamd)
            if not is_valid:
                return _show(form, cv, file_was_good=True)
            return _save(form, (file, found, _shown_name(upload)))
    except Refused as refused:
        form.file.errors = [refused.words]
        return _show(form, cv)
    except shelf.NotGone as error:
        return _not_gone(error)
    except Unavailable as error:
        # The form comes back as it was filled in: only the file must be chosen again. The CV
        # may be another one by now, or gone.
        db.session.rollback()
        page, _ = _show(form, shelf.cv_of(reader.subject), trouble=str(error))
        return page, 503, {"Retry-After": str(error.retry_after)}


@blueprint.get("/file")
def file() -> Response:
    """Give the reader's own file back, to be saved and never shown by the browser."""
    cv = _own()
    return as_attachment(shelf.store().open(cv.object), cv.kind, cv.file_name, cv.size)


@blueprint.get("/everything.zip")
@limiter.limit("30 per hour")
def everything() -> Response:
    """Give the reader all that is kept about their CV, the file included."""
    return archive.send(_own())


@blueprint.post("/renew")
def renew() -> Any:
    """Show the CV for another year."""
    cv = _own()
    form = RenewForm()
    agreed = form.validate_on_submit() and (cv.consent == CURRENT or form.consent.data)
    if "csrf_token" in form.errors:
        abort(400)
    if not agreed:
        return redirect(url_for(".overview", done="not-renewed", _anchor="renewal"), 303)
    shelf.renew(cv)
    return redirect(url_for(".overview", done="renewed"), 303)


@blueprint.route("/withdraw", methods=["GET", "POST"])
def withdraw() -> Any:
    """Say what withdrawing does; on POST remove everything, and only then say that it is done."""
    cv = shelf.cv_of(reader.subject)
    if cv is None:
        return redirect(url_for(".overview", done="withdrawn"), 303)
    form = ConfirmForm()
    if not form.validate_on_submit():
        return render_template("cv/withdraw.html", cv=cv, form=form)
    try:
        shelf.withdraw(cv, queue=mails.queue_withdrawn)
    except shelf.NotGone as error:
        return _not_gone(error)
    return redirect(url_for(".overview", done="withdrawn"), 303)


@blueprint.errorhandler(RequestEntityTooLarge)
def _too_large(error: RequestEntityTooLarge) -> Any:
    return (
        render_template(
            "error.html", heading="The file is too large", text=Refused("too-large").words
        ),
        413,
    )


def _save(form: CvForm, file: tuple[Spooled, Inspected, str] | None) -> Any:
    is_new = shelf.cv_of(reader.subject) is None
    shelf.land(
        reader.subject,
        form.entry(reader.email),
        file,
        queue=mails.queue_receipt if file else lambda cv: None,
        hide_until_night=bool(form.hide.data),
    )
    done = "received" if is_new else "replaced" if file else "changed"
    return redirect(url_for(".overview", done=done), 303)


def _show(
    form: CvForm, cv: Cv | None, *, trouble: str = "", file_was_good: bool = False
) -> tuple[str, int]:
    page = render_template(
        "cv/edit.html",
        form=form,
        cv=cv,
        trouble=trouble,
        file_was_good=file_was_good,
        consent=CONSENTS[CURRENT],
        consent_version=CURRENT,
        companies=companies(),
        email=reader.email,
    )
    return page, 200 if request.method == "GET" else 422


def _not_gone(error: shelf.NotGone) -> Any:
    page = render_template("error.html", heading="Not yet done everywhere", text=str(error))
    return page, 503, {"Retry-After": str(error.retry_after)}


def _entered(cv: Cv | None) -> dict[str, Any]:
    if cv is None:
        return {"name": reader.name, "shown_to": "chosen"}
    return {
        "name": cv.name,
        "degree": cv.degree,
        "field": cv.field,
        "graduation": cv.graduation,
        "topics": ", ".join(cv.topics.splitlines()),
        "availability": cv.availability.split(),
        "available_from": cv.available_from,
        "links": cv.links,
        "shown_to": cv.shown_to,
        "chosen": cv.named("chosen"),
        "blocked": cv.named("blocked"),
        "consent": cv.consent == CURRENT,
    }


def _companies_for(cv: Cv | None) -> dict[str, str]:
    """Return the companies to choose from; one that left stays where it was named before."""
    known = companies()
    named = [one.company for one in cv.companies] if cv else []
    return {**known, **{company: company for company in named if company not in known}}


def _own() -> Cv:
    cv = shelf.cv_of(reader.subject)
    if cv is None:
        abort(404)
    return cv


def _person() -> str:
    from dynamic.cv.models import AccountPerson

    tie = db.session.get(AccountPerson, reader.subject)
    return tie.person_id if tie else ""


def _students_only() -> None:
    if "student" not in g.reader.groups:
        abort(403)


def _shown_name(upload: FileStorage) -> str:
    """Return the file's name for the student's own eyes: no path, no controls, not too long."""
    name = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in name if char.isprintable())[-_LONGEST_FILE_NAME:] or "cv"
