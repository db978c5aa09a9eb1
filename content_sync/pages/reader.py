"""Read what pages need out of the snapshot, many records in one statement."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

Row = dict[str, Any]
"""A row of a statement by the names of its columns. What a page shows of a record is looked up a
hundred times, which takes sqlite3.Row a walk through the names each."""


def _no_files(audience: str, path: str) -> bytes:
    raise FileNotFoundError(f"{audience}/{path}")


@dataclass(slots=True)
class Reader:
    """The snapshot with the cache of finished list items beside it, on one day.

    `today` is the date of the build (ISO); nothing on a page may depend on a later clock.
    """

    connection: sqlite3.Connection
    today: str
    shared: dict[str, Any] = field(default_factory=dict)
    """What every page may show: navigation, the name of the site, and so on."""
    file: Callable[[str, str], bytes] = _no_files
    """Returns a file of the release that is being built, given its audience and path."""

    def makes(self, part: str) -> bool:
        """Tell whether this build makes a part of the site, one of `PARTS` in the settings."""
        return part not in self.shared.get("left_out", ())

    def rows(
        self, sql: str, ids: Sequence[str] | Sequence[int] | None = None, *more: Any
    ) -> list[Row]:
        """Return all rows; `:ids` in the statement stands for the list of ids."""
        return list(_named(*self._rows(sql, ids, more)))

    def grouped(self, sql: str, ids: Sequence[str], *more: Any) -> dict[str, list[Row]]:
        """Return the rows by their first column, in the statement's order."""
        names, rows = self._rows(sql, ids, more)
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in _named(names, rows):
            groups[row[names[0]]].append(row)
        return groups

    def tuples(self, sql: str, ids: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        """Yield all rows without the names of their columns, for statements with few."""
        return self._rows(sql, ids, ())[1]

    def _rows(
        self, sql: str, ids: Sequence[str] | Sequence[int] | None, more: tuple[Any, ...]
    ) -> tuple[list[str], sqlite3.Cursor]:
        values = more
        if ids is not None:
            sql = sql.replace(":ids", "(SELECT value FROM json_each(?))")
            values = (json.dumps(ids), *more)
        cursor = self.connection.cursor()
        cursor.row_factory = None
        cursor.execute(sql, values)
        return [sys.intern(column[0]) for column in cursor.description], cursor


def _named(names: list[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[Row]:
    return map(dict, map(zip, repeat(names), rows))


def open_reader(snapshot: Path, cache: Path, today: str) -> Reader:
    """Return a reader of the snapshot, both files opened for reading only."""
    connection = sqlite3.connect(f"{snapshot.resolve().as_uri()}?mode=ro", uri=True)
    connection.execute("ATTACH DATABASE ? AS cache", (f"{cache.resolve().as_uri()}?mode=ro",))
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA cache_size = -16000")
    return Reader(connection, today)


def in_batches(ids: Iterable[str], size: int) -> Iterable[list[str]]:
    """Yield the ids in lists of at most `size`."""
    batch: list[str] = []
    for one in ids:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
