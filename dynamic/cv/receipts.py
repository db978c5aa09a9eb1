"""Who opened a CV: read from Apache's access log, because no program runs when one is opened.

A line counts if it is a successful GET below /cvs/<company>/<id>/. Apache lets only the
people of that company in there, so the folder's name says who it was. Lines look as
`LogFormat … nightpress` in deploy/apache/nightpress.conf writes them:

    <address> <user> [2026-11-24T09:15:00+0000] "GET /cvs/acme/<id>/ HTTP/2.0" 200 …
"""

from __future__ import annotations

import glob
import gzip
import hashlib
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from flask import current_app
from sqlalchemy import select

from dynamic.cv.models import Cv, CvLog, CvReceipt
from dynamic.database import begin_writing, db, now
from dynamic.settings import COMPANY

log = logging.getLogger(__name__)

_LINE = re.compile(
    rb"\S+ .*?\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4})\] "
    rb'"GET /cvs/([^/ "]{1,170})/([0-9a-f]{32})/([^ "]*) [^"]*" (200|206|304) '
)
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Opened:
    """One line of the log that counts."""

    cv_id: str
    company: str
    minute: datetime
    what: str


def read_receipts() -> int:
    """Read what is new in Apache's logs into the receipts; return how many came.

    Can be run as often as one likes: a log is read on from where it was left, also after
    it was renamed or compressed, and the same opening is never counted twice.
    """
    settings = current_app.config["SETTINGS"]
    files = {
        Path(name)
        for pattern in settings.cv_access_logs
        for name in glob.glob(str(settings.site / pattern))  # noqa: PTH207 - may be absolute
    }
    added = 0
    for file in sorted(files, key=lambda f: f.stat().st_mtime):
        try:
            added += _read(file)
        except (OSError, EOFError) as error:
            log.warning("log %s cannot be read: %s", file.name, type(error).__name__)
            db.session.rollback()
    return added


def _read(file: Path) -> int:
    with _open(file) as lines:
        first = lines.readline()
        if not first.endswith(b"\n"):
            return 0
        name = hashlib.sha256(first).hexdigest()
        known = db.session.get(CvLog, name)
        offset = known.offset if known else 0
        lines.seek(0)
        lines.seek(offset)
        if known and lines.tell() != offset:
            offset = 0
            lines.seek(0)
        db.session.rollback()
        added = 0
        found: list[Opened] = []
        while line := lines.readline():
            if not line.endswith(b"\n"):
                break  # Apache is writing it just now
            offset += len(line)
            if opened := parse(line):
                found.append(opened)
            if len(found) >= _BATCH:
                added += _keep(name, offset, found)
                found = []
        added += _keep(name, offset, found)
    return added


def parse(line: bytes) -> Opened | None:
    """Return what a line of the log says, if it says that somebody opened a CV."""
    match = _LINE.match(line)
    if not match:
        return None
    time, company, cv_id, rest = (part.decode("ascii", "replace") for part in match.groups()[:4])
    if not COMPANY.fullmatch(company):
        return None
    try:
        instant = datetime.strptime(time, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    what = "page" if rest in {"", "index.html"} else "file"
    # Viewers fetch a file in pieces: what happens within a minute is one opening.
    return Opened(cv_id, company, instant.replace(second=0), what)


def _keep(name: str, offset: int, found: list[Opened]) -> int:
    """Write receipts and place in the log in one transaction."""
    begin_writing()
    wanted = sorted(set(found), key=lambda o: (o.minute, o.cv_id, o.company, o.what))
    added = 0
    for cv_id in sorted({one.cv_id for one in wanted}):
        if db.session.get(Cv, cv_id) is None:
            continue  # withdrawn since: what is gone has no receipts
        there = {
            (row.company, row.opened, row.what)
            for row in db.session.scalars(select(CvReceipt).where(CvReceipt.cv_id == cv_id))
        }
        for one in wanted:
            if one.cv_id == cv_id and (one.company, one.minute, one.what) not in there:
                db.session.add(
                    CvReceipt(cv_id=cv_id, company=one.company, opened=one.minute, what=one.what)
                )
                added += 1
    place = db.session.get(CvLog, name)
    if place is None:
        db.session.add(CvLog(file=name, offset=offset, read=now()))
    else:
        place.offset, place.read = offset, now()
    db.session.commit()
    return added


def _open(file: Path) -> IO[bytes]:
    if file.suffix == ".gz":
        return gzip.open(file, "rb")  # type: ignore[return-value]
    return file.open("rb")
