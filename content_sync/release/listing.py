"""The manifest of a release while it is being made.

That of a release that is built upon another begins as a copy of that one's, and only what
differs is changed in it: most nights that is one file in a hundred.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from content_sync.errors import ReleaseError
from content_sync.release import history, manifest
from content_sync.release.addresses import COMPRESSED, GONE
from content_sync.release.manifest import Entry
from content_sync.release.releases import Release

WORK = "manifest.work.sqlite"


class Listing:
    """What a stage holds so far. One process holds it."""

    def __init__(self, number: int, root: Path, base: Release | None) -> None:
        self.number = number
        self.root = root
        self.base = base
        """The release that unchanged files are shared with, or None."""
        self._work: sqlite3.Connection | None = None
        self._is_upon = False
        """Whether this release began with what the base holds."""

    @property
    def manifest_file(self) -> Path:
        return self.root / manifest.NAME

    def _start(self, base: Release | None) -> None:
        """Begin with what `base` lists, or with nothing."""
        self.close()
        file = self.root / WORK
        file.unlink(missing_ok=True)
        if base is not None:
            # As a file and not row by row: most of it is as it was.
            shutil.copyfile(base.manifest_file, file)
        work = self._open()
        work.execute("DELETE FROM touched")
        work.execute("DELETE FROM meta")
        if self.base is not None:
            work.execute("INSERT INTO meta VALUES ('base', ?)", (str(self.base.number),))
        if base is not None:
            work.execute("INSERT INTO meta VALUES ('upon', ?)", (str(base.number),))
        self._is_upon = base is not None

    def add(self, entries: Iterable[Entry]) -> None:
        """List files that were written below `root`, in place of entries of the same paths."""
        rows = list(entries)
        work = self._connection()
        work.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)
        if self._is_upon:
            work.executemany(
                "INSERT OR REPLACE INTO touched VALUES (?, 'here')", ((row[0],) for row in rows)
            )
        elif work.execute("SELECT 1 FROM touched LIMIT 1").fetchone():
            work.executemany("DELETE FROM touched WHERE path = ?", ((row[0],) for row in rows))

    def keep(self, entries: Iterable[Entry]) -> None:
        """List files that are as in the base; `share` will bring them."""
        rows = list(entries)
        work = self._connection()
        work.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)
        work.executemany(
            "INSERT OR REPLACE INTO touched VALUES (?, 'base')", ((row[0],) for row in rows)
        )

    def _forget(self, path: str) -> None:
        work = self._connection()
        work.execute("DELETE FROM files WHERE path = ?", (path,))
        work.execute("INSERT OR REPLACE INTO touched VALUES (?, 'gone')", (path,))

    def key_of(self, path: str) -> bytes | None:
        row = self._connection().execute("SELECT key FROM files WHERE path = ?", (path,)).fetchone()
        return row[0] if row else None

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Yield what the release holds so far below `prefix`, sorted by path."""
        rows = self._connection().execute(
            "SELECT path, size, sha256, key, records FROM files"
            " WHERE path >= ? AND path < ? ORDER BY path",
            (prefix, prefix + _LAST),
        )
        return map(Entry._make, rows)

    def digests_in(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Yield name and SHA-256 of the files in a folder, those below it and siblings left out."""
        return self._connection().execute(
            "SELECT substr(path, ?1) AS name, sha256 FROM files"
            " WHERE path >= ?2 AND path < ?3 AND records <> ?4 AND instr(substr(path, ?1), '/') = 0"
            " ORDER BY path",
            (len(folder) + 1, folder, folder + _LAST, COMPRESSED),
        )

    def siblings_and_texts(
        self, prefix: str, smallest: int
    ) -> Iterator[tuple[str, int, bytes, bytes | None, bool]]:
        """Yield path, size, digest and key of what may be compressed below `prefix`, sorted.

        The last says whether it is a compressed sibling; other files have `smallest` bytes or
        more, and stand for no URL that is gone.
        """
        return self._connection().execute(
            "SELECT path, size, sha256, key, records = ? FROM files WHERE path >= ? AND path < ?"
            " AND (records = ? OR size >= ? AND substr(records, 1, ?) <> ?) ORDER BY path",
            (COMPRESSED, prefix, prefix + _LAST, COMPRESSED, smallest, len(GONE), GONE),
        )

    def has(self, path: str) -> bool:
        """Tell whether the release holds a file at `path` so far."""
        row = self._connection().execute("SELECT 1 FROM files WHERE path = ?", (path,)).fetchone()
        return row is not None

    def unknown(self, paths: Iterator[str]) -> Iterator[str]:
        """Yield those of the paths that the release does not hold so far, in their order."""
        query = "SELECT path FROM files WHERE path IN (SELECT value FROM json_each(?))"
        while some := list(islice(paths, _AT_ONCE)):
            rows = self._connection().execute(query, (json.dumps(some),))
            known = {path for (path,) in rows}
            yield from (path for path in some if path not in known)

    def pages(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield path and records of the pages below `prefix`, sorted by path."""
        return self._connection().execute(
            "SELECT path, records FROM files WHERE path >= ? AND path < ?"
            " AND substr(path, -5) = '.html' ORDER BY path",
            (prefix, prefix + _LAST),
        )

    def get(self, path: str) -> Entry | None:
        """Return what the release lists at `path` so far."""
        row = (
            self._connection()
            .execute("SELECT path, size, sha256, key, records FROM files WHERE path = ?", (path,))
            .fetchone()
        )
        return Entry._make(row) if row else None

    @property
    def is_incremental(self) -> bool:
        """Whether this release began with what the base holds."""
        self._connection()
        return self._is_upon

    def touched(self) -> Iterator[tuple[str, Entry | None]]:
        """Yield the paths that may differ from the base, with what is listed there, sorted.

        Only a release that began with what the base holds knows them.
        """
        rows = self._connection().execute(
            "SELECT t.path, f.size, f.sha256, f.key, f.records FROM touched AS t"
            " LEFT JOIN files AS f ON f.path = t.path ORDER BY t.path"
        )
        for row in rows.fetchall():
            yield row[0], None if row[1] is None else Entry._make(row)

    def tombstones(self) -> list[Entry]:
        """Return the pages that say of a URL that it is gone."""
        rows = self._connection().execute(
            f"SELECT {_COLUMNS} FROM files WHERE {manifest.IS_GONE} ORDER BY path"  # noqa: S608
        )
        return [Entry._make(row) for row in rows]

    def departed(self, history_file: Path) -> list[tuple[str, str, str]]:
        """Return path, kind and record of the URLs ever published that have no page here."""
        with history.open_history(history_file):
            pass  # there is one from here on
        with self._attached(f"{history_file.resolve().as_uri()}?mode=ro") as work:
            urls = history.urls_to_ask(work, "other")
            return work.execute(
                f"SELECT path, kind, record FROM {urls} AS u WHERE NOT EXISTS"  # noqa: S608
                " (SELECT 1 FROM files AS f WHERE f.path = u.path AND f.records <> ?"
                "  AND substr(f.records, 1, ?) <> ?) ORDER BY path",
                (COMPRESSED, len(GONE), GONE),
            ).fetchall()

    def close(self) -> None:
        """Close the working manifest; the stage can be taken up again."""
        if self._work is not None:
            if self._work.in_transaction:
                self._work.execute("COMMIT")
            self._work.close()
            self._work = None

    def _unlike(self, spare: Release, changed: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return what the spare has too much, and what it lacks, where `changed` says all."""
        with self._attached(manifest.read_only(spare.manifest_file)) as work:
            work.execute("CREATE TEMP TABLE changed (path TEXT PRIMARY KEY) WITHOUT ROWID")
            work.executemany("INSERT INTO changed VALUES (?)", ((path,) for path in changed))
            work.execute("INSERT OR IGNORE INTO changed SELECT path FROM main.touched")
            surplus = column(work, _UNLIKE.format("other", "main"))
            missing = column(
                work,
                f"SELECT path FROM ({_UNLIKE.format('main', 'other')}) AS u"  # noqa: S608
                " WHERE NOT EXISTS (SELECT 1 FROM main.touched AS t"
                "  WHERE t.path = u.path AND t.place = 'here') ORDER BY path",
            )
            work.execute("DROP TABLE changed")
        return surplus, missing

    def _forget_keyless(self, under: str) -> dict[str, str]:
        """Take out the entries without a key; return the records that they named."""
        work = self._connection()
        where = " FROM files WHERE key IS NULL AND path >= ? AND path < ?"
        span = (under, under + _LAST)
        records = dict(work.execute(f"SELECT path, records{where}", span).fetchall())
        work.execute(f"DELETE{where}", span)
        if self._is_told("upon"):
            work.executemany(
                "INSERT OR REPLACE INTO touched VALUES (?, 'gone')", ((path,) for path in records)
            )
        return records

    def _is_told(self, name: str) -> bool:
        row = self._connection().execute("SELECT 1 FROM meta WHERE name = ?", (name,)).fetchone()
        return row is not None

    def _connection(self) -> sqlite3.Connection:
        """The working manifest; that of a finished stage is opened once more."""
        if self._work is not None:
            return self._work
        if not (self.root / WORK).exists():
            if not self.manifest_file.exists():
                raise ReleaseError(f"Release {self.number} was not begun: call begin() first.")
            self.manifest_file.replace(self.root / WORK)
        work = self._open()
        self._is_upon = self._is_told("upon")
        return work

    def _open(self) -> sqlite3.Connection:
        work = sqlite3.connect(self.root / WORK, isolation_level=None, uri=True)
        # A broken run is thrown away whole, so nothing here needs to survive one.
        work.execute("PRAGMA journal_mode = OFF")
        work.execute("PRAGMA synchronous = OFF")
        work.execute("PRAGMA cache_size = -64000")
        work.executescript(manifest.SCHEMA)
        work.execute("BEGIN")
        self._work = work
        return work

    @contextlib.contextmanager
    def _attached(self, address: str) -> Iterator[sqlite3.Connection]:
        """Give the working manifest with another database beside it, called `other`."""
        work = self._connection()
        work.execute("COMMIT")
        work.execute("ATTACH ? AS other", (address,))
        try:
            yield work
        finally:
            work.execute("DETACH other")
            work.execute("BEGIN")


_COLUMNS = "path, size, sha256, key, records"
_LAST = "\U0010ffff"
_AT_ONCE = 2000
_UNLIKE = (
    "SELECT here.path FROM changed CROSS JOIN {0}.files AS here USING (path)"
    " WHERE NOT EXISTS (SELECT 1 FROM {1}.files AS there"
    "  WHERE there.path = here.path AND there.sha256 = here.sha256)"
)


def column(connection: sqlite3.Connection, query: str) -> list[str]:
    return [value for (value,) in connection.execute(query)]
