"""The service's tables: made and brought up to date, and whether they are."""

from __future__ import annotations

import os
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.exc import SQLAlchemyError

from dynamic.database import db, sqlite_file
from dynamic.errors import Unavailable


def migrate_database(app: Flask) -> None:
    """Make the tables, or bring them up to date; a new SQLite file is for its owner only."""
    with app.app_context():
        file = sqlite_file(db.engine)
        if file is not None and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        upgrade(revision="heads")
        db.session.remove()


def migration_sql(app: Flask) -> None:
    """Print what makes all tables from nothing, for whoever runs such things by hand."""
    with app.app_context():
        upgrade(revision="heads", sql=True)


def is_migrated(app: Flask) -> bool:
    """Tell whether the tables are those of this version of the service.

    Raises Unavailable if the database does not answer.
    """
    scripts = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    with app.app_context():
        file = sqlite_file(db.engine)
        if file is not None and not file.exists():
            return False
        try:
            with db.engine.connect() as connection:
                found = set(MigrationContext.configure(connection).get_current_heads())
        except SQLAlchemyError as error:
            raise Unavailable(
                f"The service's database does not answer: {_words(error)}."
            ) from error
        return found == set(scripts.get_heads())


def _words(error: SQLAlchemyError) -> str:
    original = getattr(error, "orig", None)
    return " ".join(str(original or type(error).__name__).split())[:300]
