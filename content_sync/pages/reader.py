"""Read what pages need out of the snapshot, many records in one statement."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from content_sync.pages.so_far import FilesSoFar

Row = sqlite3.Row
_T = TypeVar("_T")


@dataclass(slots=True)
class Reader:
    """The snapshot with the cache of finished list items beside it, on one day.

    `today` is the date of the build (ISO); nothing on a page may depend on a later clock.
    """

    connection: sqlite3.Connection
    today: str
    shared: dict[str, Any] = field(default_factory=dict)
    """What every page may show: navigation, the name of the site, and so on."""
    files: FilesSoFar = field(default_factory=lambda: FilesSoFar({}))
    """The files of the release that is being built."""

    def makes(self, part: str) -> bool:
        """Tell whether this build makes a part of the site, one of `PARTS` in the settings."""
        return part not in self.shared.get("left_out", ())

    def rows(
        self, sql: str, ids: Sequence[str] | Sequence[int] | None = None, *more: Any
    ) -> list[Row]:
        """Return all rows; `:ids` in the statement stands for the list of ids."""
        if ids is None:
            return self.connection.execute(sql, more).fetchall()
        return self.connection.execute(
            sql.replace(":ids", "(SELECT value FROM json_each(?))"), (json.dumps(ids), *more)
        ).fetchall()

    def grouped(self, sql: str, ids: Sequence[str], *more: Any) -> dict[str, list[Row]]:
        """Return the rows by their first column, in the statement's order."""
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows(sql, ids, *more):
            groups[row[0]].append(row)
        return groups


def open_reader(snapshot: Path, cache: Path, today: str) -> Reader:
    """Return a reader of the snapshot, both files opened for reading only."""
    connection = sqlite3.connect(f"{snapshot.resolve().as_uri()}?mode=ro", uri=True)
    connection.execute("ATTACH DATABASE ? AS cache", (f"{cache.resolve().as_uri()}?mode=ro",))
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA cache_size = -16000")
    return Reader(connection, today)


def in_batches(ids: Iterable[_T], size: int) -> Iterable[list[_T]]:
    """Yield the ids in lists of at most `size`."""
    batch: list[_T] = []
    for one in ids:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
