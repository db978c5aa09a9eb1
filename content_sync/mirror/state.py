"""What a mirror's objects were sent with, so that a listing alone tells which are right.

`var/mirror.sqlite` is only a memory: lost, the objects themselves are asked, which takes longer.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    place TEXT NOT NULL, key TEXT NOT NULL,
    etag  TEXT NOT NULL,       -- what the bucket said when it was sent
    stamp TEXT NOT NULL,       -- digest and headers
    unwanted REAL,             -- since when the release has it no more; NULL: it has it
    PRIMARY KEY (place, key)
) WITHOUT ROWID
"""
_RUNS = """
-- A row is the last run of one bucket that came to its end.
CREATE TABLE IF NOT EXISTS runs (
    place TEXT PRIMARY KEY, release INTEGER NOT NULL, finished TEXT NOT NULL
) WITHOUT ROWID
"""
_SECONDS = 1.0


class State:
    """The memory of one bucket; written at once when closed, and every second before."""

    def __init__(self, file: Path, place: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._place = place
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=30)
        self._connection.execute(_SCHEMA)
        self._connection.execute(_RUNS)
        self._written = time.monotonic()

    def stamps(self) -> dict[str, tuple[str, str]]:
        """Return key → ETag and stamp."""
        rows = self._connection.execute(
            "SELECT key, etag, stamp FROM objects WHERE place = ?", (self._place,)
        )
        return {key: (etag, stamp) for key, etag, stamp in rows}

    def sent(self, key: str, etag: str, stamp: str) -> None:
        """Remember an object that is there."""
        self._write(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, NULL)",
            (self._place, key, etag, stamp),
        )

    def unwanted_since(self, key: str, etag: str, moment: float) -> float:
        """Return since when an object is there that the release does not have: now, if new."""
        row = self._connection.execute(
            "SELECT unwanted FROM objects WHERE place = ? AND key = ?", (self._place, key)
        ).fetchone()
        if row and row[0] is not None:
            return float(row[0])
        self._write(
            "INSERT INTO objects VALUES (?, ?, ?, '', ?)"
            " ON CONFLICT DO UPDATE SET unwanted = excluded.unwanted",
            (self._place, key, etag, moment),
        )
        return moment

    def wanted(self, keys: list[str]) -> None:
        """Remember that the release has these again."""
        self._begin()
        self._connection.executemany(
            "UPDATE objects SET unwanted = NULL WHERE place = ? AND key = ?"
            " AND unwanted IS NOT NULL",
            ((self._place, key) for key in keys),
        )

    def forget(self, keys: list[str]) -> None:
        self._begin()
        self._connection.executemany(
            "DELETE FROM objects WHERE place = ? AND key = ?", ((self._place, key) for key in keys)
        )

    def ended(self, release: int) -> None:
        """Remember that the bucket shows a release."""
        self._write(
            "INSERT OR REPLACE INTO runs VALUES (?, ?, ?)",
            (self._place, release, datetime.now(UTC).isoformat(timespec="seconds")),
        )

    def close(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        self._connection.close()

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")

    def _write(self, sql: str, values: tuple[object, ...]) -> None:
        self._begin()
        self._connection.execute(sql, values)
        if time.monotonic() - self._written > _SECONDS:
            self._connection.execute("COMMIT")
            self._written = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def last_run(file: Path, place: str) -> tuple[int, str] | None:
    """Return the release that a bucket shows, and since when; None if it is not known."""
    if not file.is_file():
        return None
    with contextlib.closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
        try:
            row = db.execute(
                "SELECT release, finished FROM runs WHERE place = ?", (place,)
            ).fetchone()
        except sqlite3.Error:
            return None
    return (int(row[0]), str(row[1])) if row else None
