"""Proof of completeness: what a release shows is what the source holds.

After the build all keys and versions are read from the source once more, and a random
sample of records whole. A row that moved since the sync is no fault; a row that stands
unchanged in the source and otherwise in the snapshot is (its version lies), and so is a
record without its page.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from content_sync.errors import SourceError
from content_sync.pages.documents import bucket_of
from content_sync.pages.maths import without_latex
from content_sync.records import Status, View
from content_sync.release.visibility import Visibility, read_visibility
from content_sync.settings import Settings
from content_sync.snapshot import COLUMNS
from content_sync.source.connect import Source
from content_sync.source.convert import CONVERTERS
from content_sync.source.read import count_rows, fetch_rows
from content_sync.source.session import Session
from content_sync.sync import distrusted, keys, landing, night, staging, window
from content_sync.sync.files import remove
from content_sync.sync.run import Run, now
from content_sync.sync.touch import RECORD_TYPES
from content_sync.sync.update import open_with_staging
from content_sync.urls import PLURALS, page_file, record_url

SAMPLE = {"publications": 40}
_SAMPLE_OF_OTHERS = 10
_CHILDREN = {"publication_people": "publications", "publication_topics": "publications"}
_MOST_FINDINGS = 50


@dataclass(slots=True)
class Proof:
    """What was found; `distrusted` are views whose versions do not tell of changes."""

    sampled: int = 0
    moved: int = 0
    views: list[dict[str, Any]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    not_shown: list[str] = field(default_factory=list)
    distrusted: set[str] = field(default_factory=set)

    def as_facts(self) -> dict[str, Any]:
        """Return the result for release.json and the page of the staff."""
        state, says = "complete", "Yes: every row of the source is known, and the sample agrees."
        if self.moved:
            says = (
                f"Yes, as of the sync: {self.moved:,} rows have moved in the source since, "
                "and the next night brings them. The sample agrees."
            )
        if self.distrusted:
            names = ", ".join(f"web.{name}" for name in sorted(self.distrusted))
            state = "differs"
            says = (
                f"No: rows of {names} have changed without their version. The next sync reads "
                "these views whole; the views need a version that changes with each row."
            )
        if self.not_shown:
            state, says = "not shown", "No: records are missing in the release."
        return {
            "state": state,
            "says": says,
            "at": now(),
            "sampled": self.sampled,
            "views": self.views,
            "findings": self.findings[:_MOST_FINDINGS],
            "not_shown": self.not_shown[:_MOST_FINDINGS],
        }


def prove(settings: Settings, root: Path, date: str) -> dict[str, Any]:
    """Compare the release in `root`, made for the day `date`, with the source.

    Never raises for a source that cannot be read: the result then says so.
    """
    work = settings.var / "proof.sqlite"
    proof = Proof()
    try:
        with Session(settings, settings.source_name) as session:
            run = night.open_run(settings, session, None, accept=True)
            connection = open_with_staging(settings.snapshot, work)
            try:
                connection.execute("BEGIN")
                for view in run.views:
                    _compare_view(connection, run, view, proof)
                sampled = _sample(connection, run)
                for view in run.views:
                    _compare_rows(connection, run, view, sampled, proof)
                visibility = read_visibility(settings.snapshot, date)
                _look_for_pages(connection, root, visibility, sampled, proof)
                connection.execute("ROLLBACK")
            finally:
                connection.close()
                remove(work)
    except SourceError as error:
        return {
            **Proof().as_facts(),
            "state": "not compared",
            "says": f"Not compared, for the source could not be read again: {error}",
        }
    distrusted.note(settings, proof.distrusted)
    return proof.as_facts()


def _compare_view(connection: sqlite3.Connection, run: Run, view: View, proof: Proof) -> None:
    found = run.found[view.name]
    name = view.name
    staging.create_work_tables(connection, view)
    if window.is_large(connection, run, found):
        _compare_count(connection, run, view, proof)
        return
    same = run.session.run(f"web.{name}", lambda source: keys.is_known(connection, source, found))
    if same:
        proof.views.append(
            {
                "view": name,
                "source": same.known + same.left_out,
                "known": same.known,
                "left_out": same.left_out,
                "digest": same.digest,
                "same": True,
                "moved": 0,
            }
        )
        return

    def stage(source: Source) -> int:
        connection.execute(f"DELETE FROM staging.keys_{name}")
        return keys.stage_keys(connection, source, found, lambda rows: None).keyless

    keyless = run.session.run(f"web.{name}", stage)
    staging.choose_wanted(connection, view, everything=False)
    moved = staging.count_wanted_and_gone(connection, view)
    source, repeated = connection.execute(
        f"SELECT coalesce(sum(n), 0), coalesce(sum(n - 1), 0) FROM staging.keys_{name}"
    ).fetchone()
    known = connection.execute(f"SELECT count(*) FROM main.{name}").fetchone()[0]
    left_out = connection.execute(
        "SELECT count(*) FROM main.left_out WHERE view = ?", (name,)
    ).fetchone()[0]
    ours = keys.known_rows(connection, view).digest
    theirs = keys.digest_of_staged(connection, view)
    proof.moved += moved
    proof.views.append(
        {
            "view": name,
            "source": source + keyless,
            "known": known,
            "left_out": left_out + keyless + repeated,
            "digest": theirs,
            "same": ours == theirs or not moved,
            "moved": moved,
        }
    )


def _compare_count(connection: sqlite3.Connection, run: Run, view: View, proof: Proof) -> None:
    """Compare the numbers of rows of a view whose keys are not read every night."""
    found = run.found[view.name]
    known = landing.count_rows(connection, view.name)
    left_out = landing.count_left_out(connection, view.name)
    source = known + left_out  # a procedure cannot be asked how many rows it would return
    if found.procedure is None:
        source = run.session.run(f"web.{view.name}", lambda source: count_rows(source, found))
    moved = abs(source - known - left_out)
    proof.moved += moved
    proof.views.append(
        {
            "view": view.name,
            "source": source,
            "known": known,
            "left_out": left_out,
            "digest": "",
            "same": not moved,
            "moved": moved,
        }
    )


def _sample(connection: sqlite3.Connection, run: Run) -> dict[str, list[str]]:
    """Return some ids of each record type, chosen at random."""
    chosen: dict[str, list[str]] = {}
    for view in run.views:
        if view.name in PLURALS.values():
            ids = [one for (one,) in connection.execute(f"SELECT id FROM main.{view.name}")]
            count = min(len(ids), SAMPLE.get(view.name, _SAMPLE_OF_OTHERS))
            chosen[view.name] = random.sample(ids, count)
    return chosen


def _compare_rows(
    connection: sqlite3.Connection,
    run: Run,
    view: View,
    sampled: dict[str, list[str]],
    proof: Proof,
) -> None:
    """Read the sampled records of a view from the source and compare every value."""
    found = run.found[view.name]
    ids = sampled.get(_CHILDREN.get(view.name, view.name), [])
    if not ids or found.procedure:
        return
    key = view.key[0]
    spelled = f"SELECT raw FROM staging.keys_{view.name} WHERE {key} = ? AND raw IS NOT NULL"
    raws = {one: connection.execute(spelled, (one,)).fetchone() for one in ids}
    asked = [raw[0] if (raw := raws[one]) else one for one in ids]
    rows, versions = run.session.run(
        f"web.{view.name}", lambda source: fetch_rows(source, found, asked)
    )
    if view.name not in _CHILDREN:
        proof.sampled += len(ids)
    if not rows:
        return
    known = [staging.UNKNOWN_VERSION if version is None else version for version in versions]
    for row in CONVERTERS[view.name].convert(rows, known).rows:
        for problem in _differing(connection, view, row):
            proof.findings.append(problem)
            proof.distrusted.add(view.name)


def _differing(connection: sqlite3.Connection, view: View, row: tuple[Any, ...]) -> Iterator[str]:
    """Yield what the snapshot has otherwise although the row's version is the same."""
    columns = COLUMNS[view.name]
    key = [row[columns.index(name)] for name in view.key]
    where = " AND ".join(f"{name} = ?" for name in view.key)
    ours = connection.execute(
        f"SELECT {', '.join(columns)} FROM main.{view.name} WHERE {where}", key
    ).fetchone()
    if ours is None or ours[-1] != row[-1] or row[-1] == staging.UNKNOWN_VERSION:
        return  # it moved, and is counted as such
    for name, old, new in zip(columns, ours, row, strict=True):
        if old != new:
            where = f"web.{view.name} {'/'.join(map(str, key))}"
            yield f"{where}: {name} differs, with the same version"


def _look_for_pages(
    connection: sqlite3.Connection,
    root: Path,
    visibility: Visibility,
    sampled: dict[str, list[str]],
    proof: Proof,
) -> None:
    """Look in the release for the page and the document of each sampled record."""
    documents = _Documents(root / "documents")
    for view_name, ids in sampled.items():
        record_type = RECORD_TYPES[view_name]
        for one in ids:
            record = f"{record_type}:{one}"
            tree = "members" if record in visibility.hidden else "public"
            path = f"{tree}/{page_file(record_url(record_type, one))}"
            if not (root / path).is_file():
                proof.not_shown.append(f"{record} has no page {path}")
            wanted = _title(connection, view_name, one)
            title = documents.title(tree, record) if wanted else None
            if wanted and title != wanted:
                proof.not_shown.append(f"{record} is {title!r} in the documents, not {wanted!r}")


def _title(connection: sqlite3.Connection, view: str, one: str) -> str | None:
    """Return how a record must be called in the documents; None if it need not be there."""
    column = _TITLES.get(view)
    if column is None:
        return None
    status = "status" if view == "publications" else "''"
    row = connection.execute(
        f"SELECT {column}, {status} FROM main.{view} WHERE id = ?", (one,)
    ).fetchone()
    if row is None or row[1] == Status.WITHDRAWN:
        return None
    return without_latex(row[0]) if view == "publications" else str(row[0])


_TITLES = {
    "publications": "title",
    "projects": "title",
    "events": "title",
    "institutions": "name",
    "venues": "name",
    "topics": "name",
}


class _Documents:
    """The lines that search reads, by audience and record."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buckets = json.loads((folder / "public" / "layout.json").read_bytes())["buckets"]

    def title(self, audience: str, record: str) -> str | None:
        """Return the title in a record's document, or None if there is none."""
        name = f"{bucket_of(record, self._buckets):04d}.jsonl"
        path = self._folder / audience / name
        if not path.is_file():
            return None
        for line in path.read_bytes().splitlines():
            document = json.loads(line)
            if document["id"] == record:
                return str(document["title"])
        return None
