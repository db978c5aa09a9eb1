"""How long feedback is kept, and what is told or erased of a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, func, or_, select

from dynamic.database import begin_writing, db, now
from dynamic.feedback.models import OPEN, Correction, Feedback, Step
from dynamic.privacy import Part, Who
from dynamic.service_export import Table, want_export


def prune_feedback() -> int:
    """Delete feedback that was settled long ago."""
    until = now() - timedelta(days=current_app.config["SETTINGS"].feedback_kept_days)
    begin_writing()
    old = db.session.scalars(
        select(Feedback).where(Feedback.state.not_in(OPEN), Feedback.changed < until)
    ).all()
    for feedback in old:
        db.session.delete(feedback)
    db.session.commit()
    if old:
        want_export()
    return len(old)


def _theirs(who: Who) -> ColumnElement[bool]:
    return or_(
        Feedback.subject.in_(sorted(who.subjects)),
        func.lower(Feedback.email).in_(sorted(who.addresses)),
    )


def _known_as(who: Who) -> Who:
    found = db.session.execute(select(Feedback.subject, Feedback.email).where(_theirs(who))).all()
    return Who(
        frozenset(subject for subject, _ in found),
        frozenset(email.lower() for _, email in found if email),
    )


def _export(who: Who) -> dict[str, Any]:
    sent = db.session.scalars(select(Feedback).where(_theirs(who)).order_by(Feedback.id)).all()
    steps = db.session.scalars(
        select(Step).where(Step.by.in_(sorted(who.subjects))).order_by(Step.id)
    ).all()
    return {
        "sent": [_as_values(feedback) for feedback in sent],
        "decided as staff": [
            {"feedback": step.feedback_id, "state": step.state, "at": step.made.isoformat()}
            for step in steps
        ],
    }


def _as_values(feedback: Feedback) -> dict[str, Any]:
    return {
        "reference": feedback.reference,
        "account": feedback.subject,
        "email": feedback.email,
        "name": feedback.name,
        "record": f"{feedback.record_type}:{feedback.record_id}",
        "title": feedback.record_title,
        "rating": feedback.rating,
        "text": feedback.text,
        "asked for a copy": feedback.wants_copy,
        "state": feedback.state,
        "note": feedback.note,
        "build": feedback.build,
        "made": feedback.made.isoformat(),
        "changed": feedback.changed.isoformat(),
        "corrections": [
            {"field": one.field, "was": one.was, "proposed": one.proposed, "shown": one.shown}
            for one in feedback.corrections
        ],
        "steps": [
            {
                "state": step.state,
                "note": step.note,
                "build": step.build,
                "at": step.made.isoformat(),
            }
            for step in feedback.steps
        ],
    }


def _erase(who: Who) -> int:
    sent = db.session.scalars(select(Feedback).where(_theirs(who))).all()
    for feedback in sent:
        db.session.delete(feedback)
    # What they decided as staff stays with the sender's message, without their name.
    steps = db.session.scalars(select(Step).where(Step.by.in_(sorted(who.subjects)))).all()
    for step in steps:
        step.by = ""
    db.session.flush()
    return len(sent) + len(steps)


def _rows() -> Iterable[tuple[object, ...]]:
    """Return the state of each correction that is open or was published, for the build."""
    query = (
        select(
            Feedback.record_type,
            Feedback.record_id,
            Correction.field,
            Feedback.state,
            Correction.shown_in,
        )
        .join(Feedback.corrections)
        .order_by(Feedback.record_type, Feedback.record_id, Correction.field, Correction.id)
    )
    for record_type, record_id, field, state, shown_in in db.session.execute(query):
        state = "published" if shown_in else state
        yield f"{record_type}:{record_id}", field, state


PART = Part(known_as=_known_as, export=_export, erase=_erase)

TABLE = Table(("record TEXT NOT NULL", "field TEXT NOT NULL", "state TEXT NOT NULL"), _rows)
