"""Rows that break a rule: each is told with view, key, column and rule, and the night goes on."""

from __future__ import annotations

from typing import Any

import pytest

from content_sync.records import VIEWS
from tests.content_sync.databases import ODBC

# view, what is wrong in a row, the column and the rule told, and what stands in the snapshot
# (None: the row is left out)
Case = tuple[str, dict[str, Any], str, str, dict[str, Any] | None]

BAD: tuple[Case, ...] = (
    ("publications", {"title": " \t "}, "title", "required", None),
    ("publications", {"title": None}, "title", "required", None),
    ("publications", {"title": "<b></b>"}, "title", "required", None),
    ("publications", {"title": "On <i>E. coli</i>"}, "title", "title", {"title": "On E. coli"}),
    (
        "publications",
        {"title": "Hi<script>alert('x')</script> you"},
        "title",
        "title",
        {"title": "Hi you"},
    ),
    (
        "publications",
        {"title": '<img src=x onerror="alert(1)">Fun'},
        "title",
        "title",
        {"title": "Fun"},
    ),
    ("publications", {"title": "Bell\x07 and\x7f"}, "title", "title", {"title": "Bell and"}),
    ("publications", {"title": "é" * 2001}, "title", "title", {"title": "é" * 1999 + "…"}),
    (
        "publications",
        {"abstract": "A\n<STYLE>p {}</STYLE>B"},
        "abstract",
        "prose",
        {"abstract": "A\nB"},
    ),
    ("publications", {"kind": "pamphlet"}, "kind", "kind", {"kind": "other"}),
    ("publications", {"year": "20266"}, "year", "year", {"year": None}),
    ("publications", {"year": "in press"}, "year", "year", {"year": None}),
    ("publications", {"year": "2019.5"}, "year", "year", {"year": None}),
    ("publications", {"month": "13"}, "month", "month", {"month": None}),
    ("publications", {"month": "2", "day": "30"}, "day", "has_a_day_of_its_month", {"day": None}),
    (
        "publications",
        {"year": "2019", "month": "2", "day": "29"},
        "day",
        "has_a_day_of_its_month",
        {"month": 2, "day": None},
    ),
    ("publications", {"day": "5"}, "day", "has_a_day_of_its_month", {"day": None}),
    (
        "publications",
        {"year": None, "month": "5"},
        "month",
        "has_a_day_of_its_month",
        {"month": None},
    ),
    ("publications", {"doi": "doi:unknown"}, "doi", "doi", {"doi": None}),
    ("publications", {"url": "javascript:alert(1)"}, "url", "url", {"url": None}),
    ("publications", {"url": "ftp://x.example/a"}, "url", "url", {"url": None}),
    ("publications", {"file_path": "../secret.pdf"}, "file_path", "file_path", {"file_path": None}),
    ("publications", {"file_path": "C:\\a.pdf"}, "file_path", "file_path", {"file_path": None}),
    ("publications", {"file_path": "/etc/a.pdf"}, "file_path", "file_path", {"file_path": None}),
    ("publications", {"language": "the Queen's"}, "language", "language", {"language": None}),
    ("publications", {"licence": "javascript:x"}, "licence", "licence", {"licence": None}),
    ("publications", {"access": "secret"}, "access", "access", {"access": "members"}),
    ("publications", {"access": None}, "access", "access", {"access": "members"}),
    ("publications", {"public_on": "soon"}, "public_on", "iso_date", {"public_on": None}),
    ("publications", {"public_on": "2025-02-29"}, "public_on", "iso_date", {"public_on": None}),
    ("publications", {"status": "disputed"}, "status", "has_a_known_status", None),
    (
        "publications",
        {"replaced_by": "SELF"},
        "replaced_by",
        "is_not_replaced_by_itself",
        {"replaced_by": None},
    ),
    ("people", {"orcid": "0000-0002-1825-0098"}, "orcid", "orcid", {"orcid": None}),
    ("people", {"family_name": "<b>Lovelace</b>"}, "family_name", "name", {"letter": "l"}),
    ("people", {"family_name": None}, "family_name", "has_a_name", None),
    ("people", {"home_page": "www.example.org"}, "home_page", "url", {"home_page": None}),
    ("people", {"is_student": "maybe"}, "is_student", "boolean", {"is_student": 0}),
    ("institutions", {"ror": "https://ror.org/x"}, "ror", "ror", {"ror": None}),
    ("institutions", {"name": ""}, "name", "required", None),
    ("venues", {"issn": "12345"}, "issn", "issn", {"issn": None}),
    ("topics", {"parent_id": "SELF"}, "parent_id", "is_not_below_itself", {"parent_id": None}),
    ("projects", {"budget": "a lot"}, "budget", "money", {"budget": None}),
    ("projects", {"budget": "NaN"}, "budget", "money", {"budget": None}),
    ("projects", {"currency": "€"}, "currency", "currency", {"currency": None}),
    ("projects", {"status": "asleep"}, "status", "project_status", {"status": None}),
    ("projects", {"access": "abstract"}, "access", "access_of_record", {"access": "members"}),
    (
        "projects",
        {"starts_on": "2020-05-01", "ends_on": "2019-05-01"},
        "ends_on",
        "project_ends_after_its_start",
        {"starts_on": "2020-05-01", "ends_on": None},
    ),
    ("deliverables", {"due_on": "2019-02-30"}, "due_on", "iso_date", {"due_on": None}),
    ("deliverables", {"status": "lost"}, "status", "deliverable_status", {"status": None}),
    ("deliverables", {"project_id": None}, "project_id", "required", None),
    ("events", {"timezone": "Mars/Olympus"}, "timezone", "timezone", {"timezone": None}),
    ("events", {"timezone": "../etc/passwd"}, "timezone", "timezone", {"timezone": None}),
    ("events", {"form": "{oops"}, "form", "form", {"form": None}),
    ("events", {"status": "maybe"}, "status", "event_status", {"status": "planned"}),
    ("events", {"capacity": "-1"}, "capacity", "amount", {"capacity": None}),
    ("events", {"starts_at": "noon"}, "starts_at", "iso_datetime", {"starts_at": None}),
    (
        "events",
        {"starts_at": "2027-01-19T09:00", "ends_at": "2027-01-18T09:00"},
        "ends_at",
        "ends_after_its_start",
        {"ends_at": None},
    ),
    (
        "events",
        {
            "registration_opens_at": "2027-01-19 09:00",
            "registration_closes_at": "2027-01-18 09:00:00",
        },
        "registration_closes_at",
        "registration_closes_after_it_opens",
        {"registration_opens_at": "2027-01-19T09:00", "registration_closes_at": None},
    ),
    (
        "event_sessions",
        {"starts_at": "2027-01-19T09:00", "ends_at": "2027-01-18T09:00"},
        "ends_at",
        "ends_after_its_start",
        {"ends_at": None},
    ),
    ("redirects", {"target": "https://evil.example/"}, "target", "target", None),
    ("redirects", {"target": "//evil.example/"}, "target", "target", None),
)

GOOD: dict[str, dict[str, Any]] = {
    "institutions": {"name": "I"},
    "people": {"family_name": "F"},
    "venues": {"name": "V"},
    "topics": {"name": "T"},
    "publications": {"title": "P", "year": "2020", "access": "public"},
    "projects": {"title": "P", "access": "public"},
    "deliverables": {"project_id": "0", "title": "D", "access": "public"},
    "events": {"title": "E", "access": "public"},
    "event_sessions": {"event_id": "0", "title": "S"},
    "redirects": {"target": "/"},
}


def test_every_bad_row_is_told_and_mended_or_left_out(nights: Any) -> None:
    database = nights.database
    database.create(*GOOD, types="TEXT")
    for view, good in GOOD.items():
        key = {"old_path": "/0"} if view == "redirects" else {"id": "0"}
        database.add(view, **key, **good)
    for number, (view, bad, *_rest) in enumerate(BAD, 1):
        key = f"/{number}" if view == "redirects" else f"{number}"
        values = {name: key if value == "SELF" else value for name, value in bad.items()}
        name = "old_path" if view == "redirects" else "id"
        database.add(view, **{name: key, **GOOD[view], **values})
    report = nights.sync()
    told = set(nights.rows("SELECT view, key, column, rule FROM problems"))
    wanted = set()
    for number, (view, _bad, column, rule, expected) in enumerate(BAD, 1):
        key = f"/{number}" if view == "redirects" else f"{number}"
        wanted.add((view, key, column, rule))
        if rule == "required" and column == "title" and "<b>" in str(_bad):
            wanted.add((view, key, "title", "title"))
        if rule == "has_a_known_status":
            wanted.add((view, key, "status", "status"))
        if view == "redirects":
            wanted.add((view, key, "target", "required"))
        name = "old_path" if view == "redirects" else "id"
        columns = ", ".join(expected) if expected else name
        found = nights.rows(f"SELECT {columns} FROM {view} WHERE {name} = ?", key)
        assert found == ([tuple(expected.values())] if expected else []), BAD[number - 1]
    assert told == wanted
    assert report.left_out == sum(expected is None for *_rest, expected in BAD)
    assert nights.sync().unchanged


def test_bad_rows_of_links_are_told(nights: Any) -> None:
    database = nights.database
    linked = ("publications", "publication_people", "person_names", "session_speakers", "redirects")
    database.create(*linked, types="TEXT")
    database.add("publications", id="p", title="P")
    add = database.add
    add("publication_people", publication_id="p", role="translator", position="1", name="T")
    add("publication_people", publication_id="p", role=" Author ", position="1", name="A")
    add("publication_people", publication_id="p", role=None, position="2", name="B")
    add("publication_people", publication_id="p", role="author", position="3", name=None)
    add("publication_people", publication_id="p", role="author", position=None, name="N")
    add("publication_people", publication_id="p", role="author", position="x", name="N")
    add("person_names", person_id="a", name="Good <b>name</b>")
    add("redirects", old_path="no-slash", target="/")
    add("redirects", old_path="/with\tcontrol", target="/")
    add("redirects", old_path="/good?a=1&b=ü", target="publication:p")
    report = nights.sync()
    assert nights.rows("SELECT role, position, name FROM publication_people ORDER BY 2") == [
        ("author", 1, "A"),
        ("author", 2, "B"),
    ]
    assert nights.problems("publication_people") == {
        ("p/translator/1", "role", "has_a_known_role"),
        ("p/author/3", "name", "required"),
        ("", "publication_id", "no_key"),
    }
    assert report.views["publication_people"].left_out == 4
    assert nights.rows("SELECT name FROM person_names") == [("Good name",)]
    assert nights.rows("SELECT old_path FROM redirects") == [("/good?a=1&b=ü",)]
    assert report.views["redirects"].left_out == 2
    assert nights.sync().unchanged


@pytest.mark.parametrize("database", ["sqlite", ODBC], indirect=True)
def test_bytes_that_are_no_text_are_replaced(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.run(
        "INSERT INTO publications (id, title, access) "
        "VALUES ('0', CAST(x'41ff42' AS TEXT), 'public')"
    )
    nights.sync()
    assert nights.row("SELECT title FROM publications") == ("A\ufffdB",)
    assert nights.problems("publications") == {("0", "title", "title")}


def test_blobs_may_stand_for_text(sqlite_nights: Any) -> None:
    sqlite_nights.database.create("publications")
    sqlite_nights.database.add("publications", id="0", title=b"A\xffB", abstract=b"\xfe")
    sqlite_nights.database.add("publications", id="1", title="AéB".encode())
    sqlite_nights.sync()
    query = "SELECT title, abstract FROM publications ORDER BY id"
    assert sqlite_nights.rows(query) == [("A\ufffdB", "\ufffd"), ("AéB", None)]
    expected = {("0", "title", "title"), ("0", "abstract", "prose")}
    assert sqlite_nights.problems("publications") == expected


def test_nul_and_surrogates_are_removed(sqlite_nights: Any) -> None:
    database = sqlite_nights.database
    database.create("publications")
    database.add("publications", id="0", title="a\0b")
    database.run(  # a half of a surrogate pair, as some systems write it
        "INSERT INTO publications (id, title) VALUES ('1', CAST(x'61eda08062' AS TEXT))"
    )
    sqlite_nights.sync()
    assert sqlite_nights.row("SELECT title FROM publications WHERE id = '0'") == ("ab",)
    (title,) = sqlite_nights.row("SELECT title FROM publications WHERE id = '1'")
    assert title == "a\ufffdb"


def test_keys_that_are_no_text_are_still_found(sqlite_nights: Any) -> None:
    database = sqlite_nights.database
    database.create("publications", "venues")
    database.add("publications", id="p", title="P")
    for number in range(3):
        database.run(
            f"INSERT INTO venues (id, name, version) VALUES (CAST(x'ff3{number}' AS TEXT), 'V', 1)"
        )
    sqlite_nights.sync()
    database.run("UPDATE venues SET name = 'W', version = 2 WHERE id LIKE '%1'")
    assert sqlite_nights.sync().changed == 1
    assert sqlite_nights.rows("SELECT id, name FROM venues ORDER BY id")[1] == ("\ufffd1", "W")


def test_three_thousand_authors_and_no_title_do_not_stop_the_night(sqlite_nights: Any) -> None:
    database = sqlite_nights.database
    database.create(*(view.name for view in VIEWS))
    database.add("publications", id="p", title="")
    for position in range(3000):
        database.add(
            "publication_people", publication_id="p", role="author", position=position, name="N"
        )
    report = sqlite_nights.sync()
    assert report.views["publication_people"].rows == 3000
    assert report.problems == 2  # the paper without a title, and so many people on it
