"""The agent's own small database: builds, who asked for them, what staff did, tokens."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from content_sync.settings import Settings

_SCHEMA = """
CREATE TABLE IF NOT EXISTS builds (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    state    TEXT NOT NULL,  -- see queue.py
    full     INTEGER NOT NULL DEFAULT 0,
    accept   INTEGER NOT NULL DEFAULT 0,
    asked    TEXT NOT NULL, started TEXT, finished TEXT,
    pid      INTEGER, release INTEGER, message TEXT NOT NULL DEFAULT '',
    facts    TEXT NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX IF NOT EXISTS one_at_a_time ON builds (state)
    WHERE state IN ('pending', 'running');
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, build INTEGER NOT NULL, at TEXT NOT NULL,
    who TEXT NOT NULL, reason TEXT NOT NULL, full INTEGER NOT NULL, record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS requests_by_build ON requests (build);
CREATE INDEX IF NOT EXISTS requests_by_record ON requests (record) WHERE record <> '';
CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL,
    action TEXT NOT NULL, what TEXT NOT NULL, why TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (
    digest TEXT PRIMARY KEY, name TEXT NOT NULL, made TEXT NOT NULL, who TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS flags (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


_turn = threading.Lock()


@contextmanager
def writing(settings: Settings) -> Iterator[sqlite3.Connection]:
    """Give a connection inside one transaction, which is kept if the block ends well."""
    # SQLite lets those that wait sleep longer and longer: threads of one process take turns here.
    with _turn, _transaction(settings) as connection:
        yield connection


@contextmanager
def _transaction(settings: Settings) -> Iterator[sqlite3.Connection]:
    settings.var.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(settings.var / "agent.sqlite", timeout=30, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'flags'").fetchone()
        if known is None:
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()


def rows(settings: Settings, sql: str, *values: object) -> list[sqlite3.Row]:
    """Return what one SELECT finds; nothing where the agent has never run."""
    file = settings.var / "agent.sqlite"
    if not file.is_file():
        return []
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True, timeout=30)
    connection.row_factory = sqlite3.Row
    try:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'flags'").fetchone():
            return connection.execute(sql, values).fetchall()
        return []
    finally:
        connection.close()


def now() -> str:
    """Return this moment in UTC, as the database keeps it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def note(connection: sqlite3.Connection, who: str, action: str, what: str, why: str) -> None:
    """Enter what somebody did into the audit log, in the transaction that does it."""
    connection.execute(
        "INSERT INTO audit (at, who, action, what, why) VALUES (?, ?, ?, ?, ?)",
        (now(), who, action, what, why),
    )


def audit(settings: Settings, who: str, action: str, what: str, why: str) -> None:
    """Enter into the audit log what was done elsewhere."""
    with writing(settings) as connection:
        note(connection, who, action, what, why)


def audit_log(settings: Settings, most: int = 200) -> list[dict[str, str]]:
    """Return what staff did, the newest first."""
    found = rows(settings, "SELECT * FROM audit ORDER BY id DESC LIMIT ?", most)
    return [dict(row) for row in found]
