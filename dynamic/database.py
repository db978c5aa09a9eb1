"""The service's database: one SQLAlchemy for SQLite, PostgreSQL and SQL Server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator, event
from sqlalchemy.engine import Connection, Engine
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


db = SQLAlchemy(model_class=Base, disable_autonaming=True)
migrate = Migrate(db=db, directory=str(__file__).replace("database.py", "migrations"))


def connect(app: Flask) -> None:
    """Give the app its database; SQLite waits for locks, keeps a WAL and checks keys."""
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _set_up_sqlite(db.engine)


def begin_writing() -> None:
    """Begin the request's transaction as one that will write.

    SQLite then takes its one write lock at once and reads what it will change under it; a
    transaction that reads first and writes later would fail when another wrote in between.
    Other servers lock rows (`with_for_update`) and need nothing here.
    """
    if db.engine.dialect.name == "sqlite":
        db.session.connection(execution_options={"nightpress_write": True})


def now() -> datetime:
    """Return this instant, in UTC, whole seconds."""
    return clock().astimezone(UTC).replace(microsecond=0)


def _clock() -> datetime:
    return datetime.now(UTC)


clock: Callable[[], datetime] = _clock
"""Where `now` reads the time; tests put another one here."""


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # SQLAlchemy begins transactions itself: see _begin.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA busy_timeout = 10000")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("nightpress_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
