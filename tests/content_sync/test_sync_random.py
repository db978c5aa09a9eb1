"""Many nights of random changes end in the snapshot that a first sync would make."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from content_sync.records import VIEWS, View
from content_sync.snapshot import COLUMNS
from content_sync.source.read import contract
from tests.content_sync.databases import Nights

IDS = [f"{letter}{number}" for letter in "abc" for number in range(4)]
VALUES: dict[str, list[Any]] = {
    "title": ["A title", "Another", "", "<b>Bold</b>", "x\x01y"],
    "name": ["A name", "Other", " ", "<i>N</i>"],
    "family_name": ["Family", "Ørsted", None],
    "year": [1999, 2000, 99, None],
    "month": [1, 2, 13, None],
    "day": [1, 30, None],
    "access": ["public", "members", "other"],
    "status": ["current", "withdrawn", "odd"],
    "role": ["author", "editor", "other"],
    "doi": ["10.1000/1", "bad", None],
    "old_path": ["/1", "/2", "/3", "bad"],
    "target": ["/", "publication:a1", "bad"],
    "position": [1, 2, 3, None],
}


class Stirrer:
    """Changes a source at random as its owners would: every change brings a new version."""

    def __init__(self, nights: Nights, seed: int, *, gently: bool = False) -> None:
        self.gently = gently  # few changes a night, of rows that are as they should be
        self.chance = random.Random(seed)
        self.database = nights.database
        self.version = 0
        self.database.create(*(view.name for view in VIEWS))
        self.unversioned = {view.name for view in self.chance.sample(VIEWS, 4)}
        for view in self.unversioned:
            self.database.run(f"ALTER TABLE {view} RENAME COLUMN version TO seen")

    def stir(self) -> None:
        """Add, change and remove some rows of every view."""
        for view in self.chance.sample(VIEWS, 3) if self.gently else VIEWS:
            for _ in range(self.chance.randrange(6)):
                self.database.add(view.name, **self.row(view))
            if self.chance.random() < 0.6:
                row = self.row(view)
                marks = ", ".join(f"{name} = ?" for name in row)
                where = f"rowid % 3 = {self.chance.randrange(3)}"
                self.database.run(f"UPDATE {view.name} SET {marks} WHERE {where}", *row.values())
            if self.chance.random() < 0.4:
                self.database.run(f"DELETE FROM {view.name} WHERE rowid % 4 = 1")

    def row(self, view: View) -> dict[str, Any]:
        self.version += 1
        clock = "seen" if view.name in self.unversioned else "version"
        row: dict[str, Any] = {clock: self.chance.choice([self.version, self.version, None])}
        for column in contract(view.name).columns:
            if column in VALUES:
                row[column] = self.chance.choice(VALUES[column][: 2 if self.gently else None])
            elif column == "id" or column.endswith("_id") or column == "replaced_by":
                row[column] = self.chance.choice([*IDS, None])
        return row


def contents(nights: Nights) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that a snapshot says of the source, whatever the nights before were."""
    found = {}
    for view in VIEWS:
        columns = [*COLUMNS[view.name][:-1], *(["parent_id"] if view.name == "topics" else [])]
        found[view.name] = nights.rows(
            f"SELECT {', '.join(columns)} FROM {view.name} ORDER BY {', '.join(view.key)}"
        )
    found["problems"] = nights.rows("SELECT view, key, column, rule, reason FROM problems")
    found["left_out"] = nights.rows("SELECT view, key FROM left_out ORDER BY 1, 2")
    return found


def shown_by_pages(nights: Nights) -> dict[tuple[str, str], Any]:
    """Return, for each thing that has a page or a list, all that it could show."""
    tables = {view.name: nights.rows(f"SELECT * FROM {view.name}") for view in VIEWS}
    named = {
        name: [dict(zip(columns_of(nights, name), row, strict=True)) for row in rows]
        for name, rows in tables.items()
    }
    for rows in named.values():
        for row in rows:
            del row["version"]
            row.pop("given_parent_id", None)
    return dict(_shown(named))


def columns_of(nights: Nights, table: str) -> list[str]:
    return [name for (name,) in nights.rows("SELECT name FROM pragma_table_info(?)", table)]


def _shown(tables: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[tuple[str, str], Any]]:
    by_id = {name: {r["id"]: r for r in rows if "id" in r} for name, rows in tables.items()}

    def of(table: str, **wanted: Any) -> list[dict[str, Any]]:
        return [r for r in tables[table] if all(r[k] == v for k, v in wanted.items())]

    def those(table: str, ids: Iterable[Any]) -> list[dict[str, Any]]:
        return [by_id[table][one] for one in sorted({i for i in ids if i in by_id[table]})]

    def card(work: dict[str, Any]) -> Any:
        venue = by_id["venues"].get(work["venue_id"])
        return work, venue, of("publication_people", publication_id=work["id"])

    def cards(ids: Iterable[Any]) -> list[Any]:
        return [card(work) for work in those("publications", ids)]

    def works_of(people: Iterable[str]) -> set[str]:
        people = set(people)
        return {
            r["publication_id"] for r in tables["publication_people"] if r["person_id"] in people
        }

    def above(topic: str | None) -> Iterator[str]:
        while topic in by_id["topics"]:
            yield topic
            topic = by_id["topics"][topic]["parent_id"]

    def events_of(works: Iterable[str]) -> list[dict[str, Any]]:
        works = set(works)
        shown = {
            r["session_id"] for r in tables["session_publications"] if r["publication_id"] in works
        }
        return those("events", (s["event_id"] for s in those("event_sessions", shown)))

    def handed_in(project: str) -> list[Any]:
        owed = {d["id"] for d in of("deliverables", project_id=project)}
        rows = [r for r in tables["deliverable_publications"] if r["deliverable_id"] in owed]
        return [(r["deliverable_id"], cards([r["publication_id"]])) for r in rows]

    def shown_at(project: str) -> list[Any]:
        works = cards(r["publication_id"] for r in of("project_publications", project_id=project))
        return [(work["id"], events_of([work["id"]])) for work, _, _ in works]

    for one, work in by_id["publications"].items():
        authors = of("publication_people", publication_id=one)
        topics = of("publication_topics", publication_id=one)
        projects = of("project_publications", publication_id=one)
        yield (
            ("publication", one),
            (
                card(work),
                those("people", (a["person_id"] for a in authors)),
                those("topics", (t["topic_id"] for t in topics)),
                those("projects", (r["project_id"] for r in projects)),
                those(
                    "deliverables",
                    (
                        r["deliverable_id"]
                        for r in of("deliverable_publications", publication_id=one)
                    ),
                ),
                events_of([one]),
                cards(
                    [work["replaced_by"], *(r["id"] for r in of("publications", replaced_by=one))]
                ),
            ),
        )
    for one, person in by_id["people"].items():
        works = {w for w in works_of([one]) if w in by_id["publications"]}
        beside = [r["person_id"] for w in works for r in of("publication_people", publication_id=w)]
        roles = of("project_people", person_id=one)
        leads = of("projects", lead_person_id=one)
        organised = [r["event_id"] for r in of("event_organisers", person_id=one)]
        sessions = [r["session_id"] for r in of("session_speakers", person_id=one)]
        yield (
            ("person", one),
            (
                person,
                of("person_names", person_id=one),
                those("institutions", [person["institution_id"]]),
                cards(works),
                those("people", beside),
                roles,
                those("projects", [*(r["project_id"] for r in roles), *(r["id"] for r in leads)]),
                those(
                    "events", organised + [s["event_id"] for s in those("event_sessions", sessions)]
                ),
            ),
        )
    for letter in {p["letter"] for p in tables["people"]}:
        people = of("people", letter=letter)
        counts = [len(cards(works_of([p["id"]]))) for p in people]
        yield ("letter", letter), (people, counts)
    for one, venue in by_id["venues"].items():
        works = of("publications", venue_id=one)
        yield ("venue", one), (venue, cards(w["id"] for w in works))
        for year in {w["year"] for w in works}:
            of_year = cards(w["id"] for w in works if w["year"] == year)
            yield ("venue_year", f"{one}/{year or 'undated'}"), (venue, of_year)
    for year in {w["year"] for w in tables["publications"]}:
        works = of("publications", year=year)
        yield ("year", str(year or "undated")), cards(w["id"] for w in works)
    for one, topic in by_id["topics"].items():
        about = [
            r["publication_id"] for r in tables["publication_topics"] if one in above(r["topic_id"])
        ]
        names = [by_id["topics"][t]["name"] for t in above(one)]
        yield ("topic", one), (topic, names, of("topics", parent_id=one), cards(about))
    for one, institution in by_id["institutions"].items():
        people = of("people", institution_id=one)
        yield (
            ("institution", one),
            (
                institution,
                people,
                of("projects", institution_id=one),
                cards(works_of(p["id"] for p in people)),
            ),
        )
    for one, project in by_id["projects"].items():
        team = of("project_people", project_id=one)
        yield (
            ("project", one),
            (
                project,
                team,
                those("people", [project["lead_person_id"], *(r["person_id"] for r in team)]),
                of("deliverables", project_id=one),
                those("institutions", [project["institution_id"]]),
                cards(r["publication_id"] for r in of("project_publications", project_id=one)),
                handed_in(one),
                shown_at(one),
            ),
        )
    for group in ("theme", "programme"):
        for name in {p[group] for p in tables["projects"] if p[group]}:
            projects = of("projects", **{group: name})
            ids = [p["id"] for p in projects]
            yield (
                (group, name),
                (
                    projects,
                    those("people", [p["lead_person_id"] for p in projects]),
                    [of("deliverables", project_id=one) for one in ids],
                    [
                        cards(r["publication_id"] for r in of("project_publications", project_id=p))
                        for p in ids
                    ],
                ),
            )
    for one, event in by_id["events"].items():
        sessions = [s["id"] for s in of("event_sessions", event_id=one)]
        speakers = [r for s in sessions for r in of("session_speakers", session_id=s)]
        organisers = of("event_organisers", event_id=one)
        presented = [r for s in sessions for r in of("session_publications", session_id=s)]
        yield (
            ("event", one),
            (
                event,
                organisers,
                those("event_sessions", sessions),
                speakers,
                those("people", [r["person_id"] for r in (*speakers, *organisers)]),
                cards(r["publication_id"] for r in presented),
            ),
        )
    for redirect in tables["redirects"]:
        yield ("redirect", redirect["old_path"]), redirect


@pytest.mark.parametrize("seed", range(3))
def test_nights_of_changes_equal_one_first_sync(sqlite_nights: Nights, seed: int) -> None:
    site = sqlite_nights.settings.site / "fresh"
    fresh = replace(sqlite_nights, settings=replace(sqlite_nights.settings, site=site))
    stirrer = Stirrer(sqlite_nights, seed)
    for _night in range(6):
        stirrer.stir()
        sqlite_nights.sync(accept=True)
        fresh.settings.snapshot.unlink(missing_ok=True)
        fresh.sync()
        after_nights, at_once = contents(sqlite_nights), contents(fresh)
        for name, rows in at_once.items():
            assert set(after_nights[name]) ^ set(rows) == set(), name
        assert sqlite_nights.sync(accept=True).unchanged


@pytest.mark.parametrize("seed", range(3))
def test_whatever_pages_show_differently_was_touched(sqlite_nights: Nights, seed: int) -> None:
    stirrer = Stirrer(sqlite_nights, seed, gently=True)
    for _ in range(6):
        stirrer.stir()
    sqlite_nights.sync(accept=True)
    before = shown_by_pages(sqlite_nights)
    for _night in range(10):
        stirrer.stir()
        report = sqlite_nights.sync(accept=True)
        after = shown_by_pages(sqlite_nights)
        touched = sqlite_nights.touched(report.number)
        different = {
            thing for thing in before.keys() | after.keys() if before.get(thing) != after.get(thing)
        }
        assert different <= touched
        before = after
