"""What the source has: views, columns and types of schema `web`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from content_sync.errors import SourceError
from content_sync.records import VIEWS, View
from content_sync.source.connect import Dialect, Source

MANDATORY = "publications"
HIGHEST = b"\xff" * 8
"""Above every rowversion: a procedure that is asked from here on returns no row."""
LOWEST = b"\0" * 8


@dataclass(frozen=True, slots=True)
class Contract:
    """One view of the contract and the columns that the SELECT in its file names."""

    view: View
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Procedure:
    """A view's stand-in: `changed` returns rows from a version on, `keys` all keys."""

    changed: str
    keys: str = ""


@dataclass(frozen=True, slots=True)
class SourceView:
    """One view that the source has.

    `names` maps our names to those of the source, `types` tells the type of each column, as
    the source calls it (empty where it does not say).
    """

    contract: Contract
    relation: str
    names: dict[str, str]
    has_version: bool
    types: dict[str, str] = field(default_factory=dict)
    procedure: Procedure | None = None

    @property
    def view(self) -> View:
        return self.contract.view


@dataclass(frozen=True, slots=True)
class Found:
    """The views that the source has, and the columns that it lacks."""

    views: dict[str, SourceView]
    missing: list[str]


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


def probe(
    source: Source, procedures: Mapping[str, Procedure] | None = None
) -> dict[str, SourceView]:
    """Return the views of the contract that `source` has, by name.

    Raises SourceError when the mandatory view or a column of any view is missing.
    """
    found = look(source, procedures)
    complete(source, found)
    return found.views


def complete(source: Source, found: Found) -> None:
    """Raise SourceError when the mandatory view or a column of any view is missing."""
    if MANDATORY not in found.views:
        raise SourceError(
            f"There is no view web.{MANDATORY} in {source.name}, or its login may not read it.",
            hint="'nightpress source install' prints what makes it, with the right to read it.",
        )
    if found.missing:
        raise SourceError(
            f"Missing in {source.name}: {', '.join(found.missing)}.",
            hint="Add the columns to the views; a value that you do not have is NULL AS name.",
        )


def procedures_of(given: Mapping[str, Any]) -> dict[str, Procedure]:
    """Return the procedures that the setting SOURCE_PROCEDURES names, by view."""
    return {
        name: Procedure(**value) if isinstance(value, dict) else Procedure(value)
        for name, value in given.items()
    }


def look(source: Source, procedures: Mapping[str, Procedure] | None = None) -> Found:
    """Return what the source has of the contract, complete or not."""
    with source.reading("the catalogue"):
        found = _catalogue(source)
    for name, stand_in in (procedures or {}).items():
        with source.reading(f"the procedure {stand_in.changed}"):
            found[name] = ("", _columns_of_procedure(source, stand_in))
    views: dict[str, SourceView] = {}
    missing: list[str] = []
    for view in VIEWS:
        relation, columns = found.get(view.name, ("", []))
        if not columns:
            continue
        names = _match([name for name, _type in columns])
        wanted = contract(view.name)
        missing += [f"web.{view.name}.{name}" for name in wanted.columns if name not in names]
        types = {name.casefold(): str(kind or "").casefold() for name, kind in columns}
        procedure = (procedures or {}).get(view.name)
        views[view.name] = SourceView(wanted, relation, names, "version" in names, types, procedure)
    return Found(views, missing)


def quoted(name: str) -> str:
    """Return a name as the source spells it, to stand in a statement."""
    return '"' + name.replace('"', '""') + '"'


def call(source: Source, statement: str, version: bytes) -> Any:
    """Run a procedure, with `version` if it takes one, and return the cursor of its rows."""
    cursor = source.execute(statement, (version,) if "?" in statement else ())
    while cursor.description is None and cursor.nextset():
        pass  # counts of rows that its statements changed in tables of their own
    return cursor


def _columns_of_procedure(source: Source, procedure: Procedure) -> list[tuple[str, str]]:
    cursor = call(source, procedure.changed, HIGHEST)
    described = cursor.description or ()
    cursor.cancel()
    cursor.close()
    return [(str(column[0]), getattr(column[1], "__name__", "")) for column in described]


def _match(columns: Sequence[str]) -> dict[str, str]:
    """Map lower-case names to the spelling of the source; an exact match comes first."""
    names = {column.casefold(): column for column in reversed(columns)}
    names.update({column: column for column in columns if column == column.casefold()})
    return names


def _catalogue(source: Source) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Return relation and columns of each view in schema `web`, by lower-case name."""
    question = {
        Dialect.SQLITE: _SQLITE_CATALOGUE,
        Dialect.POSTGRESQL: _POSTGRESQL_CATALOGUE,
    }.get(source.dialect, _STANDARD_CATALOGUE)
    log = source.log.of("", "catalogue", question.strip())
    with log.timed():
        rows = source.execute(question).fetchall()
    log.took(rows)
    found: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    for relation, column, kind in rows:
        name = relation.casefold()
        spelling = relation if relation == name else quoted(relation)
        known = found.setdefault(name, (f"web.{spelling}", []))
        if known[0] == f"web.{spelling}":  # of Venues and venues, the first alone counts
            known[1].append((column, kind))
    return found


_SQLITE_CATALOGUE = """
SELECT m.name, c.name, c.type
FROM web.sqlite_master AS m
JOIN pragma_table_info(m.name, 'web') AS c
WHERE m.type IN ('table', 'view')
ORDER BY m.name, c.cid
"""

# information_schema shows no materialised views.
_POSTGRESQL_CATALOGUE = """
SELECT r.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
FROM pg_catalog.pg_class AS r
JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid
WHERE n.nspname = 'web' AND r.relkind IN ('r', 'v', 'm', 'p', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY r.relname DESC, a.attnum
"""

_STANDARD_CATALOGUE = """
SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE
FROM INFORMATION_SCHEMA.COLUMNS
WHERE TABLE_SCHEMA = 'web'
ORDER BY TABLE_NAME DESC, ORDINAL_POSITION
"""
