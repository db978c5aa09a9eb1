"""Make a snapshot from nothing, beside the old one, and move it into place."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

from content_sync import snapshot
from content_sync.errors import SourceError
from content_sync.records import VIEWS, View
from content_sync.source.catalogue import LOWEST
from content_sync.source.connect import Source
from content_sync.source.read import count_rows
from content_sync.sync import guards, landing, references, staging
from content_sync.sync.compare import PASSES, find_all_differences, is_one_state, stage_view
from content_sync.sync.files import move_into_place, remove, set_up_load
from content_sync.sync.run import Outcome, Run, ViewCounts
from content_sync.sync.update import open_with_staging


def make(run: Run, last_number: int, *, replaces: bool) -> Outcome:
    """Make the snapshot anew; with `replaces`, guards compare it with the one before."""
    path = run.settings.snapshot
    new = path.with_name(f"{path.name}.new")
    work = path.with_name("staging.sqlite")
    path.parent.mkdir(parents=True, exist_ok=True)
    remove(new)
    connection = sqlite3.connect(new, isolation_level=None, uri=True)
    try:
        set_up_load(connection, "main")
        connection.execute("BEGIN EXCLUSIVE")
        snapshot.create_tables(connection)
        generation = run.session.generation
        for view in run.views:
            _load_view(connection, run, view)
        snapshot.create_indexes(connection)
        references.plant_topics(connection, "main.problems")
        everything = [view.name for view in VIEWS]
        references.find_problems(connection, "main.problems", run.found, everything)
        if is_one_state(run, generation):
            run.session.log.proof = f"one transaction: {run.session.log.isolation}"
        else:
            connection.execute("COMMIT")
            connection.close()
            connection = _settle(run, new, work)
        number = last_number + 1
        connection.execute("UPDATE main.problems SET first_seen = ?", (number,))
        landing.write_sync(connection, run, number, first_sync=number)
        landing.write_meta(connection, run, id=uuid.uuid4().hex)
        problems = landing.count_problems(connection)
        connection.execute("COMMIT")
        if replaces and not run.accept:
            _check_against_old(connection, run, path)
        connection.close()
        move_into_place(new, path)
    finally:
        connection.close()
        remove(new)
        remove(work)
    return Outcome(number, problems, unchanged=False)


def _load_view(connection: sqlite3.Connection, run: Run, view: View) -> None:
    found = run.found[view.name]

    def load(source: Source) -> staging.Intake:
        staging.forget_rows(connection, view, "main")
        count = run.counter(f"reading {view.name}", count_rows(source, found))
        return staging.take_all(connection, "main", source, found, count, LOWEST)

    intake = run.session.run(f"web.{view.name}", load)
    repeated = [(key.replace("\t", "/"), surplus + 1) for key, surplus in intake.surplus.items()]
    staging.write_key_problems(connection, "main", view, intake.keyless, repeated)
    counts = run.counts[view.name]
    counts.added = counts.rows = landing.count_rows(connection, view.name)
    counts.left_out = (
        landing.count_left_out(connection, view.name)
        + intake.keyless
        + sum(intake.surplus.values())
    )


def _settle(run: Run, new: Path, work: Path) -> sqlite3.Connection:
    """Compare what was loaded with the source, and mend it, until nothing moves any more.

    Returns a connection with an open transaction. Raises SourceError when it does not come
    to rest.
    """
    for done in range(1, PASSES + 1):
        connection = open_with_staging(new, work)
        set_up_load(connection, "main")
        connection.execute("BEGIN EXCLUSIVE")
        try:
            for view in VIEWS:
                run.counts[view.name] = ViewCounts()
                staging.create_work_tables(connection, view)
            for view in run.views:
                stage_view(connection, run, view)
            moved = {
                view.name: staging.count_wanted_and_gone(connection, view) for view in run.views
            }
            find_all_differences(connection, run)
            for view in run.views:
                counts = run.counts[view.name]
                moved[view.name] += counts.added + counts.changed
            changed = {view.name for view in VIEWS if run.counts[view.name].differs}
            _moved, looked_at = landing.apply_all(connection, run, changed)
            staging.land_problems(connection, 0, looked_at)
        except BaseException:
            connection.close()
            raise
        if not any(moved.values()):
            run.session.log.proof = (
                f"keys and versions were read {done + 1} times ({run.session.log.isolation}, "
                f"{run.session.generation} connections); in the last pass nothing had moved"
            )
            run.notes.append(f"One state of the source was read: {run.session.log.proof}.")
            for view in VIEWS:
                counts = run.counts[view.name]
                counts.added = counts.rows = landing.count_rows(connection, view.name)
                counts.changed = counts.gone = 0
                counts.left_out += landing.count_left_out(connection, view.name)
            return connection
        connection.execute("COMMIT")
        connection.close()
    told = ", ".join(f"web.{name} ({count:,} rows)" for name, count in moved.items() if count)
    raise SourceError(
        f"The source does not come to rest: while its keys were read {PASSES + 1} times, rows "
        f"moved each time, at last in {told}. Nothing was changed.",
        hint="Switch snapshot isolation on (docs/database.md), or run when nobody writes.",
    )


def _check_against_old(connection: sqlite3.Connection, run: Run, old: Path) -> None:
    """Let the guards compare a snapshot that was made anew with the one before it.

    That one may be of another version: of its tables only names and keys are relied on.
    """
    connection.execute("ATTACH DATABASE ? AS old", (f"{old.resolve().as_uri()}?mode=ro",))
    known = {
        name for (name,) in connection.execute("SELECT name FROM old.sqlite_master").fetchall()
    }
    losses = []
    for view in VIEWS:
        if view.name not in known:
            continue
        had = connection.execute(f"SELECT count(*) FROM old.{view.name}").fetchone()[0]
        gone = connection.execute(
            f"SELECT {staging.key_text(view, 's', repr('/'))} FROM old.{view.name} AS s "
            f"WHERE NOT EXISTS (SELECT 1 FROM main.{view.name} AS n "
            f"WHERE {staging.same_key(view, 'n', 's')})"
        )
        left = run.counts[view.name].rows
        losses.append(guards.Loss(view.name, had, left, [key for (key,) in gone], []))
    guards.check_losses(run.settings, losses)
