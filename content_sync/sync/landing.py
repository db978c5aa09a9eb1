"""Apply what was staged to the snapshot, and note what it touches."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict

from content_sync import snapshot
from content_sync.records import VIEWS, View
from content_sync.sync import references, staging, touch, window
from content_sync.sync.run import Run, now


def land(
    connection: sqlite3.Connection, run: Run, number: int, views: Sequence[View] = VIEWS
) -> bool:
    """Apply everything that was staged of `views`; tell whether no record is different."""
    changed = {view.name for view in VIEWS if run.counts[view.name].differs}
    touch.start(connection)
    if changed:
        _sow(connection, changed)
        touch.spread(connection)
    moved, looked_at = apply_all(connection, run, changed, views)
    staging.land_problems(connection, number, looked_at)
    if changed:
        _sow(connection, changed)
        connection.executemany(
            "INSERT OR IGNORE INTO temp.seed VALUES ('topic', ?)", ((topic,) for topic in moved)
        )
        touch.spread(connection)
        _write_changes(connection, number)
    return not changed


def apply_all(
    connection: sqlite3.Connection, run: Run, changed: set[str], views: Sequence[View] = VIEWS
) -> tuple[set[str], list[tuple[str, str, str]]]:
    """Bring every table to what is staged; return moved topics and the rules looked at."""
    affected = set(changed)
    for view in views:
        if view.name in run.agreed:
            continue
        if staging.apply_view(connection, view):
            affected.add(view.name)
        is_part = view.name in run.windows or bool(run.records)
        staging.apply_problems(connection, view, is_window=is_part)
    moved: set[str] = set()
    looked_at: list[tuple[str, str, str]] = []
    if affected:
        moved = references.plant_topics(connection, "staging.problems")
        looked_at = references.find_problems(connection, "staging.problems", run.found, affected)
        looked_at.append(("topics", "parent_id", "circle"))
    return moved, looked_at


def write_sync(connection: sqlite3.Connection, run: Run, number: int, *, first_sync: int) -> None:
    """Enter the sync into the snapshot, and forget what very old ones touched."""
    counts = {view.name: asdict(run.counts[view.name]) for view in VIEWS}
    connection.execute(
        "INSERT INTO syncs VALUES (?, ?, ?, ?, ?)",
        (number, run.started, now(), int(run.is_demo), json.dumps(counts)),
    )
    oldest = max(first_sync + 1, number - snapshot.SYNCS_KEPT + 1)
    for table in ("changes", "touched"):
        connection.execute(f"DELETE FROM {table} WHERE sync < ?", (oldest,))
    write_meta(connection, run, first_sync=str(first_sync), kept_from=str(oldest))


def write_meta(connection: sqlite3.Connection, run: Run, **more: str) -> None:
    """Note what source this is, what views and columns it has, and how far windows went."""
    values = {
        "source": run.identity,
        "views": json.dumps([view.name for view in run.views]),
        "columns": json.dumps({view.name: run.found[view.name].types for view in run.views}),
        "windows": window.as_meta(connection, run),
        **more,
    }
    if run.records:
        del values["windows"]  # they go on where the last whole night left them
    connection.executemany(
        "INSERT INTO main.meta VALUES (?, ?) "
        "ON CONFLICT DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
        values.items(),
    )


def count_rows(connection: sqlite3.Connection, view: str) -> int:
    """Return how many rows of a view the snapshot holds."""
    return int(connection.execute(f"SELECT count(*) FROM main.{view}").fetchone()[0])


def count_left_out(connection: sqlite3.Connection, view: str) -> int:
    """Return how many rows of a view are known and left out."""
    query = "SELECT count(*) FROM main.left_out WHERE view = ?"
    return int(connection.execute(query, (view,)).fetchone()[0])


def count_problems(connection: sqlite3.Connection) -> int:
    """Return how many problems the snapshot knows of."""
    return int(connection.execute("SELECT count(*) FROM main.problems").fetchone()[0])


def _sow(connection: sqlite3.Connection, changed: set[str]) -> None:
    for view in VIEWS:
        if view.name in changed:
            touch.sow(connection, view.name, f"staging.diff_{view.name}")


def _write_changes(connection: sqlite3.Connection, number: int) -> None:
    for view, record_type in touch.RECORD_TYPES.items():
        key = "old_path" if view == "redirects" else "id"
        connection.execute(
            f"INSERT INTO changes SELECT ?, '{record_type}', {key}, change "
            f"FROM staging.diff_{view}",
            (number,),
        )
        connection.execute(  # a record whose rows in another view differ has changed too
            f"""
            INSERT OR IGNORE INTO changes SELECT ?, s.type, s.id, 'changed'
            FROM temp.seed AS s JOIN main.{view} AS r ON r.{key} = s.id
            WHERE s.type = '{record_type}'
            """,
            (number,),
        )
    connection.execute("INSERT INTO touched SELECT ?, type, id FROM temp.near", (number,))
