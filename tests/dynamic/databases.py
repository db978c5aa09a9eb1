"""Databases for tests of the service: SQLite, PostgreSQL, and SQL Server where one is named.

Tables are migrated once for each kind; a test then gets a copy of its own.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, text

from dynamic.app import create_app
from dynamic.database import db
from dynamic.migrating import migrate_database
from dynamic.settings import ServiceSettings
from tests.dynamic.apache_says import SECRET
from tests.postgresql import postgresql_server

SQLITE = "sqlite"
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))
SQL_SERVER = os.environ.get("NIGHTPRESS_TEST_SQLSERVER", "")
"""SQLAlchemy URL of an empty database that tests may fill and empty, or nothing."""

KINDS = [SQLITE, POSTGRESQL, *(["sqlserver"] if SQL_SERVER else [])]

_numbers = itertools.count(1)


def migrate(folder: Path, url: str) -> None:
    """Make the service's tables in the database at `url`."""
    (folder / "var").mkdir(parents=True, exist_ok=True)
    settings = ServiceSettings(
        site=folder, proxy_secret=SECRET, secret_key="k" * 48, database=url, sitename="x"
    )
    app = create_app(settings)
    migrate_database(app)
    with app.app_context():
        db.engine.dispose()


class Databases:
    """Hands out databases with the service's tables in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = None
        self._url = ""
        self._owner = None

    @contextmanager
    def one(self, kind: str, folder: Path) -> Iterator[str]:
        """Yield the URL of a database of this kind with empty tables."""
        if kind == SQLITE:
            yield self._on_sqlite(folder)
        elif kind == "postgresql":
            yield from self._on_postgresql()
        else:
            yield from self._on_sql_server(folder)

    def close(self) -> None:
        if self._owner is not None:
            self._owner.dispose()
        if self._server is not None:
            self._server.__exit__(None, None, None)

    def _on_sqlite(self, folder: Path) -> str:
        template = self._folder / "template.sqlite"
        if not template.exists():
            migrate(self._folder, f"sqlite:///{template}")
        file = folder / f"service-{next(_numbers)}.sqlite"
        shutil.copyfile(template, file)
        return f"sqlite:///{file}"

    def _on_postgresql(self) -> Iterator[str]:
        if self._server is None:
            self._server = postgresql_server()
            self._url = self._server.__enter__()
            self._owner = create_engine(self._url, isolation_level="AUTOCOMMIT")
            self._say("CREATE DATABASE template")
            migrate(self._folder, self._url.replace("/postgres", "/template"))
        name = f"service_{next(_numbers)}"
        self._say(f"CREATE DATABASE {name} TEMPLATE template")
        yield self._url.replace("/postgres", f"/{name}")
        self._say(f"DROP DATABASE {name} WITH (FORCE)")

    def _say(self, statement: str) -> None:
        assert self._owner is not None
        with self._owner.connect() as connection:
            connection.execute(text(statement))

    def _on_sql_server(self, folder: Path) -> Iterator[str]:
        migrate(folder, SQL_SERVER)
        yield SQL_SERVER
        engine = create_engine(SQL_SERVER)
        found = MetaData()
        found.reflect(engine)
        found.drop_all(engine)
        engine.dispose()
