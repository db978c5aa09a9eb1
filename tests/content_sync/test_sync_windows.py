"""Large views by windows of rowversions, and procedures in place of views, on PostgreSQL.

Its transaction numbers, as eight bytes, are a rowversion: they grow, one transaction gives
all its rows the same, and the least one still under way is known.
"""

from __future__ import annotations

from typing import Any

import pytest

from content_sync.errors import SourceError
from tests.content_sync.databases import POSTGRESQL

pytestmark = pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)


@pytest.fixture
def large(nights: Any) -> Any:
    """A site whose views with more than 50 rows are read by windows, fully each 4th night."""
    run = nights.database.run
    nights.database.create("publications", "venues")
    for view in ("publications", "venues"):
        run(f"ALTER TABLE web.{view} DROP COLUMN version")
        run(
            f"ALTER TABLE web.{view} ADD COLUMN version BYTEA NOT NULL"
            " DEFAULT int8send(pg_current_xact_id()::text::bigint)"
        )
    run(
        "CREATE OR REPLACE FUNCTION web.stamp() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.version := int8send(pg_current_xact_id()::text::bigint); RETURN NEW; END'"
    )
    for view in ("publications", "venues"):
        run(
            f"CREATE TRIGGER stamped BEFORE UPDATE ON web.{view}"
            " FOR EACH ROW EXECUTE FUNCTION web.stamp()"
        )
    run(
        "CREATE OR REPLACE FUNCTION web.min_active_rowversion() RETURNS bytea LANGUAGE sql AS"
        " 'SELECT int8send(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)'"
    )
    run(
        "INSERT INTO web.publications (id, title, access)"
        " SELECT 'p' || n, 'Paper ' || n, 'public' FROM generate_series(1, 200) AS n"
    )
    run("INSERT INTO web.venues (id, name) SELECT 'v' || n, 'V' FROM generate_series(1, 9) AS n")
    return nights.given(source_window_rows=50, source_full_pass_nights=4)


def steps(nights: Any) -> dict[tuple[str, str], int]:
    return {(s["view"], s["step"]): s["rows"] for s in nights.told()["statements"]}


def test_window_reads_only_what_was_written_since(large: Any) -> None:
    large.sync()
    large.database.run("UPDATE web.publications SET title = 'New' WHERE id = 'p7'")
    large.database.run(
        "INSERT INTO web.publications (id, title, access) VALUES ('x', 'X', 'public')"
    )
    large.database.run("UPDATE web.venues SET name = 'W' WHERE id = 'v1'")
    report = large.sync()
    assert (report.added, report.changed, report.gone) == (1, 2, 0)
    read = steps(large)
    assert read["publications", "window of versions"] == 2
    assert ("publications", "keys and versions") not in read
    assert read["venues", "keys and versions"] == 9
    assert large.told()["deletions_wait"] == {"publications": 4}
    assert large.sync().unchanged
    assert steps(large)["publications", "window of versions"] == 0


def test_deletion_waits_for_the_next_full_pass_and_no_longer(large: Any) -> None:
    large.sync()
    large.database.run("DELETE FROM web.publications WHERE id = 'p7'")
    passes = []
    for _night in range(5):
        gone = large.sync().gone
        passes.append((gone, ("publications", "keys and versions") in steps(large)))
    assert passes == [(0, False), (0, False), (0, False), (1, True), (0, False)]


def test_row_of_a_transaction_under_way_is_not_missed(large: Any, postgresql: Any) -> None:
    import pyodbc

    large.sync()
    other = pyodbc.connect(
        f"Driver=PostgreSQL Unicode;Server={postgresql.sockets};Port={postgresql.port};"
        "Database=source;Uid=owner"
    )
    other.execute("UPDATE web.publications SET title = 'Slow' WHERE id = 'p1'")
    large.database.run("UPDATE web.publications SET title = 'Fast' WHERE id = 'p2'")
    large.sync()
    other.commit()
    other.close()
    large.sync()
    query = "SELECT title FROM publications WHERE id IN ('p1', 'p2') ORDER BY id"
    assert large.rows(query) == [("Slow",), ("Fast",)]
    assert ("publications", "window of versions") in steps(large)


def test_row_left_out_by_a_rule_heals_in_a_window(large: Any) -> None:
    large.database.run("UPDATE web.publications SET title = ' ' WHERE id = 'p3'")
    assert large.sync().left_out == 1
    report = large.sync()
    assert (report.left_out, report.problems) == (1, 1)
    large.database.run("UPDATE web.publications SET title = 'Three' WHERE id = 'p3'")
    report = large.sync()
    assert (report.added, report.left_out, report.problems) == (1, 0, 0)
    large.database.run("UPDATE web.publications SET title = '' WHERE id = 'p3'")
    report = large.sync()
    assert (report.gone, report.left_out, report.problems) == (1, 1, 1)


def test_window_over_two_lines_misses_nothing(large: Any) -> None:
    large.sync()
    large.database.run("UPDATE web.publications SET title = 'A' WHERE id < 'p3'")
    cut: list[int] = []

    def meddle(step: str, _done: int, _total: int) -> None:
        if step == "comparing publications" and not cut:
            cut.append(1)
            large.database.run("UPDATE web.publications SET title = 'B' WHERE id = 'p1'")
            large.database.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"
            )

    large.given(guard_changed_share=1).sync_while(meddle)
    large.given(guard_changed_share=1).sync()
    want = large.database.run('SELECT id, title FROM web.publications ORDER BY id COLLATE "C"')
    assert large.rows("SELECT id, title FROM publications ORDER BY id") == [tuple(r) for r in want]


def test_without_a_floor_all_keys_are_read(large: Any) -> None:
    large.database.run("DROP FUNCTION web.min_active_rowversion()")
    large.sync()
    large.database.run("DELETE FROM web.publications WHERE id = 'p7'")
    assert large.sync().gone == 1


# Procedures


@pytest.fixture
def procedures(large: Any) -> Any:
    """The same rows behind functions; the reader may not read the table itself."""
    run = large.database.run
    run("ALTER TABLE web.publications SET SCHEMA public")
    columns = ", ".join(
        f"{name} text" if name != "version" else "version bytea"
        for name in large.database.run(
            "SELECT string_agg(column_name, ',' ORDER BY ordinal_position)"
            " FROM information_schema.columns WHERE table_name = 'publications'"
        )[0][0].split(",")
    )
    names = ", ".join(
        f"p.{column.split()[0]}::{column.split()[1]}" for column in columns.split(", ")
    )
    run(
        f"CREATE FUNCTION web.publications_changed(since bytea) RETURNS TABLE ({columns})"
        " LANGUAGE sql SECURITY DEFINER AS"
        f" $$ SELECT {names} FROM public.publications AS p WHERE p.version >= since $$"
    )
    run(
        "CREATE FUNCTION web.publications_keys() RETURNS TABLE (version bytea, id text)"
        " LANGUAGE sql SECURITY DEFINER AS"
        " $$ SELECT p.version, p.id::text FROM public.publications AS p $$"
    )
    yield large
    run("DROP TABLE public.publications CASCADE")


def test_procedure_stands_in_for_a_view(procedures: Any) -> None:
    nights = procedures.given(
        source_procedures={"publications": "{CALL web.publications_changed (?)}"}
    )
    assert nights.sync().views["publications"].rows == 200
    assert nights.row("SELECT title FROM publications WHERE id = 'p7'") == ("Paper 7",)
    nights.database.run("UPDATE public.publications SET title = 'New' WHERE id = 'p7'")
    report = nights.sync()
    assert report.changed == 1
    assert steps(nights)["publications", "rows"] == 1
    assert nights.told()["deletions_wait"] == {"publications": 4}
    nights.database.run("DELETE FROM public.publications WHERE id = 'p7'")
    assert [nights.sync().gone for _night in range(4)].count(1) == 1


def test_procedure_for_keys_shows_deletions_at_once(procedures: Any) -> None:
    nights = procedures.given(
        source_procedures={
            "publications": {
                "changed": "{CALL web.publications_changed (?)}",
                "keys": "{CALL web.publications_keys ()}",
            }
        }
    )
    nights.sync()
    nights.database.run("DELETE FROM public.publications WHERE id = 'p7'")
    nights.database.run("UPDATE public.publications SET title = 'New' WHERE id = 'p8'")
    report = nights.sync()
    assert (report.changed, report.gone) == (1, 1)
    assert steps(nights)["publications", "rows"] == 1
    assert nights.told()["deletions_wait"] == {}


def test_procedure_that_is_not_there_is_named(procedures: Any) -> None:
    nights = procedures.given(source_procedures={"publications": "{CALL web.nothing (?)}"})
    with pytest.raises(SourceError, match=r"procedure \{CALL web\.nothing"):
        nights.sync()
