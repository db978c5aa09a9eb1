"""A source that is an SQLite file, read through the standard library."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from content_sync.errors import NightpressError, SourceError
from content_sync.source.connect import (
    DEMO_APPLICATION_ID,
    Dialect,
    Limits,
    Source,
    identity_of,
)
from content_sync.source.statements import StatementLog


def open_sqlite(source: str, site: Path, limits: Limits, log: StatementLog) -> Source:
    """Open the file that `sqlite:///path` names and begin the consistent read."""
    if not source.startswith("sqlite:///") or source == "sqlite:///":
        raise SourceError(
            "The source database is named by sqlite:///path, with three slashes and a path.",
            hint="Mend NIGHTPRESS_SOURCE; an absolute path makes four slashes.",
        )
    path = (site / source.removeprefix("sqlite:///")).resolve()
    if not path.is_file():
        raise SourceError(
            f"There is no source database at {path}.",
            hint="Mend NIGHTPRESS_SOURCE (an absolute path makes four slashes), "
            "or make a demo with 'nightpress demo'.",
        )
    connection = sqlite3.connect(":memory:", uri=True, isolation_level=None, timeout=limits.lock)
    # Bytes that are no UTF-8 must reach the rules instead of ending the read.
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    opened = Source(
        connection=connection,
        dialect=Dialect.SQLITE,
        name=f"the SQLite file {path}",
        identity="",
        errors=(sqlite3.Error,),
        isolation="one read transaction",
        limits=limits,
        log=log,
    )
    try:
        with opened.reading("the first page"):
            connection.execute("ATTACH DATABASE ? AS web", (f"{path.as_uri()}?mode=ro",))
            connection.execute("BEGIN")
            look_at_sqlite(opened, path)
    except NightpressError:
        connection.close()
        raise
    return opened


def look_at_sqlite(source: Source, path: Path) -> None:
    """Begin the consistent read and find out whose file it is."""
    marker = source.execute("PRAGMA web.application_id").fetchall()
    source.is_demo = int(marker[0][0]) == DEMO_APPLICATION_ID
    source.execute("SELECT count(*) FROM web.sqlite_master").fetchall()
    cookie = source.execute("PRAGMA web.schema_version").fetchall()
    facts = path.stat()
    parts: list[Any] = ["sqlite", path, facts.st_ino, int(cookie[0][0])]
    if source.is_demo:  # made anew as a whole, with the versions of the one before
        parts += [facts.st_mtime_ns, facts.st_size]
    source.identity = identity_of(*parts)
