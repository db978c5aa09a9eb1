"""Large views by a window of rowversions: only what was written since the last night.

A window shows no deletions, so that every few nights all keys are read. What is below the
floor that the server names when the reading begins was committed by then, and nothing below
it will be written any more: the next window begins there, and no change is missed.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from content_sync import snapshot
from content_sync.records import View
from content_sync.source.catalogue import SourceView
from content_sync.sync.run import Run


@dataclass(frozen=True, slots=True)
class Window:
    """Rows with a rowversion of at least `since` and less than `below`."""

    since: bytes
    below: bytes
    nights: int
    """How many nights ago all keys were read; this one counts."""


def choose(connection: sqlite3.Connection, run: Run, found: SourceView) -> Window | None:
    """Return the window to read of a view, or None if all its keys are to be read."""
    known = _known(connection).get(found.view.name)
    if run.floor is None or known is None or not found.has_version:
        return None
    nights = int(known["nights"]) + 1
    if nights >= run.settings.source_full_pass_nights:
        return None
    if not is_large(connection, run, found) or not _has_rowversions(connection, found.view):
        return None
    return Window(bytes.fromhex(known["since"]), run.floor, nights)


def is_large(connection: sqlite3.Connection, run: Run, found: SourceView) -> bool:
    """Tell whether a view is one to read by windows: large, or a procedure without keys."""
    if found.procedure is not None:
        return not found.procedure.keys
    rows = connection.execute(f"SELECT count(*) FROM main.{found.view.name}").fetchone()[0]
    return int(rows) > run.settings.source_window_rows


def as_meta(connection: sqlite3.Connection, run: Run) -> str:
    """Return what the next sync must know of the windows of this one."""
    if run.floor is None:
        return "{}"
    since = run.floor.hex()
    return json.dumps(
        {
            view.name: {"since": since, "nights": run.windows.get(view.name, 0)}
            for view in run.views
            if run.found[view.name].has_version and is_large(connection, run, run.found[view.name])
        }
    )


def _known(connection: sqlite3.Connection) -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = json.loads(snapshot.read_meta(connection, "windows") or "{}")
    return known


def _has_rowversions(connection: sqlite3.Connection, view: View) -> bool:
    """Tell whether the versions are what a floor can be compared with: eight bytes."""
    row = connection.execute(
        f"SELECT version FROM main.{view.name} WHERE version <> x'' LIMIT 1"
    ).fetchone()
    return row is not None and isinstance(row[0], bytes) and len(row[0]) == 8
