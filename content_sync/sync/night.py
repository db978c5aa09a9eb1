"""Bring the snapshot up to date with the source: all of it in one transaction, or nothing.

A first sync, and one after a change of the schema or from a demo to a real source, makes a
new file beside the old one and moves it into place. Every other sync compares keys and
versions, reads what differs, and applies it inside one transaction of the snapshot.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from content_sync import snapshot
from content_sync.errors import GuardRefused, NightpressError, SourceError
from content_sync.records import VIEWS, View
from content_sync.settings import Settings
from content_sync.source.connect import Source, open_source
from content_sync.source.read import SourceView, count_rows, probe, stream_rows
from content_sync.sync import guards, references, staging, touch

Progress = Callable[[str, int, int], None]
"""Called with a step (reading one view), rows read so far, and about how many there are."""


@dataclass(slots=True, kw_only=True)
class ViewCounts:
    """What a sync found in one view; `rows` are those in the snapshot afterwards."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    gone: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a sync did. `number` is that of the newest sync that changed anything."""

    number: int
    is_demo: bool
    views: dict[str, ViewCounts]
    problems: int
    unchanged: bool
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(counts.rows for counts in self.views.values())

    @property
    def added(self) -> int:
        return sum(counts.added for counts in self.views.values())

    @property
    def changed(self) -> int:
        return sum(counts.changed for counts in self.views.values())

    @property
    def gone(self) -> int:
        return sum(counts.gone for counts in self.views.values())

    @property
    def left_out(self) -> int:
        return sum(counts.left_out for counts in self.views.values())


@dataclass(frozen=True, slots=True)
class _Previous:
    sync: snapshot.LastSync
    is_current: bool
    views: frozenset[str]


@dataclass(slots=True)
class _Run:
    """What the steps of one sync share."""

    settings: Settings
    source: Source
    found: dict[str, SourceView]
    accept: bool
    progress: Progress
    started: str = field(default_factory=lambda: _now())
    counts: dict[str, ViewCounts] = field(
        default_factory=lambda: {view.name: ViewCounts() for view in VIEWS}
    )

    def counter(self, step: str, total: int) -> staging.Count:
        """Return what tells `progress` of rows that were read."""
        done = 0

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            self.progress(step, done, max(total, done))

        return count


def sync(
    settings: Settings, *, accept: bool = False, progress: Progress | None = None
) -> SyncReport:
    """Bring `settings.snapshot` up to date with the source and report what was done.

    Raises SourceError when the source cannot be read or lost a view, GuardRefused when too
    much would be gone (`accept` goes on in both cases), NightpressError when the snapshot
    cannot be written. Whatever is raised, the snapshot is as it was.
    """
    began = time.monotonic()
    with _writing(settings.snapshot):
        previous = _look_back(settings.snapshot)
        with open_source(settings.source_name, settings.site) as source:
            run = _Run(settings, source, probe(source), accept, progress or _silent)
            _check_source(run, previous)
            is_new = (
                previous is None
                or not previous.is_current
                or previous.sync.is_demo != source.is_demo
            )
            if is_new:
                number, problems = _make(run, previous)
                unchanged = False
            else:
                number, problems, unchanged = _update(run)
            notes = tuple(source.notes)
    guards.refused_list(settings).unlink(missing_ok=True)
    return SyncReport(
        number=number,
        is_demo=source.is_demo,
        views={view.name: run.counts[view.name] for view in VIEWS if view.name in run.found},
        problems=problems,
        unchanged=unchanged,
        seconds=time.monotonic() - began,
        notes=notes,
    )


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say about the snapshot into one clear line."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise NightpressError(
            f"The snapshot {path} cannot be written: {error}.",
            hint="It is as it was; see that the disk has room and run 'nightpress sync' again.",
        ) from error


def _look_back(path: Path) -> _Previous | None:
    if not path.is_file():
        return None
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        last = snapshot.last_sync(connection)
        if last is None:
            return None
        is_current = snapshot.is_current(connection)
        views = json.loads(snapshot.read_meta(connection, "views") or "[]")
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise
        raise NightpressError(
            f"The snapshot {path} is damaged: {error}.",
            hint="Delete it; the next sync makes it again from the source.",
        ) from error
    finally:
        connection.close()
    return _Previous(last, is_current, frozenset(views))


def _check_source(run: _Run, previous: _Previous | None) -> None:
    """Stop when the source is not the one that it should be, unless that is accepted."""
    if previous is None or run.accept:
        return
    if run.source.is_demo and not previous.sync.is_demo:
        raise GuardRefused(
            f"The snapshot holds real data, but the source is now the demo: {run.source.name}.",
            hint="Set NIGHTPRESS_SOURCE again; --accept puts the demo in place of the data.",
        )
    if previous.sync.is_demo and not run.source.is_demo:
        return
    vanished = sorted(previous.views - run.found.keys())
    if vanished:
        names = ", ".join(f"web.{name}" for name in vanished)
        raise SourceError(
            f"There was a view {names} in the last sync, and {run.source.name} has none now.",
            hint="Bring it back (or the login's right to read it); "
            "--accept goes on without that section.",
        )


# A new snapshot


def _make(run: _Run, previous: _Previous | None) -> tuple[int, int]:
    """Make the snapshot from nothing and move it into place; return number and problems."""
    path = run.settings.snapshot
    new = path.with_name(f"{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(new)
    connection = sqlite3.connect(new, isolation_level=None, uri=True)
    try:
        _set_up_load(connection, "main")
        connection.execute("BEGIN EXCLUSIVE")
        snapshot.create_tables(connection)
        for view in VIEWS:
            if view.name in run.found:
                _load_view(connection, run, view)
        snapshot.create_indexes(connection)
        references.plant_topics(connection, "main.problems")
        everything = [view.name for view in VIEWS]
        references.find_problems(connection, "main.problems", run.found, everything)
        number = previous.sync.number + 1 if previous else 1
        connection.execute("UPDATE problems SET first_seen = ?", (number,))
        _write_sync(connection, run, number, first_sync=number)
        _write_meta(connection, run, id=uuid.uuid4().hex)
        problems = _count_problems(connection)
        connection.execute("COMMIT")
        if previous and not run.accept and previous.sync.is_demo == run.source.is_demo:
            _check_against_old(connection, run, path)
        connection.close()
        _move_into_place(new, path)
    finally:
        connection.close()
        _remove(new)
    return number, problems


def _set_up_load(connection: sqlite3.Connection, schema: str) -> None:
    """Write fast: whatever becomes of this file, another one is kept until it is whole."""
    connection.execute(f"PRAGMA {schema}.journal_mode = MEMORY")
    connection.execute(f"PRAGMA {schema}.synchronous = OFF")
    connection.execute(f"PRAGMA {schema}.cache_size = -32000")


def _load_view(connection: sqlite3.Connection, run: _Run, view: View) -> None:
    intake = staging.Intake(connection, "main", view)
    found = run.found[view.name]
    count = run.counter(f"reading {view.name}", count_rows(run.source, found))
    for rows, versions in stream_rows(run.source, found):
        intake.take(rows, versions)
        count(len(rows))
    intake.finish()
    repeated = [(key.replace("\t", "/"), surplus + 1) for key, surplus in intake.surplus.items()]
    staging.write_key_problems(connection, "main", view, intake.keyless, repeated)
    counts = run.counts[view.name]
    counts.added = counts.rows = _count_rows(connection, view.name)
    counts.left_out = (
        _count_left_out(connection, view.name) + intake.keyless + sum(intake.surplus.values())
    )


def _check_against_old(connection: sqlite3.Connection, run: _Run, old: Path) -> None:
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
        losses.append(guards.Loss(view.name, had, left, [key for (key,) in gone]))
    guards.check_losses(run.settings, losses)


def _move_into_place(new: Path, path: Path) -> None:
    descriptor = os.open(new, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _remove(path.with_name(f"{path.name}-journal"))
    new.replace(path)
    if hasattr(os, "O_DIRECTORY"):  # elsewhere a folder cannot be synced
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


# A comparison with the snapshot


def _update(run: _Run) -> tuple[int, int, bool]:
    """Apply what differs; return the number of the sync, the problems, and if all was equal."""
    path = run.settings.snapshot
    work = path.with_name("staging.sqlite")
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        _make_staging(work)
        connection.execute("ATTACH DATABASE ? AS staging", (str(work),))
        _set_up_load(connection, "staging")
        connection.execute("BEGIN IMMEDIATE")
        try:
            return _compare_and_land(connection, run)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    finally:
        connection.close()
        _remove(work)


def _make_staging(path: Path) -> None:
    _remove(path)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        _set_up_load(connection, "main")
        connection.execute("BEGIN")
        snapshot.create_tables(connection)
        connection.execute("COMMIT")
    finally:
        connection.close()


def _compare_and_land(connection: sqlite3.Connection, run: _Run) -> tuple[int, int, bool]:
    last = snapshot.last_sync(connection)
    assert last is not None
    number = last.number + 1
    is_same_source = snapshot.read_meta(connection, "source") == run.source.identity
    for view in VIEWS:
        staging.create_work_tables(connection, view)
        if view.name in run.found:
            _stage_view(connection, run, view, everything=not is_same_source)
        differences = staging.find_differences(connection, view)
        counts = run.counts[view.name]
        counts.added, counts.changed, counts.gone = (
            differences[change] for change in ("added", "changed", "gone")
        )
    if not run.accept:
        guards.check_losses(run.settings, _losses(connection, run))
    before = connection.total_changes
    changed = {view.name for view in VIEWS if _differs(run.counts[view.name])}
    unchanged = _land(connection, run, number, changed)
    for view in VIEWS:
        counts = run.counts[view.name]
        counts.rows = _count_rows(connection, view.name)
        counts.left_out += _count_left_out(connection, view.name)
    problems = _count_problems(connection)
    if not unchanged:
        first_sync = int(snapshot.read_meta(connection, "first_sync") or number)
        _write_sync(connection, run, number, first_sync=first_sync)
    else:
        _write_meta(connection, run)
    if connection.total_changes != before:
        connection.execute("COMMIT")
    return (last.number if unchanged else number), problems, unchanged


def _stage_view(connection: sqlite3.Connection, run: _Run, view: View, *, everything: bool) -> None:
    found = run.found[view.name]
    count = run.counter(f"comparing {view.name}", _count_rows(connection, view.name))
    keyless, is_askable = staging.stage_keys(connection, run.source, found, count)
    repeated = staging.repeated_keys(connection, view)
    wanted = staging.choose_wanted(connection, view, everything=everything)
    count = run.counter(f"reading {view.name}", wanted)
    by_key = is_askable and not (repeated and staging.has_ambiguous_keys(connection, view))
    intake = staging.Intake(connection, "staging", view)
    staging.stage_rows(intake, run.source, found, count, wanted=wanted, by_key=by_key)
    staging.write_key_problems(connection, "staging", view, keyless, repeated)
    run.counts[view.name].left_out = keyless + sum(n - 1 for _key, n in repeated)


def _losses(connection: sqlite3.Connection, run: _Run) -> Iterator[guards.Loss]:
    for view in VIEWS:
        counts = run.counts[view.name]
        if not counts.gone:
            continue
        had = _count_rows(connection, view.name)
        gone = connection.execute(
            f"SELECT {staging.key_text(view, 'd', repr('/'))} FROM staging.diff_{view.name} AS d "
            "WHERE change = 'gone'"
        )
        left = had - counts.gone + counts.added
        yield guards.Loss(view.name, had, left, [key for (key,) in gone])


def _land(connection: sqlite3.Connection, run: _Run, number: int, changed: set[str]) -> bool:
    """Apply everything that was staged; tell whether no record is different."""
    touch.start(connection)
    if changed:
        _sow(connection, changed)
        touch.spread(connection)
    affected = set(changed)
    for view in VIEWS:
        if staging.apply_view(connection, view):
            affected.add(view.name)
        staging.apply_problems(connection, view)
    moved: set[str] = set()
    looked_at: list[tuple[str, str, str]] = []
    if affected:
        moved = references.plant_topics(connection, "staging.problems")
        looked_at = references.find_problems(connection, "staging.problems", run.found, affected)
        looked_at.append(("topics", "parent_id", "circle"))
    staging.land_problems(connection, number, looked_at)
    if changed:
        _sow(connection, changed)
        connection.executemany(
            "INSERT OR IGNORE INTO temp.seed VALUES ('topic', ?)", ((topic,) for topic in moved)
        )
        touch.spread(connection)
        _write_changes(connection, number)
    return not changed


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


# What both write


def _write_sync(connection: sqlite3.Connection, run: _Run, number: int, *, first_sync: int) -> None:
    counts = {view.name: asdict(run.counts[view.name]) for view in VIEWS}
    connection.execute(
        "INSERT INTO syncs VALUES (?, ?, ?, ?, ?)",
        (number, run.started, _now(), int(run.source.is_demo), json.dumps(counts)),
    )
    oldest = max(first_sync + 1, number - snapshot.SYNCS_KEPT + 1)
    for table in ("changes", "touched"):
        connection.execute(f"DELETE FROM {table} WHERE sync < ?", (oldest,))
    _write_meta(connection, run, first_sync=str(first_sync), kept_from=str(oldest))


def _write_meta(connection: sqlite3.Connection, run: _Run, **more: str) -> None:
    values = {
        "source": run.source.identity,
        "views": json.dumps([view.name for view in VIEWS if view.name in run.found]),
        **more,
    }
    connection.executemany(
        "INSERT INTO main.meta VALUES (?, ?) "
        "ON CONFLICT DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
        values.items(),
    )


def _differs(counts: ViewCounts) -> bool:
    return bool(counts.added or counts.changed or counts.gone)


def _count_rows(connection: sqlite3.Connection, view: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM main.{view}").fetchone()[0])


def _count_left_out(connection: sqlite3.Connection, view: str) -> int:
    query = "SELECT count(*) FROM main.left_out WHERE view = ?"
    return int(connection.execute(query, (view,)).fetchone()[0])


def _count_problems(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM main.problems").fetchone()[0])


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)


def _silent(_step: str, _done: int, _total: int) -> None:
    """Show nobody how far a sync is."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
