"""What happens to a CV: it arrives, is shown to other companies, is renewed, goes.

Order is everything. Arriving: the file first, the row after, so that a crash leaves at most
a file that no row names, which a sweep removes. Going: out of sight first (row, list of the
denied, books of all nodes), then the file, then the row, and only then it is confirmed.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from dynamic.cv import gate
from dynamic.cv.consent import CURRENT
from dynamic.cv.inspection import Inspected
from dynamic.cv.models import Cv, CvCompany, CvReceipt
from dynamic.cv.spool import Spooled
from dynamic.cv.stores import Store, new_name, open_store
from dynamic.database import begin_writing, db, locked, now
from dynamic.errors import Unavailable
from dynamic.service_export import want_export

log = logging.getLogger("nightpress.cv")

YEAR = timedelta(days=365)
"""How long a CV is shown after it was uploaded or renewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a student enters beside the file."""

    name: str
    email: str
    degree: str
    field: str
    graduation: str
    topics: tuple[str, ...]
    availability: tuple[str, ...]
    available_from: str
    links: tuple[str, ...]
    shown_to: str
    chosen: tuple[str, ...]
    blocked: tuple[str, ...]


class NotGone(Unavailable):
    """A CV could not be taken out of every book: it is being withdrawn, and not yet gone."""


def store() -> Store:
    """Return the store of this app."""
    return open_store(current_app.config["SETTINGS"])


def cv_of(subject: str) -> Cv | None:
    """Return the CV of an account."""
    return db.session.scalars(select(Cv).where(Cv.subject == subject)).one_or_none()


def land(
    subject: str,
    entry: Entry,
    file: tuple[Spooled, Inspected, str] | None,
    *,
    queue: Callable[[Cv], None],
    hide_until_night: bool = False,
) -> Cv:
    """Keep what a student sent, whole or not at all; return the CV as it is now.

    `file` is None where only the entry changes; `queue` puts the receipt into the outbox,
    in the same transaction. Raises Unavailable; nothing has changed then, unless it is
    NotGone: the change is kept, and a company that may no longer see the CV still could.
    """
    name = ""
    if file is not None:
        name = new_name(file[1].kind)
        store().put(name, file[0].path, sha256=file[0].sha256.hex())
    try:
        cv, replaced, is_new = _write(subject, entry, file, name)
        queue(cv)
        db.session.commit()
    except IntegrityError as error:
        # The same account at the same moment in another window: the first one counts.
        db.session.rollback()
        _drop(name)
        raise Unavailable(
            "Your CV was being saved in another window at the same moment. Look at it, and send"
            " this once more if it should replace what is there.",
            retry_after=5,
        ) from error
    except Unavailable:
        db.session.rollback()
        _drop(name)
        raise
    except SQLAlchemyError:
        # Whether the row is there nobody knows, so the file stays until the sweep.
        db.session.rollback()
        raise
    if is_new:
        want_export()  # it stands in no book and no list yet
    else:
        settle(cv, hide=bool(replaced) and hide_until_night)
        _drop(replaced)
    return cv


def settle(cv: Cv, *, hide: bool = False) -> None:
    """Make list and books agree with the row; with `hide` it leaves all books until tonight.

    Raises NotGone if a book could not be reached; the worker calls this again.
    """
    settings = current_app.config["SETTINGS"]
    cv_id = cv.id
    try:
        with gate.locked(settings.var):
            db.session.rollback()  # read what is there now that nobody else writes it
            fresh = db.session.get(Cv, cv_id)
            if fresh is None:
                return
            cv = fresh
            _tell_list(cv)
            gate.take_out(
                settings.cv_books,
                cv_id,
                (lambda _: False) if hide else cv.may_read,
                must_exist=bool(settings.cv_book_folders),
            )
    except (OSError, Unavailable) as error:
        raise _not_gone(error) from error
    written = _for_writing(cv_id)
    if written is not None:
        written.unsettled = None
        db.session.commit()
    want_export()


def renew(cv: Cv) -> None:
    """Show the CV for another year; its owner agreed to the text of today."""
    written = _for_writing(cv.id)
    if written is not None:
        written.consent = CURRENT
        written.consented = now()
        written.expires = written.consented + YEAR
        written.reminders = 0
        db.session.commit()
    want_export()


def withdraw(cv: Cv, *, queue: Callable[[Cv], None]) -> None:
    """Remove a CV from everywhere.

    Raises NotGone if a book could not be reached: the CV is hidden from the next books, is
    tried again by the worker, and nothing is confirmed before it is really gone.
    """
    cv_id = cv.id
    leaving = _for_writing(cv_id)
    if leaving is None:
        return
    leaving.leaving = leaving.leaving or now()
    db.session.commit()
    settings = current_app.config["SETTINGS"]
    try:
        with gate.locked(settings.var):
            gate.deny(settings.var, cv_id, [("withdrawn", "*")])
            gate.take_out(
                settings.cv_books, cv_id, lambda _: False, must_exist=bool(settings.cv_book_folders)
            )
    except (OSError, Unavailable) as error:
        raise _not_gone(error) from error
    gone = _for_writing(cv_id)
    if gone is None:
        return  # somebody else did the same at the same time, and told of it
    name = gone.object
    queue(gone)
    erase_rows([cv_id])
    db.session.commit()
    want_export()
    _drop(name)


def _for_writing(cv_id: str) -> Cv | None:
    """Return a CV as it is now, in a transaction that may write."""
    db.session.rollback()
    begin_writing()
    return db.session.scalars(locked(select(Cv).where(Cv.id == cv_id), Cv)).one_or_none()


def erase_rows(ids: Iterable[str]) -> None:
    """Delete the rows of CVs; the caller commits."""
    ids = list(ids)
    for table in (CvReceipt, CvCompany):
        db.session.execute(delete(table).where(table.cv_id.in_(ids)))
    db.session.execute(delete(Cv).where(Cv.id.in_(ids)))
    db.session.expire_all()


def _write(
    subject: str, entry: Entry, file: tuple[Spooled, Inspected, str] | None, name: str
) -> tuple[Cv, str, bool]:
    """Write row and companies; return the row, the file that it named before, if it is new."""
    db.session.rollback()  # what was read so far is not what is written on
    begin_writing()
    cv = db.session.scalars(locked(select(Cv).where(Cv.subject == subject), Cv)).one_or_none()
    instant = now()
    if cv is not None and cv.leaving is not None:
        raise Unavailable("Your CV is being withdrawn just now. Wait until that is done.")
    replaced = ""
    is_new = cv is None
    if cv is None:
        if file is None:
            raise Unavailable("Your CV is gone in the meantime. Send it again with its file.")
        cv = Cv(id=secrets.token_hex(16), subject=subject)
        db.session.add(cv)
    if file is not None:
        replaced = cv.object or ""
        _take_file(cv, *file, name, instant)
    cv.name = entry.name
    cv.email = entry.email
    cv.degree = entry.degree
    cv.field = entry.field
    cv.graduation = entry.graduation
    cv.topics = "\n".join(entry.topics)
    cv.availability = " ".join(entry.availability)
    cv.available_from = entry.available_from
    cv.links = "\n".join(entry.links)
    cv.shown_to = entry.shown_to
    cv.consent = CURRENT
    cv.consented = instant
    cv.changed = instant
    cv.unsettled = None if is_new else instant
    wanted = dict.fromkeys(entry.chosen, "chosen")
    wanted |= dict.fromkeys(entry.blocked, "blocked")
    kept = {one.company: one for one in cv.companies}
    for company, one in kept.items():
        if company not in wanted:
            cv.companies.remove(one)
    for company, choice in wanted.items():
        if company in kept:
            kept[company].choice = choice
        else:
            cv.companies.append(CvCompany(company=company, choice=choice))
    return cv, replaced, is_new


def _take_file(
    cv: Cv, file: Spooled, found: Inspected, file_name: str, name: str, instant: datetime
) -> None:
    cv.object = name
    cv.kind = found.kind
    cv.file_name = file_name
    cv.sha256 = file.sha256
    cv.size = file.size
    cv.pages = found.pages
    cv.text = found.text
    cv.warnings = " ".join(found.warnings)
    cv.is_scanned = found.is_scanned
    cv.uploaded = instant
    cv.expires = instant + YEAR
    cv.reminders = 0


def _tell_list(cv: Cv) -> None:
    """Write down for each company whose state is another than the list says."""
    from dynamic.cv.companies import companies

    settings = current_app.config["SETTINGS"]
    digest = gate.digest_of(cv.id)
    denied = gate.read_denied(settings.var)
    named = {*companies(), *(one.company for one in cv.companies)}
    named |= {company for key, company in denied if key == digest and company != "*"}
    words = []
    for company in sorted(named):
        is_denied = denied.get((digest, company)) == "blocked"
        if cv.may_read(company) == is_denied:
            words.append(("allowed" if is_denied else "blocked", company))
    gate.deny(settings.var, cv.id, words)


def _drop(name: str) -> None:
    """Delete a file now if the store answers; the sweep deletes it otherwise."""
    if not name:
        return
    try:
        store().delete(name)
    except Unavailable:
        log.warning("a stored file that no row names is left to the sweep")


def _not_gone(error: Exception) -> NotGone:
    log.error("a CV book could not be changed: %s", type(error).__name__)
    return NotGone(
        "One of the places where companies read CVs does not answer, so this is not yet done"
        " everywhere. It is tried again every few minutes until it is; you get a mail then.",
        retry_after=300,
    )
