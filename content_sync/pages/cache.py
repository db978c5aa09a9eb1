"""The build's memory between nights: finished list items and facts of full texts.

All of it is derived and can be deleted; the next build is then a full one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

_VERSION = 2

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
-- A row is one publication as listings know it.
CREATE TABLE works (
    id       TEXT PRIMARY KEY,
    year     INTEGER NOT NULL,   -- 0 where there is none
    date     TEXT NOT NULL,      -- as precise as known
    venue_id TEXT NOT NULL,      -- empty where there is none
    in_print TEXT NOT NULL,      -- container, volume, issue, page; tab-separated
    visible  INTEGER NOT NULL,   -- 0 for nobody, 1 for members, 2 for everyone
    public   TEXT NOT NULL,      -- list item on public pages
    members  TEXT,               -- list item on members' pages, where it is another one
    sort_title TEXT NOT NULL,    -- folded, without a leading article
    suggested INTEGER NOT NULL,  -- 1 where it may be named as related
    features TEXT NOT NULL       -- what it may have in common with others; a line each
);
-- A row is one feature; the lists hold row ids of `works`, 32 bits each.
CREATE TABLE postings (
    feature TEXT PRIMARY KEY,
    public  BLOB NOT NULL,       -- works for everyone
    members BLOB NOT NULL        -- works for members
) WITHOUT ROWID;
-- A row is one work in another's list of related works.
CREATE TABLE related (
    work_id TEXT NOT NULL, place INTEGER NOT NULL, other_id TEXT NOT NULL,
    score   INTEGER NOT NULL,
    PRIMARY KEY (work_id, place)
) WITHOUT ROWID;
-- A row is one work whose related works a build had to look at again.
CREATE TABLE affected (
    edition INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (edition, id)
) WITHOUT ROWID;
-- A row is the full text of one publication, stored under its hash.
CREATE TABLE full_texts (
    publication_id TEXT PRIMARY KEY,
    file_path TEXT NOT NULL,
    ending    TEXT NOT NULL,
    stamp     TEXT NOT NULL,     -- what the store says of the file; read again when it changes
    size      INTEGER NOT NULL,
    sha256    BLOB NOT NULL
) WITHOUT ROWID;
"""

_INDEXES = """
CREATE INDEX IF NOT EXISTS works_by_year ON works (year, visible);
CREATE INDEX IF NOT EXISTS works_newest
    ON works (year = 0, year DESC, date DESC, in_print, id);
CREATE INDEX IF NOT EXISTS works_by_venue ON works (venue_id, year, visible);
CREATE INDEX IF NOT EXISTS works_for_members
    ON works (venue_id) WHERE visible = 1 OR members IS NOT NULL;
CREATE INDEX IF NOT EXISTS related_by_other ON related (other_id);
"""

WorkRow = tuple[str, int, str, str, str, int, str, str | None, str, int, str]


_PUT = """
INSERT INTO works
    (id, year, date, venue_id, in_print, visible, public, members, sort_title, suggested, features)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    year = excluded.year, date = excluded.date, venue_id = excluded.venue_id,
    in_print = excluded.in_print, visible = excluded.visible, public = excluded.public,
    members = excluded.members,
    sort_title = excluded.sort_title, suggested = excluded.suggested,
    features = excluded.features"""


class Cache:
    """The cache opened for writing by the process that leads the build."""

    def __init__(self, path: Path, *, on_network: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.on_network = on_network
        """Whether processes on other machines read it, over a network's file system."""
        self.connection = self._open()
        if self.connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            self.connection.close()
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(name).unlink(missing_ok=True)
            self.connection = self._open()
            self.connection.executescript(_SCHEMA + _INDEXES)
            self.connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        # Readers in other processes must not wait for the one long transaction of a build.
        if self.on_network:
            # A write-ahead log is for one machine; without it, nothing may land before the end.
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA cache_spill = OFF")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def state(self) -> dict[str, str]:
        """Return what the list items were made from, empty if they cannot be trusted."""
        return dict(self.connection.execute("SELECT name, value FROM meta"))

    def begin(self, *, anew: bool) -> None:
        """Open the transaction of a build; with `anew` all list items are forgotten."""
        self.connection.execute("BEGIN IMMEDIATE")
        if anew:
            self.connection.execute("DROP INDEX IF EXISTS works_by_year")
            self.connection.execute("DROP INDEX IF EXISTS works_newest")
            self.connection.execute("DROP INDEX IF EXISTS works_by_venue")
            self.connection.execute("DROP INDEX IF EXISTS related_by_other")
            self.connection.execute("DELETE FROM works")

    def put(self, works: Iterable[WorkRow]) -> None:
        """Write works; those that are there already keep their row ids."""
        self.connection.executemany(_PUT, works)

    def forget(self, ids: Iterable[str]) -> None:
        self.connection.executemany("DELETE FROM works WHERE id = ?", ((i,) for i in ids))

    def commit(self, state: dict[str, str]) -> None:
        """Make the list items visible to readers, together with what they were made from."""
        for statement in _INDEXES.split(";"):
            self.connection.execute(statement)
        self.connection.execute("DELETE FROM meta")
        self.connection.executemany("INSERT INTO meta VALUES (?, ?)", state.items())
        self.connection.execute("COMMIT")
        self.connection.execute("ANALYZE works")

    def close(self) -> None:
        self.connection.close()
