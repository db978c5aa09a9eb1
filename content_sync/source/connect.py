"""Open the source database for reading: SQLite directly, all else through ODBC.

Whatever the database is, its views are seen in a schema `web`, all reads of one connection
see one state of the data, and nothing can be written. pyodbc is imported here and nowhere
else, and only when an ODBC source is named.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from content_sync.errors import NightpressError, SourceError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

DEMO_APPLICATION_ID = 0x4E505244
LOGIN_SECONDS = 30
LOCK_SECONDS = 30


class Dialect(StrEnum):
    """Which SQL the source speaks, as far as that matters to us."""

    SQLITE = "SQLite"
    POSTGRESQL = "PostgreSQL"
    SQL_SERVER = "Microsoft SQL Server"
    OTHER = "another database"


@dataclass(slots=True)
class Source:
    """An open source: one consistent, read-only view of the database.

    `name` says which database it is and holds no secret. `identity` changes when another
    database, or a SQLite file put in place anew, answers under the same settings; versions
    are then worth nothing. `notes` are things that the reader of a report should know.
    """

    connection: Any
    dialect: Dialect
    name: str
    identity: str
    errors: tuple[type[Exception], ...]
    is_demo: bool = False
    notes: list[str] = field(default_factory=list)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Run `statement` and return its cursor. Raises what `reading` turns into errors."""
        cursor = self.connection.cursor()
        cursor.execute(statement, tuple(parameters))
        return cursor

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Turn the driver's exceptions into SourceError that says that `what` failed."""
        try:
            yield
        except self.errors as error:
            raise SourceError(
                f"Reading {what} from {self.name} failed: {_told(error, self.secrets)}.",
                hint="Nothing was changed; mend the source or its login and run again.",
            ) from None


@contextmanager
def open_source(source: str, site: Path) -> Iterator[Source]:
    """Open the database that `source` names: `sqlite:///path` or an ODBC connection string.

    A relative path of SQLite starts at the folder `site`. Raises SourceError when the
    database cannot be reached.
    """
    is_sqlite = source.startswith("sqlite:")
    opened = _open_sqlite(source, site) if is_sqlite else _open_odbc(source)
    try:
        yield opened
    finally:
        _close(opened)


def _close(source: Source) -> None:
    with suppress(*source.errors):  # a dead connection cannot be closed politely
        source.connection.close()


# SQLite through the standard library


def _open_sqlite(source: str, site: Path) -> Source:
    if not source.startswith("sqlite:///") or source == "sqlite:///":
        raise SourceError(
            "The source database is named by sqlite:///path, with three slashes and a path.",
            hint="Mend NIGHTPRESS_SOURCE; an absolute path makes four slashes.",
        )
    path = (site / source.removeprefix("sqlite:///")).resolve()
    if not path.is_file():
        raise SourceError(
            f"There is no source database at {path}.",
            hint="Mend NIGHTPRESS_SOURCE (an absolute path makes four slashes), "
            "or make a demo with 'nightpress demo'.",
        )
    connection = sqlite3.connect(":memory:", uri=True, isolation_level=None, timeout=LOCK_SECONDS)
    # Bytes that are no UTF-8 must reach the rules instead of ending the read.
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    opened = Source(
        connection=connection,
        dialect=Dialect.SQLITE,
        name=f"the SQLite file {path}",
        identity="",
        errors=(sqlite3.Error,),
    )
    try:
        with opened.reading("the first page"):
            connection.execute("ATTACH DATABASE ? AS web", (f"{path.as_uri()}?mode=ro",))
            connection.execute("BEGIN")
            _look_at_sqlite(opened, path)
    except NightpressError:
        connection.close()
        raise
    return opened


def _look_at_sqlite(source: Source, path: Path) -> None:
    """Begin the consistent read and find out whose file it is."""
    marker = source.execute("PRAGMA web.application_id").fetchall()
    source.is_demo = int(marker[0][0]) == DEMO_APPLICATION_ID
    source.execute("SELECT count(*) FROM web.sqlite_master").fetchall()
    cookie = source.execute("PRAGMA web.schema_version").fetchall()
    facts = path.stat()
    parts: list[Any] = ["sqlite", path, facts.st_ino, int(cookie[0][0])]
    if source.is_demo:  # made anew as a whole, with the versions of the one before
        parts += [facts.st_mtime_ns, facts.st_size]
    source.identity = _identity(*parts)


# Everything else through ODBC


def _open_odbc(source: str) -> Source:
    pyodbc = _import_pyodbc()
    parts = _connection_parts(source)
    secrets = _secrets(source, parts)
    if not parts:
        raise SourceError(
            "NIGHTPRESS_SOURCE is neither sqlite:///path nor an ODBC connection string.",
            hint="Such a string reads Driver={…};Server=…;Database=…;UID=…;PWD=….",
        )
    name = _odbc_name(parts)
    opened = Source(
        connection=None,
        dialect=Dialect.OTHER,
        name=name,
        identity="",
        errors=(pyodbc.Error, UnicodeDecodeError),
        secrets=secrets,
    )
    try:
        opened.connection = pyodbc.connect(
            source.rstrip("; ") + _driver_options(parts), autocommit=True, timeout=LOGIN_SECONDS
        )
    except pyodbc.Error as error:
        raise SourceError(
            f"The source database cannot be reached: {name}: {_told(error, secrets)}.",
            hint="Check NIGHTPRESS_SOURCE, the server and the network.",
        ) from None
    try:
        with opened.reading("the catalogue"):
            _prepare_odbc(opened, pyodbc, parts)
    except NightpressError:
        _close(opened)
        raise
    return opened


def _import_pyodbc() -> Any:
    try:
        import pyodbc
    except ImportError as error:
        raise SourceError(
            f"An ODBC source needs pyodbc and the system's ODBC manager: {_told(error, ())}.",
            hint="On Debian and Ubuntu: sudo apt install unixodbc; "
            "on macOS: brew install unixodbc; Windows has it already.",
        ) from None
    pyodbc.native_uuid = True  # so that a GUID is written in small letters, as elsewhere
    return pyodbc


def _prepare_odbc(source: Source, pyodbc: Any, parts: dict[str, str]) -> None:
    connection = source.connection
    product = str(connection.getinfo(pyodbc.SQL_DBMS_NAME))
    source.identity = _identity(
        "odbc", product, *(parts.get(part, "") for part in ("server", "port", "database", "dsn"))
    )
    # The driver, unlike the client, knows the code page of a column: it makes UTF-16 of all.
    for sql_type in (pyodbc.SQL_CHAR, pyodbc.SQL_WCHAR):
        connection.setdecoding(sql_type, encoding="utf-16-le", ctype=pyodbc.SQL_WCHAR)
    if product == "SQLite":
        source.dialect = Dialect.SQLITE
        # Its text is stored bytes, and bytes that are no UTF-8 must reach the rules.
        connection.setdecoding(pyodbc.SQL_CHAR, encoding=_TOLERANT_UTF8, ctype=pyodbc.SQL_CHAR)
        _prepare_sqlite(source)
    elif product == "PostgreSQL":
        source.dialect = Dialect.POSTGRESQL
        connection.autocommit = False
        source.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").close()
    elif product.startswith("Microsoft SQL Server"):
        source.dialect = Dialect.SQL_SERVER
        # NVARCHAR may hold halves of a surrogate pair, on which pyodbc itself stumbles.
        for sql_type in (pyodbc.SQL_WCHAR, pyodbc.SQL_WVARCHAR, pyodbc.SQL_WLONGVARCHAR):
            connection.add_output_converter(sql_type, _decode_utf16)
        connection.add_output_converter(_SQL_DATETIMEOFFSET, _datetimeoffset)
        _prepare_sql_server(source)
    else:
        connection.autocommit = False
        source.notes.append(
            f"{product} is not known to give one consistent read over all views; "
            "a change during the sync may be seen in part and is mended by the next one."
        )


def _prepare_sqlite(source: Source) -> None:
    """Show the file's tables in a schema `web` too, and begin the consistent read."""
    rows = source.execute("PRAGMA database_list").fetchall()
    path = next(str(row[2]) for row in rows if row[1] == "main")
    source.execute("ATTACH DATABASE '" + path.replace("'", "''") + "' AS web").close()
    source.execute("PRAGMA query_only = 1").close()
    source.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}").close()
    source.execute("BEGIN").close()
    _look_at_sqlite(source, Path(path))


def _prepare_sql_server(source: Source) -> None:
    """Use SNAPSHOT isolation, which neither waits nor blocks; say so where it is off."""
    source.execute(f"SET LOCK_TIMEOUT {LOCK_SECONDS * 1000}").close()
    state = source.execute(
        "SELECT snapshot_isolation_state FROM sys.databases WHERE name = DB_NAME()"
    ).fetchall()
    if state and state[0][0] == 1:
        source.execute("SET TRANSACTION ISOLATION LEVEL SNAPSHOT").close()
        source.connection.autocommit = False
        return
    source.notes.append(
        "Snapshot isolation is off in the source database, so the views were read one after "
        "another; a change meanwhile may be seen in part and is mended by the next sync. "
        "Switch it on with: ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON."
    )


def _driver_options(parts: dict[str, str]) -> str:
    """Return options that keep a driver from holding whole results in memory."""
    driver = parts.get("driver", "").casefold()
    wanted: tuple[tuple[str, str], ...] = ()
    if "sqlite" in driver:
        # Without NoCreat a wrong path makes an empty database instead of an error.
        wanted = (("StepAPI", "1"), ("NoCreat", "1"))
    elif "postgres" in driver or "psqlodbc" in driver:
        wanted = (("UseDeclareFetch", "1"), ("Fetch", "2000"))
    return "".join(f";{key}={value}" for key, value in wanted if key.casefold() not in parts)


_PART = re.compile(r"\s*([^=;{}]+?)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)\s*(?:;|$)")
_SECRET_PARTS = frozenset({"pwd", "password", "accesstoken", "sslkey", "sslpassword"})


def _connection_parts(source: str) -> dict[str, str]:
    """Return the keys, lower-case, and values of an ODBC connection string."""
    parts: dict[str, str] = {}
    for key, value in _PART.findall(source):
        if value.startswith("{") and value.endswith("}"):
            value = value[1:-1].replace("}}", "}")
        parts.setdefault(key.casefold(), value)
    return parts


def _secrets(source: str, parts: dict[str, str]) -> tuple[str, ...]:
    """Return every text that may not stand in a message, the longest first."""
    found = {source, *(value for key, value in parts.items() if key in _SECRET_PARTS)}
    found |= {value.replace("}", "}}") for value in found}
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def _odbc_name(parts: dict[str, str]) -> str:
    shown = [
        f"{label} {parts[key]}"
        for label, keys in (
            ("driver", ("driver",)),
            ("DSN", ("dsn",)),
            ("server", ("server", "servername", "address", "addr")),
            ("port", ("port",)),
            ("database", ("database", "db")),
        )
        for key in keys
        if parts.get(key)
    ]
    return f"the ODBC source ({', '.join(shown) or 'no driver named'})"


def _told(error: Exception, secrets: tuple[str, ...]) -> str:
    """Return what a driver says, in one line and without secrets."""
    text = " ".join(str(argument) for argument in error.args[-1:]) or type(error).__name__
    state = error.args[0] if len(error.args) > 1 else ""
    if state and str(state) not in text:
        text = f"[{state}] {text}"
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(text.split()).rstrip(".")


def _identity(*parts: Any) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


# Text that is no text must reach the rules: these never raise.

_TOLERANT_UTF8 = "nightpress_utf_8"


def _decode_utf16(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-16-le", "surrogatepass")


def _decode_utf8(data: Buffer, _errors: str = "strict", /) -> tuple[str, int]:
    return codecs.utf_8_decode(data, "surrogateescape", True)


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name == _TOLERANT_UTF8:
        return codecs.CodecInfo(codecs.utf_8_encode, _decode_utf8, name=name)
    return None


codecs.register(_find_codec)

_SQL_DATETIMEOFFSET = -155


def _datetimeoffset(data: bytes | None) -> datetime | None:
    """Return SQL Server's DATETIMEOFFSET, which pyodbc gives as bytes, as a time."""
    if data is None:
        return None
    year, month, day, hour, minute, second, nanosecond, hours, minutes = struct.unpack(
        "<6hI2h", data
    )
    offset = timezone(timedelta(hours=hours, minutes=minutes))
    return datetime(year, month, day, hour, minute, second, nanosecond // 1000, tzinfo=offset)
