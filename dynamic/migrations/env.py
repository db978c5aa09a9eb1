"""Alembic's entry: migrations run on the connection of the app that asks for them."""

from __future__ import annotations

from alembic import context
from flask import current_app


def run() -> None:
    """Run the migrations in one transaction each, where the server can."""
    database = current_app.extensions["migrate"].db
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_as_batch=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
