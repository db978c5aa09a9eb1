"""Source databases that tests fill and change, and the nights that they run over them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from content_sync.settings import Settings
from content_sync.snapshot import open_snapshot
from content_sync.sync import SyncReport, sync
from content_sync.sync.report import report_file

ODBC = pytest.param("odbc-sqlite", marks=pytest.mark.needs("odbc"))
POSTGRESQL = pytest.param("odbc-postgresql", marks=pytest.mark.needs("postgresql"))
PASSWORD = "s3same; }open"  # what a connection string must quote


@dataclass
class Database:
    """A source database that a test may change, and how Nightpress is told of it."""

    kind: str
    source: str
    run: Callable[..., list[Any]]
    prefix: str = ""
    path: Path | None = None

    def create(self, *views: str, types: str = "") -> None:
        """Make tables of the contract, without the constraints that views do not have.

        With `types`, all columns have that type, so that they hold what breaks a rule.
        """
        for name, statement in contract_tables().items():
            if name in views:
                if types:
                    statement = re.sub(r"\b(TEXT|INTEGER|NUMERIC)\b", types, statement)
                self.run(statement.replace(f"CREATE TABLE {name}", f"CREATE TABLE {self.at(name)}"))

    def at(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def add(self, view: str, **values: Any) -> None:
        """Add one row; a publication is public unless it says otherwise."""
        if view in ("publications", "projects", "events", "deliverables"):
            values = {"access": "public", **values}
        marks = ", ".join("?" * len(values))
        self.run(
            f"INSERT INTO {self.at(view)} ({', '.join(values)}) VALUES ({marks})", *values.values()
        )

    def change(self, view: str, where: str, **values: Any) -> None:
        """Change rows and their version, as the contract asks for."""
        assignments = ", ".join(f"{name} = ?" for name in values)
        self.run(
            f"UPDATE {self.at(view)} SET {assignments}, version = version + 1 WHERE {where}",
            *values.values(),
        )

    def remove(self, view: str, where: str) -> None:
        self.run(f"DELETE FROM {self.at(view)} WHERE {where}")


@dataclass
class Nights:
    """A site whose nights a test can run one after another."""

    database: Database
    settings: Settings
    steps: list[str] = field(default_factory=list)

    def sync(self, *, accept: bool = False) -> SyncReport:
        self.steps.clear()
        return sync(
            self.settings, accept=accept, progress=lambda step, _done, _total: self.note(step)
        )

    def sync_while(self, meddle: Callable[[str, int, int], None]) -> SyncReport:
        """Sync, and let `meddle` do what it likes at each step."""
        return sync(self.settings, progress=meddle)

    def told(self) -> dict[str, Any]:
        """Return what the report of the last sync says of the source."""
        facts: dict[str, Any] = json.loads(report_file(self.settings).read_text("utf-8"))
        return facts

    def given(self, **settings: Any) -> Nights:
        """Return the same site with other settings."""
        return Nights(self.database, replace(self.settings, **settings))

    def note(self, step: str) -> None:
        if step not in self.steps:
            self.steps.append(step)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        connection = open_snapshot(self.settings.snapshot)
        try:
            return connection.execute(query, parameters).fetchall()
        finally:
            connection.close()

    def row(self, query: str, *parameters: Any) -> tuple[Any, ...]:
        (found,) = self.rows(query, *parameters)
        return found

    def problems(self, view: str) -> set[tuple[str, str, str]]:
        return set(self.rows("SELECT key, column, rule FROM problems WHERE view = ?", view))

    def touched(self, sync_number: int) -> set[tuple[str, str]]:
        return set(self.rows("SELECT type, id FROM touched WHERE sync = ?", sync_number))

    def changes(self, sync_number: int) -> set[tuple[str, str, str]]:
        return set(self.rows("SELECT type, id, change FROM changes WHERE sync = ?", sync_number))


def contract_tables() -> dict[str, str]:
    text = resources.files("content_sync.source").joinpath("sql/contract.sqlite.sql").read_text()
    text = re.sub(r"--[^\n]*", "", text)
    tables = {}
    for statement in filter(str.strip, text.split(";")):
        loose = re.sub(r",\s*PRIMARY KEY \([^)]*\)| NOT NULL| PRIMARY KEY", "", statement)
        tables[re.search(r"CREATE TABLE (\w+)", loose)[1]] = loose  # type: ignore[index]
    return tables


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of our own."""

    port: int
    sockets: Path
    start: Callable[[], None]
    stop: Callable[[], None]

    def source(self, *, password: str = PASSWORD, database: str = "source") -> str:
        quoted = "{" + password.replace("}", "}}") + "}"
        return (
            f"Driver=PostgreSQL Unicode;Server=127.0.0.1;Port={self.port};"
            f"Database={database};Uid=reader;Pwd={quoted}"
        )
