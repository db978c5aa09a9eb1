"""The service's tables: made and brought up to date, and whether they are."""

from __future__ import annotations

import os
import re
from pathlib import Path

from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from dynamic.database import db, sqlite_file
from dynamic.errors import Unavailable

MIGRATIONS = Path(__file__).parent / "migrations"
_REVISION = re.compile(r'^revision = "([^"]+)"$', re.MULTILINE)


def migrate_database(app: Flask) -> None:
    """Make the tables, or bring them up to date; a new SQLite file is for its owner only."""
    with app.app_context():
        file = sqlite_file(db.engine)
        if file is not None and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        _upgrade(app)
        db.session.remove()


def migration_sql(app: Flask) -> None:
    """Print what makes all tables from nothing, for whoever runs such things by hand."""
    with app.app_context():
        _upgrade(app, sql=True)


def newest_revision() -> str:
    """Return the name of the newest migration: that of the last file."""
    last = max((MIGRATIONS / "versions").glob("[0-9]*.py"))
    found = _REVISION.search(last.read_text(encoding="utf-8"))
    assert found
    return found[1]


def is_migrated(app: Flask) -> bool:
    """Tell whether the tables are those of this version of the service.

    Raises Unavailable if the database does not answer.
    """
    with app.app_context():
        file = sqlite_file(db.engine)
        if file is not None and not file.exists():
            return False
        try:
            with db.engine.connect() as connection:
                if not inspect(connection).has_table("alembic_version"):
                    return False
                # Read here and not by Alembic, which takes 11 MB in each process that serves.
                versions = connection.execute(text("SELECT version_num FROM alembic_version"))
                found = set(versions.scalars())
        except SQLAlchemyError as error:
            raise Unavailable(
                f"The service's database does not answer: {_words(error)}."
            ) from error
        return found == {newest_revision()}


def _upgrade(app: Flask, *, sql: bool = False) -> None:
    from flask_migrate import Migrate, upgrade

    Migrate(app, db, directory=str(MIGRATIONS))
    upgrade(revision="heads", sql=sql)


def _words(error: SQLAlchemyError) -> str:
    original = getattr(error, "orig", None)
    return " ".join(str(original or type(error).__name__).split())[:300]
