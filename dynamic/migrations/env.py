"""Alembic's entry: migrations run on the connection of the app that asks for them.

Asked for SQL (`nightpress service migrate --sql`), nothing connects to anything.
"""

from __future__ import annotations

from alembic import context
from flask import current_app


def run() -> None:
    """Run the migrations in one transaction each, where the server can."""
    database = current_app.extensions["migrate"].db
    how = {
        "target_metadata": database.metadata,
        "render_as_batch": True,
        "transaction_per_migration": True,
    }
    if context.is_offline_mode():
        name = database.engine.dialect.name
        # Types as servers have had them since 2012; connected, it asks the server.
        new = {"deprecate_large_types": True} if name == "mssql" else {}
        context.configure(dialect_name=name, dialect_opts=new, literal_binds=True, **how)
        with context.begin_transaction():
            context.run_migrations()
        return
    with database.engine.connect() as connection:
        context.configure(connection=connection, **how)
        with context.begin_transaction():
            context.run_migrations()


run()
