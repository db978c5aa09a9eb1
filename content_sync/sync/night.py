"""Bring the snapshot up to date with the source: all of it in one transaction, or nothing.

A first sync, and one after a change of the schema or from a demo to a real source, makes a
new file beside the old one and moves it into place (`first.py`). Every other sync compares
keys and versions, reads what differs, and applies it inside one transaction of the snapshot
(`compare.py`, `update.py`). What a guard refused is landed by `--accept` as it was seen.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from content_sync import snapshot
from content_sync.errors import GuardRefused, NightpressError, SourceError
from content_sync.records import VIEWS
from content_sync.settings import Settings
from content_sync.source.catalogue import Found, complete, look, procedures_of
from content_sync.source.connect import Source
from content_sync.source.read import floor_of
from content_sync.source.session import Session
from content_sync.sync import distrusted, drift, first, moved, refusal, report, update
from content_sync.sync.one import OneRecordImpossible
from content_sync.sync.run import Outcome, Progress, Run, SyncReport, ViewCounts

__all__ = ["Progress", "SyncReport", "ViewCounts", "look_back", "open_run", "sync"]


@dataclass(frozen=True, slots=True)
class Previous:
    """What is known of the snapshot that is there."""

    sync: snapshot.LastSync
    is_current: bool
    views: frozenset[str]
    columns: Mapping[str, Mapping[str, str]]

    def is_base_for(self, run: Run) -> bool:
        """Tell whether `run` compares with this snapshot, or makes another."""
        return self.is_current and self.sync.is_demo == run.is_demo


def sync(
    settings: Settings,
    *,
    accept: bool = False,
    records: Sequence[tuple[str, str]] = (),
    progress: Progress | None = None,
) -> SyncReport:
    """Bring `settings.snapshot` up to date with the source and report what was done.

    Given `records`, each a type and an id, only these are read, and what they name that is
    new; raises OneRecordImpossible when that cannot be.

    Raises SourceError when the source cannot be read or lost a view, GuardRefused when too
    much would be gone or changed (`accept` goes on in both cases, and lands what was refused
    before), NightpressError when the snapshot cannot be written. Whatever is raised, the
    snapshot is as it was.
    """
    began = time.monotonic()
    with (
        writing(settings.snapshot),
        Session(settings, settings.source_name, tell=_log) as session,
        report.written(settings, session) as told,
    ):
        refused = refusal.pending(settings) if accept else None
        if refused:
            refusal.check_looked_at(settings, refused)
            run, outcome = _land_refused(settings, session, refused)
        else:
            run, outcome = _read_and_land(
                settings, session, accept, progress or _silent, tuple(records)
            )
        told.number = outcome.number
    if not records:
        refusal.forget(settings)
    return SyncReport(
        number=outcome.number,
        is_demo=run.is_demo,
        views={view.name: run.counts[view.name] for view in run.views},
        problems=outcome.problems,
        unchanged=outcome.unchanged,
        seconds=time.monotonic() - began,
        notes=tuple(dict.fromkeys((*session.notes, *run.notes))),
    )


def open_run(
    settings: Settings,
    session: Session,
    previous: Previous | None,
    *,
    accept: bool,
    progress: Progress | None = None,
) -> Run:
    """Open the source and return a run over what it has, if it is what it should be."""
    procedures = procedures_of(settings.source_procedures)

    def begin(source: Source) -> tuple[Found, bytes | None]:
        return look(source, procedures), floor_of(source)

    found, floor = session.run("the catalogue", begin)
    source = session.source
    run = Run(
        settings,
        session,
        found.views,
        accept,
        progress or _silent,
        identity=source.identity,
        is_demo=source.is_demo,
        floor=floor,
    )
    if previous:
        _check_kind(run, previous)
        if previous.sync.is_demo == run.is_demo:
            run.notes += drift.check_drift(previous.columns, found, accept=accept)
    complete(source, found)
    if previous:
        _check_views(run, previous)
    return run


def look_back(path: Path) -> Previous | None:
    """Return what is known of the snapshot at `path`, or None if there is none."""
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
        columns = json.loads(snapshot.read_meta(connection, "columns") or "{}")
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise
        raise NightpressError(
            f"The snapshot {path} is damaged: {error}.",
            hint="Delete it; the next sync makes it again from the source.",
        ) from error
    finally:
        connection.close()
    return Previous(last, is_current, frozenset(views), columns)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say about the snapshot into one clear line."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise NightpressError(
            f"The snapshot {path} cannot be written: {error}.",
            hint="It is as it was; see that the disk has room and run 'nightpress sync' again.",
        ) from error


def _read_and_land(
    settings: Settings,
    session: Session,
    accept: bool,
    progress: Progress,
    records: tuple[tuple[str, str], ...],
) -> tuple[Run, Outcome]:
    previous = look_back(settings.snapshot)
    run = open_run(settings, session, previous, accept=accept, progress=progress)
    if previous is not None and previous.is_base_for(run):
        run.records = records
        run.read_whole = set() if records else distrusted.views(settings)
        outcome = update.update(run)
        if not records:
            distrusted.forget(settings)
        return run, outcome
    if records:
        raise OneRecordImpossible("There is no snapshot of this source yet.")
    number = previous.sync.number if previous else 0
    replaces = previous is not None and previous.sync.is_demo == run.is_demo
    return run, first.make(run, number, replaces=replaces)


def _land_refused(
    settings: Settings, session: Session, refused: refusal.Refusal
) -> tuple[Run, Outcome]:
    """Land what was looked at; say whether the source has moved meanwhile."""
    run = Run(settings, session, {}, True, _silent, identity="", is_demo=False)
    refusal.restore(refused, run)
    outcome = update.land_refused(run)
    run.notes.append(f"Landed what was refused on {refused.at}, exactly as it was read then.")
    try:
        now_there = open_run(settings, session, look_back(settings.snapshot), accept=True)
        rows = moved.count_moved(settings, session, now_there)
    except SourceError as error:
        run.notes.append(f"Whether the source has moved since could not be asked: {error}")
    else:
        if rows:
            run.notes.append(
                f"The source has moved since: {rows:,} rows are not as they were read then; "
                "the next sync brings them."
            )
    return run, outcome


def _check_kind(run: Run, previous: Previous) -> None:
    if run.is_demo and not previous.sync.is_demo and not run.accept:
        raise GuardRefused(
            f"The snapshot holds real data, but the source is now the demo: "
            f"{run.session.source.name}.",
            hint="Set NIGHTPRESS_SOURCE again; --accept puts the demo in place of the data.",
        )


def _check_views(run: Run, previous: Previous) -> None:
    """Stop when a view vanished, unless that is accepted."""
    if run.accept or previous.sync.is_demo != run.is_demo:
        return
    vanished = [view.name for view in VIEWS if view.name in previous.views - run.found.keys()]
    if vanished:
        names = ", ".join(f"web.{name}" for name in vanished)
        raise SourceError(
            f"There was a view {names} in the last sync, and {run.session.source.name} has none "
            "now.",
            hint="Bring it back (or the login's right to read it); "
            "--accept goes on without that section.",
        )


def _log(line: str) -> None:
    from content_sync.terminal import log

    log.warning("%s", line)


def _silent(_step: str, _done: int, _total: int) -> None:
    """Show nobody how far a sync is."""
