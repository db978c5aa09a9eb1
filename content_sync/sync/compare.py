"""Compare the source with the snapshot, and prove that one state of it was read.

Keys and versions of all rows are staged first, then the rows that differ. Where a connection
does not hold one state of the data, or was lost in between, keys and versions are read once
more: if no row has moved since they were first read, all of them stood so at one moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from content_sync import snapshot
from content_sync.errors import SourceError
from content_sync.records import VIEWS, View
from content_sync.source.catalogue import LOWEST, SourceView
from content_sync.source.connect import Source
from content_sync.source.read import fetch_rows, stream_window
from content_sync.sync import staging, window
from content_sync.sync.keys import Staged, stage_keys
from content_sync.sync.landing import count_rows
from content_sync.sync.run import Run

PASSES = 5
"""How often keys and versions are read again before a restless source is given up."""


def stage_all(connection: sqlite3.Connection, run: Run) -> None:
    """Stage every difference between the source and the snapshot, of one state of the source.

    Raises SourceError when the source cannot be read, or does not come to rest.
    """
    if snapshot.read_meta(connection, "source") != run.identity:
        run.read_whole = {view.name for view in run.views}  # its versions mean something else
    generation = run.session.generation
    for view in VIEWS:
        staging.create_work_tables(connection, view)
        if view.name in run.found:
            stage_view(connection, run, view, may_agree=run.session.source.holds_still)
    if is_one_state(run, generation):
        run.session.log.proof = f"one transaction: {run.session.log.isolation}"
    else:
        stage_agreed(connection, run)
        _prove(connection, run)


def stage_agreed(connection: sqlite3.Connection, run: Run) -> None:
    """Stage the keys of views that agreed, for whoever needs all: they are the snapshot's."""
    for view in run.views:
        if view.name in run.agreed:
            staging.assume_keys(connection, view)
    run.agreed.clear()


def is_one_state(run: Run, generation: int) -> bool:
    """Tell whether all that was read since that connection belongs to one moment."""
    return run.session.source.holds_still and run.session.generation == generation


def find_all_differences(
    connection: sqlite3.Connection, run: Run, views: Sequence[View] = VIEWS
) -> None:
    """Fill the tables of differences and count them."""
    for view in views:
        if view.name in run.agreed:
            continue
        differences = staging.find_differences(connection, view)
        counts = run.counts[view.name]
        counts.added, counts.changed, counts.gone = (
            differences[change] for change in ("added", "changed", "gone")
        )


def stage_view(
    connection: sqlite3.Connection, run: Run, view: View, *, may_agree: bool = False
) -> None:
    """Stage keys and versions of one view, and the rows that differ.

    With `may_agree` a view whose rows are all as in the snapshot is noted as such, and
    nothing of it is staged.
    """
    found = run.found[view.name]
    whole = view.name in run.read_whole
    chosen = None if whole else window.choose(connection, run, found)
    if chosen:
        _stage_window(connection, run, found, chosen)
        return
    staged = _stage_keys(connection, run, found, may_agree=may_agree and not whole)
    if staged.agreed:
        run.agreed.add(view.name)
    else:
        _stage_rows(connection, run, found, staged)


def _stage_keys(
    connection: sqlite3.Connection, run: Run, found: SourceView, *, may_agree: bool = False
) -> Staged:
    name = found.view.name
    total = count_rows(connection, name)

    def stage(source: Source) -> Staged:
        connection.execute(f"DELETE FROM staging.keys_{name}")
        count = run.counter(f"comparing {name}", total)
        return stage_keys(connection, source, found, count, may_agree=may_agree)

    return run.session.run(f"web.{name}", stage)


def _stage_rows(
    connection: sqlite3.Connection,
    run: Run,
    found: SourceView,
    staged: Staged,
) -> None:
    view = found.view
    repeated = staging.repeated_keys(connection, view)
    wanted = staging.choose_wanted(connection, view, everything=view.name in run.read_whole)
    if wanted:
        ambiguous = repeated and staging.has_ambiguous_keys(connection, view)
        by_key = staged.is_askable and not ambiguous and found.procedure is None
        _read_wanted(connection, run, found, wanted=wanted, by_key=by_key)
    staging.write_key_problems(connection, "staging", view, staged.keyless, repeated)
    run.counts[view.name].left_out = staged.keyless + sum(n - 1 for _key, n in repeated)


def _read_wanted(
    connection: sqlite3.Connection, run: Run, found: SourceView, *, wanted: int, by_key: bool
) -> None:
    """Read the rows of `wanted_<view>`, and perhaps others with them, into `staging`."""
    name = found.view.name
    session = run.session
    count = run.counter(f"reading {name}", wanted)
    if by_key and staging.is_cheaper_by_key(connection, found.view, wanted):
        intake = staging.Intake(connection, "staging", found.view)
        for keys in staging.wanted_keys(connection, found.view):
            rows, versions = session.run(
                f"web.{name}",
                lambda source, keys=keys: fetch_rows(source, found, keys),  # type: ignore[misc]
            )
            intake.take(rows, versions)
            count(len(rows))
        intake.finish()
        if not staging.misses_rows(connection, found.view):
            return
        # A key that does not find its own row (a type that does not compare as it shows):
        # read the view whole instead.
    since = LOWEST
    if found.procedure:
        since = staging.least_wanted_version(connection, found.view) or LOWEST

    def stage(source: Source) -> None:
        staging.forget_rows(connection, found.view)
        staging.take_all(connection, "staging", source, found, count, since)

    session.run(f"web.{name}", stage)


def _stage_window(
    connection: sqlite3.Connection, run: Run, found: SourceView, chosen: window.Window
) -> None:
    """Stage the rows of a window; all others count as they stand in the snapshot."""
    view = found.view

    def stage(source: Source) -> None:
        staging.forget_rows(connection, view)
        staging.assume_keys(connection, view)
        intake = staging.Intake(connection, "staging", view)
        count = run.counter(f"comparing {view.name}", 0)
        for rows, versions in stream_window(source, found, chosen.since, chosen.below):
            staging.note_keys(connection, view, rows, versions)
            intake.take(rows, versions)
            count(len(rows))
        intake.finish()

    run.windows[view.name] = chosen.nights
    run.session.run(f"web.{view.name}", stage)
    run.session.log.deletions_wait[view.name] = run.settings.source_full_pass_nights


# Proof


def _prove(connection: sqlite3.Connection, run: Run) -> None:
    """Read keys and versions again until nothing has moved; read anew what has."""
    moved: dict[str, int] = {}
    for done in range(1, PASSES + 1):
        moved = {}
        for view in run.views:
            if view.name in run.windows:
                continue  # what is below the floor does not change any more
            count = _look_again(connection, run, run.found[view.name])
            if count:
                moved[view.name] = count
        if not moved:
            run.session.log.proof = (
                f"keys and versions were read {done + 1} times ({run.session.log.isolation}, "
                f"{run.session.generation} connections); in the last pass nothing had moved"
            )
            run.notes.append(f"One state of the source was read: {run.session.log.proof}.")
            return
    told = ", ".join(f"web.{name} ({count:,} rows)" for name, count in moved.items())
    raise SourceError(
        f"The source does not come to rest: while its keys were read {PASSES + 1} times, rows "
        f"moved each time, at last in {told}. Nothing was changed.",
        hint="Switch snapshot isolation on (docs/database.md), or run when nobody writes.",
    )


def _look_again(connection: sqlite3.Connection, run: Run, found: SourceView) -> int:
    """Return how many rows moved since they were staged; stage the view anew if any did."""
    view = found.view
    staging.set_keys_aside(connection, view)
    staged = _stage_keys(connection, run, found)
    moved = staging.count_moved(connection, view)
    if moved:
        staging.forget_rows(connection, view)
        connection.execute(f"DELETE FROM staging.wanted_{view.name}")
        _stage_rows(connection, run, found, staged)
    return moved
