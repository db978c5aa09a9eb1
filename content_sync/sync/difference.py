"""The data diff: what a sync would change in the snapshot, field by field."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from content_sync.errors import NightpressError
from content_sync.records import VIEWS, View
from content_sync.settings import Settings
from content_sync.snapshot import COLUMNS, finish_interrupted
from content_sync.source.session import Session
from content_sync.sync import compare, night, refusal, staging
from content_sync.sync.files import remove
from content_sync.sync.run import now
from content_sync.sync.update import open_with_staging

CHANGES = ("added", "changed", "gone")
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a changed row; a value that is not there is None."""

    column: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row that differs: its key, what it is called, and the columns that changed."""

    key: str
    label: str
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewDiff:
    """What differs in one view, with some of the rows."""

    view: str
    had: int
    added: int
    changed: int
    gone: int
    samples: dict[str, list[Row]]

    @property
    def parts(self) -> list[tuple[str, int, list[Row]]]:
        """Name, number and some rows of each sort of change that there is."""
        numbers = dict(zip(CHANGES, (self.added, self.changed, self.gone), strict=True))
        return [
            (change.capitalize(), numbers[change], self.samples[change])
            for change in ("gone", "changed", "added")
            if numbers[change]
        ]


@dataclass(frozen=True, slots=True)
class DataDiff:
    """All that a sync would change; `why` it was refused, or '' if it was only asked for."""

    at: str
    why: str
    digest: str
    views: list[ViewDiff]


def diff_refused(settings: Settings, *, samples: int) -> DataDiff | None:
    """Return what the refused sync would have changed, or None if none was refused."""
    refused = refusal.pending(settings)
    if refused is None:
        return None
    finish_interrupted(settings.snapshot)
    with closing(sqlite3.connect(f"{settings.snapshot.resolve().as_uri()}?mode=ro", uri=True)) as c:
        c.execute(
            "ATTACH DATABASE ? AS staging",
            (f"{refusal.kept(settings).resolve().as_uri()}?mode=ro",),
        )
        views = list(_views(c, samples))
    return DataDiff(refused.at, refused.facts["why"], refused.digest, views)


def diff_now(settings: Settings, *, samples: int) -> DataDiff:
    """Return what a sync would change now; reads the source and writes nothing.

    Raises NightpressError when there is no snapshot, SourceError as a sync would.
    """
    previous = night.look_back(settings.snapshot)
    if previous is None or not previous.is_current:
        raise NightpressError(
            "There is no snapshot to compare the source with.", hint="Run 'nightpress sync'."
        )
    work = settings.var / "diff.sqlite"
    with Session(settings, settings.source_name) as session:
        run = night.open_run(settings, session, previous, accept=True)
        connection = open_with_staging(settings.snapshot, work)
        try:
            connection.execute("BEGIN")
            compare.stage_all(connection, run)
            compare.find_all_differences(connection, run)
            digest = refusal.digest_of(connection)
            views = list(_views(connection, samples))
            connection.execute("ROLLBACK")
        finally:
            connection.close()
            remove(work)
    return DataDiff(now(), "", digest, views)


def as_text(diff: DataDiff) -> str:
    """Return the diff for a terminal."""
    return "\n".join(_lines(diff))


def _lines(diff: DataDiff) -> Iterator[str]:
    if diff.why:
        yield f"Refused on {diff.at}: {diff.why}"
    if not diff.views:
        yield "Nothing would change: the source is as the snapshot has it."
    for view in diff.views:
        yield ""
        yield (
            f"web.{view.view}: {view.had:,} rows; {view.added:,} added, "
            f"{view.changed:,} changed, {view.gone:,} gone"
        )
        for name, total, rows in view.parts:
            mark = {"Added": "+", "Changed": "~", "Gone": "-"}[name]
            for row in rows:
                yield f"  {mark} {row.key}  {_short(row.label, 80)}".rstrip()
                for field in row.fields:
                    yield f"      {field.column}: {_said(field.old)} → {_said(field.new)}"
            if total > len(rows):
                yield f"  {mark} … and {total - len(rows):,} more {name.lower()}"


def _views(connection: sqlite3.Connection, samples: int) -> Iterator[ViewDiff]:
    for view in VIEWS:
        numbers = dict(
            connection.execute(f"SELECT change, count(*) FROM staging.diff_{view.name} GROUP BY 1")
        )
        if not numbers:
            continue
        had = connection.execute(f"SELECT count(*) FROM main.{view.name}").fetchone()[0]
        yield ViewDiff(
            view.name,
            had,
            numbers.get("added", 0),
            numbers.get("changed", 0),
            numbers.get("gone", 0),
            {change: _rows(connection, view, change, samples) for change in CHANGES},
        )


def _rows(connection: sqlite3.Connection, view: View, change: str, samples: int) -> list[Row]:
    columns = COLUMNS[view.name][:-1]
    new, old = (", ".join(f"{alias}.{column}" for column in columns) for alias in "ns")
    found = connection.execute(
        f"""
        SELECT {staging.key_text(view, "d", "'/'")}, {old}, {new}
        FROM staging.diff_{view.name} AS d
        LEFT JOIN main.{view.name} AS s ON {staging.same_key(view, "s", "d")}
        LEFT JOIN staging.{view.name} AS n ON {staging.same_key(view, "n", "d")}
        WHERE d.change = ? ORDER BY 1 LIMIT ?
        """,
        (change, samples),
    )
    return [_row(view, columns, change, row) for row in found]


def _row(view: View, columns: Sequence[str], change: str, row: Sequence[Any]) -> Row:
    key, values = str(row[0]), row[1:]
    old = dict(zip(columns, values[: len(columns)], strict=True))
    new = dict(zip(columns, values[len(columns) :], strict=True))
    shown = old if change == "gone" else new
    names = ("title", "name", "family_name", "target", "topic_id", "publication_id", "person_id")
    label = next((str(shown[n]) for n in names if shown.get(n) and n not in view.key), "")
    if change != "changed":
        return Row(key, label)
    fields = tuple(
        Field(_given(column), _value(old[column]), _value(new[column]))
        for column in columns
        if old[column] != new[column] and column not in ("sort_name", "letter")
    )
    return Row(key, label, fields)


def _given(column: str) -> str:
    return "parent_id" if column == "given_parent_id" else column


def _value(value: Any) -> str | None:
    return None if value is None else _short(str(value), _LONGEST)


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _said(value: str | None) -> str:
    return "nothing" if value is None else repr(_short(value, 120))
