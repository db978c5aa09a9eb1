"""The contract's SQL files agree with each other, with the records and with real servers."""

from __future__ import annotations

import re
import sqlite3
import struct
from dataclasses import fields
from importlib import resources
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from content_sync.records import VIEWS
from content_sync.source.checks import iso_datetime
from content_sync.source.convert import CONVERTERS
from content_sync.source.read import contract
from content_sync.source.sql_server import decode_utf16, read_datetimeoffset
from tests.content_sync.databases import POSTGRESQL
from tests.content_sync.sql_server import SqlServerDatabase, in_tsql, with_part

SQL = resources.files("content_sync.source").joinpath("sql")
NAMES = [view.name for view in VIEWS]


def columns_of(create: exp.Create) -> dict[str, str]:
    return {
        column.name: column.args["kind"].sql("tsql") for column in create.find_all(exp.ColumnDef)
    }


def tsql_tables() -> dict[str, dict[str, str]]:
    tables = {}
    for batch in re.split(r"(?m)^GO$", SQL.joinpath("contract.tsql.sql").read_text()):
        for statement in sqlglot.parse(batch, dialect="tsql"):
            assert isinstance(statement, exp.Create)
            if statement.kind == "TABLE":
                table = statement.find(exp.Table)
                assert table is not None
                assert table.db == "web"
                tables[table.name] = columns_of(statement)
    return tables


def sqlite_tables() -> dict[str, list[str]]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SQL.joinpath("contract.sqlite.sql").read_text())
    tables = {
        name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    connection.close()
    return tables


@pytest.mark.parametrize("name", NAMES)
def test_select_names_the_fields_of_the_record(name: str) -> None:
    record = next(view.record for view in VIEWS if view.name == name)
    assert contract(name).columns == tuple(field.name for field in fields(record))
    assert contract(name).columns == CONVERTERS[name].names


@pytest.mark.parametrize("name", NAMES)
def test_select_is_plain_in_every_dialect(name: str) -> None:
    text = SQL.joinpath(f"{name}.sql").read_text()
    assert text.startswith("-- A row ")
    for dialect in ("tsql", "sqlite", "postgres"):
        (statement,) = sqlglot.parse(text, dialect=dialect)
        assert isinstance(statement, exp.Select)


def test_both_contracts_have_every_view_and_a_version() -> None:
    in_tsql, in_sqlite = tsql_tables(), sqlite_tables()
    assert set(in_tsql) == set(in_sqlite) == set(NAMES)
    for name in NAMES:
        assert list(in_tsql[name]) == in_sqlite[name]
        assert in_sqlite[name] == [*contract(name).columns, "version"]
        assert in_tsql[name]["version"] == "ROWVERSION"


def test_every_object_of_the_contracts_says_what_a_row_means() -> None:
    for file in ("contract.tsql.sql", "contract.sqlite.sql"):
        text = SQL.joinpath(file).read_text()
        assert len(re.findall(r"(?m)^-- A row [^\n]*\nCREATE TABLE", text)) == len(NAMES)


def test_tsql_is_plain() -> None:
    text = re.sub(r"--[^\n]*", "", SQL.joinpath("contract.tsql.sql").read_text()).upper()
    for word in ("MERGE", "CREATE OR ALTER", "WAITFOR", "CHANGETABLE", "DENY", "FOR JSON", "TOP "):
        assert word not in text


@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)
def test_types_of_a_server_become_the_types_of_the_snapshot(nights: Any) -> None:
    run = nights.database.run
    run(
        "CREATE TABLE web.base (id UUID, title VARCHAR(50), year SMALLINT, day DATE,"
        " at TIMESTAMPTZ, flag BOOLEAN, money NUMERIC(19,4), version BYTEA, local TIMESTAMP)"
    )
    run(
        "INSERT INTO web.base VALUES ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'Größe 😀', 2019,"
        " '2020-02-29', '2027-01-19 09:00+00', true, 1000.5000, '\\x0001', '2027-01-19 09:00:30')"
    )
    nothing = "NULL AS {0}"
    values = {
        "publications": {
            "id": "id",
            "title": "title",
            "year": "year",
            "public_on": "day",
            "access": "'public'",
            "status": "'current'",
        },
        "people": {"id": "id", "family_name": "title", "is_student": "flag"},
        "projects": {
            "id": "id",
            "title": "title",
            "budget": "money",
            "access": "'public'",
            "starts_on": "day",
            "ends_on": "local",
        },
        "events": {"id": "id", "title": "title", "starts_at": "local", "access": "'public'"},
    }
    for view, known in values.items():
        columns = ", ".join(
            f"{known[name]} AS {name}" if name in known else nothing.format(name)
            for name in contract(view).columns
        )
        run(f"CREATE VIEW web.{view} AS SELECT {columns}, version FROM web.base")
    report = nights.sync()
    assert report.problems == 0
    key = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert nights.row("SELECT id, title, year, public_on FROM publications") == (
        key,
        "Größe 😀",
        2019,
        "2020-02-29",
    )
    assert nights.row("SELECT is_student FROM people") == (1,)
    assert nights.row("SELECT budget, starts_on, ends_on FROM projects") == (
        "1000.5",
        "2020-02-29",
        "2027-01-19",
    )
    assert nights.row("SELECT starts_at FROM events") == ("2027-01-19T09:00:30",)
    assert nights.row("SELECT typeof(version), hex(version) FROM people") == ("blob", "0001")
    assert nights.sync().unchanged
    run("UPDATE web.base SET version = '\\x0002', money = 7, flag = false")
    report = nights.sync()
    assert report.views["projects"].changed == report.views["people"].changed == 1
    assert report.views["publications"].changed == 0


@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)
def test_materialised_views_and_quoted_names_are_found(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.add("publications", id="p", title="P")
    nights.database.run("ALTER TABLE web.publications RENAME TO base")
    nights.database.run('CREATE MATERIALIZED VIEW web."Publications" AS SELECT * FROM web.base')
    assert nights.sync().added == 1


def test_statements_of_the_tests_become_tsql() -> None:
    assert in_tsql("UPDATE web.x SET a = a || '!'") == "UPDATE web.x SET a = a + '!'"
    renamed = in_tsql('ALTER TABLE web.x RENAME COLUMN a TO "B"')
    assert renamed == "EXEC sp_rename 'web.x.a', 'B', 'COLUMN'"
    source = "Driver=FreeTDS;Server=x;Database=master;UID=sa;PWD={a;b}"
    other = "Driver=FreeTDS;Server=x;UID=sa;PWD={a;b};Database=y"
    assert with_part(source, "Database", "y") == other
    assert with_part(source, "PWD", "z") == "Driver=FreeTDS;Server=x;Database=master;UID=sa;PWD=z"


@pytest.mark.parametrize("name", NAMES)
def test_tables_that_the_tests_make_on_sql_server_are_tsql(name: str) -> None:
    made: list[str] = []
    database = SqlServerDatabase(
        "sqlserver", "", lambda *statement: made.append(statement[0]) or []
    )
    database.create(name)
    database.create(name, types="TEXT")
    for statement in made:
        (create,) = sqlglot.parse(statement, dialect="tsql")
        assert isinstance(create, exp.Create)
        assert list(columns_of(create)) == [*contract(name).columns, "version"]


def test_times_with_an_offset_are_read_as_the_driver_sends_them() -> None:
    sent = struct.pack("<6hI2h", 2027, 1, 19, 9, 0, 30, 123_000_000, -5, -30)
    moment = read_datetimeoffset(sent)
    assert str(moment) == "2027-01-19 09:00:30.123000-05:30"
    old = "2027-01-19 09:00:30.1234567 +01:00".encode("utf-16-le")
    assert str(iso(read_datetimeoffset(old))) == "2027-01-19T09:00:30"
    assert str(iso(read_datetimeoffset(b"2027-01-19 09:00:30 -01:00"))) == "2027-01-19T09:00:30"
    assert read_datetimeoffset(None) is None
    assert decode_utf16("a😀".encode("utf-16-le") + b"\x3d\xd8") == "a😀\ud83d"


def iso(value: Any) -> Any:
    steps = iso_datetime(value)
    try:
        next(steps)
    except StopIteration as stop:
        return stop.value
    raise AssertionError(f"{value!r} is told to be wrong")
