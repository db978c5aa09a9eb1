"""The tables as migrations make them are those that the program expects, on SQL Server too."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from sqlalchemy import String, Unicode, UnicodeText
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.schema import CreateTable
from sqlglot import exp

from dynamic.commands import service
from dynamic.database import Base
from dynamic.migrating import MIGRATIONS, newest_revision

DIALECTS = {
    "mssql": (
        "mssql+pyodbc://service:x@db.example/service?driver=ODBC+Driver+18+for+SQL+Server",
        "tsql",
        mssql.dialect(deprecate_large_types=True),
    ),
    "postgresql": (
        "postgresql+psycopg://service:x@db.example/service",
        "postgres",
        postgresql.dialect(),
    ),
}
IN_ASCII = {
    ("registrations", "uid"),
    ("registrations", "state"),
    ("cvs", "id"),
    ("cvs", "degree"),
    ("cvs", "graduation"),
    ("cvs", "availability"),
    ("cvs", "available_from"),
    ("cvs", "shown_to"),
    ("cvs", "consent"),
    ("cvs", "kind"),
    ("cvs", "warnings"),
    *(("cv_companies", name) for name in ("cv_id", "company", "choice")),
    *(("cv_receipts", name) for name in ("cv_id", "company", "what")),
    ("cv_logs", "file"),
    *(("registration_transitions", name) for name in ("before", "after", "by", "note")),
    *(("registration_mailings", name) for name in ("nonce", "whom")),
}
"""Columns that hold words of the program's own, or digits."""
NAMES_OF_PEOPLE_AND_RECORDS = {"subject", "event_id", "record_id", "person_id", "actor", "target"}


def _script(site: Path, url: str) -> str:
    (site / "pelicanconf.py").write_text('SITENAME = "x"\nSITEURL = "https://x.example"\n')
    done = CliRunner(env={"NIGHTPRESS_SERVICE_DATABASE": url}).invoke(
        service, ["migrate", "--sql", "--site", str(site)]
    )
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("server", DIALECTS)
def test_the_script_for_a_server_makes_the_tables_of_the_program(
    server: str, tmp_path: Path
) -> None:
    url, language, dialect = DIALECTS[server]
    script = _script(tmp_path, url).replace("\nGO\n", "\n")
    made = _tables(script, language)
    wanted = {}
    for table in Base.metadata.sorted_tables:
        wanted |= _tables(str(CreateTable(table).compile(dialect=dialect)), language)
    made.pop("alembic_version")
    assert made == wanted


def _tables(script: str, language: str) -> dict[str, dict[str, str]]:
    """Return table → column → type, collation included."""
    tables = {}
    for statement in sqlglot.parse(script, read=language):
        if isinstance(statement, exp.Create) and statement.kind == "TABLE":
            columns = statement.find_all(exp.ColumnDef)
            tables[statement.find(exp.Table).name] = {
                column.name: " ".join(
                    [
                        column.args["kind"].sql(language),
                        *(c.sql(language) for c in column.find_all(exp.CollateColumnConstraint)),
                    ]
                )
                for column in columns
            }
    return tables


def test_the_newest_migration_is_the_one_that_alembic_knows() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [newest_revision()]


def test_no_column_loses_names_on_sql_server() -> None:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            kind = column.type
            if isinstance(kind, String) and not isinstance(kind, Unicode | UnicodeText):
                assert (table.name, column.name) in IN_ASCII, f"{table.name}.{column.name}"


def test_accounts_and_records_are_told_apart_letter_by_letter_on_sql_server() -> None:
    dialect = mssql.dialect()
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if column.name in NAMES_OF_PEOPLE_AND_RECORDS:
                name = column.type.compile(dialect=dialect)
                assert "COLLATE Latin1_General_100_BIN2" in name, f"{table.name}.{column.name}"
