"""What is SQL Server's own: its types, its limits, and the isolation that holds nobody up.

Every question that a server may refuse (another product that speaks T-SQL, a login without
the right) is asked so that a refusal is noted and the sync goes on with more caution.
"""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

from content_sync.source.connect import READ_COMMITTED, Source, told
from content_sync.source.faults import Kind, classify

SWITCH_ON = "ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON;"


def prepare_sql_server(source: Source, pyodbc: Any) -> None:
    """Set types and limits, and use SNAPSHOT isolation, which neither waits nor blocks.

    Where it is off, READ COMMITTED without a transaction holds locks for no longer than a
    row is read; `source.holds_still` is then false, and the reader must prove its reading.
    """
    connection = source.connection
    # NVARCHAR may hold halves of a surrogate pair, on which pyodbc itself stumbles.
    for sql_type in (pyodbc.SQL_WCHAR, pyodbc.SQL_WVARCHAR, pyodbc.SQL_WLONGVARCHAR):
        connection.add_output_converter(sql_type, decode_utf16)
    connection.add_output_converter(_SQL_DATETIMEOFFSET, read_datetimeoffset)
    with suppress(pyodbc.Error):  # a driver without query timeouts; the socket's own remains
        connection.timeout = source.limits.query
    source.execute(f"SET LOCK_TIMEOUT {source.limits.lock * 1000}").close()
    with suppress(pyodbc.Error):  # of two that hold each other up, let the server end us
        source.execute("SET DEADLOCK_PRIORITY LOW").close()
    # Before the consistent read begins: what is below this was committed by then.
    source.floor = _as_rowversion(asked(source, "SELECT MIN_ACTIVE_ROWVERSION()"))
    if not source.limits.one_transaction:
        source.isolation = READ_COMMITTED
        source.holds_still = False
        return
    state = asked(
        source, "SELECT snapshot_isolation_state FROM sys.databases WHERE name = DB_NAME()"
    )
    if state == 0 or not _begin_snapshot(source):
        source.isolation = READ_COMMITTED
        source.holds_still = False
        source.notes.append(
            "Snapshot isolation is off in the source database. Its views are read one after "
            "another, and keys and versions once more, to prove that nothing moved meanwhile. "
            f"To have one consistent read: {SWITCH_ON}"
        )
    elif state != 1:
        source.holds_still = False
        source.notes.append(
            "The server takes SNAPSHOT isolation but does not say that it is switched on; "
            "keys and versions are therefore read twice, to prove that nothing moved."
        )


def asked(source: Source, question: str) -> Any:
    """Return the first value of the answer; None where the server refuses to answer."""
    try:
        cursor = source.execute(question)
        rows = cursor.fetchall()
        cursor.close()
    except source.errors as error:
        if classify(error).is_transient:
            raise
        source.log.faults.append(f"Not answered: {question}: {told(error, source.secrets)}")
        return None
    return rows[0][0] if rows else None


def lock_waits(source: Source) -> str:
    """Return how long this session waited for locks, in words."""
    value = asked(
        source,
        "SELECT COALESCE(SUM(wait_time_ms), 0) FROM sys.dm_exec_session_wait_stats "
        "WHERE session_id = @@SPID AND wait_type LIKE 'LCK%'",
    )
    if value is None:
        return "The server does not tell this login (sys.dm_exec_session_wait_stats)."
    return f"{int(value):,} ms spent waiting for locks."


def _begin_snapshot(source: Source) -> bool:
    """Begin a transaction in SNAPSHOT isolation; tell whether the server took it."""
    try:
        source.execute("SET TRANSACTION ISOLATION LEVEL SNAPSHOT").close()
        source.connection.autocommit = False
        try:
            # The first read begins it, and fails with error 3952 where it is switched off.
            source.execute("SELECT TOP 1 1 AS one FROM web.publications").fetchall()
        except source.errors as error:
            if classify(error).kind not in (Kind.MISSING, Kind.DENIED):
                raise
            source.connection.rollback()  # doctor and probe say it better than we could
    except source.errors as error:
        if classify(error).is_transient:
            raise
        source.log.faults.append(f"SNAPSHOT isolation: {told(error, source.secrets)}")
        with suppress(*source.errors):
            source.connection.rollback()
        source.connection.autocommit = True
        source.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").close()
        return False
    source.isolation = "SNAPSHOT"
    return True


def _as_rowversion(value: Any) -> bytes | None:
    if isinstance(value, bytes | bytearray) and len(value) == _ROWVERSION:
        return bytes(value)
    return None


# Values that pyodbc does not read by itself

_ROWVERSION = 8
_SQL_DATETIMEOFFSET = -155
_OFFSET_STRUCT = struct.Struct("<h5HI2h")


def decode_utf16(data: bytes | None) -> str | None:
    """Return NVARCHAR as text; half a surrogate pair stays one, for the rules to find."""
    return None if data is None else data.decode("utf-16-le", "surrogatepass")


def read_datetimeoffset(data: bytes | None) -> datetime | str | None:
    """Return DATETIMEOFFSET, which pyodbc gives as bytes, as a time with its offset.

    A driver that speaks an old version of the protocol sends it as text.
    """
    if data is None:
        return None
    if len(data) != _OFFSET_STRUCT.size:
        text = data.decode("utf-16-le" if b"\0" in data else "ascii", "replace")
        return re.sub(r"\s+(?=[+-]\d\d:\d\d$)", "", text.strip("\0 "))
    year, month, day, hour, minute, second, nanosecond, hours, minutes = _OFFSET_STRUCT.unpack(data)
    offset = timezone(timedelta(hours=hours, minutes=minutes))
    return datetime(year, month, day, hour, minute, second, nanosecond // 1000, tzinfo=offset)
