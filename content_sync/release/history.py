"""What cannot be made again from the source: numbers used and every URL ever published.

`var/history.sqlite` belongs in every backup. A URL is kept as the file that answered it,
relative to the release (`public/people/ada.html`), which is how manifests name it too.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from content_sync import urls
from content_sync.release import manifest
from content_sync.release.addresses import COMPRESSED, GONE, is_exempt
from content_sync.release.releases import Release

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

-- A row is one publication that everyone could see, as it was last exported to machines.
CREATE TABLE IF NOT EXISTS stamps (
    id      TEXT PRIMARY KEY,
    digest  BLOB NOT NULL,     -- of all that is exported; empty for one that is deleted
    day     TEXT NOT NULL,     -- UTC date on which it came to be so
    kind    TEXT NOT NULL,
    page    INTEGER NOT NULL,  -- of the records of that day and kind
    deleted INTEGER NOT NULL
) WITHOUT ROWID;

-- A row is what one day did to one record; `/changes/` shows the last of them.
CREATE TABLE IF NOT EXISTS changes (
    day      TEXT NOT NULL,
    type     TEXT NOT NULL,    -- publication or deliverable
    id       TEXT NOT NULL,
    audience TEXT NOT NULL,    -- public or members: who sees that it changed
    change   TEXT NOT NULL,    -- new, corrected, moved, withdrawn, gone; empty: undone
    fields   TEXT NOT NULL,    -- JSON: field -> [old, new]
    PRIMARY KEY (day, type, id, audience)
) WITHOUT ROWID;

-- A row is one deliverable, or one work for members, as the live release knows it.
CREATE TABLE IF NOT EXISTS known (
    type  TEXT NOT NULL, id TEXT NOT NULL,
    facts TEXT NOT NULL,       -- JSON: what can move; of a work a digest
    PRIMARY KEY (type, id)
) WITHOUT ROWID;

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
    with contextlib.closing(
        sqlite3.connect(file, isolation_level=None, timeout=30, uri=True)
    ) as connection:
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


class Recorded(NamedTuple):
    """What a release brought to the ledger."""

    new: int
    departed: int


def record(connection: sqlite3.Connection, release: Release) -> Recorded:
    """Enter the URLs of `release`, which is going live, into the ledger.

    Where it was built upon the release that was entered last, only what differs is looked at.
    """
    connection.execute("ATTACH ? AS m", (manifest.read_only(release.manifest_file),))
    connection.execute(_LIVE)
    (previous,) = connection.execute(
        "SELECT coalesce(max(number), 0) FROM releases WHERE recorded IS NOT NULL AND number <> ?",
        (release.number,),
    ).fetchone()
    is_next = manifest.upon_of(connection, "m") == previous
    some = "path IN (SELECT path FROM m.touched) AND" if is_next else ""
    rows = connection.execute(
        f"SELECT path, key IS NULL, records FROM live WHERE {some}"  # noqa: S608
        " NOT EXISTS (SELECT 1 FROM urls WHERE urls.path = live.path)"
    ).fetchall()
    new = [
        (path, *_kind(path, records, is_prose=bool(keyless)), release.number)
        for path, keyless, records in rows
        if not is_exempt(path)
    ]
    connection.executemany("INSERT INTO urls VALUES (?, ?, ?, ?, NULL)", new)
    connection.execute(
        f"UPDATE urls SET last_release = NULL WHERE {some} last_release IS NOT NULL"  # noqa: S608
        " AND EXISTS (SELECT 1 FROM live WHERE live.path = urls.path)"
    )
    departed = connection.execute(
        "UPDATE urls SET last_release = max(first_release, ?)"  # noqa: S608
        f" WHERE {some} last_release IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM live WHERE live.path = urls.path)",
        (previous,),
    ).rowcount
    connection.execute(
        "INSERT INTO releases (number, opened, published, recorded) VALUES (?1, ?2, ?2, ?2)"
        " ON CONFLICT DO UPDATE SET recorded = ?2, published = coalesce(published, ?2)",
        (release.number, now()),
    )
    if not is_next or _has_new_stamps(connection):
        _take_stamps(connection, release)
    return Recorded(len(new), departed)


def urls_to_ask(connection: sqlite3.Connection, schema: str) -> str:
    """Return the SQL of those URLs of the ledger that a manifest may not have any more.

    `connection` is open upon the manifest, with the history attached as `schema`. Of a release
    that is built upon the one entered last, these are what was gone before and what it touched.
    """
    (last,) = connection.execute(
        f"SELECT max(number) FROM {schema}.releases WHERE recorded IS NOT NULL"  # noqa: S608
    ).fetchone()
    if last is None or manifest.upon_of(connection, "main") != last:
        return f"{schema}.urls"
    return (
        f"(SELECT * FROM {schema}.urls WHERE last_release IS NOT NULL UNION"  # noqa: S608
        f" SELECT * FROM {schema}.urls WHERE path IN (SELECT path FROM main.touched))"
    )


def _has_new_stamps(connection: sqlite3.Connection) -> bool:
    """Tell whether a release brings its own, and not those of the release before."""
    query = "SELECT 1 FROM m.touched WHERE path = ?"
    return connection.execute(query, (STAMPS_FILE,)).fetchone() is not None


STAMPS_FILE = "catalogue/changed.jsonl"
"""What of the stamps a release changes: a list of the row's values on each line."""


def stamps(connection: sqlite3.Connection) -> list[tuple[str, bytes, str, str, int, int]]:
    """Return what is remembered of the publications that machines were given."""
    return connection.execute(
        "SELECT id, digest, day, kind, page, deleted FROM stamps ORDER BY id"
    ).fetchall()


CHANGES_FILE = "catalogue/changes.jsonl"
"""What a release adds to the tables `changes` and `known`."""

_DAYS_KEPT = 60
"""Old values of fields are not kept for good."""


def changes(connection: sqlite3.Connection) -> list[tuple[str, str, str, str, str, str]]:
    """Return what the last days did to records."""
    return connection.execute(
        "SELECT day, type, id, audience, change, fields FROM changes ORDER BY day, type, id"
    ).fetchall()


def known(connection: sqlite3.Connection, record_type: str) -> dict[str, Any]:
    """Return what the live release knows of records that the stamps do not tell of."""
    rows = connection.execute("SELECT id, facts FROM known WHERE type = ?", (record_type,))
    return {one: json.loads(facts) for one, facts in rows}


def _take_changes(connection: sqlite3.Connection, release: Release) -> None:
    file = release.root / CHANGES_FILE
    if not file.is_file():
        return
    with file.open(encoding="utf-8") as lines:
        for kind, *values in map(json.loads, lines):
            if kind == "change":
                connection.execute(
                    "INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?, ?, ?)", values
                )
                if values[4] in ("gone", "withdrawn"):  # what it said is told no more
                    connection.execute(
                        "UPDATE changes SET fields = '{}' WHERE type = ? AND id = ?", values[1:3]
                    )
            elif values[1]:
                connection.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", (kind, *values))
            else:
                connection.execute("DELETE FROM known WHERE type = ? AND id = ?", (kind, values[0]))
    # Audiences apart: how long everyone is told of a change must not hang on members' records.
    for audience in ("public", "members"):
        connection.execute(
            "DELETE FROM changes WHERE audience = ?1 AND day NOT IN (SELECT DISTINCT day"
            " FROM changes WHERE audience = ?1 ORDER BY day DESC LIMIT ?2)",
            (audience, _DAYS_KEPT),
        )


def _take_stamps(connection: sqlite3.Connection, release: Release) -> None:
    """Take over what a release changes, unless a later release did so already."""
    file = release.root / STAMPS_FILE
    row = connection.execute("SELECT value FROM meta WHERE name = 'stamped'").fetchone()
    if not file.is_file() or (row and int(row[0]) >= release.number):
        return
    with file.open(encoding="utf-8") as lines:
        connection.executemany(
            "INSERT OR REPLACE INTO stamps VALUES (?, ?, ?, ?, ?, ?)",
            ((one, bytes.fromhex(digest), *rest) for one, digest, *rest in map(json.loads, lines)),
        )
    _take_changes(connection, release)
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('stamped', ?)", (str(release.number),))


# The files of the release that are URLs for good: no tombstones, no staff pages,
# no compressed siblings.
_LIVE = f"""
CREATE TEMP VIEW live AS SELECT path, key, records FROM m.files
WHERE (path >= 'public/' AND path < 'public0' OR path >= 'members/' AND path < 'members0')
  AND records NOT LIKE '{GONE}%' AND records <> '{COMPRESSED}'
"""  # noqa: S608


def _kind(path: str, records: str, *, is_prose: bool) -> tuple[str, str]:
    """What sort of URL a file answers, and the record whose own page it is."""
    if not path.endswith(".html"):
        return "file", ""
    first = records.partition("\n")[0]
    record_type, _, record_id = first.partition(":")
    if record_type in urls.PLURALS:
        page = urls.page_file(urls.record_url(record_type, record_id))
        if path.partition("/")[2] == page:
            return "record", first
    return ("prose" if is_prose else "listing"), ""


def is_recorded(connection: sqlite3.Connection, number: int) -> bool:
    """Whether the URLs of a release stand in the ledger."""
    row = connection.execute(
        "SELECT 1 FROM releases WHERE number = ? AND recorded IS NOT NULL", (number,)
    ).fetchone()
    return row is not None


def never_live(connection: sqlite3.Connection) -> set[int]:
    """Return the numbers given to releases that did not come to be live."""
    rows = connection.execute("SELECT number FROM releases WHERE published IS NULL")
    return {number for (number,) in rows}


def mark_rolled_back(connection: sqlite3.Connection, number: int) -> None:
    """Remember that a release was taken back."""
    connection.execute(
        "INSERT INTO releases (number, opened, published, rolled_back) VALUES (?1, ?2, ?2, ?2)"
        " ON CONFLICT DO UPDATE SET rolled_back = ?2, published = coalesce(published, ?2)",
        (number, now()),
    )


def clear_rolled_back(connection: sqlite3.Connection, number: int) -> None:
    """Remember that a release is good after all."""
    connection.execute("UPDATE releases SET rolled_back = NULL WHERE number = ?", (number,))


def rolled_back(connection: sqlite3.Connection) -> set[int]:
    """Return the numbers of the releases that were taken back."""
    rows = connection.execute("SELECT number FROM releases WHERE rolled_back IS NOT NULL")
    return {number for (number,) in rows}


def now() -> str:
    """Return this moment as the history writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
