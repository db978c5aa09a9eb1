"""What is SQL Server's own. Collected only where NIGHTPRESS_TEST_SQLSERVER names a server."""

from __future__ import annotations

from typing import Any

import pytest

from content_sync.source.connect import Limits, open_source
from content_sync.source.doctor import State, examine
from content_sync.source.install import Plan, batches, run
from content_sync.source.read import contract

pytestmark = pytest.mark.parametrize("database", ["sqlserver"], indirect=True)

GUID = "6F9619FF-8B86-D011-B42D-00C04FC964FF"


def view_over_base(nights: Any, view: str, known: dict[str, str]) -> None:
    columns = ", ".join(
        f"{known[name]} AS {name}" if name in known else f"NULL AS {name}"
        for name in contract(view).columns
    )
    nights.database.run(f"CREATE VIEW web.{view} AS SELECT {columns}, version FROM web.base")


def test_types_of_the_server_become_those_of_the_snapshot(nights: Any) -> None:
    nights.database.run(
        "CREATE TABLE web.base (code CHAR(8), guid UNIQUEIDENTIFIER, title NVARCHAR(MAX),"
        " year SMALLINT, day DATE, at DATETIMEOFFSET(3), local DATETIME2(7), flag BIT,"
        " money DECIMAL(19, 4), bytes VARBINARY(20), form XML, empty NVARCHAR(10),"
        " version ROWVERSION)"
    )
    nights.database.run(
        "INSERT INTO web.base (code, guid, title, year, day, at, local, flag, money, bytes, form,"
        f" empty) VALUES ('AB', '{GUID}', N'Größe 😀 李', 2019, '2020-02-29',"
        " '2027-01-19 09:00:30.123 +05:30', '2027-01-19 09:00:30.1234567', 1, 1000.5000, 0x6162,"
        " '<q>1</q>', N'')"
    )
    public = {"access": "'public'", "title": "title"}
    view_over_base(
        nights,
        "publications",
        {
            **public,
            "id": "code",
            "year": "year",
            "public_on": "at",
            "abstract": "form",
            "volume": "empty",
            "pages": "bytes",
        },
    )
    view_over_base(nights, "people", {"id": "guid", "family_name": "title", "is_student": "flag"})
    view_over_base(
        nights, "projects", {**public, "id": "code", "budget": "money", "starts_on": "day"}
    )
    view_over_base(nights, "events", {**public, "id": "code", "starts_at": "local"})
    report = nights.sync()
    assert report.views["publications"].rows == 1
    assert nights.row("SELECT id, title, year, public_on, volume, pages FROM publications") == (
        "AB",
        "Größe 😀 李",
        2019,
        "2027-01-19",
        None,
        "ab",
    )
    assert nights.row("SELECT id, is_student FROM people") == (GUID.lower(), 1)
    assert nights.row("SELECT budget, starts_on FROM projects") == ("1000.5", "2020-02-29")
    assert nights.row("SELECT starts_at FROM events") == ("2027-01-19T09:00:30",)
    assert nights.row("SELECT typeof(version), length(version) FROM people") == ("blob", 8)
    assert nights.sync().unchanged
    nights.database.run("UPDATE web.base SET title = N'Other'")
    assert nights.given(guard_changed_share=1).sync().views["publications"].changed == 1


def test_example_is_installed_twice_and_read(nights: Any, sqlserver: Any) -> None:
    said: list[str] = []
    plan = Plan(kind="example", login="")
    run(sqlserver.owner, plan, limits=Limits(), say=said.append)
    again: list[str] = []
    run(sqlserver.owner, Plan(kind="example", login=""), limits=Limits(), say=again.append)
    assert not any("made" in line for line in again if "view" in line or "table" in line)
    assert len(said) == len(batches(plan))
    report = nights.sync()
    assert report.views["publications"].rows == 4
    assert nights.row("SELECT title FROM publications WHERE id = 'HP-2021-07'") == (
        "Quiet water: a survey",
    )
    assert nights.sync().unchanged


def test_window_reads_only_what_was_written_since(nights: Any, sqlserver: Any) -> None:
    run(sqlserver.owner, Plan(kind="example", login=""), limits=Limits(), say=lambda line: None)
    nights = nights.given(source_window_rows=3, guard_minimum=50)
    nights.sync()
    nights.database.run("UPDATE office.Paper SET title = N'New' WHERE paper_code = 'HP-2019-01'")
    assert nights.sync().changed == 1
    steps = {(s["view"], s["step"]): s["rows"] for s in nights.told()["statements"]}
    with open_source(nights.settings.source, nights.settings.site) as source:
        has_floor = source.floor is not None
    if has_floor:
        assert steps["publications", "window of versions"] >= 1


def test_doctor_finds_nothing_that_fails(nights: Any, sqlserver: Any) -> None:
    run(sqlserver.owner, Plan(kind="example", login=""), limits=Limits(), say=lambda line: None)
    failed = [line for line in examine(nights.settings) if line.state is State.BAD]
    assert [line for line in failed if line.name not in ("encryption", "rights")] == []


def test_locked_rows_end_in_a_clear_error_or_are_read(nights: Any, sqlserver: Any) -> None:
    """With snapshot isolation nobody waits; without, the lock is named after its time."""
    import pyodbc

    from content_sync.source.faults import Kind, ReadFailed
    from tests.content_sync.sql_server import _driver

    nights.database.create("publications")
    nights.database.add("publications", id="p", title="P")
    other = pyodbc.connect(_driver(sqlserver.owner))
    other.execute("UPDATE web.publications SET title = 'Q'")
    nights = nights.given(source_lock_seconds=1, source_retries=0)
    try:
        assert nights.sync().rows == 1
    except ReadFailed as error:
        assert error.fault.kind is Kind.LOCKED  # noqa: PT017 - either is right
    finally:
        other.rollback()
        other.close()
