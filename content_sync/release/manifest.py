"""The manifest of a release: every file with its size, digest, key and source records.

It also tells which files may differ from those of the release that it was built upon, so that
whoever wants to know what is new need not compare hundreds of thousands of entries.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from content_sync.release.addresses import COMPRESSED, GONE

NAME = "manifest.sqlite"

IS_GONE = f"substr(records, 1, {len(GONE)}) = '{GONE}'"
"""Condition of SQL for the pages that say that a URL is gone."""

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS files (
    path    TEXT PRIMARY KEY,  -- relative to the release, '/' between folders
    size    INTEGER NOT NULL,
    sha256  BLOB NOT NULL,
    key     BLOB,              -- digest of all that it was made from; NULL: made anew each time
    records TEXT NOT NULL      -- 'type:id' lines, the page's own record first
) WITHOUT ROWID;
-- Few among many, and asked for by every build.
CREATE INDEX IF NOT EXISTS files_without_key ON files (path) WHERE key IS NULL;
CREATE INDEX IF NOT EXISTS files_gone ON files (path) WHERE {IS_GONE};

-- A row is one path that was written, taken over by itself, or taken away in this release.
CREATE TABLE IF NOT EXISTS touched (
    path  TEXT PRIMARY KEY,
    place TEXT NOT NULL  -- 'here': written in this release; 'base': as there; 'gone'
) WITHOUT ROWID;

-- 'upon': the release from which all but what was touched was taken over, if from any.
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""

# Above every character that a path can hold.
_LAST = "\U0010ffff"
_FEW = 32
"""Up to so many records are looked for by the database, one after the other."""


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

    def keyless(self) -> list[Entry]:
        """Return the entries of files that are made anew each time, sorted by path."""
        rows = self._connection.execute(
            "SELECT path, size, sha256, key, records FROM files WHERE key IS NULL ORDER BY path"
        )
        return [Entry._make(row) for row in rows]

    def naming_records(
        self, prefix: str = "", *, some: Iterable[str] = ()
    ) -> Iterator[tuple[str, str]]:
        """Yield path and records of every file below `prefix` that names any, or a mark.

        Of files that name none of `some` only a few come, and no sibling ever does.
        """
        query = (
            "SELECT path, records FROM files"
            " WHERE path >= ? AND path < ? AND records NOT IN ('', ?)"
        )
        wanted = list(some)
        if 0 < len(wanted) <= _FEW:
            query += f" AND ({' OR '.join(['instr(records, ?)'] * len(wanted))})"
        else:
            wanted = []
        return self._connection.execute(query, (prefix, prefix + _LAST, COMPRESSED, *wanted))

    def pages_in(self, folder: str) -> Iterator[tuple[str, str]]:
        """Yield path and own record of the pages that stand in a folder itself."""
        return self._connection.execute(
            "SELECT path, substr(records, 1, instr(records || char(10), char(10)) - 1) FROM files"
            " WHERE path >= ?2 AND path < ?3 AND substr(path, -5) = '.html'"
            " AND instr(substr(path, ?1), '/') = 0",
            (len(folder) + 1, folder, folder + _LAST),
        )

    def siblings(self) -> Iterator[tuple[str, bytes | None, bytes | None]]:
        """Yield the compressed files, each with its key and the digest of the file beside it."""
        return self._connection.execute(
            "SELECT s.path, s.key, plain.sha256 FROM files AS s LEFT JOIN files AS plain"
            " ON plain.path = substr(s.path, 1, length(s.path) - 3)"
            " WHERE s.records = ? ORDER BY s.path",
            (COMPRESSED,),
        )

    def paths_ending(self, end: str) -> list[str]:
        """Return the paths that end with `end`."""
        rows = self._connection.execute(
            "SELECT path FROM files WHERE substr(path, ?) = ?", (-len(end), end)
        )
        return [path for (path,) in rows]

    def upon(self) -> int | None:
        """Return the release that all was taken over from but what `touched` names."""
        return upon_of(self._connection, "main")

    def touched(self) -> list[str]:
        """Return the paths that may differ from the release that this one was built upon."""
        return _column(self._connection, "SELECT path FROM touched ORDER BY path")

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

    def some(self, paths: Iterable[str]) -> Iterator[Entry]:
        """Yield the entries of those of the paths that are listed, in their order."""
        rows = self._connection.execute(
            "SELECT f.path, f.size, f.sha256, f.key, f.records FROM json_each(?) AS asked"
            " CROSS JOIN files AS f ON f.path = asked.value",
            (json.dumps(list(paths)),),
        )
        return map(Entry._make, rows)

    def digests(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Return path to SHA-256 of those of the paths that are listed."""
        return dict(
            self._connection.execute(
                "SELECT f.path, f.sha256 FROM json_each(?) AS asked"
                " CROSS JOIN files AS f ON f.path = asked.value",
                (json.dumps(paths),),
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


def compare(old: Path | None, new: Path, *, touched: bool = False) -> Difference:
    """Return which paths differ between two manifest files; no old one means all are added.

    With `touched` only those paths are compared that the new one names so.
    """
    with contextlib.closing(sqlite3.connect(read_only(new), uri=True)) as connection:
        if old is None:
            return Difference(_column(connection, "SELECT path FROM files ORDER BY path"), [], [])
        connection.execute("ATTACH ? AS old", (read_only(old),))
        if touched:
            new_files, old_files = _TOUCHED.format("main"), _TOUCHED.format("old")
        else:
            new_files, old_files = "main.files", "old.files"
        return Difference(
            _column(connection, _ONLY.format(new_files, "old.files")),
            _column(
                connection,
                f"SELECT path FROM {new_files} AS n JOIN old.files AS o USING (path)"  # noqa: S608
                " WHERE n.sha256 <> o.sha256 ORDER BY path",
            ),
            _column(connection, _ONLY.format(old_files, "main.files")),
        )


_TOUCHED = "(SELECT f.path, f.sha256 FROM main.touched AS t CROSS JOIN {}.files AS f USING (path))"
_ONLY = (
    "SELECT path FROM {0} AS here"
    " WHERE NOT EXISTS (SELECT 1 FROM {1} AS there WHERE there.path = here.path)"
    " ORDER BY path"
)


def upon_of(connection: sqlite3.Connection, schema: str) -> int | None:
    """Return what `Manifest.upon` tells of the manifest that is open as `schema`."""
    try:
        query = f"SELECT value FROM {schema}.meta WHERE name = 'upon'"  # noqa: S608
        row = connection.execute(query).fetchone()
    except sqlite3.OperationalError:  # one that was written before there was this table
        return None
    return int(row[0]) if row else None


def read_only(file: Path) -> str:
    """Return the SQLite address of a file that nobody writes any more."""
    return file.resolve().as_uri() + "?mode=ro&immutable=1"


def _column(connection: sqlite3.Connection, query: str) -> list[str]:
    return [value for (value,) in connection.execute(query)]
