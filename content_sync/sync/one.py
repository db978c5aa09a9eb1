"""Read one record alone, and what its pages need beside it: the fast lane of a rebuild.

All else counts as it stands in the snapshot, as the rows outside a window do. Where the keys
of the source do not allow it (a procedure, a key that is spelled otherwise, a record that
is gone), OneRecordImpossible says so, and the ordinary sync does it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from content_sync.errors import NightpressError
from content_sync.records import VIEWS, View
from content_sync.source.convert import CONVERTERS
from content_sync.source.read import Rows, SourceView, fetch_rows
from content_sync.sync import staging
from content_sync.sync.references import REFERENCES
from content_sync.sync.run import Run

_PASSES = 3

_BY_KEY: dict[str, tuple[str, ...]] = {
    "institution": ("institutions",),
    "person": ("people", "person_names", "people_accounts"),
    "venue": ("venues",),
    "topic": ("topics",),
    "publication": ("publications", "publication_people", "publication_topics"),
    "project": ("projects", "project_people", "project_publications"),
    "event": ("events", "event_organisers"),
}
"""The views whose rows belong to a record and begin their key with its id; its own one first."""

_WHOLE: dict[str, tuple[str, ...]] = {
    "project": ("deliverables",),
    "event": ("event_sessions", "session_speakers", "session_publications"),
}
"""Views of the record's parts, which have ids of their own: compared whole, they are short."""

_VIEWS = {view.name: view for view in VIEWS}


class OneRecordImpossible(NightpressError):
    """The record cannot be read alone; the ordinary sync can."""


def stage_records(connection: sqlite3.Connection, run: Run) -> tuple[View, ...]:
    """Stage what differs in the records of `run`; return the views that were looked at.

    Raises OneRecordImpossible, and then nothing may be applied.
    """
    from content_sync.sync.compare import is_one_state, stage_view

    for view in VIEWS:
        staging.create_work_tables(connection, view)
    wanted: dict[str, set[str]] = {}
    whole: set[str] = set()
    for record_type, record_id in run.records:
        for name in _BY_KEY[record_type]:
            wanted.setdefault(name, set()).add(record_id)
        whole.update(_WHOLE.get(record_type, ()))
    generation = run.session.generation
    for view in VIEWS:
        if view.name in whole and view.name in run.found:
            stage_view(connection, run, view)
    one = _One(connection, run)
    for name, ids in wanted.items():
        if name in run.found:
            one.stage(_VIEWS[name], ids)
    one.stage_missing()
    if not is_one_state(run, generation):
        one.prove()
    run.session.log.proof = f"{len(run.records)} records read by their keys"
    return tuple(view for view in VIEWS if view.name in one.looked_at | (whole & run.found.keys()))


class _One:
    def __init__(self, connection: sqlite3.Connection, run: Run) -> None:
        self.connection = connection
        self.run = run
        self.looked_at: set[str] = set()
        self.read: dict[str, tuple[SourceView, list[str], Rows]] = {}

    def stage(self, view: View, ids: set[str]) -> None:
        """Stage the rows of a view that belong to these records; all others are as they were."""
        found = self.run.found[view.name]
        if found.procedure:
            raise OneRecordImpossible(f"web.{view.name} is read by a procedure.")
        if view.name in self.looked_at:
            ids = ids | set(self.read[view.name][1])
            staging.forget_rows(self.connection, view)
        self.looked_at.add(view.name)
        asked = sorted(ids)
        rows, versions = self._fetch(found, asked)
        self.read[view.name] = (found, asked, rows)
        # What the source has no more of these records counts as gone.
        staging.note_asked(self.connection, view, asked)
        if rows:
            staging.note_keys(self.connection, view, rows, versions)
            intake = staging.Intake(self.connection, "staging", view)
            intake.take(rows, versions)
            intake.finish()
        keys = self._first_keys(view, rows)
        if not keys <= ids:
            raise OneRecordImpossible(f"web.{view.name} spells its keys otherwise.")
        if view.key == ("id",) and (lost := ids - keys):
            raise OneRecordImpossible(
                f"web.{view.name} has no row with the key {sorted(lost)[0]!r}."
            )

    def stage_missing(self) -> None:
        """Stage records that the staged rows name and the snapshot does not have yet."""
        missing: dict[str, set[str]] = {}
        for reference in REFERENCES:
            if reference.view not in self.looked_at or reference.target not in self.run.found:
                continue
            if _VIEWS[reference.target].key != ("id",):
                continue
            for (one,) in self.connection.execute(
                f"SELECT DISTINCT {reference.column} FROM staging.{reference.view} AS r "
                f"WHERE {reference.column} IS NOT NULL AND NOT EXISTS "
                f"(SELECT 1 FROM main.{reference.target} AS t WHERE t.id = r.{reference.column}) "
                f"AND NOT EXISTS (SELECT 1 FROM staging.{reference.target} AS t "
                f"WHERE t.id = r.{reference.column})"
            ):
                missing.setdefault(reference.target, set()).add(str(one))
        for name, ids in missing.items():
            rows, _ = self._fetch(self.run.found[name], sorted(ids))
            there = ids & self._first_keys(_VIEWS[name], rows)
            if there:  # a reference to nothing is reported, as every night
                self.stage(_VIEWS[name], there)

    def prove(self) -> None:
        """Read the same rows once more; raise unless they stand as they did."""
        for _ in range(_PASSES):
            moved = [
                (found.view, asked)
                for found, asked, rows in list(self.read.values())
                if self._fetch(found, asked)[0] != rows
            ]
            if not moved:
                return
            for view, asked in moved:
                self.stage(view, set(asked))
        raise OneRecordImpossible("The record changes while it is read.")

    def _fetch(self, found: SourceView, ids: list[str]) -> tuple[Rows, Sequence[Any]]:
        return self.run.session.run(
            f"web.{found.view.name}", lambda source: fetch_rows(source, found, ids)
        )

    def _first_keys(self, view: View, rows: Rows) -> set[str]:
        if not rows:
            return set()
        converter = CONVERTERS[view.name]
        checked = converter.keys([[row[i] for row in rows] for i in converter.key_indexes])
        return {str(key) for key in checked[0] if key is not None}
