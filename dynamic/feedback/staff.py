"""The pages of staff: the queue of feedback, one message, the table for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
)
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import selectinload

from dynamic.database import begin_writing, db, locked, now
from dynamic.feedback import mails
from dynamic.feedback.fields import TYPES, label_of
from dynamic.feedback.forms import StateForm
from dynamic.feedback.models import OPEN, RATINGS, Feedback, State, Step, state_in_words
from dynamic.identity import only, reader
from dynamic.outbox import state_of_outbox
from dynamic.paging import page_of
from dynamic.service_export import want_export
from dynamic.site import current_site
from dynamic.words import one_line

blueprint = Blueprint("staff_feedback", __name__)

STATES = {
    "open": "open",
    "all": "all",
    **{state.value: state_in_words(state) for state in State},
}

_ROWS_AT_ONCE = 200

COLUMNS = (
    *("reference", "made", "state", "build", "changed", "record_type", "record_id"),
    *("record_title", "name", "email", "rating", "text", "wants_copy", "field", "was"),
    *("proposed", "shown", "shown_in", "note"),
)
"""Columns of the table; one row for each correction, or one for a message without any."""


@blueprint.get("/services/staff/feedback/")
@only("staff")
def queue() -> Any:
    """List feedback by state, type and words; the oldest first, as it is to be dealt with."""
    chosen = _chosen()
    return render_template(
        "feedback/queue.html",
        page=page_of(_query(chosen).order_by(Feedback.id)),
        chosen=chosen,
        states=STATES,
        types=TYPES,
        outbox=state_of_outbox(),
        state_in_words=state_in_words,
    )


@blueprint.get("/services/staff/feedback.csv")
@only("staff")
def table() -> Any:
    """Send what the queue shows as CSV; no cell can become a formula."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return Response(
        _csv(_query(_chosen()), app),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="feedback.csv"'},
    )


@blueprint.get("/services/staff/feedback/<int(max=2147483647):number>")
@only("staff")
def one(number: int) -> Any:
    """Show one message with the form that settles it."""
    feedback = _feedback(number)
    return _page(feedback, StateForm(data=_decided(feedback)))


@blueprint.post("/services/staff/feedback/<int(max=2147483647):number>")
@only("staff")
def decide(number: int) -> Any:
    """Set the state; tell the sender when it is settled, declined or open again."""
    filled = StateForm()
    if not filled.validate():
        return _page(_feedback(number), filled), 422
    begin_writing()
    feedback = db.session.scalar(locked(select(Feedback).where(Feedback.id == number), Feedback))
    if feedback is None:
        abort(404)
    if feedback.version != filled.version.data:
        abort(409)
    state = State(filled.state.data)
    build = filled.build_number if state == State.PUBLISHED else None
    note = filled.note.data or ""
    if (feedback.state, feedback.build, feedback.note) != (state, build, note):
        was_open = feedback.state in OPEN
        feedback.state, feedback.build, feedback.note = state.value, build, note
        feedback.version += 1
        feedback.changed = now()
        feedback.steps.append(
            Step(state=state.value, note=note, build=build, by=reader.subject, made=now())
        )
        if state not in OPEN or not was_open or note:
            mails.tell_state(feedback)
        db.session.commit()
        want_export()
    return redirect(f"/services/staff/feedback/{number}?saved", 303)


def _feedback(number: int) -> Feedback:
    feedback = db.session.get(Feedback, number)
    if feedback is None:
        abort(404)
    return feedback


def _decided(feedback: Feedback) -> dict[str, Any]:
    return {
        "version": feedback.version,
        "state": feedback.state,
        "build": str(feedback.build or current_site().release or ""),
        "note": feedback.note,
    }


def _page(feedback: Feedback, filled: StateForm) -> str:
    return render_template(
        "feedback/decide.html",
        feedback=feedback,
        form=filled,
        is_saved="saved" in request.args,
        label_of=label_of,
        ratings=RATINGS,
        state_in_words=state_in_words,
    )


def _chosen() -> dict[str, str]:
    """Return the filter that the address asks for; what is none of ours is as if not there."""
    state = request.args.get("state", "")
    record_type = request.args.get("type", "")
    return {
        "state": state if state in STATES else "open",
        "type": record_type if record_type in TYPES else "",
        "q": one_line(request.args.get("q", ""), 200),
    }


def _query(chosen: dict[str, str]) -> Select[Any]:
    query = select(Feedback)
    if chosen["state"] == "open":
        query = query.where(Feedback.state.in_(OPEN))
    elif chosen["state"] != "all":
        query = query.where(Feedback.state == chosen["state"])
    if chosen["type"]:
        query = query.where(Feedback.record_type == chosen["type"])
    words = chosen["q"]
    if words:
        number = words.upper().removeprefix("F-")
        if number.isascii() and number.isdecimal() and len(number) < 10:
            return query.where(Feedback.id == int(number))
        query = query.where(
            or_(
                Feedback.record_title.icontains(words, autoescape=True),
                Feedback.record_id.icontains(words, autoescape=True),
                Feedback.name.icontains(words, autoescape=True),
                Feedback.email.icontains(words, autoescape=True),
            )
        )
    return query


def _csv(query: Select[Any], app: Flask) -> Iterator[str]:
    """Yield the table piece by piece, so that a long one needs no memory."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"  # so that Excel reads it as Unicode
    writer.writerow(COLUMNS)
    last = 0
    while True:
        with app.app_context():
            found = db.session.scalars(
                query.options(selectinload(Feedback.corrections))
                .where(Feedback.id > last)
                .order_by(Feedback.id)
                .limit(_ROWS_AT_ONCE)
            ).all()
            for feedback in found:
                last = feedback.id
                writer.writerows(_cells(feedback))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        if len(found) < _ROWS_AT_ONCE:
            return


def _cells(feedback: Feedback) -> Iterator[list[object]]:
    for one in (*feedback.corrections,) or (None,):
        cells: list[object] = [
            *(feedback.reference, feedback.made.isoformat(), feedback.state, feedback.build),
            *(feedback.changed.isoformat(), feedback.record_type, feedback.record_id),
            *(feedback.record_title, feedback.name, feedback.email, feedback.rating),
            *(feedback.text, int(feedback.wants_copy)),
        ]
        if one:
            cells += [one.field, one.was, one.proposed, one.shown, one.shown_in]
        else:
            cells += [""] * 5
        cells.append(feedback.note)
        yield [safe_cell(cell) if isinstance(cell, str) else cell for cell in cells]


def safe_cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip()[:1] in {"=", "+", "-", "@", "|", "%"} else text
