"""The pages of those who send feedback: the form, what they sent, what came of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from dynamic.database import begin_writing, db, now
from dynamic.feedback import mails
from dynamic.feedback.fields import FIELDS, TYPES, label_of
from dynamic.feedback.forms import FeedbackForm, feedback_form
from dynamic.feedback.models import RATINGS, Correction, Feedback, State, Step, state_in_words
from dynamic.identity import reader
from dynamic.limits import SENDING, limiter
from dynamic.outbox import can_be_mailed
from dynamic.paging import page_of
from dynamic.records import Record, find_record, has_full_text, sees_members_records
from dynamic.service_export import want_export
from dynamic.site import Site, current_site
from dynamic.slugs import LONGEST, id_of_slug, is_hashed

blueprint = Blueprint("feedback", __name__)

_HASHED = re.compile(rb'_h[0-9a-f]{32}/"')
_RATED = frozenset(map(str, RATINGS))


@blueprint.before_request
def _only_those_who_may_send() -> None:
    if reader.groups.isdisjoint(current_app.config["SETTINGS"].feedback_groups):
        abort(403)


@blueprint.get("/services/feedback/")
def mine() -> Any:
    """List what the reader sent, the newest first."""
    query = select(Feedback).where(Feedback.subject == reader.subject).order_by(Feedback.id.desc())
    return render_template("feedback/mine.html", page=page_of(query), state_in_words=state_in_words)


@blueprint.get("/services/feedback/<int(max=2147483647):number>")
def one(number: int) -> Any:
    """Show one message to its sender."""
    feedback = db.session.get(Feedback, number)
    if feedback is None or feedback.subject != reader.subject:
        abort(404)
    return render_template(
        "feedback/one.html",
        feedback=feedback,
        is_new="sent" in request.args,
        can_be_mailed=can_be_mailed(feedback.email),
        label_of=label_of,
        ratings=RATINGS,
        state_in_words=state_in_words,
    )


@blueprint.get("/services/feedback/<record_type>/<slug>")
def form(record_type: str, slug: str) -> Any:
    """Show the form for one record."""
    record = _record(record_type, slug)
    return _form_page(record, feedback_form(record))


@blueprint.post("/services/feedback/<record_type>/<slug>")
@limiter.limit(SENDING)
def send(record_type: str, slug: str) -> Any:
    """Keep a message, tell the sender and the office; the same form twice is one message."""
    record = _record(record_type, slug)
    filled = feedback_form(record)
    if not filled.validate():
        return _form_page(record, filled), 422
    begin_writing()
    number = _sent_before(filled.token)
    if number is None:
        try:
            number = _keep(record, filled)
        except IntegrityError:
            # The same form was sent twice at once, and the other was quicker.
            db.session.rollback()
            number = _sent_before(filled.token)
            if number is None:
                raise
        want_export()
    return redirect(f"/services/feedback/{number}?sent", 303)


def _keep(record: Record, filled: FeedbackForm) -> int:
    """Write the message and its mails in one transaction; return its number."""
    moment = now()
    feedback = Feedback(
        submission=filled.token,
        subject=reader.subject,
        email=reader.email,
        name=reader.name,
        record_type=record.type,
        record_id=record.id,
        record_title=record.title[:2000],
        record_url=record.url[:1000],
        rating=int(filled.rating.data) if filled.rating.data in _RATED else None,
        text=filled.text.data or "",
        wants_copy=bool(filled.wants_copy.data) and _may_ask_for_copy(record),
        release=current_site().release,
        mailbox=current_app.config["SETTINGS"].mailbox_for(record.type),
        state=State.RECEIVED.value,
        note="",
        build=None,
        version=1,
        made=moment,
        changed=moment,
        corrections=[
            Correction(field=name, was=was, proposed=proposed)
            for name, (was, proposed) in filled.corrections().items()
        ],
        steps=[Step(state=State.RECEIVED.value, note="", build=None, by="", made=moment)],
    )
    db.session.add(feedback)
    db.session.flush()
    mails.send_receipt(feedback)
    mails.tell_staff(feedback)
    number = feedback.id
    db.session.commit()
    return number


def _sent_before(submission: str) -> int | None:
    return db.session.scalar(
        select(Feedback.id).where(
            Feedback.subject == reader.subject, Feedback.submission == submission
        )
    )


def _form_page(record: Record, filled: FeedbackForm) -> str:
    has_address = can_be_mailed(reader.email)
    return render_template(
        "feedback/form.html",
        record=record,
        form=filled,
        section=f"{record.type}s" if record.type != "deliverable" else "projects",
        can_be_mailed=has_address,
        may_ask_for_copy=_may_ask_for_copy(record),
        open_corrections=bool(filled.is_submitted() and filled.corrections()),
    )


def _may_ask_for_copy(record: Record) -> bool:
    return record.type == "publication" and not has_full_text(current_site(), record.url)


def _record(record_type: str, slug: str) -> Record:
    """Return the record that an address names, or answer 404."""
    if record_type not in TYPES or len(slug) > LONGEST:
        abort(404)
    site = current_site()
    record_id = _id(record_type, slug, site)
    record = find_record(record_type, record_id) if record_id else None
    if record is None or record.type not in FIELDS:
        abort(404)
    return record


def _id(record_type: str, slug: str, site: Site) -> str | None:
    if record_type == "deliverable":
        found = (d["id"] for d in site.deliverables.values() if d["slug"] == slug)
        return next(found, None)
    return _id_of_hashed(record_type, slug, site) if is_hashed(slug) else id_of_slug(slug)


def _id_of_hashed(record_type: str, slug: str, site: Site) -> str | None:
    """Return a long id, whose address holds only its digest."""
    for audience in ("public", "members") if sees_members_records(reader) else ("public",):
        if audience not in site.hashed:
            # All documents are read for it, so once for each release and not for each request.
            site.hashed[audience] = _hashed_slugs(site.folder / "documents" / audience)
        _, _, record_id = site.hashed[audience].get(f"{record_type}/{slug}", "").partition(":")
        if record_id:
            return record_id
    return None


def _hashed_slugs(folder: Path) -> dict[str, str]:
    """Return type and hashed slug → `type:id` of all documents of an audience."""
    found = {}
    for file in sorted(folder.glob("*.jsonl")):
        with file.open("rb") as lines:
            for line in lines:
                if _HASHED.search(line):
                    document = json.loads(line)
                    record = str(document["id"])
                    slug = str(document["url"]).strip("/").rpartition("/")[2]
                    found[f"{record.partition(':')[0]}/{slug}"] = record
    return found
