"""What the database's administrator is given: install, doctor, report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from click.testing import CliRunner, Result
from selectolax.lexbor import LexborHTMLParser
from sqlglot import exp

from content_sync.cli import main
from content_sync.errors import ConfigurationError
from content_sync.records import VIEWS
from content_sync.source.catalogue import contract
from content_sync.source.doctor import Line, State, examine
from content_sync.source.install import Plan, batches, contract_types, new_password, script
from tests.content_sync.databases import POSTGRESQL
from tests.content_sync.test_sync import fill

KINDS = ("views", "tables", "example")
on_postgresql = pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)


def nightpress(nights: Any, *words: str, source: str | None = None) -> Result:
    site = nights.settings.site
    site.mkdir(parents=True, exist_ok=True)
    (site / "pelicanconf.py").write_text("SOURCE_RETRIES = 0\nSOURCE_LOGIN_SECONDS = 2\n")
    named = nights.settings.source if source is None else source
    runner = CliRunner(env={"NIGHTPRESS_SOURCE": named, "NIGHTPRESS_ADMIN_SOURCE": ""})
    return runner.invoke(main, [*words, "--site", str(site)])


# install


@pytest.mark.parametrize("kind", KINDS)
def test_every_batch_is_plain_tsql(kind: str) -> None:
    for batch in batches(Plan(kind=kind, password="it's")):
        if batch.text.startswith(("GRANT", "CREATE LOGIN", "CREATE USER", "ALTER DATABASE")):
            continue  # sqlglot has no grammar for these
        raising = sqlglot.ErrorLevel.RAISE
        (statement,) = sqlglot.parse(batch.text, dialect="tsql", error_level=raising)
        assert isinstance(statement, exp.Create | exp.Insert), batch.text
    text = re.sub(r"--[^\n]*", "", script(Plan(kind=kind, password="x"))).upper()
    for word in ("MERGE", "CREATE OR ALTER", "WAITFOR", "CHANGETABLE", "DENY", "FOR JSON", "TOP "):
        assert word not in text


def columns_of(statement: exp.Expression) -> list[str]:
    select = statement.find(exp.Select)
    assert select is not None
    return [column.alias_or_name for column in select.expressions]


@pytest.mark.parametrize("kind", ["views", "example"])
def test_views_have_the_columns_of_the_contract(kind: str) -> None:
    seen = set()
    for batch in batches(Plan(kind=kind, password="x")):
        made = re.match(r"CREATE VIEW web\.(\w+)", batch.text)
        if made:
            (statement,) = sqlglot.parse(batch.text, dialect="tsql")
            assert statement is not None
            assert columns_of(statement) == [*contract(made[1]).columns, "version"]
            seen.add(made[1])
    if kind == "views":
        assert seen == {view.name for view in VIEWS}
    assert "publications" in seen


def test_views_over_one_table_show_its_rowversion() -> None:
    for batch in batches(Plan(kind="example", password="x")):
        if batch.text.startswith("CREATE VIEW"):
            (statement,) = sqlglot.parse(batch.text, dialect="tsql")
            assert statement is not None
            assert len(list(statement.find_all(exp.Table))) == 2  # the view and its table
            assert "changed AS version" in batch.text


@pytest.mark.parametrize("kind", KINDS)
def test_login_may_read_the_schema_and_nothing_else(kind: str) -> None:
    found = batches(Plan(kind=kind, password="it's"))
    grants = [batch for batch in found if "GRANT" in batch.text]
    assert [batch.text for batch in grants] == ["GRANT SELECT ON SCHEMA::web TO nightpress_reader;"]
    made = {
        match[1]
        for batch in found
        if (match := re.match(r"CREATE (?:VIEW|TABLE) (web\.\w+)", batch.text))
    }
    assert {re.search(r"ON (\S+) TO", text)[1] for text in grants[0].instead} == made  # type: ignore[index]
    assert any("WITH PASSWORD = N'it''s'" in batch.text for batch in found)
    assert found[-1].text == "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON;"
    assert not found[-1].needed


def test_names_are_spelled_in_one_way_for_case_sensitive_collations() -> None:
    """Every table and column that a statement of the example names was made in that spelling."""
    made: set[str] = set()
    named: set[str] = set()
    for batch in batches(Plan(kind="example", password="x", login="")):
        for statement in sqlglot.parse(batch.text, dialect="tsql"):
            if isinstance(statement, exp.Create) and statement.kind == "TABLE":
                table = statement.find(exp.Table)
                assert table is not None
                made.add(table.name)
                made |= {column.name for column in statement.find_all(exp.ColumnDef)}
            elif statement is not None and batch.text.startswith("CREATE VIEW"):
                tables = [t for t in statement.find_all(exp.Table) if t.db == "office"]
                named |= {table.name for table in tables}
                named |= {column.name for column in statement.find_all(exp.Column)}
    assert named
    assert named <= made


def test_login_whose_name_would_need_quotes_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no name for a login"):
        batches(Plan(login="x; DROP DATABASE y"))


def test_new_passwords_are_long_and_differ() -> None:
    one, other = new_password(), new_password()
    assert one != other
    assert len(one) > 24
    for characters in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"):
        assert re.search(characters, one)


def test_script_is_printed(sqlite_nights: Any) -> None:
    result = nightpress(sqlite_nights, "source", "install", "--example")
    assert result.exit_code == 0
    assert "CREATE VIEW web.publications AS" in result.output
    assert "CREATE TABLE office.Paper" in result.output
    assert "ALLOW_SNAPSHOT_ISOLATION" in result.output
    none = nightpress(sqlite_nights, "source", "install", "--no-login").output
    assert "LOGIN" not in re.sub("--.*", "", none)
    both = nightpress(sqlite_nights, "source", "install", "--example", "--tables")
    assert both.exit_code == 2


def test_what_does_not_speak_tsql_is_not_installed_to(nights: Any) -> None:
    result = nightpress(nights, "source", "install", "--run")
    assert result.exit_code == 1
    assert "T-SQL" in result.output
    assert nightpress(nights, "source", "install", "--run", source="").exit_code == 2


@pytest.mark.needs("freetds")
def test_server_that_cannot_be_reached_is_told_without_its_password(sqlite_nights: Any) -> None:
    source = "Driver=FreeTDS;Server=127.0.0.1;Port=1;Database=x;UID=me;PWD=s3cret"
    result = nightpress(sqlite_nights, "source", "install", "--run", source=source)
    assert result.exit_code == 1
    assert "cannot be reached" in result.output
    assert "s3cret" not in result.output


# doctor


def lines(nights: Any) -> list[Line]:
    return list(examine(nights.settings))


def bad(nights: Any) -> list[tuple[str, str, str]]:
    return [(one.name, one.says, one.mend) for one in lines(nights) if one.state is State.BAD]


def test_healthy_source_has_nothing_to_mend(nights: Any) -> None:
    fill(nights.database)
    assert bad(nights) == []
    result = nightpress(nights, "source", "doctor")
    assert result.exit_code == 0
    assert "One consistent read" in result.output


def test_missing_view_and_column_are_named_with_what_mends_them(nights: Any) -> None:
    fill(nights.database)
    nights.database.run(f"ALTER TABLE {nights.database.at('publications')} DROP COLUMN abstract")
    nights.database.run(f"ALTER TABLE {nights.database.at('events')} DROP COLUMN capacity")
    nights.database.run(f"DROP TABLE {nights.database.at('topics')}")
    assert bad(nights) == [
        (
            "web.publications",
            "The column abstract is missing.",
            "ALTER VIEW web.publications …: add CAST(NULL AS NVARCHAR(MAX)) AS abstract, or your"
            " own column.",
        ),
        (
            "web.events",
            "The column capacity is missing.",
            "ALTER VIEW web.events …: add CAST(NULL AS INT) AS capacity, or your own column.",
        ),
    ]
    assert any(one.name == "web.topics" and "without it" in one.says for one in lines(nights))
    nights.database.run(f"DROP TABLE {nights.database.at('publications')}")
    assert any("The view is not there" in says for _name, says, _mend in bad(nights))
    assert nightpress(nights, "source", "doctor").exit_code == 1


def test_view_without_a_version_is_minded(nights: Any) -> None:
    fill(nights.database)
    nights.database.run(f"ALTER TABLE {nights.database.at('venues')} DROP COLUMN version")
    (line,) = [one for one in lines(nights) if one.name == "web.venues"]
    assert line.state is State.MIND
    assert "ROWVERSION" in line.mend


@on_postgresql
def test_wrong_type_is_told_if_there_are_values(nights: Any) -> None:
    fill(nights.database)
    nights.database.run("ALTER TABLE web.publications ALTER COLUMN year TYPE date USING NULL")
    assert bad(nights) == []
    nights.database.run("UPDATE web.publications SET year = '2019-01-01'")
    assert bad(nights) == [
        (
            "web.publications",
            "year is date, not SMALLINT, in 2 rows.",
            "CAST(year AS SMALLINT) AS year in the view.",
        )
    ]


@on_postgresql
def test_grants_that_lack_and_rights_that_should_not_be_there(nights: Any) -> None:
    run = nights.database.run
    fill(nights.database)
    run("REVOKE SELECT ON web.venues FROM reader")
    ((name, says, mend),) = bad(nights)
    assert name == "web.venues"
    assert "permission denied" in says
    assert mend.startswith("GRANT SELECT ON web.venues")
    run("GRANT SELECT, UPDATE, DELETE ON web.venues TO reader")
    run("GRANT CREATE ON SCHEMA web TO reader")
    run("CREATE TABLE public.salaries (id int)")
    run("GRANT SELECT ON public.salaries TO reader")
    try:
        told = {says: mend for name, says, mend in bad(nights) if name == "rights"}
        assert told == {
            "The user may UPDATE, DELETE in web.venues.": (
                "REVOKE UPDATE, DELETE ON web.venues FROM reader;"
            ),
            "The user may create in schema web.": "REVOKE CREATE ON SCHEMA web FROM reader;",
            "The user may read 1 tables or views outside schema web.": (
                "REVOKE SELECT ON those tables FROM reader;"
            ),
        }
    finally:
        run("DROP TABLE public.salaries")


@pytest.mark.needs("postgresql")
def test_login_that_is_refused_is_a_line_and_no_secret(postgresql: Any, sqlite_nights: Any) -> None:
    source = postgresql.source(password="wr0ng")
    result = nightpress(sqlite_nights, "source", "doctor", source=source)
    assert result.exit_code == 1
    assert "FAIL  login: " in result.output
    assert "mend: Check the user" in result.output
    assert "wr0ng" not in result.output


@pytest.mark.needs("odbc")
def test_driver_that_is_not_installed_is_told_with_those_that_are(sqlite_nights: Any) -> None:
    source = "Driver={ODBC Driver 99 for Nothing};Server=x;TrustServerCertificate=yes;UID=u;PWD=p"
    result = nightpress(sqlite_nights, "source", "doctor", "--json", source=source)
    found = {line["name"]: line for line in map(json.loads, result.output.splitlines())}
    assert found["driver"]["state"] == "fail"
    assert "SQLite3" in result.output
    assert found["certificate"]["state"] == "mind"
    assert result.exit_code == 1


@on_postgresql
def test_read_committed_is_minded(nights: Any) -> None:
    fill(nights.database)
    nights = nights.given(source_isolation="read committed")
    (line,) = [one for one in lines(nights) if one.name == "isolation"]
    assert line.state is State.MIND
    assert "SOURCE_ISOLATION" in line.mend


def test_doctor_writes_nothing(nights: Any) -> None:
    fill(nights.database)
    nightpress(nights, "source", "doctor")
    assert {path.name for path in nights.settings.site.iterdir()} == {"pelicanconf.py"}


# report


def test_report_as_text_json_and_page(nights: Any, tmp_path: Path) -> None:
    assert nightpress(nights, "source", "report").exit_code == 1
    fill(nights.database)
    nights.sync()
    text = nightpress(nights, "source", "report")
    assert text.exit_code == 0
    assert re.search(r"publications +all rows +1 +2 ", text.output)
    assert "Isolation" in text.output
    facts = json.loads(nightpress(nights, "source", "report", "--json").output)
    assert facts["sync"] == 1
    page = tmp_path / "report.html"
    assert nightpress(nights, "source", "report", "--html", str(page)).exit_code == 0
    tree = LexborHTMLParser(page.read_text("utf-8"))
    assert "web.publications" in tree.css_first("pre").text() + tree.text()
    assert not tree.css("script, link, img")
    assert "s3same" not in page.read_text("utf-8")


def test_types_of_the_contract_are_known() -> None:
    assert contract_types("publications")["version"] == "BINARY(8)"
    assert contract_types("projects")["budget"] == "DECIMAL(19, 4)"
    for view in VIEWS:
        assert list(contract_types(view.name)) == [*contract(view.name).columns, "version"]
