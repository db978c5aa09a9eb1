"""What a change of each kind of record touches, by its relations before and after it."""

from __future__ import annotations

from typing import Any

import pytest

from content_sync.snapshot import open_snapshot
from content_sync.sync.touch import neighbours
from tests.content_sync.databases import Nights

Touched = set[tuple[str, str]]

# Everything that lists, links to or counts the publication p1.
OF_P1: Touched = {
    ("publication", "p1"),
    ("publication", "old"),  # which p1 replaces
    ("publication", "new"),  # which replaces p1
    ("person", "ada"),
    ("person", "bo"),
    ("letter", "l"),
    ("letter", "b"),
    ("institution", "inst"),
    ("venue", "opt"),
    ("year", "2019"),
    ("venue_year", "opt/2019"),
    ("topic", "laser"),
    ("topic", "light"),
    ("project", "pr"),
    ("event", "ev"),
}


@pytest.fixture
def nights(sqlite_nights: Nights) -> Nights:
    """One of everything around the publication p1, and as much that has nothing to do with it."""
    add = sqlite_nights.database.add
    sqlite_nights.database.create(
        *("institutions", "people", "person_names", "venues", "topics", "publications"),
        *("publication_people", "publication_topics", "projects", "project_people"),
        *("project_publications", "deliverables", "events", "event_organisers"),
        *("event_sessions", "session_speakers", "session_publications", "redirects"),
    )
    for name in ("inst", "other_inst"):
        add("institutions", id=name, name=name)
    add("people", id="ada", family_name="Lovelace", institution_id="inst")
    add("people", id="bo", family_name="Bo")
    add("people", id="cy", family_name="Cy", institution_id="other_inst")
    for name in ("opt", "other_venue"):
        add("venues", id=name, name=name)
    add("topics", id="light", name="Light")
    add("topics", id="laser", name="Laser", parent_id="light")
    add("topics", id="maser", name="Maser", parent_id="laser")
    add("topics", id="sound", name="Sound")
    add("publications", id="p1", title="P1", year=2019, venue_id="opt", replaced_by="new")
    add("publications", id="old", title="Old", year=2011, replaced_by="p1")
    add("publications", id="new", title="New", year=2020)
    add("publications", id="far", title="Far", venue_id="other_venue")
    for position, person in enumerate(("ada", "bo")):
        add(
            "publication_people",
            publication_id="p1",
            role="author",
            position=position,
            person_id=person,
            name=person,
        )
    add(
        "publication_people",
        publication_id="far",
        role="author",
        position=1,
        person_id="cy",
        name="cy",
    )
    add("publication_topics", publication_id="p1", topic_id="laser")
    add("publication_topics", publication_id="far", topic_id="sound")
    add("projects", id="pr", title="Pr", institution_id="inst", lead_person_id="ada")
    add("projects", id="far_pr", title="Far", institution_id="other_inst")
    add("project_people", project_id="pr", person_id="bo", role="member")
    add("project_publications", project_id="pr", publication_id="p1")
    add("deliverables", id="d", project_id="pr", title="D")
    add("events", id="ev", title="Ev")
    add("events", id="far_ev", title="Far")
    add("event_organisers", event_id="ev", person_id="bo")
    add("event_sessions", id="s", event_id="ev", title="S")
    add("session_speakers", session_id="s", position=1, person_id="ada", name="ada")
    add("session_publications", session_id="s", publication_id="p1")
    add("redirects", old_path="/old/1", target="publication:p1")
    sqlite_nights.sync()
    return sqlite_nights


def touched_by(nights: Nights, view: str, where: str, **values: Any) -> Touched:
    nights.database.change(view, where, **values)
    return nights.touched(nights.sync(accept=True).number)


def test_publication_touches_all_that_shows_it(nights: Nights) -> None:
    assert touched_by(nights, "publications", "id = 'p1'", title="Changed") == OF_P1


def test_publication_touches_where_it_was_and_where_it_is(nights: Nights) -> None:
    touched = touched_by(nights, "publications", "id = 'p1'", year=None, venue_id="other_venue")
    assert touched == OF_P1 | {
        ("year", "undated"),
        ("venue", "other_venue"),
        ("venue_year", "other_venue/undated"),
    }


def test_publication_that_is_gone_touches_what_it_left(nights: Nights) -> None:
    nights.database.remove("publications", "id = 'p1'")
    assert nights.touched(nights.sync().number) == OF_P1


@pytest.mark.parametrize(
    ("view", "where", "values", "more"),
    [
        (
            "publication_people",
            "person_id = 'bo'",
            {"person_id": "cy"},
            {("person", "cy"), ("letter", "c"), ("institution", "other_inst")},
        ),
        ("publication_topics", "topic_id = 'laser'", {"topic_id": "sound"}, {("topic", "sound")}),
    ],
)
def test_row_that_belongs_to_a_publication_touches_like_it(
    nights: Nights, view: str, where: str, values: dict[str, Any], more: Touched
) -> None:
    assert touched_by(nights, view, where, **values) == OF_P1 | more


def test_person_touches_works_coauthors_projects_events_and_letters(nights: Nights) -> None:
    assert touched_by(nights, "people", "id = 'ada'", family_name="King") == {
        ("person", "ada"),
        ("person", "bo"),
        ("publication", "p1"),
        ("venue_year", "opt/2019"),
        ("project", "pr"),
        ("event", "ev"),
        ("institution", "inst"),
        ("letter", "l"),
        ("letter", "k"),
    }


def test_name_of_a_person_touches_the_person(nights: Nights) -> None:
    nights.database.add("person_names", person_id="cy", name="Cyrus")
    assert nights.touched(nights.sync().number) == {
        ("person", "cy"),
        ("publication", "far"),
        ("venue_year", "other_venue/undated"),
        ("institution", "other_inst"),
        ("letter", "c"),
    }


def test_venue_touches_every_list_that_names_it(nights: Nights) -> None:
    assert touched_by(nights, "venues", "id = 'opt'", short_name="O") == OF_P1


def test_topic_touches_its_works_and_the_tree_around_it(nights: Nights) -> None:
    assert touched_by(nights, "topics", "id = 'laser'", parent_id="sound") == {
        ("topic", "laser"),
        ("topic", "light"),
        ("topic", "sound"),
        ("topic", "maser"),
        ("publication", "p1"),
    }


def test_project_touches_people_works_and_institution(nights: Nights) -> None:
    touched = {
        ("project", "pr"),
        ("person", "ada"),
        ("person", "bo"),
        ("publication", "p1"),
        ("institution", "inst"),
    }
    assert touched_by(nights, "projects", "id = 'pr'", title="Changed") == touched
    assert touched_by(nights, "deliverables", "id = 'd'", title="Changed") == touched
    assert touched_by(nights, "project_people", "1 = 1", role="chair") == touched


def test_deliverable_that_moves_touches_both_projects(nights: Nights) -> None:
    touched = touched_by(nights, "deliverables", "id = 'd'", project_id="far_pr")
    assert {("project", "pr"), ("project", "far_pr")} <= touched


def test_project_touches_its_theme_and_programme_before_and_after(nights: Nights) -> None:
    assert {("theme", "Optics")} <= touched_by(nights, "projects", "id = 'pr'", theme="Optics")
    both = touched_by(nights, "projects", "id = 'pr'", theme="Light", programme="Physics")
    assert {("theme", "Optics"), ("theme", "Light"), ("programme", "Physics")} <= both
    groups = {("theme", "Light"), ("programme", "Physics")}
    assert groups <= touched_by(nights, "deliverables", "id = 'd'", due_on="2026-01-01")
    assert groups <= touched_by(nights, "publications", "id = 'p1'", title="Changed")
    nights.database.change("projects", "id = 'pr'", lead_person_id="cy")
    nights.sync(accept=True)
    assert groups <= touched_by(nights, "people", "id = 'cy'", family_name="Other")


def test_what_a_deliverable_led_to_touches_its_project_and_the_work(nights: Nights) -> None:
    nights.database.create("deliverable_publications")
    nights.database.add("deliverable_publications", deliverable_id="d", publication_id="far")
    both = {("project", "pr"), ("publication", "far")}
    assert both <= nights.touched(nights.sync(accept=True).number)
    assert ("publication", "far") in touched_by(nights, "deliverables", "id = 'd'", title="Other")
    assert ("project", "pr") in touched_by(nights, "publications", "id = 'far'", title="Other")
    nights.database.remove("deliverable_publications", "1 = 1")
    assert both <= nights.touched(nights.sync(accept=True).number)


def test_institution_touches_its_people_their_works_and_its_projects(nights: Nights) -> None:
    assert touched_by(nights, "institutions", "id = 'inst'", name="Changed") == {
        ("institution", "inst"),
        ("person", "ada"),
        ("publication", "p1"),
        ("project", "pr"),
    }


def test_event_touches_organisers_speakers_and_works(nights: Nights) -> None:
    touched = {
        *(("event", "ev"), ("person", "ada"), ("person", "bo")),
        *(("publication", "p1"), ("project", "pr")),  # p1 is on the agenda and came out of pr
    }
    assert touched_by(nights, "events", "id = 'ev'", title="Changed") == touched
    assert touched_by(nights, "session_speakers", "1 = 1", name="A. L.") == touched
    nights.database.remove("event_sessions", "id = 's'")
    nights.database.remove("session_speakers", "1 = 1")
    nights.database.remove("session_publications", "1 = 1")
    assert nights.touched(nights.sync(accept=True).number) == touched


def test_redirect_touches_its_old_path(nights: Nights) -> None:
    nights.database.add("redirects", old_path="/old/2", target="/about/")
    report = nights.sync()
    assert nights.touched(report.number) == {("redirect", "/old/2")}
    assert nights.changes(report.number) == {("redirect", "/old/2", "added")}


def test_neighbours_can_be_asked_for_without_a_change(nights: Nights) -> None:
    connection = open_snapshot(nights.settings.snapshot)
    assert neighbours(connection, [("publication", "p1")]) == OF_P1
    assert neighbours(connection, [("publication", "nothing")]) == {("publication", "nothing")}
    assert neighbours(connection, []) == set()
    connection.close()
