"""The T-SQL that a database needs before it can be read: schema, views, a login, a switch.

`script` is for the administrator to read and run; `run` executes the same batches. Each
batch stands alone, and one whose object is there already does no harm.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import resources
from typing import Any

from content_sync.errors import ConfigurationError, SourceError
from content_sync.records import VIEWS
from content_sync.source.connect import Limits, told
from content_sync.source.connection_string import name_of, parts_of, secrets_of, with_driver
from content_sync.source.faults import HINTS, Kind, classify
from content_sync.source.odbc import import_pyodbc
from content_sync.source.sql_server import SWITCH_ON

_THERE = frozenset({2601, 2627, 2714, 2759, 15023, 15025, 15032})
"""What the server says of a row, object, user or login that it has already."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some T-SQL that is run by itself, and what it does in a few words.

    `instead` is run where the server does not know the first form; a batch that is not
    `needed` may fail.
    """

    does: str
    text: str
    needed: bool = True
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be installed."""

    login: str = "nightpress_reader"
    password: str = ""
    kind: str = "views"
    """`views` to be filled in, `tables` of the contract, or the `example`."""
    contained: bool = False
    """Make a user with a password in the database, as Azure SQL wants it, and no login."""


def new_password() -> str:
    """Return a password that SQL Server's rules accept."""
    return f"Np-{secrets.token_urlsafe(18)}-7a"


def batches(plan: Plan) -> list[Batch]:
    """Return everything that is to be run, in order.

    Raises ConfigurationError for a login whose name would have to be quoted.
    """
    if plan.login and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", plan.login):
        raise ConfigurationError(
            f"{plan.login!r} is no name for a login.", hint="Use letters, digits and underscores."
        )
    found = [Batch("schema web", "CREATE SCHEMA web;")]
    names: list[str] = []
    for batch in _objects(plan.kind):
        found.append(batch)
        made = re.search(r"CREATE (?:VIEW|TABLE) (web\.\w+)", batch.text)
        if made:
            names.append(made[1])
    if plan.login:
        found += _login(plan, names)
    found.append(
        Batch("snapshot isolation, so that a reader neither waits nor blocks", SWITCH_ON, False)
    )
    return found


def script(plan: Plan) -> str:
    """Return the batches as one script for sqlcmd or Management Studio."""
    head = [
        "-- What Nightpress needs of this database. Run it as an administrator; a batch whose",
        "-- object is there already fails by itself and does no harm.",
    ]
    if plan.kind == "views":
        head.append("-- The views return no rows yet: put your own tables and columns into them.")
    if plan.login:
        head.append("-- The login may read schema web and nothing else. Keep its password safe.")
    parts = ["\n".join(head)]
    parts += (f"-- {batch.does}\n{batch.text}\nGO" for batch in batches(plan))
    return "\n\n".join(parts) + "\n"


def run(source: str, plan: Plan, *, limits: Limits, say: Callable[[str], None]) -> int:
    """Execute the batches on the server that `source` names; return how many did something.

    Raises SourceError when the server cannot be reached, is none that speaks T-SQL, or
    refuses a batch that is needed.
    """
    pyodbc = import_pyodbc()
    parts = parts_of(source)
    if source.startswith("sqlite:") or not parts:
        raise SourceError(
            "Only a server that speaks T-SQL can be installed to.",
            hint="For SQLite see content_sync/source/sql/contract.sqlite.sql.",
        )
    hidden = (*secrets_of(source, parts), *filter(None, [plan.password]))
    try:
        connection = pyodbc.connect(
            with_driver(source, parts, pyodbc.drivers()), autocommit=True, timeout=limits.login
        )
    except pyodbc.Error as error:
        fault = classify(error, connecting=True)
        raise SourceError(
            f"{name_of(parts)} cannot be reached: {told(error, hidden)}.",
            hint=HINTS.get(fault.kind, HINTS[Kind.UNREACHABLE]),
        ) from None
    done = 0
    with closing(connection):
        product = str(connection.getinfo(pyodbc.SQL_DBMS_NAME))
        if product in ("PostgreSQL", "SQLite"):
            raise SourceError(f"{product} does not speak T-SQL.", hint="Make the views by hand.")
        for batch in batches(plan):
            done += _execute(connection, pyodbc, batch, hidden, say)
    return done


def _execute(
    connection: Any, pyodbc: Any, batch: Batch, hidden: tuple[str, ...], say: Callable[[str], None]
) -> int:
    try:
        connection.execute(batch.text).close()
    except pyodbc.Error as error:
        fault = classify(error)
        text = str(error).casefold()
        if _THERE.intersection(fault.numbers) or "already exists" in text or "duplicate" in text:
            say(f"  there    {batch.does}")
            return 0
        try:
            for text in batch.instead:
                connection.execute(text).close()
        except pyodbc.Error as second:
            error = second
        else:
            if batch.instead:
                say(f"  made     {batch.does} (object by object)")
                return 1
        if batch.needed:
            raise SourceError(
                f"The server refused: {batch.does}: {told(error, hidden)}.",
                hint="Run this as an administrator of the database; "
                "what was made before stays, and a second run goes on.",
            ) from None
        say(f"  refused  {batch.does}: {told(error, hidden)}")
        return 0
    say(f"  made     {batch.does}")
    return 1


def _objects(kind: str) -> Iterator[Batch]:
    if kind == "views":
        for view in VIEWS:
            yield Batch(f"view web.{view.name}", _empty_view(view.name))
        return
    file = "contract.tsql.sql" if kind == "tables" else "example.tsql.sql"
    for batch in re.split(r"(?m)^GO\s*$", _read(file)):
        for statement in _statements(batch):
            if statement != "CREATE SCHEMA web":
                yield Batch(_title(statement), f"{statement};")


def _statements(batch: str) -> list[str]:
    """Return the statements of a batch without comments; no text in them holds a semicolon."""
    text = re.sub(r"--[^\n]*", "", batch)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def _title(statement: str) -> str:
    made = re.match(r"CREATE (\w+) ([\w.]+)", statement)
    if made:
        return f"{made[1].lower()} {made[2]}"
    filled = re.match(r"INSERT INTO ([\w.]+)", statement)
    return f"rows of {filled[1]}" if filled else statement.split("\n")[0]


def _empty_view(name: str) -> str:
    """Return a view with the types of the contract and no rows, to be filled in."""
    columns = ",\n       ".join(
        f"CAST(NULL AS {kind}) AS {column}" for column, kind in _columns(name)
    )
    return f"CREATE VIEW web.{name} AS\nSELECT {columns}\nWHERE 1 = 0;"


def _columns(name: str) -> Iterator[tuple[str, str]]:
    table = re.search(rf"CREATE TABLE web\.{name} \((.*?)\n\);", _read("contract.tsql.sql"), re.S)
    assert table is not None
    for line in re.sub(r"--[^\n]*", "", table[1]).splitlines():
        column = re.match(r"\s+(\w+)\s+([A-Z0-9]+(?:\([\w, ]+\))?)\s", line)
        if column and column[1] != "PRIMARY":
            yield column[1], "BINARY(8)" if column[2] == "ROWVERSION" else column[2]


def _login(plan: Plan, names: list[str]) -> Iterator[Batch]:
    password = plan.password.replace("'", "''")
    if plan.contained:
        yield Batch(
            f"user {plan.login}",
            f"CREATE USER {plan.login} WITH PASSWORD = N'{password}';",
        )
    else:
        yield Batch(
            f"login {plan.login}",
            f"CREATE LOGIN {plan.login} WITH PASSWORD = N'{password}';",
        )
        yield Batch(f"user {plan.login}", f"CREATE USER {plan.login} FOR LOGIN {plan.login};")
    yield Batch(
        f"SELECT on schema web for {plan.login}, and nothing else",
        f"GRANT SELECT ON SCHEMA::web TO {plan.login};",
        instead=tuple(f"GRANT SELECT ON {name} TO {plan.login};" for name in names),
    )


def _read(file: str) -> str:
    return resources.files("content_sync.source").joinpath(f"sql/{file}").read_text("utf-8")


def contract_types(view: str) -> dict[str, str]:
    """Return the columns of a view with the types that the contract gives them."""
    return dict(_columns(view))
