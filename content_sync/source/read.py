"""Read the views of an open source: what is there, keys with versions, whole rows.

Results are fetched in pieces, so memory does not grow with a view.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib import resources
from typing import Any

from content_sync.errors import SourceError
from content_sync.records import VIEWS, View
from content_sync.source.connect import Dialect, Source

MANDATORY = "publications"
KEYS_AT_ONCE = 500
_ROWS_AT_ONCE = 1_000
_KEYS_FETCHED = 10_000

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Contract:
    """One view of the contract and the columns that the SELECT in its file names."""

    view: View
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceView:
    """One view that the source has; `names` maps our names to those of the source."""

    contract: Contract
    relation: str
    names: dict[str, str]
    has_version: bool

    @property
    def view(self) -> View:
        return self.contract.view


@cache
def contract(view_name: str) -> Contract:
    """Return the contract of the view `view_name`."""
    view = next(view for view in VIEWS if view.name == view_name)
    text = (
        resources.files("content_sync.source").joinpath(f"sql/{view_name}.sql").read_text("utf-8")
    )
    statement = re.sub(r"--[^\n]*\n", "", text).strip()
    found = re.fullmatch(r"SELECT\s+(.+?)\s+FROM web\.(\w+)", statement, re.DOTALL)
    if found is None or found[2] != view_name:
        raise ValueError(f"sql/{view_name}.sql is not a plain SELECT from web.{view_name}")
    columns = tuple(column.strip() for column in found[1].split(","))
    return Contract(view, columns)


def probe(source: Source) -> dict[str, SourceView]:
    """Return the views of the contract that `source` has, by name.

    Raises SourceError when the mandatory view or a column of any view is missing.
    """
    with source.reading("the catalogue"):
        found = _catalogue(source)
    views: dict[str, SourceView] = {}
    missing: list[str] = []
    for view in VIEWS:
        relation, columns = found.get(view.name, ("", []))
        if not columns:
            continue
        names = _match(columns)
        wanted = contract(view.name)
        missing += [f"web.{view.name}.{name}" for name in wanted.columns if name not in names]
        views[view.name] = SourceView(wanted, relation, names, "version" in names)
    if MANDATORY not in views:
        raise SourceError(
            f"There is no view web.{MANDATORY} in {source.name}, or its login may not read it.",
            hint="Create it as content_sync/source/sql/contract.tsql.sql says, "
            "and grant SELECT on it.",
        )
    if missing:
        raise SourceError(
            f"Missing in {source.name}: {', '.join(missing)}.",
            hint="Add the columns to the views; a value that you do not have is NULL AS name.",
        )
    return views


def count_rows(source: Source, view: SourceView) -> int:
    """Return how many rows the view has."""
    with source.reading(f"web.{view.view.name}"):
        rows = source.execute(f"SELECT count(*) FROM {view.relation}").fetchall()
    return int(rows[0][0])


def stream_versions(source: Source, view: SourceView) -> Iterator[tuple[Rows, Sequence[Any]]]:
    """Yield pieces of the keys and the versions of all rows.

    A view without versions is read whole: a hash of each row stands for its version.
    """
    if view.has_version:
        columns = [_column(view, name) for name in (*view.view.key, "version")]
        statement = f"SELECT {', '.join(columns)} FROM {view.relation}"
        for rows in _stream(source, view, statement, size=_KEYS_FETCHED):
            yield [row[:-1] for row in rows], _as_versions(rows)
        return
    indexes = [view.contract.columns.index(name) for name in view.view.key]
    for rows, versions in stream_rows(source, view):
        yield [tuple(row[i] for i in indexes) for row in rows], versions


def stream_rows(source: Source, view: SourceView) -> Iterator[tuple[Rows, Sequence[Any]]]:
    """Yield pieces of all rows, columns as in the contract, with their versions."""
    for rows in _stream(source, view, _select(view)):
        yield _with_versions(view, rows)


def fetch_rows(source: Source, view: SourceView, keys: Sequence[Any]) -> tuple[Rows, Sequence[Any]]:
    """Return the rows whose first key column is one of `keys` (at most 500), with versions.

    Where a key has several columns, the first names the record that the rows belong to:
    whoever asks for one row gets its neighbours too.
    """
    padded = [*keys, *[keys[-1]] * (KEYS_AT_ONCE - len(keys))]  # one statement, prepared once
    marks = ", ".join("?" * KEYS_AT_ONCE)
    statement = f"{_select(view)}\nWHERE {_column(view, view.view.key[0])} IN ({marks})"
    with source.reading(f"web.{view.view.name}"):
        cursor = source.execute(statement, padded)
        rows = [tuple(row) for row in cursor.fetchall()]
        cursor.close()
    return _with_versions(view, rows)


def _stream(source: Source, view: SourceView, statement: str, size: int = 0) -> Iterator[Rows]:
    with source.reading(f"web.{view.view.name}"):
        cursor = source.execute(statement)
        try:
            while rows := cursor.fetchmany(size or _ROWS_AT_ONCE):
                yield rows
        finally:
            cursor.close()


def _select(view: SourceView) -> str:
    """Return the view's SELECT with its version, in the spelling of the source."""
    columns = [_column(view, name) for name in view.contract.columns]
    if view.has_version:
        columns.append(_column(view, "version"))
    return f"SELECT {', '.join(columns)}\nFROM {view.relation}"


def _column(view: SourceView, name: str) -> str:
    found = view.names[name]
    return name if found == name else _quoted(found)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


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


def _match(columns: list[str]) -> dict[str, str]:
    """Map lower-case names to the spelling of the source; an exact match comes first."""
    names = {column.casefold(): column for column in reversed(columns)}
    names.update({column: column for column in columns if column == column.casefold()})
    return names


def _catalogue(source: Source) -> dict[str, tuple[str, list[str]]]:
    """Return relation and columns of each view in schema `web`, by lower-case name."""
    if source.dialect is Dialect.SQLITE:
        rows = source.execute(_SQLITE_CATALOGUE).fetchall()
    elif source.dialect is Dialect.POSTGRESQL:
        rows = source.execute(_POSTGRESQL_CATALOGUE).fetchall()
    else:
        rows = source.execute(_STANDARD_CATALOGUE).fetchall()
    found: dict[str, tuple[str, list[str]]] = {}
    for relation, column in rows:
        name = relation.casefold()
        spelling = relation if relation == name else _quoted(relation)
        known = found.setdefault(name, (f"web.{spelling}", []))
        if known[0] == f"web.{spelling}":  # of Venues and venues, the first alone counts
            known[1].append(column)
    return found


_SQLITE_CATALOGUE = """
SELECT m.name, c.name
FROM web.sqlite_master AS m
JOIN pragma_table_info(m.name, 'web') AS c
WHERE m.type IN ('table', 'view')
ORDER BY m.name, c.cid
"""

# information_schema shows no materialised views.
_POSTGRESQL_CATALOGUE = """
SELECT r.relname, a.attname
FROM pg_catalog.pg_class AS r
JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid
WHERE n.nspname = 'web' AND r.relkind IN ('r', 'v', 'm', 'p', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY r.relname DESC, a.attnum
"""

_STANDARD_CATALOGUE = """
SELECT TABLE_NAME, COLUMN_NAME
FROM INFORMATION_SCHEMA.COLUMNS
WHERE TABLE_SCHEMA = 'web'
ORDER BY TABLE_NAME DESC, ORDINAL_POSITION
"""
