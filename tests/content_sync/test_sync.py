"""Nights over a source database: what lands in the snapshot, and what is told."""

from __future__ import annotations

from typing import Any

import pytest

from content_sync.errors import GuardRefused, SourceError
from content_sync.records import VIEWS

ALL_VIEWS = tuple(view.name for view in VIEWS)


def fill(database: Any) -> None:
    """A small institute: two papers, two people, and something in every other view."""
    database.create(*ALL_VIEWS)
    add = database.add
    add("institutions", id="inst", name="Institute of Optics", country="DE", is_member_company=1)
    add("people", id="ada", given_name="Ada", family_name="Ørsted", institution_id="inst")
    add("people", id="bo", family_name="李", is_student=1)
    add("person_names", person_id="bo", name="Li Bo")
    add("people_accounts", person_id="bo", address="bo@example.org")
    add("venues", id="opt", name="Journal of Optics", short_name="JO")
    add("topics", id="light", name="Light")
    add("topics", id="laser", name="Lasers", parent_id="light")
    add("publications", id="p1", title="Bending light", year=2019, month=5, venue_id="opt")
    add("publications", id="p2", title="On lasers", abstract="A\nB", year=2021, replaced_by="p1")
    add(
        "publication_people",
        publication_id="p1",
        role="author",
        position=1,
        person_id="ada",
        name="A. Ørsted",
    )
    add(
        "publication_people",
        publication_id="p1",
        role="author",
        position=2,
        person_id="bo",
        name="B. Li",
    )
    add("publication_people", publication_id="p2", role="editor", position=1, name="A. Nonymous")
    add("publication_topics", publication_id="p1", topic_id="laser")
    add(
        "projects",
        id="pr",
        title="Mirrors",
        starts_on="2020-01-01",
        budget=1000.5,
        lead_person_id="ada",
    )
    add("project_people", project_id="pr", person_id="bo", role="member", position=1)
    add("project_publications", project_id="pr", publication_id="p1")
    add("deliverables", id="d1", project_id="pr", title="A mirror", due_on="2026-01-01")
    add("deliverable_publications", deliverable_id="d1", publication_id="p1")
    add(
        "events",
        id="ev",
        title="Days of Optics",
        starts_at="2027-01-19T09:00",
        timezone="Europe/Berlin",
    )
    add("event_organisers", event_id="ev", person_id="ada")
    add("event_sessions", id="s1", event_id="ev", title="Opening")
    add("session_speakers", session_id="s1", position=1, person_id="bo", name="B. Li")
    add("session_publications", session_id="s1", publication_id="p2")
    add("redirects", old_path="/pubs/1", target="publication:p1")


def fill_publications(database: Any, count: int) -> None:
    for number in range(count):
        database.add("publications", id=f"p{number:03}", title=f"Paper {number}", year=2000)


def test_first_sync_copies_every_view(nights: Any) -> None:
    fill(nights.database)
    report = nights.sync()
    assert report.number == 1
    assert not report.unchanged
    assert not report.is_demo
    assert report.problems == 0
    assert {name: counts.rows for name, counts in report.views.items()} == {
        **dict.fromkeys(ALL_VIEWS, 1),
        **dict.fromkeys(("people", "topics", "publications"), 2),
        "publication_people": 3,
    }
    assert report.rows == report.added == 25
    assert nights.row(
        "SELECT title, abstract, kind, year, month, day, access, status, replaced_by "
        "FROM publications WHERE id = 'p2'"
    ) == ("On lasers", "A\nB", "other", 2021, None, None, "public", "current", "p1")
    assert nights.row("SELECT budget, starts_on FROM projects") == ("1000.5", "2020-01-01")
    assert nights.row("SELECT starts_at, timezone FROM events") == (
        "2027-01-19T09:00",
        "Europe/Berlin",
    )
    assert nights.row("SELECT is_member_company FROM institutions") == (1,)
    assert nights.rows("SELECT id, sort_name, letter FROM people ORDER BY id") == [
        ("ada", "orsted ada", "o"),
        ("bo", "li", "l"),
    ]
    assert nights.touched(1) == set()


def test_unchanged_night_reads_only_keys_and_versions(nights: Any) -> None:
    fill(nights.database)
    nights.sync()
    before = nights.settings.snapshot.read_bytes()
    report = nights.sync()
    assert report.unchanged
    assert report.number == 1
    assert report.rows == 25
    assert report.added == report.changed == report.gone == 0
    assert nights.steps == [f"comparing {name}" for name in ALL_VIEWS]
    assert nights.settings.snapshot.read_bytes() == before


def test_only_changed_rows_are_read_and_told(nights: Any) -> None:
    fill(nights.database)
    nights.sync()
    nights.database.change("publications", "id = 'p1'", title="Bending light again")
    nights.database.add("venues", id="new", name="New venue")
    report = nights.sync()
    assert (report.number, report.added, report.changed, report.gone) == (2, 1, 1, 0)
    assert [step for step in nights.steps if step.startswith("reading")] == [
        "reading venues",
        "reading publications",
    ]
    assert nights.row("SELECT title FROM publications WHERE id = 'p1'") == ("Bending light again",)
    assert nights.changes(2) == {("publication", "p1", "changed"), ("venue", "new", "added")}


def test_new_version_of_the_same_row_is_no_change(nights: Any) -> None:
    fill(nights.database)
    nights.sync()
    nights.database.change("publications", "id = 'p1'", title="Bending light")
    assert nights.sync().unchanged
    nights.sync()
    assert "reading publications" not in nights.steps


def test_deleted_rows_go(nights: Any) -> None:
    fill(nights.database)
    nights.sync()
    nights.database.remove("publications", "id = 'p1'")
    nights.database.remove("publication_people", "publication_id = 'p1' AND position = 1")
    report = nights.sync()
    assert report.views["publications"].gone == 1
    assert report.views["publication_people"].gone == 1
    assert nights.rows("SELECT id FROM publications") == [("p2",)]
    assert ("publication", "p1", "gone") in nights.changes(2)


def test_change_of_a_child_row_is_a_change_of_its_parent(nights: Any) -> None:
    fill(nights.database)
    nights.sync()
    nights.database.change("publication_people", "position = 2", name="Bo Li")
    nights.database.change("deliverables", "id = 'd1'", accepted_on="2026-02-01")
    nights.database.remove("session_speakers", "session_id = 's1'")
    nights.sync(accept=True)
    assert nights.changes(2) == {
        ("publication", "p1", "changed"),
        ("project", "pr", "changed"),
        ("event", "ev", "changed"),
    }


def test_many_changes_are_read_in_batches(nights: Any) -> None:
    nights.database.create("publications", "publication_people")
    for number in range(2500):
        nights.database.add(
            "publication_people",
            publication_id=f"p{number % 1250}",
            role="author",
            position=number // 1250,
            name=f"N {number}",
        )
    nights.database.add("publications", id="p1", title="One")
    nights.sync()
    nights.database.change("publication_people", "position = 1 AND publication_id < 'p7'", name="X")
    report = nights.sync()
    changed = nights.row("SELECT count(*) FROM publication_people WHERE name = 'X'")[0]
    assert report.views["publication_people"].changed == changed > 500


def test_view_without_versions_is_compared_by_content(nights: Any) -> None:
    fill(nights.database)
    nights.database.run(f"ALTER TABLE {nights.database.at('topics')} DROP COLUMN version")
    nights.sync()
    assert nights.sync().unchanged
    nights.database.run(
        f"UPDATE {nights.database.at('topics')} SET name = 'Laser light' WHERE id = 'laser'"
    )
    nights.database.add("topics", id="new", name="New")
    report = nights.sync()
    assert (report.added, report.changed, report.gone) == (1, 1, 0)
    assert nights.row("SELECT name FROM topics WHERE id = 'laser'") == ("Laser light",)


def test_row_without_a_version_is_read_every_night(nights: Any) -> None:
    fill(nights.database)
    nights.database.run(f"UPDATE {nights.database.at('venues')} SET version = NULL")
    nights.sync()
    assert nights.sync().unchanged
    nights.database.run(f"UPDATE {nights.database.at('venues')} SET name = 'Optics'")
    assert nights.sync().changed == 1


def test_columns_may_be_spelled_in_capitals(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.add("publications", id="p1", title="One", year=1999)
    table = nights.database.at("publications")
    for name in ("id", "title", "version"):
        nights.database.run(f'ALTER TABLE {table} RENAME COLUMN {name} TO "{name.title()}"')
    nights.sync()
    nights.database.run(f"""UPDATE {table} SET "Title" = 'Two', "Version" = 2""")
    assert nights.sync().changed == 1
    assert nights.row("SELECT title, year FROM publications") == ("Two", 1999)


def test_numbers_may_be_keys(nights: Any) -> None:
    table = nights.database.at("venues")
    nights.database.create("publications")
    nights.database.run(
        f"CREATE TABLE {table} (id INTEGER, name TEXT, short_name TEXT, issn TEXT, url TEXT, "
        "version INTEGER)"
    )
    nights.database.add("venues", id=17, name="Seventeen", version=1)
    nights.database.add("publications", id="p1", title="One", venue_id="17")
    assert nights.sync().problems == 0
    nights.database.change("venues", "id = 17", name="17")
    assert nights.sync().changed == 1
    assert nights.row("SELECT id, name FROM venues") == ("17", "17")


def test_blanks_around_keys_do_not_count(nights: Any) -> None:
    nights.database.create("publications", "venues")
    nights.database.add("venues", id="opt   ", name="Optics")
    nights.database.add("publications", id="p1", title="One", venue_id="opt")
    assert nights.sync().problems == 0
    nights.database.change("venues", "id = 'opt   '", name="New optics")
    assert nights.sync().changed == 1
    assert nights.row("SELECT id, name FROM venues") == ("opt", "New optics")


def test_optional_views_may_be_absent(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.add("publications", id="p1", title="One", venue_id="nowhere")
    report = nights.sync()
    assert list(report.views) == ["publications"]
    assert report.problems == 0
    assert nights.rows("SELECT * FROM venues") == []


def test_publications_are_mandatory(nights: Any) -> None:
    nights.database.create("venues")
    with pytest.raises(
        SourceError, match=r"no view web\.publications in .*GRANT|no view web\.publications"
    ):
        nights.sync()
    assert not nights.settings.snapshot.exists()


def test_missing_column_stops_and_is_named(nights: Any) -> None:
    fill(nights.database)
    nights.sync()
    before = nights.settings.snapshot.read_bytes()
    for view, column in (("publications", "status"), ("events", "form")):
        nights.database.run(f"ALTER TABLE {nights.database.at(view)} DROP COLUMN {column}")
    with pytest.raises(
        GuardRefused, match=r"web\.publications\.status was .* web\.events\.form was .*Pages"
    ):
        nights.sync()
    with pytest.raises(GuardRefused, match=r"is missing"):
        nights.sync(accept=True)
    assert nights.settings.snapshot.read_bytes() == before


def test_vanished_view_stops_unless_accepted(nights: Any) -> None:
    fill(nights.database)
    nights.sync()
    nights.database.run(f"DROP TABLE {nights.database.at('events')}")
    with pytest.raises(SourceError, match=r"web\.events.*--accept"):
        nights.sync()
    assert nights.rows("SELECT id FROM events") == [("ev",)]
    report = nights.sync(accept=True)
    assert "events" not in report.views
    assert nights.rows("SELECT id FROM events") == []
    assert nights.sync().unchanged


def test_new_view_adds_its_section(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.add("publications", id="p1", title="One", venue_id="opt")
    nights.sync()
    nights.database.create("venues")
    nights.database.add("venues", id="opt", name="Optics")
    report = nights.sync()
    assert report.added == 1
    assert report.views["venues"].rows == 1


def test_guard_refuses_a_large_loss(nights: Any) -> None:
    nights.database.create("publications")
    fill_publications(nights.database, 100)
    nights.sync()
    before = nights.settings.snapshot.read_bytes()
    nights.database.remove("publications", "id < 'p030'")
    with pytest.raises(GuardRefused) as refused:
        nights.sync()
    assert refused.value.exit_code == 3
    assert str(refused.value).startswith(
        "The sync was refused: web.publications has lost 30 of 100 rows "
        "(p000, p001, p002, p003, p004, …)."
    )
    assert "--accept" in str(refused.value)
    listed = (nights.settings.var / "refused.txt").read_text().splitlines()
    assert listed == [f"publications\tp{number:03}" for number in range(30)]
    assert nights.settings.snapshot.read_bytes() == before
    assert nights.sync(accept=True).gone == 30
    assert not (nights.settings.var / "refused.txt").exists()


def test_guard_lets_small_losses_pass(nights: Any) -> None:
    nights.database.create("publications")
    fill_publications(nights.database, 100)
    nights.sync()
    nights.database.remove("publications", "id < 'p019'")
    assert nights.sync().gone == 19


def test_guard_refuses_a_view_that_came_back_empty(nights: Any) -> None:
    fill(nights.database)
    nights.sync()
    nights.database.remove("events", "1 = 1")
    with pytest.raises(GuardRefused, match=r"web\.events had 1 rows and is empty \(ev\)"):
        nights.sync()
    assert nights.sync(accept=True).gone == 1


def test_guard_counts_rows_that_a_rule_would_leave_out(nights: Any) -> None:
    nights.database.create("publications")
    fill_publications(nights.database, 60)
    nights.sync()
    nights.database.change("publications", "id < 'p040'", title="")
    with pytest.raises(GuardRefused, match="lost 40 of 60"):
        nights.sync()


def test_duplicate_key_keeps_one_row_whatever_their_order(nights: Any) -> None:
    nights.database.create("publications", "venues")
    nights.database.add("publications", id="p", title="P")
    for name in ("One", "Two", "Three"):
        nights.database.add("venues", id="v", name=name)
    report = nights.sync()
    (kept,) = nights.row("SELECT name FROM venues")
    assert report.views["venues"].left_out == 2
    assert nights.problems("venues") == {("v", "id", "duplicate_key")}
    assert nights.sync().unchanged
    nights.database.remove("venues", "1 = 1")
    for name in ("Three", "Two", "One"):
        nights.database.add("venues", id="v", name=name)
    assert nights.sync().unchanged
    nights.database.remove("venues", f"name <> '{kept}'")
    report = nights.sync()
    assert report.unchanged
    assert report.problems == 0


def test_rows_without_a_key_are_counted(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.add("publications", id="p1", title="One")
    nights.database.add("publications", title="No id")
    nights.database.add("publications", id="  ", title="Blank id")
    report = nights.sync()
    assert report.views["publications"].left_out == 2
    expected = [("publications", "", "id", "no_key", "2 rows without a usable key cannot be shown")]
    query = "SELECT view, key, column, rule, reason FROM problems"
    assert nights.rows(query) == expected
    assert nights.sync().unchanged
    assert nights.rows(query) == expected


def test_row_left_out_is_not_read_again_until_it_changes(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.add("publications", id="p1", title="One")
    nights.database.add("publications", id="p2", title=" ")
    assert nights.sync().left_out == 1
    report = nights.sync()
    assert report.left_out == report.problems == 1
    assert nights.steps == ["comparing publications"]
    nights.database.change("publications", "id = 'p2'", title="Two")
    report = nights.sync()
    assert (report.added, report.left_out, report.problems) == (1, 0, 0)
    nights.database.change("publications", "id = 'p2'", title="")
    report = nights.sync()
    assert (report.gone, report.left_out, report.problems) == (1, 1, 1)
    nights.database.remove("publications", "id = 'p2'")
    report = nights.sync()
    assert report.unchanged
    assert (report.left_out, report.problems) == (0, 0)


def test_reference_to_nothing_is_reported_and_heals(nights: Any) -> None:
    fill(nights.database)
    nights.database.change("publications", "id = 'p2'", venue_id="later")
    assert nights.sync().problems == 1
    assert nights.problems("publications") == {("p2", "venue_id", "reference")}
    nights.database.add("venues", id="later", name="Later")
    report = nights.sync()
    assert (report.added, report.changed, report.problems) == (1, 0, 0)
    assert ("publication", "p2") in nights.touched(2)


def test_every_reference_is_checked(nights: Any) -> None:
    fill(nights.database)
    nights.sync()
    nothing = {
        "people": {"institution_id"},
        "person_names": {"person_id"},
        "people_accounts": {"person_id"},
        "topics": {"parent_id"},
        "publications": {"venue_id", "replaced_by"},
        "publication_people": {"publication_id", "person_id"},
        "publication_topics": {"publication_id", "topic_id"},
        "projects": {"lead_person_id", "institution_id"},
        "project_people": {"project_id", "person_id"},
        "project_publications": {"project_id", "publication_id"},
        "deliverables": {"project_id"},
        "deliverable_publications": {"deliverable_id", "publication_id"},
        "event_organisers": {"event_id", "person_id"},
        "event_sessions": {"event_id"},
        "session_speakers": {"session_id", "person_id"},
        "session_publications": {"session_id", "publication_id"},
        "redirects": {"target"},
    }
    for view, columns in nothing.items():
        for column in columns:
            value = "venue:nothing" if column == "target" else "nothing"
            nights.database.run(
                f"UPDATE {nights.database.at(view)} SET {column} = '{value}', version = 9"
            )
    nights.sync(accept=True)
    found: dict[str, set[str]] = {}
    for view, column in nights.rows("SELECT view, column FROM problems WHERE rule = 'reference'"):
        found.setdefault(view, set()).add(column)
    assert found == nothing


def test_problem_keeps_the_sync_that_first_saw_it(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.add("publications", id="p1", title="One", doi="bad")
    nights.sync()
    nights.database.add("publications", id="p2", title="Two", doi="bad")
    nights.database.change("publications", "id = 'p1'", doi="still bad")
    nights.sync()
    assert nights.rows("SELECT key, first_seen, reason FROM problems ORDER BY key") == [
        ("p1", 1, "'still bad' is no DOI"),
        ("p2", 2, "'bad' is no DOI"),
    ]
    nights.database.change("publications", "id = 'p1'", doi="10.1000/1")
    assert nights.sync().problems == 1


def test_topics_in_a_circle_become_a_forest_and_heal(nights: Any) -> None:
    nights.database.create("publications", "topics")
    nights.database.add("publications", id="p", title="P")
    for topic, parent in (("a", "c"), ("b", "a"), ("c", "b"), ("d", "c"), ("e", "e"), ("f", "x")):
        nights.database.add("topics", id=topic, name=topic, parent_id=parent)
    nights.sync()
    query = "SELECT id, parent_id FROM topics ORDER BY id"
    forest = [("a", None), ("b", "a"), ("c", "b"), ("d", "c"), ("e", None), ("f", None)]
    assert nights.rows(query) == forest
    assert nights.problems("topics") == {
        ("a", "parent_id", "circle"),
        ("e", "parent_id", "is_not_below_itself"),
        ("f", "parent_id", "reference"),
    }
    assert nights.sync().unchanged
    nights.database.change("topics", "id = 'c'", parent_id=None)
    nights.sync()
    assert nights.rows(query)[0] == ("a", "c")
    assert nights.problems("topics") == {
        ("e", "parent_id", "is_not_below_itself"),
        ("f", "parent_id", "reference"),
    }
    assert ("topic", "a") in nights.touched(2)


def test_many_people_are_kept_and_reported(nights: Any) -> None:
    nights.database.create("publications", "publication_people")
    nights.database.add("publications", id="p", title="P")
    for position in range(1001):
        nights.database.add(
            "publication_people", publication_id="p", role="author", position=position, name="N"
        )
    nights.sync()
    assert nights.row("SELECT count(*) FROM publication_people") == (1001,)
    assert nights.problems("publication_people") == {("p", "publication_id", "many_people")}


def test_source_that_changes_place_is_read_whole_and_compared_by_content(
    nights: Any, tmp_path: Any
) -> None:
    fill(nights.database)
    nights.sync()
    connection = __import__("sqlite3").connect(nights.settings.snapshot)
    with connection:  # as if the last sync had read another database
        connection.execute("UPDATE meta SET value = 'elsewhere' WHERE name = 'source'")
    connection.close()
    nights.database.run(f"UPDATE {nights.database.at('venues')} SET name = 'Same version'")
    report = nights.sync()
    assert report.changed == 1
    assert "reading publications" in nights.steps
    assert nights.sync().unchanged
    assert nights.steps == [f"comparing {name}" for name in ALL_VIEWS]
