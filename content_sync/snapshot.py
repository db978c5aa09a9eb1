"""The snapshot file: make it, open it for reading, and ask what changed since a sync.

`snapshot.sql` beside this module is its schema. Only `sync/night.py` writes it.
"""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from content_sync.errors import NightpressError
from content_sync.records import VIEWS
from content_sync.source.convert import CONVERTERS

SCHEMA_VERSION = 3
"""Raised with each change of snapshot.sql or of the rules: the next sync reads all anew."""

SYNCS_KEPT = 60
"""For how many syncs `changes` and `touched` are kept."""


def _columns(view: str) -> tuple[str, ...]:
    renamed = {("topics", "parent_id"): "given_parent_id"}
    converter = CONVERTERS[view]
    names = tuple(renamed.get((view, name), name) for name in converter.names)
    return (*names, *converter.extra, "version")


COLUMNS: dict[str, tuple[str, ...]] = {view.name: _columns(view.name) for view in VIEWS}
"""The columns that a sync writes, of each view's table; the last is `version`."""


@dataclass(frozen=True, slots=True)
class LastSync:
    """What is known of the sync that a snapshot holds."""

    number: int
    is_demo: bool
    rows: dict[str, int]


def open_snapshot(path: Path) -> sqlite3.Connection:
    """Open the snapshot at `path` for reading; temporary tables are allowed.

    Raises NightpressError when there is none or it was made by another version of
    Nightpress.
    """
    if not path.is_file():
        raise NightpressError(f"There is no snapshot at {path}.", hint="Run 'nightpress sync'.")
    finish_interrupted(path)
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
    if not is_current(connection):
        connection.close()
        raise NightpressError(
            f"The snapshot at {path} was made by another version of Nightpress.",
            hint="Run 'nightpress sync'.",
        )
    return connection


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of a snapshot, without the indexes that reading needs."""
    for statement in _statements():
        if statement.startswith("CREATE TABLE"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def create_indexes(connection: sqlite3.Connection) -> None:
    """Make the indexes of a snapshot: after a first load, which is faster without."""
    for statement in _statements():
        if statement.startswith("CREATE INDEX"):
            connection.execute(statement)


def is_current(connection: sqlite3.Connection) -> bool:
    """Tell whether a snapshot has the schema and the rules of this Nightpress."""
    try:
        found = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(found[0] == SCHEMA_VERSION)


def last_sync(connection: sqlite3.Connection) -> LastSync | None:
    """Return the newest sync of a snapshot, of whatever version, or None."""
    try:
        found = connection.execute(
            "SELECT number, is_demo, counts FROM syncs ORDER BY number DESC LIMIT 1"
        ).fetchone()
    except sqlite3.DatabaseError:
        return None
    if found is None:
        return None
    rows = {view: int(counts["rows"]) for view, counts in json.loads(found[2]).items()}
    return LastSync(int(found[0]), bool(found[1]), rows)


def touched_since(connection: sqlite3.Connection, sync: int) -> set[tuple[str, str]] | None:
    """Return type and id of all that syncs after number `sync` touched.

    None means that the snapshot cannot tell, so that everything may have changed.
    """
    kept_from = read_meta(connection, "kept_from")
    first_sync = read_meta(connection, "first_sync")
    if kept_from is None or first_sync is None:
        return None
    if sync < int(first_sync) or sync + 1 < int(kept_from):
        return None
    return set(connection.execute("SELECT DISTINCT type, id FROM touched WHERE sync > ?", (sync,)))


def read_meta(connection: sqlite3.Connection, name: str) -> str | None:
    """Return one value of the table `meta`."""
    found = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if found is None else str(found[0])


def _statements() -> list[str]:
    text = resources.files("content_sync").joinpath("snapshot.sql").read_text("utf-8")
    text = re.sub(r"--[^\n]*", "", text)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def finish_interrupted(path: Path) -> None:
    """Take back what a killed sync left half-written: a read-only connection may not.

    To be called before a snapshot is opened for reading in another way than `open_snapshot`.
    """
    if path.with_name(f"{path.name}-journal").exists():
        connection = sqlite3.connect(path, timeout=30)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.close()
