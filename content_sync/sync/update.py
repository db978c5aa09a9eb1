"""Apply what differs to a snapshot that is there, inside one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from content_sync import snapshot
from content_sync.errors import GuardRefused
from content_sync.records import VIEWS, View
from content_sync.sync import guards, landing, refusal, staging
from content_sync.sync.compare import find_all_differences, stage_agreed, stage_all
from content_sync.sync.files import remove, set_up_load
from content_sync.sync.one import stage_records
from content_sync.sync.run import Outcome, Run


def update(run: Run) -> Outcome:
    """Bring the snapshot to what the source holds; nothing changes if this raises.

    What a guard refused is kept for `nightpress diff` and for `--accept`.
    """
    path = run.settings.snapshot
    work = path.with_name("staging.sqlite")
    connection = open_with_staging(path, work)
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            views: Sequence[View] = VIEWS
            if run.records:
                views = stage_records(connection, run)
            else:
                stage_all(connection, run)
            find_all_differences(connection, run, views)
            if not run.accept:
                guards.check_losses(run.settings, _losses(connection, run))
            return _land(connection, run, views)
        except GuardRefused as error:
            if run.records:
                raise  # what is staged is a part and must not be landed as the whole
            stage_agreed(connection, run)  # what is kept is landed as the whole
            refusal.note(connection, run, error.args[0])
            connection.execute("COMMIT")  # of what is staged; the snapshot has not changed
            connection.close()
            refusal.keep(run.settings, work)
            raise
        finally:
            _roll_back(connection)
    finally:
        connection.close()
        remove(work)


def land_refused(run: Run) -> Outcome:
    """Apply exactly what a guard refused and `refusal` kept."""
    connection = sqlite3.connect(run.settings.snapshot, isolation_level=None, timeout=30)
    try:
        connection.execute("ATTACH DATABASE ? AS staging", (str(refusal.kept(run.settings)),))
        connection.execute("BEGIN IMMEDIATE")
        try:
            return _land(connection, run, VIEWS)
        finally:
            _roll_back(connection)
    finally:
        connection.close()


def open_with_staging(path: Path, work: Path) -> sqlite3.Connection:
    """Open a snapshot with an empty staging file beside it."""
    remove(work)
    made = sqlite3.connect(work, isolation_level=None)
    try:
        set_up_load(made, "main")
        made.execute("BEGIN")
        snapshot.create_tables(made)
        made.execute("COMMIT")
    except BaseException:
        made.close()
        remove(work)
        raise
    made.close()
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    connection.execute("ATTACH DATABASE ? AS staging", (str(work),))
    set_up_load(connection, "staging")
    return connection


def _land(connection: sqlite3.Connection, run: Run, views: Sequence[View]) -> Outcome:
    last = snapshot.last_sync(connection)
    assert last is not None
    number = last.number + 1
    before = connection.total_changes
    unchanged = landing.land(connection, run, number, views)
    for view in VIEWS:
        counts = run.counts[view.name]
        counts.rows = landing.count_rows(connection, view.name)
        counts.left_out += landing.count_left_out(connection, view.name)
    problems = landing.count_problems(connection)
    if not unchanged:
        first_sync = int(snapshot.read_meta(connection, "first_sync") or number)
        landing.write_sync(connection, run, number, first_sync=first_sync)
    else:
        landing.write_meta(connection, run)
    if connection.total_changes != before:
        connection.execute("COMMIT")
    return Outcome(last.number if unchanged else number, problems, unchanged)


def _losses(connection: sqlite3.Connection, run: Run) -> Iterator[guards.Loss]:
    for view in VIEWS:
        counts = run.counts[view.name]
        if not counts.gone and not counts.changed:
            continue
        had = landing.count_rows(connection, view.name)
        keys = {
            change: [
                key
                for (key,) in connection.execute(
                    f"SELECT {staging.key_text(view, 'd', repr('/'))} "
                    f"FROM staging.diff_{view.name} AS d WHERE change = ?",
                    (change,),
                )
            ]
            for change in ("gone", "changed")
        }
        left = had - counts.gone + counts.added
        yield guards.Loss(view.name, had, left, keys["gone"], keys["changed"])


def _roll_back(connection: sqlite3.Connection) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.ProgrammingError:
        pass  # closed already
