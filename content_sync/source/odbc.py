"""A source that is read through ODBC: which database it is, and how its values come.

pyodbc is imported here and nowhere else, and only when an ODBC source is named.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING, Any

from content_sync.errors import NightpressError, SourceError
from content_sync.source.connect import (
    READ_COMMITTED,
    Dialect,
    Limits,
    Source,
    disconnect,
    identity_of,
    told,
)
from content_sync.source.connection_string import (
    APPLICATION,
    completed,
    name_of,
    parts_of,
    secrets_of,
)
from content_sync.source.faults import HINTS, Fault, Kind, ReadFailed, classify
from content_sync.source.sqlite import look_at_sqlite
from content_sync.source.statements import StatementLog

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


def open_odbc(source: str, limits: Limits, log: StatementLog) -> Source:
    """Connect and begin the consistent read, where the database offers one.

    Raises SourceError: ReadFailed, with a fault that says whether to try again, when the
    server cannot be reached.
    """
    pyodbc = import_pyodbc()
    parts = parts_of(source)
    secrets = secrets_of(source, parts)
    if not parts:
        raise SourceError(
            "NIGHTPRESS_SOURCE is neither sqlite:///path nor an ODBC connection string.",
            hint="Such a string reads Driver={…};Server=…;Database=…;UID=…;PWD=….",
        )
    opened = Source(
        connection=None,
        dialect=Dialect.OTHER,
        name=name_of(parts),
        identity="",
        errors=(pyodbc.Error, UnicodeDecodeError),
        limits=limits,
        log=log,
        secrets=secrets,
    )
    try:
        opened.connection = pyodbc.connect(
            completed(source, parts, pyodbc.drivers()), autocommit=True, timeout=limits.login
        )
    except pyodbc.Error as error:
        raise _not_reached(opened, error) from None
    try:
        with opened.reading("the catalogue"):
            _prepare(opened, pyodbc, parts)
    except NightpressError:
        disconnect(opened)
        raise
    return opened


def import_pyodbc() -> Any:
    """Return pyodbc. Raises SourceError that says how to install what it needs."""
    try:
        import pyodbc
    except ImportError as error:
        raise SourceError(
            f"An ODBC source needs pyodbc and the system's ODBC manager: {told(error, ())}.",
            hint="On Debian and Ubuntu: sudo apt install unixodbc; "
            "on macOS: brew install unixodbc; Windows has it already.",
        ) from None
    pyodbc.native_uuid = True  # so that a GUID is written in small letters, as elsewhere
    pyodbc.pooling = False  # a connection that was closed must be gone, its transaction too
    return pyodbc


def _not_reached(source: Source, error: Exception) -> ReadFailed:
    fault = classify(error, connecting=True)
    if fault.kind is Kind.OTHER:
        fault = Fault(Kind.OTHER, fault.state, fault.numbers)
    return ReadFailed(
        f"The source database cannot be reached: {source.name}: {told(error, source.secrets)}.",
        hint=HINTS.get(fault.kind, HINTS[Kind.UNREACHABLE]),
        fault=fault,
    )


def _prepare(source: Source, pyodbc: Any, parts: dict[str, str]) -> None:
    connection = source.connection
    product = str(connection.getinfo(pyodbc.SQL_DBMS_NAME))
    source.identity = identity_of(
        "odbc", product, *(parts.get(part, "") for part in ("server", "port", "database", "dsn"))
    )
    # The driver, unlike the client, knows the code page of a column: it makes UTF-16 of all.
    for sql_type in (pyodbc.SQL_CHAR, pyodbc.SQL_WCHAR):
        connection.setdecoding(sql_type, encoding="utf-16-le", ctype=pyodbc.SQL_WCHAR)
    if product == "SQLite":
        source.dialect = Dialect.SQLITE
        source.isolation = "one read transaction"
        # Its text is stored bytes, and bytes that are no UTF-8 must reach the rules.
        connection.setdecoding(pyodbc.SQL_CHAR, encoding=_TOLERANT_UTF8, ctype=pyodbc.SQL_CHAR)
        _prepare_sqlite(source)
    elif product == "PostgreSQL":
        source.dialect = Dialect.POSTGRESQL
        _prepare_postgresql(source)
    elif _speaks_tsql(connection, pyodbc, product):
        from content_sync.source.sql_server import prepare_sql_server

        source.dialect = Dialect.SQL_SERVER
        prepare_sql_server(source, pyodbc)
    else:
        source.holds_still = False
        source.isolation = f"as {product} gives it"
        source.notes.append(
            f"{product} is not known to give one consistent read over all views; "
            "keys and versions are therefore read twice, to prove that nothing moved."
        )


def _speaks_tsql(connection: Any, pyodbc: Any, product: str) -> bool:
    """Tell whether the server is SQL Server or one that answers in its place."""
    if "SQL Server" in product:
        return True
    driver = str(connection.getinfo(pyodbc.SQL_DRIVER_NAME)).casefold()
    return "msodbcsql" in driver or "tdsodbc" in driver or "sqlncli" in driver


def _prepare_sqlite(source: Source) -> None:
    """Show the file's tables in a schema `web` too, and begin the consistent read."""
    rows = source.execute("PRAGMA database_list").fetchall()
    path = next(str(row[2]) for row in rows if row[1] == "main")
    source.execute("ATTACH DATABASE '" + path.replace("'", "''") + "' AS web").close()
    source.execute("PRAGMA query_only = 1").close()
    source.execute(f"PRAGMA busy_timeout = {source.limits.lock * 1000}").close()
    source.execute("BEGIN").close()
    look_at_sqlite(source, Path(path))


def _prepare_postgresql(source: Source) -> None:
    """Set the limits of the session and begin the consistent read."""
    for setting in (
        f"application_name = '{APPLICATION}'",
        f"lock_timeout = '{source.limits.lock}s'",
        f"statement_timeout = '{source.limits.query}s'",
        "idle_in_transaction_session_timeout = 0",
        "default_transaction_read_only = on",
    ):
        source.execute(f"SET {setting}").close()
    if not source.limits.one_transaction:
        source.isolation = READ_COMMITTED
        source.holds_still = False
        return
    source.isolation = "REPEATABLE READ, READ ONLY"
    source.connection.autocommit = False
    source.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").close()


# Text that is no text must reach the rules: this never raises.

_TOLERANT_UTF8 = "nightpress_utf_8"


def _decode_utf8(data: Buffer, _errors: str = "strict", /) -> tuple[str, int]:
    return codecs.utf_8_decode(data, "surrogateescape", True)


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name == _TOLERANT_UTF8:
        return codecs.CodecInfo(codecs.utf_8_encode, _decode_utf8, name=name)
    return None


codecs.register(_find_codec)
