"""Making the whole demo source: database and full texts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from content_sync.demo.database import Database
from content_sync.demo.events import write_events
from content_sync.demo.faults import add_broken_records
from content_sync.demo.grammar import Draw
from content_sync.demo.papers import Papers
from content_sync.demo.people import People, other_names
from content_sync.demo.places import Outlet, Place, make_places, make_venues
from content_sync.demo.plan import MOST_PUBLICATIONS, Plan, make_plan
from content_sync.demo.prose import Prose
from content_sync.demo.quantities import number_lists
from content_sync.demo.research import plan_projects, write_projects
from content_sync.demo.topics import Subject, load_subjects, topic_id, topic_rows
from content_sync.demo.works import Works
from content_sync.errors import ConfigurationError, SourceError

Progress = Callable[[int, int], None]
"""Is told how many publications are written, and how many there will be."""

_OLD_PAGES = (
    ("/default.asp", "/"),
    ("/home.asp", "/"),
    ("/reports.asp", "/publications/"),
    ("/calendar.asp", "/events/"),
    ("/persons/list.asp", "/people/"),
    ("/research/programmes.html", "/projects/"),
    ("/cdrom/index.htm", "/publications/"),
)

_WITH_ACCOUNTS = 200
"""So many people have a confirmed address; all organisers are among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """What was written: rows of each view, and full texts."""

    path: Path
    files: Path
    rows: Mapping[str, int]
    papers: int

    @property
    def publications(self) -> int:
        return self.rows["publications"]


def write_demo(
    path: Path,
    files: Path,
    *,
    publications: int = 600,
    seed: int = 1994,
    progress: Progress | None = None,
) -> DemoReport:
    """Write a demo source of that many publications to `path`, its full texts under `files`.

    The same seed and number give the same bytes. The database is made beside `path` and
    put in its place at the end, so a failure leaves an earlier one as it was.

    Raises ConfigurationError if the number is out of range and SourceError if the files
    cannot be written.
    """
    if not 1 <= publications <= MOST_PUBLICATIONS:
        raise ConfigurationError(
            f"A demo of {publications:,} publications cannot be made.",
            hint=f"Ask for 1 to {MOST_PUBLICATIONS:,}.",
        )
    new = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with Database(new) as database:
            papers = _write(database, Papers(files), make_plan(publications), seed, progress)
        new.replace(path)
    except (OSError, sqlite3.Error) as error:
        new.unlink(missing_ok=True)
        raise SourceError(
            f"The demo source {path} cannot be written: {error}.",
            hint="Check that its folder can be written and has room.",
        ) from error
    return DemoReport(path=path, files=files, rows=database.counts, papers=papers.count)


def _write(
    database: Database, papers: Papers, plan: Plan, seed: int, progress: Progress | None
) -> Papers:
    rng = Random(seed)
    draw = rng.random
    lists = number_lists(rng)
    subjects = load_subjects(rng, plan.topics, lists)
    places = make_places(rng, plan.institutions)
    outlets = make_venues(subjects, plan.venues)
    people = People(rng, plan.people, places, len(subjects))
    prose = Prose(lists, plan.publications)
    _write_lists(database, places, outlets, subjects, people, draw)
    projects = plan_projects(plan.projects, people, draw)
    handed_in = write_projects(
        projects, subjects=subjects, people=people, prose=prose, database=database, draw=draw
    )
    works = Works(
        plan=plan,
        draw=draw,
        people=people,
        subjects=subjects,
        outlets=outlets,
        prose=prose,
        projects=projects,
        handed_in=handed_in,
        database=database,
        papers=papers,
    )
    step = max(1, plan.publications // 500)
    for done in works.write():
        if progress is not None and (done % step == 0 or done == plan.publications):
            progress(done, plan.publications)
    write_events(plan.events, samples=works.samples, people=people, database=database, draw=draw)
    for old, target in _OLD_PAGES:
        database.add("redirects", (old, target))
    if plan.publications >= 200:
        add_broken_records(database)
    database.finish()
    return papers


def _write_lists(
    database: Database,
    places: list[Place],
    outlets: list[Outlet],
    subjects: list[Subject],
    people: People,
    draw: Draw,
) -> None:
    for place in places:
        database.add(
            "institutions",
            (place.id, place.name, None, place.city, place.country, int(place.is_member)),
        )
    for outlet in outlets:
        database.add("venues", (outlet.id, outlet.name, outlet.short_name, None, outlet.url))
    for row in topic_rows(subjects):
        database.add("topics", row)
    for number, (person, values) in enumerate(people.rows(draw)):
        database.add("people", values)
        for name in other_names(person, draw):
            database.add("person_names", (person.id, name))
        if number < _WITH_ACCOUNTS:
            database.add("people_accounts", (person.id, f"{person.id}@people.example"))
        if number < 200:
            database.add(
                "redirects", (f"/persons/show.asp?pid={number + 1}", f"person:{person.id}")
            )
    for subject in subjects:
        database.add("redirects", (f"/areas/{subject.id}.html", f"topic:{topic_id(subject.name)}"))
