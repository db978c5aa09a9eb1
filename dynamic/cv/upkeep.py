"""What has to happen to CVs without anybody asking: the worker calls this."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import select

from dynamic.cv import gate, mails, shelf, spool, stores
from dynamic.cv.models import Cv
from dynamic.database import begin_writing, db, now
from dynamic.errors import ServiceError

log = logging.getLogger("nightpress.cv")

REMINDERS = (timedelta(days=30), timedelta(days=7))
"""How long before the end a student is reminded."""
ORPHANS_AFTER = 3600
"""Seconds after which a stored file without a row is no longer just arriving."""
_GRACE = timedelta(minutes=1)


_TEND_EVERY = 60.0
_last = [0.0]


def in_a_round() -> int:
    """Do what the worker does in passing, once a minute; return how much it was."""
    if time.monotonic() - _last[0] < _TEND_EVERY:
        return 0
    _last[0] = time.monotonic()
    return sum(_run({"withdrawn": finish_withdrawals, "settled": finish_changes}).values())


def once_a_day() -> int:
    """Do what the worker does every day: all of it. Return how much was deleted."""
    return sum(tend().values())


def tend() -> dict[str, int]:
    """Finish what could not be finished before; remind, purge, sweep. Return how often each.

    Each step is tried by itself: a store that does not answer keeps nobody from being
    reminded. Can be run at any time and by several processes.
    """
    return _run(
        {
            "brought back and purged": purge_returned,
            "withdrawn": finish_withdrawals,
            "settled": finish_changes,
            "reminded": remind,
            "purged": purge,
            "swept": sweep,
        }
    )


def _run(steps: dict[str, Callable[[], int]]) -> dict[str, int]:
    done = {}
    for name, step in steps.items():
        try:
            done[name] = step()
        except ServiceError as error:
            db.session.rollback()
            log.warning("cv upkeep, step %s: %s", name, type(error).__name__)
            done[name] = 0
    return done


def purge_returned() -> int:
    """Remove again what a restored backup of the database brought back."""
    withdrawn = {
        digest
        for (digest, company), word in gate.read_denied(_settings().var).items()
        if word == "withdrawn" and company == "*"
    }
    if not withdrawn:
        return 0
    ids = [
        cv_id for cv_id in db.session.scalars(select(Cv.id)) if gate.digest_of(cv_id) in withdrawn
    ]
    gone = 0
    for cv_id in ids:
        cv = db.session.get(Cv, cv_id)
        # One that is just being withdrawn stands in the list before its row goes.
        if cv and (cv.leaving is None or cv.leaving < now() - _GRACE):
            gone += _withdraw(cv, mails.queue_withdrawn)
    return gone


def finish_withdrawals() -> int:
    """Try again to withdraw CVs whose books could not all be reached."""
    leaving = select(Cv).where(Cv.leaving < now() - _GRACE)
    return sum(_withdraw(cv, mails.queue_withdrawn) for cv in _all(leaving))


def finish_changes() -> int:
    """Try again to take CVs out of books of companies that may no longer see them."""
    done = 0
    for cv in _all(select(Cv).where(Cv.unsettled < now() - _GRACE, Cv.leaving.is_(None))):
        try:
            shelf.settle(cv)
        except shelf.NotGone:
            db.session.rollback()
            continue
        db.session.rollback()
        begin_writing()
        mails.queue_settled(cv)
        db.session.commit()
        done += 1
    return done


def remind() -> int:
    """Queue a mail for each CV whose end is near: one 30 days before, one 7 days before."""
    done = 0
    for cv in _all(select(Cv).where(Cv.expires <= now() + REMINDERS[0], Cv.leaving.is_(None))):
        db.session.rollback()
        begin_writing()
        due = sum(cv.expires <= now() + before for before in REMINDERS)
        if cv.expires > now() and cv.reminders < due:
            cv.reminders = due
            mails.queue_reminder(cv)
            db.session.commit()
            done += 1
    db.session.rollback()
    return done


def purge() -> int:
    """Delete CVs whose year is over."""
    over = select(Cv).where(Cv.expires <= now())
    return sum(_withdraw(cv, mails.queue_purged) for cv in _all(over))


def sweep(older_than: float = ORPHANS_AFTER) -> int:
    """Delete stored files that no row names, and what killed processes left half-written."""
    store = shelf.store()
    listed = list(store.list())
    known = set(db.session.scalars(select(Cv.object)))
    db.session.rollback()
    spool.clear(_settings().var / "cv-spool")
    return stores.sweep(store, listed, known, older_than=older_than)


def _withdraw(cv: Cv, queue: Any) -> int:
    try:
        shelf.withdraw(cv, queue=queue)
    except shelf.NotGone:
        db.session.rollback()
        return 0
    return 1


def _all(statement: Any) -> list[Cv]:
    """Return the CVs of a statement one by one, as they are when their turn comes."""
    ids = [cv.id for cv in db.session.scalars(statement)]
    db.session.rollback()
    return [cv for cv_id in ids if (cv := db.session.get(Cv, cv_id)) is not None]


def _settings() -> Any:
    return current_app.config["SETTINGS"]
