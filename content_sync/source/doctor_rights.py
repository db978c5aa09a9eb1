"""Rights that a login which only reads should not have, in words, with what takes them away."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from content_sync.source.catalogue import Found
from content_sync.source.connect import Dialect, Source
from content_sync.source.sql_server import asked

_ROLES = ("db_owner", "db_datawriter", "db_ddladmin", "db_securityadmin", "db_accessadmin")


def surplus(source: Source, found: Found) -> Iterator[tuple[str, str]]:
    """Yield what the login may do beyond reading the views, and the line that mends it."""
    relations = sorted({view.relation for view in found.views.values() if view.relation})
    if source.dialect is Dialect.SQL_SERVER:
        yield from _on_sql_server(source, relations)
    elif source.dialect is Dialect.POSTGRESQL:
        yield from _on_postgresql(source, relations)
    elif source.dialect is Dialect.SQLITE:
        yield from _on_sqlite(source)


def looked_at(source: Source) -> str:
    """Return what was asked of the server."""
    if source.dialect is Dialect.SQLITE:
        return "The file is opened for reading only."
    return "Looked for rights to write, to create, and to read other tables."


def _on_sql_server(source: Source, relations: list[str]) -> Iterator[tuple[str, str]]:
    user = asked(source, "SELECT USER_NAME()") or "the login"
    if asked(source, "SELECT IS_SRVROLEMEMBER('sysadmin')") == 1:
        yield (
            "The login is a server administrator (sysadmin).",
            "Use the login that 'nightpress source install' makes.",
        )
        return
    for role in _ROLES:
        if asked(source, f"SELECT IS_ROLEMEMBER('{role}')") == 1:
            yield (
                f"The user is a member of {role}.",
                f"ALTER ROLE {role} DROP MEMBER {user};",
            )
    for relation in relations:
        rights = [
            right
            for right in ("INSERT", "UPDATE", "DELETE")
            if asked(source, f"SELECT HAS_PERMS_BY_NAME('{relation}', 'OBJECT', '{right}')") == 1
        ]
        if rights:
            told = ", ".join(rights)
            yield f"The user may {told} in {relation}.", f"REVOKE {told} ON {relation} FROM {user};"
    if asked(source, "SELECT HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'CREATE TABLE')") == 1:
        yield "The user may create tables.", f"REVOKE CREATE TABLE FROM {user};"
    others = asked(
        source,
        "SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA <> 'web' "
        "AND HAS_PERMS_BY_NAME(QUOTENAME(TABLE_SCHEMA) + '.' + QUOTENAME(TABLE_NAME), "
        "'OBJECT', 'SELECT') = 1",
    )
    if others:
        yield (
            f"The user may read {others:,} tables or views outside schema web.",
            f"REVOKE SELECT FROM {user}; then GRANT SELECT ON SCHEMA::web TO {user};",
        )


def _on_postgresql(source: Source, relations: list[str]) -> Iterator[tuple[str, str]]:
    def ask(question: str) -> str:
        with source.reading("the rights of the login"):
            rows = source.execute(question).fetchall()
        return str(rows[0][0]) if rows and rows[0][0] is not None else ""

    user = ask("SELECT current_user")
    if ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") in ("1", "True", "t"):
        yield "The login is a superuser.", f"ALTER ROLE {user} NOSUPERUSER;"
        return
    for relation in relations:
        rights = [
            right
            for right in ("INSERT", "UPDATE", "DELETE")
            if ask(f"SELECT has_table_privilege('{relation}', '{right}')") in ("1", "True", "t")
        ]
        if rights:
            told = ", ".join(rights)
            yield f"The user may {told} in {relation}.", f"REVOKE {told} ON {relation} FROM {user};"
    if ask("SELECT has_schema_privilege('web', 'CREATE')") in ("1", "True", "t"):
        yield "The user may create in schema web.", f"REVOKE CREATE ON SCHEMA web FROM {user};"
    others = ask(
        "SELECT count(*) FROM pg_class AS r JOIN pg_namespace AS n ON n.oid = r.relnamespace "
        "WHERE r.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT LIKE 'pg_%' "
        "AND n.nspname NOT IN ('web', 'information_schema') "
        "AND has_table_privilege(r.oid, 'SELECT')"
    )
    if others not in ("", "0"):
        yield (
            f"The user may read {others} tables or views outside schema web.",
            f"REVOKE SELECT ON those tables FROM {user};",
        )


def _on_sqlite(source: Source) -> Iterator[tuple[str, str]]:
    path = Path(re.sub(r"^the SQLite file ", "", source.name))
    if path.is_file() and os.access(path, os.W_OK) and hasattr(os, "geteuid") and os.geteuid():
        yield (
            f"This user may write {path}, though Nightpress never does.",
            f"chmod a-w {path}, or run Nightpress as a user who may only read it.",
        )
