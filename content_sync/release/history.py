"""What cannot be made again from the source: numbers used and every URL ever published.

`var/history.sqlite` belongs in every backup. A URL is kept as the file that answered it,
relative to the release (`public/people/ada.html`), which is how manifests name it too.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;

-- A row is one number that was given to a release, however far that one came.
CREATE TABLE IF NOT EXISTS releases (
    number      INTEGER PRIMARY KEY,
    opened      TEXT NOT NULL,  -- UTC, ISO 8601; so are the others
    published   TEXT,           -- first made live
    recorded    TEXT,           -- its URLs stand in this file
    rolled_back TEXT            -- taken back: nothing is built upon it or rolled back to it
);

-- A row is one URL that was ever live.
CREATE TABLE IF NOT EXISTS urls (
    path          TEXT PRIMARY KEY,  -- file relative to the release
    kind          TEXT NOT NULL,     -- record, listing, prose or file
    record        TEXT NOT NULL,     -- 'type:id' of a record's own page, or ''
    first_release INTEGER NOT NULL,
    last_release  INTEGER            -- last one that had it; NULL: the newest still has it
) WITHOUT ROWID;
"""


@contextlib.contextmanager
def open_history(file: Path) -> Iterator[sqlite3.Connection]:
    """Give the history open for writing in one transaction, made where there is none.

    What was written lands whole when the block ends, or not at all when it raises.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


def next_number(connection: sqlite3.Connection, at_least: int) -> int:
    """Return a release number never used before, at least `at_least`, and remember it."""
    (used,) = connection.execute("SELECT coalesce(max(number), 0) FROM releases").fetchone()
    number = max(int(used) + 1, at_least)
    connection.execute("INSERT INTO releases (number, opened) VALUES (?, ?)", (number, now()))
    return number


def rolled_back(connection: sqlite3.Connection) -> set[int]:
    """Return the numbers of the releases that were taken back."""
    rows = connection.execute("SELECT number FROM releases WHERE rolled_back IS NOT NULL")
    return {number for (number,) in rows}


def now() -> str:
    """Return this moment as the history writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
