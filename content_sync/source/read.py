"""Read the views of an open source: keys with versions, windows of versions, whole rows.

Results are fetched in pieces, so memory does not grow with a view.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from content_sync.source.catalogue import (
    LOWEST,
    MANDATORY,
    Contract,
    Procedure,
    SourceView,
    call,
    contract,
    probe,
    quoted,
)
from content_sync.source.connect import Dialect, Source

__all__ = [
    "KEYS_AT_ONCE",
    "MANDATORY",
    "Contract",
    "Procedure",
    "Rows",
    "SourceView",
    "contract",
    "count_rows",
    "fetch_rows",
    "floor_of",
    "probe",
    "stream_rows",
    "stream_versions",
    "stream_window",
]

KEYS_AT_ONCE = 500
_ROWS_AT_ONCE = 1_000
_KEYS_FETCHED = 10_000

Rows = list[tuple[Any, ...]]


def count_rows(source: Source, view: SourceView) -> int:
    """Return how many rows the view has; 0 for a procedure, which nobody can ask."""
    if view.procedure:
        return 0
    statement = f"SELECT count(*) FROM {view.relation}"
    log = source.log.of(view.view.name, "count", statement)
    with source.reading(f"web.{view.view.name}"), log.timed():
        rows = source.execute(statement).fetchall()
    return int(rows[0][0])


def stream_versions(source: Source, view: SourceView) -> Iterator[tuple[Rows, Sequence[Any]]]:
    """Yield pieces of the keys and the versions of all rows.

    A view without versions is read whole: a hash of each row stands for its version.
    """
    keys = view.view.key
    if view.procedure and view.procedure.keys:
        pieces = _call(source, view, view.procedure.keys, LOWEST, (*keys, "version"), "all keys")
        for rows in pieces:
            yield [row[:-1] for row in rows], _as_versions(rows)
    elif view.has_version and not view.procedure:
        columns = [_column(view, name) for name in (*keys, "version")]
        statement = f"SELECT {', '.join(columns)} FROM {view.relation}"
        step = "keys and versions"
        for rows in _stream(source, view, statement, step=step, size=_KEYS_FETCHED):
            yield [row[:-1] for row in rows], _as_versions(rows)
    else:
        indexes = [view.contract.columns.index(name) for name in keys]
        for rows, versions in stream_rows(source, view):
            yield [tuple(row[i] for i in indexes) for row in rows], versions


def stream_rows(
    source: Source, view: SourceView, since: bytes = LOWEST
) -> Iterator[tuple[Rows, Sequence[Any]]]:
    """Yield pieces of all rows, columns as in the contract, with their versions.

    `since` is heeded only where a procedure stands in for the view: it returns the rows
    from that version on.
    """
    if view.procedure:
        columns = (*view.contract.columns, *(("version",) if view.has_version else ()))
        pieces = _call(source, view, view.procedure.changed, since, columns, "rows")
    else:
        pieces = _stream(source, view, _select(view), step="all rows")
    for rows in pieces:
        yield _with_versions(view, rows)


def stream_window(
    source: Source, view: SourceView, since: bytes, below: bytes
) -> Iterator[tuple[Rows, Sequence[Any]]]:
    """Yield pieces of the rows whose rowversion is at least `since` and less than `below`."""
    if view.procedure:
        yield from stream_rows(source, view, since)
        return
    version = _column(view, "version")
    order = ", ".join(_column(view, name) for name in ("version", *view.view.key))
    statement = f"{_select(view)}\nWHERE {version} >= ? AND {version} < ?\nORDER BY {order}"
    for rows in _stream(source, view, statement, (since, below), step="window of versions"):
        yield _with_versions(view, rows)


def floor_of(source: Source) -> bytes | None:
    """Return the least rowversion that may still be written; None if nobody can tell.

    SQL Server says so itself. In PostgreSQL a function `web.min_active_rowversion()` may say
    it, as docs/database.md shows.
    """
    if source.dialect is Dialect.POSTGRESQL and source.floor is None:
        question = "SELECT to_regprocedure('web.min_active_rowversion()') IS NOT NULL"
        with source.reading("web.min_active_rowversion()"):
            known = source.execute(question).fetchall()[0][0]
            if str(known) in ("True", "1", "t"):
                rows = source.execute("SELECT web.min_active_rowversion()").fetchall()
                source.floor = bytes(rows[0][0])
    return source.floor


def fetch_rows(source: Source, view: SourceView, keys: Sequence[Any]) -> tuple[Rows, Sequence[Any]]:
    """Return the rows whose first key column is one of `keys` (at most 500), with versions.

    Where a key has several columns, the first names the record that the rows belong to:
    whoever asks for one row gets its neighbours too.
    """
    padded = [*keys, *[keys[-1]] * (KEYS_AT_ONCE - len(keys))]  # one statement, prepared once
    marks = ", ".join("?" * KEYS_AT_ONCE)
    where = f"\nWHERE {_column(view, view.view.key[0])} IN "
    log = source.log.of(view.view.name, "rows by key", f"{_select(view)}{where}(500 keys)")
    with source.reading(f"web.{view.view.name}"), log.timed():
        cursor = source.execute(f"{_select(view)}{where}({marks})", padded)
        rows = [tuple(row) for row in cursor.fetchall()]
        cursor.close()
    log.took(rows)
    return _with_versions(view, rows)


def _stream(
    source: Source,
    view: SourceView,
    statement: str,
    parameters: Sequence[Any] = (),
    *,
    step: str,
    size: int = _ROWS_AT_ONCE,
) -> Iterator[Rows]:
    log = source.log.of(view.view.name, step, statement)
    with source.reading(f"web.{view.view.name}"):
        with log.timed():
            cursor = source.execute(statement, parameters)
        yield from _pieces(cursor, log, size)


def _call(
    source: Source,
    view: SourceView,
    statement: str,
    version: bytes,
    columns: Sequence[str],
    step: str,
) -> Iterator[Rows]:
    """Run a procedure and yield its rows, with the columns in our order."""
    log = source.log.of(view.view.name, step, statement)
    with source.reading(f"web.{view.view.name} ({statement})"):
        with log.timed():
            cursor = call(source, statement, version)
        order = [str(column[0]).casefold() for column in cursor.description or ()]
        pick = itemgetter(*(order.index(name) for name in columns))
        for rows in _pieces(cursor, log, _ROWS_AT_ONCE):
            yield [pick(row) for row in rows]


def _pieces(cursor: Any, log: Any, size: int) -> Iterator[Rows]:
    """Yield a cursor's rows in pieces. A result left in the middle is cancelled, not drained."""
    done = False
    try:
        while True:
            with log.timed():
                rows = cursor.fetchmany(size)
            if not rows:
                break
            log.took(rows)
            yield rows
        done = True
    finally:
        with suppress(Exception):  # on a connection that died neither is possible nor needed
            if not done and hasattr(cursor, "cancel"):
                cursor.cancel()
            cursor.close()


def _select(view: SourceView) -> str:
    """Return the view's SELECT with its version, in the spelling of the source."""
    columns = [_column(view, name) for name in view.contract.columns]
    if view.has_version:
        columns.append(_column(view, "version"))
    return f"SELECT {', '.join(columns)}\nFROM {view.relation}"


def _column(view: SourceView, name: str) -> str:
    found = view.names[name]
    return name if found == name else quoted(found)


def _with_versions(view: SourceView, rows: Rows) -> tuple[Rows, Sequence[Any]]:
    if view.has_version:
        return [row[:-1] for row in rows], _as_versions(rows)
    return rows, [blake2b(repr(tuple(row)).encode(), digest_size=16).digest() for row in rows]


def _as_versions(rows: Rows) -> list[Any]:
    """Return the last column as values that the snapshot can hold and compare."""
    versions = [row[-1] for row in rows]
    if {type(version) for version in versions} <= _PLAIN_VERSIONS:
        return versions
    return [_as_version(version) for version in versions]


_PLAIN_VERSIONS = frozenset({int, bytes, type(None)})


def _as_version(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if type(value) in _PLAIN_VERSIONS:
        return value if not isinstance(value, int) or abs(value) < 1 << 63 else str(value)
    return str(value)
