"""The manifest of a release: every file with its size, digest, key and source records."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

NAME = "manifest.sqlite"

SCHEMA = """
CREATE TABLE files (
    path    TEXT PRIMARY KEY,  -- relative to the release, '/' between folders
    size    INTEGER NOT NULL,
    sha256  BLOB NOT NULL,
    key     BLOB,              -- digest of all that it was made from; NULL: made anew each time
    records TEXT NOT NULL      -- 'type:id' lines, the page's own record first
) WITHOUT ROWID
"""

# Above every character that a path can hold.
_LAST = "\U0010ffff"


class Entry(NamedTuple):
    """One file of a release."""

    path: str
    size: int
    sha256: bytes
    key: bytes | None = None
    records: str = ""


class Totals(NamedTuple):
    """How many files there are and how many bytes they hold."""

    files: int
    bytes: int


class Difference(NamedTuple):
    """Paths, sorted, by what became of them from one manifest to another."""

    added: list[str]
    changed: list[str]
    removed: list[str]


class Manifest:
    """A finished manifest, open for reading; usable in any process at the same time."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(read_only(file), uri=True)

    def get(self, path: str) -> Entry | None:
        row = self._connection.execute("SELECT * FROM files WHERE path = ?", (path,)).fetchone()
        return Entry(*row) if row else None

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Yield the entries whose path starts with `prefix`, sorted by path."""
        rows = self._connection.execute(
            "SELECT path, size, sha256, key, records FROM files"
            " WHERE path >= ? AND path < ? ORDER BY path",
            (prefix, prefix + _LAST),
        )
        return map(Entry._make, rows)

    def paths(self, prefix: str = "") -> Iterator[str]:
        """Yield the paths that start with `prefix`, sorted."""
        rows = self._connection.execute(
            "SELECT path FROM files WHERE path >= ? AND path < ? ORDER BY path",
            (prefix, prefix + _LAST),
        )
        return (path for (path,) in rows)

    def keys(self, prefix: str = "") -> dict[str, bytes]:
        """Return path to key of the entries below `prefix` that have a key."""
        return dict(
            self._connection.execute(
                "SELECT path, key FROM files WHERE path >= ? AND path < ? AND key IS NOT NULL",
                (prefix, prefix + _LAST),
            )
        )

    def totals(self, prefix: str = "") -> Totals:
        return Totals(
            *self._connection.execute(
                "SELECT count(*), coalesce(sum(size), 0) FROM files WHERE path >= ? AND path < ?",
                (prefix, prefix + _LAST),
            ).fetchone()
        )

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def compare(old: Path | None, new: Path) -> Difference:
    """Return which paths differ between two manifest files; no old one means all are added."""
    with contextlib.closing(sqlite3.connect(read_only(new), uri=True)) as connection:
        if old is None:
            return Difference(_column(connection, "SELECT path FROM files ORDER BY path"), [], [])
        connection.execute("ATTACH ? AS old", (read_only(old),))
        return Difference(
            _column(connection, _ONLY.format("main", "old")),
            _column(
                connection,
                "SELECT path FROM main.files AS n JOIN old.files AS o USING (path)"
                " WHERE n.sha256 <> o.sha256 ORDER BY path",
            ),
            _column(connection, _ONLY.format("old", "main")),
        )


_ONLY = (
    "SELECT path FROM {0}.files AS here"
    " WHERE NOT EXISTS (SELECT 1 FROM {1}.files AS there WHERE there.path = here.path)"
    " ORDER BY path"
)


def write_manifest(file: Path, entries: Iterable[Entry]) -> None:
    """Write a manifest whose bytes depend on the entries alone, which must come sorted."""
    file.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute(SCHEMA)
        connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?)", entries)
        connection.execute("COMMIT")


def read_only(file: Path) -> str:
    """Return the SQLite address of a file that nobody writes any more."""
    return file.resolve().as_uri() + "?mode=ro&immutable=1"


def _column(connection: sqlite3.Connection, query: str) -> list[str]:
    return [value for (value,) in connection.execute(query)]
