"""Databases to sync from: SQLite, SQLite through ODBC, PostgreSQL through ODBC."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from content_sync.operations.children import free_port
from content_sync.settings import Settings
from tests.content_sync.databases import ODBC, PASSWORD, POSTGRESQL, Database, Nights, Server
from tests.content_sync.sql_server import (
    CONNECTION,
    SqlServer,
    on_sql_server,
    sql_server_database,
)

KINDS = ["sqlite", ODBC, POSTGRESQL, *(["sqlserver"] if CONNECTION else [])]
collect_ignore = [] if CONNECTION else ["test_sqlserver.py"]


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind that can be had here."""
    if request.param == "odbc-postgresql":
        server = request.getfixturevalue("postgresql")
        yield from _on_postgresql(server)
    elif request.param == "sqlserver":
        yield from on_sql_server(request.getfixturevalue("sqlserver"))
    else:
        path = tmp_path / "source.sqlite"
        yield from _on_sqlite(path, through_odbc=request.param == "odbc-sqlite")


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database, read directly."""
    yield from _on_sqlite(tmp_path / "source.sqlite", through_odbc=False)


@pytest.fixture
def nights(database: Database, tmp_path: Path) -> Nights:
    """A site over a database of each kind."""
    return Nights(database, Settings(site=tmp_path / "site", source=database.source))


@pytest.fixture
def sqlite_nights(sqlite_database: Database, tmp_path: Path) -> Nights:
    """A site over a SQLite database."""
    source = sqlite_database.source
    return Nights(sqlite_database, Settings(site=tmp_path / "site", source=source))


def _on_sqlite(path: Path, *, through_odbc: bool) -> Iterator[Database]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")  # a reader does not hold up the test
    connection.execute("PRAGMA synchronous = OFF")
    source = f"Driver=SQLite3;Database={path}" if through_odbc else f"sqlite:///{path}"
    kind = "odbc-sqlite" if through_odbc else "sqlite"

    def run(statement: str, *values: Any) -> list[Any]:
        return connection.execute(statement, values).fetchall()

    yield Database(kind, source, run, path=path)
    connection.close()


@pytest.fixture(scope="session")
def sqlserver() -> Iterator[SqlServer]:
    """A database of our own on the server that NIGHTPRESS_TEST_SQLSERVER names."""
    with sql_server_database() as server:
        yield server


# PostgreSQL: one server for all tests of a worker, one schema for each test


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A running server in a temporary folder, as a user without rights, on a free port."""
    yield from _serve_postgresql()


@pytest.fixture
def own_postgresql() -> Iterator[Server]:
    """A server that the test may stop and start as it likes."""
    yield from _serve_postgresql()


@pytest.fixture
def nights_on(tmp_path: Path) -> Iterator[Callable[[Server], Nights]]:
    """Makes a site over a server of the test's own."""
    opened: list[Iterator[Database]] = []

    def make(server: Server) -> Nights:
        databases = _on_postgresql(server)
        opened.append(databases)
        database = next(databases)
        return Nights(database, Settings(site=tmp_path / "site", source=database.source))

    yield make
    for databases in opened:
        next(databases, None)


def _serve_postgresql() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="nightpress-pg-", dir="/tmp"))
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
    unprivileged: list[str] = []
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def run(*command: str) -> None:
        subprocess.run([*unprivileged, *command], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    port = free_port()
    data = str(folder / "data")
    run(
        *(str(binaries / "initdb"), "-D", data, "-U", "owner", "-E", "UTF8", "--no-sync"),
        *("--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256"),
    )
    options = f"-p {port} -k {folder} -h 127.0.0.1 -c fsync=off -c max_connections=20"
    pg_ctl = (str(binaries / "pg_ctl"), "-D", data, "-w")
    server = Server(
        port,
        folder,
        start=lambda: run(*pg_ctl, "-l", str(folder / "log"), "-o", options, "start"),
        stop=lambda: run(*pg_ctl, "-m", "immediate", "stop"),
    )
    server.start()
    try:
        quoted = PASSWORD.replace("'", "''")
        psql = (str(binaries / "psql"), "-q", "-h", str(folder), "-p", str(port), "-U", "owner")
        run(*psql, "-d", "postgres", "-c", "CREATE DATABASE source")
        run(*psql, "-d", "source", "-c", f"CREATE ROLE reader LOGIN PASSWORD '{quoted}'")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _on_postgresql(server: Server) -> Iterator[Database]:
    import pyodbc

    connection = pyodbc.connect(
        f"Driver=PostgreSQL Unicode;Server={server.sockets};Port={server.port};"
        "Database=source;Uid=owner",
        autocommit=True,
    )

    def run(statement: str, *values: Any) -> list[Any]:
        cursor = connection.cursor()
        cursor.execute(statement, values)
        rows = cursor.fetchall() if cursor.description else []
        cursor.close()
        return rows

    run("DROP SCHEMA IF EXISTS web CASCADE")
    run("CREATE SCHEMA web")
    run("GRANT USAGE ON SCHEMA web TO reader")
    run("ALTER DEFAULT PRIVILEGES IN SCHEMA web GRANT SELECT ON TABLES TO reader")
    yield Database("odbc-postgresql", server.source(), run, prefix="web.")
    with suppress(pyodbc.Error):  # a test may have ended the server
        connection.close()
