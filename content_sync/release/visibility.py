"""Which records of the snapshot are for members only on a given day."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from content_sync.errors import ReleaseError
from content_sync.snapshot import finish_interrupted
from content_sync.urls import PLURALS


class Visibility(NamedTuple):
    """All records of a snapshot that have pages, and those that only members may see."""

    date: str
    records: dict[str, set[str]]
    """Record type to 'type:id' of every record."""
    hidden: set[str]
    """'type:id' of records that no public file may name."""


def read_visibility(snapshot: Path, on: object) -> Visibility:
    """Return who may see what on the day `on`, an ISO date.

    Raises ReleaseError when `on` is no date or the snapshot cannot be read.
    """
    hidden = read_hidden(snapshot, on)
    with _opened(snapshot) as connection:
        records = {
            record_type: {f"{record_type}:{id}" for (id,) in connection.execute(query)}
            for record_type, query in _ALL.items()
        }
    return Visibility(str(on), records, hidden)


def read_hidden(snapshot: Path, on: object) -> set[str]:
    """Return 'type:id' of the records that only members may see on the day `on`.

    Raises ReleaseError when `on` is no date or the snapshot cannot be read.
    """
    try:
        day = date.fromisoformat(str(on)).isoformat()
    except ValueError:
        raise ReleaseError(f"The release's date {on!r} is no date.") from None
    with _opened(snapshot) as connection:
        return {record for (record,) in connection.execute(_HIDDEN, {"day": day})}


@contextlib.contextmanager
def _opened(snapshot: Path) -> Iterator[sqlite3.Connection]:
    try:
        finish_interrupted(snapshot)
        with contextlib.closing(
            sqlite3.connect(snapshot.resolve().as_uri() + "?mode=ro", uri=True)
        ) as connection:
            yield connection
    except sqlite3.Error as error:
        raise ReleaseError(f"{snapshot} cannot be read: {error}.") from error


_ALL = {record_type: f"SELECT id FROM {plural}" for record_type, plural in PLURALS.items()}  # noqa: S608

_HIDDEN = """
SELECT 'publication:' || id FROM publications
 WHERE access = 'members' AND (public_on IS NULL OR public_on > :day)
UNION ALL SELECT 'project:' || id FROM projects WHERE access = 'members'
UNION ALL SELECT 'event:' || id FROM events WHERE access = 'members'
UNION ALL SELECT 'deliverable:' || id FROM deliverables WHERE access = 'members'
"""
