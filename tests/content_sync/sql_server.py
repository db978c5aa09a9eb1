"""A SQL Server to test with: the one that NIGHTPRESS_TEST_SQLSERVER names, if it is set.

Nothing is assumed about it but the connection string. The tests make a database of their own
there, with a login that reads, and drop both at the end; where the login may not make a
database, they use the one that the string names, if it has no schema `web` yet.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from content_sync.source.install import contract_types, new_password
from tests.content_sync.databases import Database, contract_tables

CONNECTION = os.environ.get("NIGHTPRESS_TEST_SQLSERVER", "")


@dataclass(frozen=True)
class SqlServer:
    """A database of our own, and the connection strings of its owner and of a reader."""

    owner: str
    reader: str
    login: str


@contextmanager
def sql_server_database() -> Iterator[SqlServer]:
    """Make a database with a reading login, and drop both at the end."""
    import pyodbc

    name = f"nightpress_test_{secrets.token_hex(4)}"
    admin = pyodbc.connect(_driver(CONNECTION), autocommit=True)
    try:
        try:
            admin.execute(f"CREATE DATABASE {name}")
            owner = with_part(CONNECTION, "Database", name)
            is_ours = True
        except pyodbc.Error:
            owner, is_ours = CONNECTION, False
        connection = pyodbc.connect(_driver(owner), autocommit=True)
        login, password = f"{name}_reader", new_password()
        reader = with_part(with_part(owner, "UID", login), "PWD", f"{{{password}}}")
        try:
            for statement in (
                "CREATE SCHEMA web",
                f"CREATE LOGIN {login} WITH PASSWORD = '{password}'",
                f"CREATE USER {login} FOR LOGIN {login}",
            ):
                connection.execute(statement)
            with suppress(pyodbc.Error):
                connection.execute(f"ALTER DATABASE {name} SET ALLOW_SNAPSHOT_ISOLATION ON")
            yield SqlServer(owner, reader, login)
        finally:
            clear(connection)
            with suppress(pyodbc.Error):
                connection.execute("DROP SCHEMA web")
            with suppress(pyodbc.Error):
                connection.execute(f"DROP USER {login}")
            connection.close()
    finally:
        if is_ours:
            with suppress(pyodbc.Error):
                admin.execute(f"ALTER DATABASE {name} SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
            admin.execute(f"DROP DATABASE {name}")
        with suppress(pyodbc.Error):
            admin.execute(f"DROP LOGIN {login}")
        admin.close()


def on_sql_server(server: SqlServer) -> Iterator[Database]:
    """Yield an empty database there; statements of the tests are put into T-SQL."""
    import pyodbc

    connection = pyodbc.connect(_driver(server.owner), autocommit=True)

    def run(statement: str, *values: Any) -> list[Any]:
        cursor = connection.cursor()
        cursor.execute(in_tsql(statement), values)
        rows = cursor.fetchall() if cursor.description else []
        cursor.close()
        return rows

    clear(connection)
    with suppress(pyodbc.Error):
        run(f"GRANT SELECT ON SCHEMA::web TO {server.login}")
    yield SqlServerDatabase("sqlserver", server.reader, run, prefix="web.")
    clear(connection)
    connection.close()


class SqlServerDatabase(Database):
    """Tables with the types of the contract; what SQLite's defaults give is given here."""

    def create(self, *views: str, types: str = "") -> None:
        for view in views:
            columns = ", ".join(
                f"{name} {_type(name, kind, types)} NULL"
                for name, kind in contract_types(view).items()
            )
            self.run(f"CREATE TABLE web.{view} ({columns})")

    def add(self, view: str, **values: Any) -> None:
        super().add(view, **{**_defaults(view), **values})


def in_tsql(statement: str) -> str:
    """Return a statement of the generic tests as T-SQL says it."""
    statement = statement.replace("||", "+")
    statement = re.sub(r"ADD COLUMN (\w+) TEXT", r"ADD \1 NVARCHAR(400)", statement)
    return re.sub(
        r'ALTER TABLE ([\w.]+) RENAME COLUMN (\w+) TO "?(\w+)"?',
        r"EXEC sp_rename '\1.\2', '\3', 'COLUMN'",
        statement,
    )


def with_part(source: str, key: str, value: str) -> str:
    """Return a connection string with one part set."""
    names = {"UID": "UID|User ID|User", "PWD": "PWD|Password", "Database": "Database|DB"}
    rest = re.sub(rf"(?i)(^|;)\s*(?:{names[key]})\s*=\s*(\{{[^}}]*\}}|[^;]*)", r"\1", source)
    rest = re.sub(r";{2,}", ";", rest).strip("; ")
    return f"{rest};{key}={value}"


def clear(connection: Any) -> None:
    """Drop every view and table of the schemas that the tests use."""
    rows = connection.execute(
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES "
        "WHERE TABLE_SCHEMA IN ('web', 'office') ORDER BY TABLE_TYPE DESC"
    ).fetchall()
    for schema, name, kind in rows:
        what = "VIEW" if kind == "VIEW" else "TABLE"
        connection.execute(f"DROP {what} {schema}.{name}")


def _driver(source: str) -> str:
    import pyodbc

    from content_sync.source.connection_string import parts_of, with_driver

    return with_driver(source, parts_of(source), pyodbc.drivers())


def _type(name: str, kind: str, types: str) -> str:
    if name == "version":
        return "INT"
    return "NVARCHAR(MAX)" if types else kind


def _defaults(view: str) -> dict[str, Any]:
    found = re.findall(r"(\w+) +\w+ +DEFAULT ('[^']*'|\d+)", contract_tables()[view])
    return {
        name: value.strip("'") if value.startswith("'") else int(value) for name, value in found
    }
