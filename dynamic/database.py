"""The service's database: one SQLAlchemy for SQLite, PostgreSQL and SQL Server."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, MetaData, Select, TypeDecorator, Unicode, event
from sqlalchemy.dialects.mssql import NVARCHAR
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Tables with constraints of predictable names, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, stored as UTC without a zone, which every server can."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("An instant needs a time zone.")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def exact(length: int) -> Unicode:
    """Return the type of a name that is compared letter by letter: an account, a record's id.

    SQL Server by itself takes `Ada` and `ada` for one, and so one account for another.
    """
    letter_by_letter = NVARCHAR(length, collation="Latin1_General_100_BIN2")
    return Unicode(length).with_variant(letter_by_letter, "mssql")


Q = TypeVar("Q", bound="Select[Any]")

BUSY_SECONDS = 8
"""For so long SQLite waits for another writer before a request is told to come back."""

db = SQLAlchemy(model_class=Base, disable_autonaming=True)


def connect(app: Flask) -> None:
    """Give the app its database; SQLite waits for locks, keeps a WAL and checks keys."""
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", _engine_options(app))
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _set_up_sqlite(db.engine)


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """Work with the database outside of requests; all connections are closed in the end."""
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


def sqlite_file(engine: Engine) -> Path | None:
    """Return the file of an SQLite database, None for other databases."""
    if engine.dialect.name != "sqlite" or engine.url.database in (None, "", ":memory:"):
        return None
    return Path(str(engine.url.database))


def begin_writing() -> None:
    """Begin the request's transaction as one that will write.

    SQLite then takes its one write lock at once and reads what it will change under it; a
    transaction that reads first and writes later would fail when another wrote in between.
    Other servers lock rows (`with_for_update`) and need nothing here.
    """
    if db.engine.dialect.name == "sqlite":
        db.session.connection(execution_options={"nightpress_write": True})


def locked(query: Q, table: type[Base]) -> Q:
    """Return a query that locks the rows of `table` that it reads until the commit.

    SQLite has locked everything already: see `begin_writing`. SQL Server knows no FOR UPDATE
    and is told by a hint.
    """
    return (
        query.with_for_update()
        .with_hint(table, "WITH (UPDLOCK, ROWLOCK)", "mssql")
        .execution_options(populate_existing=True)
    )


def now() -> datetime:
    """Return this instant, in UTC, whole seconds."""
    return clock().astimezone(UTC).replace(microsecond=0)


def _clock() -> datetime:
    return datetime.now(UTC)


clock: Callable[[], datetime] = _clock
"""Where `now` reads the time; tests put another one here."""


def _engine_options(app: Flask) -> dict[str, Any]:
    """Statements' values, which are personal data, are kept out of every message and log."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        return options
    threads = app.config["SETTINGS"].service_threads
    options |= {
        "pool_pre_ping": True,
        "pool_size": threads + 1,  # and one for the worker
        "max_overflow": 4,
        "pool_timeout": 10,
        "pool_recycle": 1800,
    }
    if url.get_backend_name() == "postgresql":
        options["connect_args"] = {
            "connect_timeout": 5,
            "options": "-c lock_timeout=15s -c statement_timeout=60s",
        }
    elif url.get_backend_name() == "mssql":
        options["connect_args"] = {"timeout": 5}
    return options


def _set_up_sqlite(engine: Engine) -> None:
    file = sqlite_file(engine)

    @event.listens_for(engine, "do_connect")
    def _connecting(*_: Any) -> None:
        # SQLite would make an empty database where one was lost; only `migrate` makes one.
        if file is not None and not file.exists():
            raise sqlite3.OperationalError("there is no database file")

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, record: Any) -> None:
        # SQLAlchemy begins transactions itself: see _begin.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        record.info["file"] = _identity(file)

    @event.listens_for(engine, "checkout")
    def _checked_out(_connection: Any, record: Any, _proxy: Any) -> None:
        # What is written into a file that was removed or replaced would be lost.
        if record.info.get("file") != _identity(file):
            raise DisconnectionError

    # Writers of this process queue here; SQLite's own waiting sleeps and looks again, which
    # costs a crowd seconds. Writers of other processes are waited for by SQLite.
    turn = threading.Lock()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("nightpress_write"):
            connection.exec_driver_sql("BEGIN")
            return
        if not turn.acquire(timeout=BUSY_SECONDS):
            locked = sqlite3.OperationalError("database is locked")
            raise OperationalError("BEGIN IMMEDIATE", None, locked)
        connection.connection.info["turn"] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def _checked_in(_connection: Any, record: Any) -> None:
        # After the commit or rollback, whichever way the transaction ended.
        if record.info.pop("turn", False):
            turn.release()


def _identity(file: Path | None) -> tuple[int, int] | None:
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
