"""var/service-export.sqlite: what the build may show of the service's data.

Written whole beside its place and put there in one step; never changed in place. A part of
the service adds a table: `TABLES["participants"] = Table(columns, rows)`. It asks for a new
file with `want_export()` after it committed a change; the worker writes it within seconds.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from flask import current_app

from dynamic.database import db

VERSION = 1


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the export."""

    columns: tuple[str, ...]
    """Names with their types, such as "event_id TEXT NOT NULL"."""
    rows: Callable[[], Iterable[tuple[object, ...]]]
    """Returns all rows, in an order that depends on the data alone."""


TABLES: dict[str, Table] = {}
"""Name → table, of all parts of the service."""


def want_export() -> None:
    """Ask for a new export: whatever worker comes next, in whatever process, writes it."""
    # If the disk is full, the request is not to fail for it: the next change asks again.
    with contextlib.suppress(OSError):
        _wanted().touch()


def write_export(*, only_if_wanted: bool = False) -> bool:
    """Write the export if it is to change; return whether it did.

    Raises OSError or sqlite3.Error when it cannot be written; the old one is then as it was.
    """
    target: Path = current_app.config["SETTINGS"].export
    wanted = _wanted()
    if only_if_wanted and not wanted.exists():
        return False
    # First the mark goes, then the data is read: a change in between asks again.
    wanted.unlink(missing_ok=True)
    fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        _write(fresh)
        if target.is_file() and target.read_bytes() == fresh.read_bytes():
            return False
        fresh.replace(target)
    except BaseException:
        want_export()
        raise
    finally:
        fresh.unlink(missing_ok=True)
        db.session.remove()
    return True


def _wanted() -> Path:
    folder: Path = current_app.config["SETTINGS"].var
    return folder / "service-export.wanted"


def _write(file: Path) -> None:
    file.unlink(missing_ok=True)
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640))
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as export:
        export.execute("PRAGMA journal_mode = OFF")
        export.execute(f"PRAGMA user_version = {VERSION}")
        export.execute("BEGIN")
        for name, table in sorted(TABLES.items()):
            export.execute(f"CREATE TABLE {name} ({', '.join(table.columns)})")
            marks = ", ".join("?" * len(table.columns))
            export.executemany(f"INSERT INTO {name} VALUES ({marks})", table.rows())  # noqa: S608
        export.execute("COMMIT")
    with file.open("rb") as written:
        os.fsync(written.fileno())
