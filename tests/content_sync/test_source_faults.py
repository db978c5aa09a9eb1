"""Faults of a source, made for real: lost lines, locks, restless rows, servers that die."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from content_sync.errors import SourceError
from content_sync.settings import Settings
from content_sync.source.connection_string import bundled_driver, completed, parts_of
from content_sync.source.faults import Fault, Kind, ReadFailed, classify
from content_sync.sync import sync
from tests.content_sync.databases import POSTGRESQL

on_postgresql = pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)

Meddle = Callable[[str, int, int], None]


def fill(nights: Any, count: int = 3000) -> None:
    database = nights.database
    database.create("publications", "venues")
    database.run(
        "INSERT INTO web.publications (id, title, abstract, access, version)"
        " SELECT 'p' || n, 'State 0', repeat('x', 200), 'public', 1"
        f" FROM generate_series(1, {count}) AS n"
    )
    database.run(
        "INSERT INTO web.venues (id, name, version)"
        f" SELECT 'v' || n, 'State 0', 1 FROM generate_series(1, {count}) AS n"
    )


def new_state(nights: Any, number: int) -> None:
    """Bring all rows of both tables to another state, in one transaction."""
    nights.database.run(
        "WITH p AS (UPDATE web.publications SET title = ?, version = version + 1)"
        " UPDATE web.venues SET name = ?, version = version + 1",
        f"State {number}",
        f"State {number}",
    )


def states(nights: Any) -> set[str]:
    query = "SELECT title FROM publications UNION SELECT name FROM venues"
    return {state for (state,) in nights.rows(query)}


def terminate(nights: Any) -> int:
    """End every session of the reader, as an administrator or a failover does."""
    ended = nights.database.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"
    )
    return len(ended)


def once(at: str, act: Callable[[], Any]) -> Meddle:
    """Return what acts the first time that a step's name begins with `at`."""
    done: list[str] = []

    def meddle(step: str, _done: int, _total: int) -> None:
        if step.startswith(at) and not done:
            done.append(step)
            act()

    return meddle


@on_postgresql
@pytest.mark.parametrize("step", ["reading publications", "reading venues"])
def test_first_sync_goes_on_after_its_line_was_cut(nights: Any, step: str) -> None:
    fill(nights)
    report = nights.sync_while(once(step, lambda: terminate(nights)))
    assert report.rows == 6000
    assert states(nights) == {"State 0"}
    told = nights.told()
    assert told["connections"] == 2
    assert "57P01" in told["faults"][0]
    assert "nothing had moved" in told["proof"]
    assert any("One state" in note for note in report.notes)
    assert nights.sync().unchanged
    assert nights.told()["proof"] == "one transaction: REPEATABLE READ, READ ONLY"


@on_postgresql
def test_first_sync_of_two_lines_never_lands_two_states(nights: Any) -> None:
    fill(nights)

    def cut_and_change() -> None:
        new_state(nights, 1)
        terminate(nights)

    report = nights.sync_while(once("reading publications", cut_and_change))
    assert states(nights) == {"State 1"}
    assert report.added == report.rows == 6000
    assert report.changed == report.gone == 0
    assert nights.sync().unchanged


@on_postgresql
@pytest.mark.parametrize("step", ["comparing publications", "reading publications"])
def test_changes_read_over_two_lines_are_of_one_state(nights: Any, step: str) -> None:
    fill(nights)
    nights.sync()
    new_state(nights, 1)
    nights = nights.given(guard_changed_share=1)

    def cut_and_change() -> None:
        new_state(nights, 2)
        nights.database.run("DELETE FROM web.venues WHERE id = 'v1'")
        terminate(nights)

    report = nights.sync_while(once(step, cut_and_change))
    assert states(nights) == {"State 2"}
    assert report.views["venues"].gone == 1
    assert "nothing had moved" in nights.told()["proof"]
    assert nights.sync().unchanged


@on_postgresql
def test_line_cut_between_two_batches_of_keys(nights: Any) -> None:
    fill(nights, 6000)
    nights.sync()
    nights.database.run("UPDATE web.publications SET title = 'New', version = 2 WHERE id LIKE '%7'")
    report = nights.sync_while(once("reading publications", lambda: terminate(nights)))
    assert report.changed == 600
    assert nights.told()["connections"] == 2
    assert nights.row("SELECT count(*) FROM publications WHERE title = 'New'") == (600,)


@on_postgresql
def test_source_whose_line_is_cut_again_and_again_is_given_up(nights: Any) -> None:
    fill(nights)
    nights = nights.given(source_retries=1)

    def cut(step: str, _done: int, _total: int) -> None:
        if step == "reading publications":
            terminate(nights)

    with pytest.raises(ReadFailed, match=r"Reading web\.publications .*connection was lost"):
        nights.sync_while(cut)
    assert not nights.settings.snapshot.exists()
    assert nights.told()["result"].startswith("It did not land: Reading web.publications")
    assert nights.sync().rows == 6000


@on_postgresql
def test_read_committed_proves_that_nothing_moved(nights: Any) -> None:
    fill(nights)
    nights = nights.given(source_isolation="read committed", guard_changed_share=1)
    report = nights.sync()
    assert report.rows == 6000
    assert "read 2 times (READ COMMITTED" in nights.told()["proof"]
    new_state(nights, 1)
    nights.sync_while(once("comparing publications", lambda: new_state(nights, 2)))
    assert states(nights) == {"State 2"}
    assert "read 3 times" in nights.told()["proof"]
    report = nights.sync()
    assert report.unchanged
    assert "read 2 times" in nights.told()["proof"]


@on_postgresql
def test_source_that_does_not_come_to_rest_is_refused(nights: Any) -> None:
    fill(nights, 50)
    nights = nights.given(source_isolation="read committed", guard_changed_share=1)
    number = 0

    def stir(step: str, _done: int, _total: int) -> None:
        nonlocal number
        if step == "comparing venues":
            number += 1
            new_state(nights, number)

    with pytest.raises(SourceError, match=r"does not come to rest.*web\.publications \(\d+ rows\)"):
        nights.sync_while(stir)
    assert not nights.settings.snapshot.exists()
    nights.sync()
    before = nights.settings.snapshot.read_bytes()
    with pytest.raises(SourceError, match="does not come to rest"):
        nights.sync_while(stir)
    assert nights.settings.snapshot.read_bytes() == before


@on_postgresql
def test_view_dropped_between_two_batches_is_named(nights: Any) -> None:
    fill(nights)
    nights.sync()
    before = nights.settings.snapshot.read_bytes()
    nights.database.run("UPDATE web.publications SET version = 2 WHERE id LIKE '%1'")
    nights.database.run("UPDATE web.publications SET version = 2 WHERE id LIKE '%2'")
    assert (
        nights.database.run("SELECT count(*) FROM web.publications WHERE version = 2")[0][0] > 500
    )
    nights = nights.given(source_isolation="read committed")
    drop = once("reading publications", lambda: nights.database.run("DROP TABLE web.publications"))
    with pytest.raises(ReadFailed, match=r"Reading web\.publications .*42P01") as raised:
        nights.sync_while(drop)
    assert raised.value.fault.kind is Kind.MISSING
    assert nights.told()["connections"] == 1
    assert nights.settings.snapshot.read_bytes() == before


@on_postgresql
def test_locked_table_ends_in_a_clear_error(nights: Any, postgresql: Any) -> None:
    import pyodbc

    fill(nights, 10)
    nights = nights.given(source_lock_seconds=1)
    other = pyodbc.connect(
        f"Driver=PostgreSQL Unicode;Server={postgresql.sockets};Port={postgresql.port};"
        "Database=source;Uid=owner"
    )
    other.execute("LOCK TABLE web.venues IN ACCESS EXCLUSIVE MODE")
    began = time.monotonic()
    with pytest.raises(ReadFailed, match=r"web\.venues .*another session holds a lock for more"):
        nights.sync()
    assert time.monotonic() - began < 10
    assert nights.told()["connections"] == 1
    other.rollback()
    other.close()
    assert nights.sync().rows == 20


@on_postgresql
def test_writers_are_not_held_up_while_a_sync_reads(nights: Any) -> None:
    fill(nights, 2000)
    nights.database.run("SET lock_timeout = '500ms'")

    def write() -> None:
        new_state(nights, 1)
        nights.database.run("DELETE FROM web.publications WHERE id = 'p1'")
        nights.database.run("INSERT INTO web.venues (id, name, version) VALUES ('new', 'n', 1)")

    nights.sync_while(once("reading publications", write))
    assert states(nights) == {"State 0"}
    nights.database.run("RESET lock_timeout")


@on_postgresql
def test_statement_that_takes_too_long_is_ended_by_the_server(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.run("ALTER TABLE web.publications RENAME TO base")
    nights.database.run(
        "CREATE VIEW web.publications AS SELECT b.* FROM web.base AS b, pg_sleep(30)"
    )
    nights = nights.given(source_query_seconds=1, source_retries=1)
    with pytest.raises(ReadFailed, match=r"web\.publications .*time limit.*57014.*SOURCE_QUERY"):
        nights.sync()
    assert nights.told()["connections"] == 2


@pytest.mark.needs("postgresql")
def test_server_that_dies_and_comes_back(own_postgresql: Any, nights_on: Any) -> None:
    nights = nights_on(own_postgresql)
    fill(nights)
    restarted: list[Thread] = []

    def kill() -> None:
        own_postgresql.stop()
        restarted.append(Thread(target=own_postgresql.start))
        restarted[0].start()

    report = nights.sync_while(once("reading publications", kill))
    restarted[0].join()
    assert report.rows == 6000
    assert nights.told()["connections"] >= 2


@pytest.mark.needs("postgresql")
def test_refused_login_is_not_tried_again(postgresql: Any, tmp_path: Path) -> None:
    for source in (postgresql.source(password="wrong"), postgresql.source(database="nowhere")):
        began = time.monotonic()
        with pytest.raises(ReadFailed, match="cannot be reached") as raised:
            sync(Settings(site=tmp_path, source=source))
        assert raised.value.fault.kind is Kind.LOGIN
        assert time.monotonic() - began < 1


MICROSOFT = "Driver={ODBC Driver 18 for SQL Server};Server=127.0.0.1,1;Database=x;UID=me;PWD=s3cret"
FREETDS = "Driver=FreeTDS;Server=127.0.0.1;Port=1;Database=x;UID=me;PWD=s3cret"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(MICROSOFT, marks=pytest.mark.needs("msodbcsql"), id="microsoft"),
        pytest.param(FREETDS, marks=pytest.mark.needs("freetds"), id="freetds"),
    ],
)
def test_both_drivers_of_sql_server_tell_a_closed_port(tmp_path: Path, source: str) -> None:
    settings = Settings(site=tmp_path, source=source, source_login_seconds=2, source_retries=0)
    with pytest.raises(ReadFailed, match=r"cannot be reached.*Check NIGHTPRESS_SOURCE") as raised:
        sync(settings)
    assert raised.value.fault.kind is Kind.UNREACHABLE
    assert "s3cret" not in str(raised.value)


@pytest.mark.needs("postgresql")
def test_server_that_does_not_answer_is_asked_again(
    tmp_path: Path,
) -> None:
    settings = Settings(
        site=tmp_path,
        source="Driver=PostgreSQL Unicode;Server=127.0.0.1;Port=1;Database=x;UID=me;PWD=s3cret",
        source_retries=1,
    )
    began = time.monotonic()
    with pytest.raises(ReadFailed, match="cannot be reached"):
        sync(settings)
    assert 1 <= time.monotonic() - began < 8


def test_what_a_reader_asks_of_a_driver_is_added_once() -> None:
    drivers = ["FreeTDS", "ODBC Driver 18 for SQL Server"]
    source = "Driver={ODBC Driver 18 for SQL Server};Server=x;PWD={a;b}"
    full = completed(source, parts_of(source), drivers)
    assert full == f"{source};APP=nightpress;ApplicationIntent=ReadOnly"
    source = "Driver=FreeTDS;Server=x;APP=theirs;ApplicationIntent=ReadWrite;"
    assert completed(source, parts_of(source), drivers) == source.rstrip(";")


@pytest.mark.needs("msodbcsql")
def test_microsoft_driver_that_only_pip_installed_is_found() -> None:
    path = bundled_driver()
    if path is None:
        pytest.fail("needs msodbcsql says that it is there")
    source = "Server=x;Driver={ODBC Driver 18 for SQL Server};UID=me"
    full = completed(source, parts_of(source), ["FreeTDS"])
    assert full.startswith(f"Server=x;Driver={{{path}}};UID=me")
    assert "ODBC Driver 18" in completed(
        source, parts_of(source), ["ODBC Driver 18 for SQL Server"]
    )


class DriverError(Exception):
    """Stands for an exception of a driver: its class must not matter."""


@pytest.mark.parametrize(
    ("arguments", "connecting", "kind"),
    [
        (("40001", "[40001] [Microsoft] … deadlock victim. (1205) (SQLExecDirectW)"), 0, Kind.BUSY),
        (("42000", "[42000] Database is not currently available. (40613)"), 0, Kind.BUSY),
        (("HY000", "[HY000] processing your request. (40197) (SQLExecute)"), 0, Kind.BUSY),
        (("42000", "[42000] Resource ID : 1. (10928) (SQLExecDirectW)"), 0, Kind.BUSY),
        (("42000", "[42000] Resource ID : 1. (10929) (SQLExecDirectW)"), 0, Kind.BUSY),
        (("42000", "[42000] The service is currently busy. (40501)"), 0, Kind.BUSY),
        (("42000", "[42000] modified by a DDL statement in another (3961)"), 0, Kind.BUSY),
        (("42000", "[42000] when the version store was shrunk (3966)"), 0, Kind.BUSY),
        (("08S01", "[08S01] [Microsoft] TCP Provider: Error code 0x68 (104)"), 0, Kind.LOST),
        (("01000", "[01000] [FreeTDS] Unexpected EOF from the server (20017)"), 0, Kind.LOST),
        (("HY000", "[HY000] [FreeTDS] DBPROCESS is dead (20047) (SQLFetch)"), 0, Kind.LOST),
        (("HYT00", "[HYT00] [Microsoft] Query timeout expired (0)"), 0, Kind.TIMEOUT),
        (("HYT01", "[HYT01] [Microsoft] Connection timeout expired (0)"), 0, Kind.TIMEOUT),
        (("HYT00", "[HYT00] [Microsoft] Login timeout expired (0)"), 1, Kind.UNREACHABLE),
        (("08001", "[08001] could not connect to server: Connection refused"), 1, Kind.UNREACHABLE),
        (("42000", "[42000] Lock request time out period exceeded. (1222)"), 0, Kind.LOCKED),
        (("HYT00", "[HYT00] Lock request time out period exceeded. (1222)"), 0, Kind.LOCKED),
        (("28000", "[28000] [Microsoft] Login failed for user 'x'. (18456)"), 1, Kind.LOGIN),
        (("42000", "[42000] [FreeTDS] Login failed for user 'x'. (18456)"), 1, Kind.LOGIN),
        (("08001", '[08001] FATAL: password authentication failed for user "x"'), 1, Kind.LOGIN),
        (
            (
                "08001",
                "[08001] SSL Provider: certificate verify failed: self-signed (-1)",
            ),
            1,
            Kind.CERTIFICATE,
        ),
        (("42S02", "[42S02] Invalid object name 'web.venues'. (208)"), 0, Kind.MISSING),
        (("42000", "[42000] The SELECT permission was denied on 'venues'. (229)"), 0, Kind.DENIED),
        (("42000", "[42000] … snapshot isolation is not allowed (3952)"), 0, Kind.NO_SNAPSHOT),
        (("42000", "[42000] Incorrect syntax near 'x'. (102)"), 0, Kind.OTHER),
        (("01000", "[01000] Can't open lib 'ODBC Driver 99' : file not found"), 1, Kind.DRIVER),
    ],
)
def test_fault_is_told_by_state_and_number(
    arguments: tuple[str, str], connecting: int, kind: Kind
) -> None:
    fault = classify(DriverError(*arguments), connecting=bool(connecting))
    assert fault.kind is kind
    assert fault.state == arguments[0]


def test_only_what_may_pass_by_itself_is_tried_again() -> None:
    passing = {kind for kind in Kind if Fault(kind).is_transient}
    assert passing == {Kind.LOST, Kind.BUSY, Kind.TIMEOUT, Kind.UNREACHABLE}


@on_postgresql
def test_source_report_tells_what_was_asked(nights: Any) -> None:
    fill(nights, 100)
    nights.sync()
    nights.database.run("UPDATE web.venues SET name = 'New', version = 2 WHERE id = 'v1'")
    nights.sync()
    told = nights.told()
    steps = {(s["view"], s["step"]): s for s in told["statements"]}
    assert steps["venues", "keys and versions"]["rows"] == 100
    assert steps["venues", "rows by key"]["rows"] == 1
    assert steps["venues", "rows by key"]["bytes"] > 0
    assert ("publications", "rows by key") not in steps
    assert told["isolation"] == "REPEATABLE READ, READ ONLY"
    assert told["result"] == "It landed."
    assert told["lock_waits"] == "PostgreSQL does not tell."
    assert all(s["milliseconds"] > 0 for s in told["statements"])


def test_settings_that_a_source_cannot_have_are_all_told(tmp_path: Path) -> None:
    from content_sync.errors import ConfigurationError
    from content_sync.settings import read_settings

    (tmp_path / "pelicanconf.py").write_text(
        "SOURCE_RETRIES = -1\nSOURCE_ISOLATION = 'none'\n"
        "SOURCE_PROCEDURES = {'nothing': 'DROP TABLE x', 'venues': {'changed': 'x'}}\n"
    )
    with pytest.raises(ConfigurationError) as raised:
        read_settings(tmp_path)
    for name in ("SOURCE_RETRIES", "SOURCE_ISOLATION", "'nothing'", "SOURCE_PROCEDURES['venues']"):
        assert name in str(raised.value)
