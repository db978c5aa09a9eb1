"""What the service does by itself: send mails, follow releases, write the export, tidy up.

A worker runs as a thread of `nightpress service run` or as `nightpress service worker`; any
number of them may run at once, because each mail is claimed and all else is safe to repeat.
A part of the service adds its own work: `ON_RELEASE.append(function)` for what a new release
brings, `ON_PRUNE.append(function)` for what expires, `EACH_ROUND.append(function)` for what
is to be looked at every few seconds, such as offers that run out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from flask import Flask, current_app
from sqlalchemy import delete, or_
from sqlalchemy.exc import SQLAlchemyError

from dynamic.database import begin_writing, db, now
from dynamic.delivery import deliver
from dynamic.errors import ServiceError
from dynamic.links import Link
from dynamic.outbox import Mail
from dynamic.service_export import write_export
from dynamic.site import current_site, forget_site

log = logging.getLogger("nightpress.worker")

ON_RELEASE: list[Callable[[], int]] = []
"""Called in an application context when another release is live; each returns a count."""

ON_PRUNE: list[Callable[[], int]] = []
"""Called once a day; each deletes what has expired, commits, and returns how much it was."""

EACH_ROUND: list[Callable[[], int]] = []
"""Called in every round; each commits and returns how much it did."""

IDLE_SECONDS = 2.0
PRUNE_SECONDS = 24 * 3600
EXPORT_SECONDS = 5.0
"""At most so often the export is written, however much changes."""

LONGEST_PAUSE = 120.0
"""At most so many seconds pass between rounds, however often they failed."""


class Worker:
    """The work of one process, done in rounds until it is told to stop."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._release = -1
        self._pruned = 0.0
        self._exported = 0.0
        self._failures = 0

    def start(self) -> None:
        """Work in a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way and stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=60)

    def run(self) -> None:
        """Work until `stop`; a failure is logged and makes the next round come later."""
        while not self._stop.is_set():
            self._stop.wait(self.round())

    def round(self) -> float:
        """Do what there is to do; return the seconds until the next round is due."""
        try:
            with self._app.app_context():
                busy = self._work()
        except (SQLAlchemyError, OSError, ServiceError, ValueError) as error:
            self._failures += 1
            log.error("round failed", exc_info=error)
            return self._pause()
        if busy is None:
            self._failures += 1
            return self._pause()
        self._failures = 0
        return 0.0 if busy else IDLE_SECONDS

    def _work(self) -> bool | None:
        """Return whether more may be waiting; None if the mail server is down."""
        sent = deliver()
        db.session.remove()
        for task in EACH_ROUND:
            task()
            db.session.remove()
        forget_site()
        release = current_site().release
        if release != self._release:
            follow_release()
            self._release = release
        if time.monotonic() - self._exported > EXPORT_SECONDS:
            write_export(only_if_wanted=self._exported > 0)
            self._exported = time.monotonic()
        if not self._pruned or time.monotonic() - self._pruned > PRUNE_SECONDS:
            prune()
            self._pruned = time.monotonic()
        return None if sent.is_down else sent.did_anything

    def _pause(self) -> float:
        return float(min(IDLE_SECONDS * 2 ** min(self._failures - 1, 10), LONGEST_PAUSE))


def follow_release() -> int:
    """Do what a new release brings, such as telling whose correction shows; return how much."""
    done = 0
    for task in ON_RELEASE:
        done += task()
        db.session.remove()
    return done


def prune() -> int:
    """Delete what has expired: links, mails that went out, and what each part adds."""
    mails_until = now() - timedelta(days=current_app.config["SETTINGS"].mails_kept_days)
    begin_writing()
    links = db.session.execute(delete(Link).where(Link.expires < now()))
    mails = db.session.execute(
        delete(Mail).where(or_(Mail.sent < mails_until, Mail.refused < mails_until))
    )
    db.session.commit()
    done = int(links.rowcount + mails.rowcount)  # type: ignore[attr-defined]
    done += _prune_mail_folder(mails_until.timestamp())
    for task in ON_PRUNE:
        done += task()
        db.session.remove()
    return done


def _prune_mail_folder(until: float) -> int:
    gone = 0
    folder = current_app.config["SETTINGS"].mail_folder
    for file in folder.glob("*.eml") if folder.is_dir() else ():
        if file.stat().st_mtime < until:
            file.unlink(missing_ok=True)
            gone += 1
    return gone
