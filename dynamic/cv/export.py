"""What the nightly job may know of CVs: the table `cvs` of var/service-export.sqlite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select

from dynamic.cv import gate
from dynamic.cv.companies import companies
from dynamic.cv.models import AccountPerson, Cv
from dynamic.database import db, now
from dynamic.errors import Unavailable

FILE = "service-export.sqlite"

SCHEMA = """
-- A row is one CV that some company may see. Whoever builds the CV book leaves out what has
-- expired since, and obeys var/cvbook-denied.txt over this table.
CREATE TABLE IF NOT EXISTS cvs (
    id             TEXT PRIMARY KEY,  -- random; folder name in the books
    name           TEXT NOT NULL,
    email          TEXT NOT NULL,     -- confirmed by the identity provider
    person_id      TEXT,              -- tied to the account by staff; NULL: see people_accounts
    degree         TEXT NOT NULL,     -- in words
    field          TEXT NOT NULL,
    graduation     TEXT NOT NULL,     -- 2027-09
    topics         TEXT NOT NULL,     -- JSON list
    availability   TEXT NOT NULL,     -- JSON list, in words
    available_from TEXT NOT NULL,     -- 2027-09 or empty
    links          TEXT NOT NULL,     -- JSON list
    companies      TEXT NOT NULL,     -- JSON list of the slugs that may see it
    object         TEXT NOT NULL,     -- name in the CV store
    kind           TEXT NOT NULL,     -- pdf, docx
    sha256         TEXT NOT NULL,     -- of the file, hexadecimal
    size           INTEGER NOT NULL,
    pages          INTEGER,
    uploaded       TEXT NOT NULL,     -- UTC, ISO 8601
    expires        TEXT NOT NULL
) WITHOUT ROWID
"""
COLUMNS = (
    "id, name, email, person_id, degree, field, graduation, topics, availability, available_from,"
    " links, companies, object, kind, sha256, size, pages, uploaded, expires"
)


def rows() -> Iterator[tuple[Any, ...]]:
    """Yield the row of each CV that some member company may see today."""
    from dynamic.cv.models import AVAILABILITY, DEGREES

    known = companies()
    ties = {tie.subject: tie.person_id for tie in db.session.scalars(select(AccountPerson))}
    shown = select(Cv).where(Cv.leaving.is_(None), Cv.expires > now()).order_by(Cv.id)
    for cv in db.session.scalars(shown):
        readers = [company for company in known if cv.may_read(company)]
        if not readers:
            continue
        yield (
            cv.id,
            cv.name,
            cv.email,
            ties.get(cv.subject),
            DEGREES[cv.degree],
            cv.field,
            cv.graduation,
            json.dumps(cv.topics.splitlines(), ensure_ascii=False),
            json.dumps([AVAILABILITY[key] for key in cv.availability.split()]),
            cv.available_from,
            json.dumps(cv.links.splitlines(), ensure_ascii=False),
            json.dumps(readers),
            cv.object,
            cv.kind,
            cv.sha256.hex(),
            cv.size,
            cv.pages,
            cv.uploaded.isoformat(),
            cv.expires.isoformat(),
        )


def update() -> None:
    """Write the table anew from the database."""
    with gate.locked(current_app.config["SETTINGS"].var):
        update_locked()


def update_locked() -> None:
    """Write the table anew; the caller holds the lock of the CV books.

    Under the lock the last one to write is the last one to have read the database, so the
    table never goes back in time.
    """
    current = list(rows())
    db.session.rollback()
    try:
        with closing(_open(current_app.config["SETTINGS"].var)) as connection, connection:
            write(connection, current)
    except sqlite3.Error as error:
        raise _unavailable() from error


def write(connection: sqlite3.Connection, current: list[tuple[Any, ...]]) -> None:
    """Replace the rows of the table in an open database."""
    connection.execute(SCHEMA)
    connection.execute("DELETE FROM cvs")
    marks = ", ".join("?" * len(COLUMNS.split(",")))
    connection.executemany(f"INSERT INTO cvs ({COLUMNS}) VALUES ({marks})", current)  # noqa: S608


def forget(var: Path, cv_id: str) -> None:
    """Take one CV out of the table; the caller holds the lock of the CV books."""
    if not (var / FILE).exists():
        return
    try:
        with closing(_open(var)) as connection, connection:
            connection.execute(SCHEMA)
            connection.execute("DELETE FROM cvs WHERE id = ?", (cv_id,))
    except sqlite3.Error as error:
        raise _unavailable() from error


def _open(var: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(var / FILE, timeout=20)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _unavailable() -> Unavailable:
    return Unavailable(
        "The list of CVs for the nightly job cannot be written just now. Please try again in a"
        " minute.",
        retry_after=60,
    )
