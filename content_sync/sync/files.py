"""The files of a sync: written fast beside the snapshot, moved into place when whole."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path


def set_up_load(connection: sqlite3.Connection, schema: str) -> None:
    """Write fast: whatever becomes of this file, another one is kept until it is whole."""
    connection.execute(f"PRAGMA {schema}.journal_mode = MEMORY")
    connection.execute(f"PRAGMA {schema}.synchronous = OFF")
    connection.execute(f"PRAGMA {schema}.cache_size = -32000")


def move_into_place(new: Path, path: Path) -> None:
    """Put `new`, which is closed, in place of `path`, on disk before it is seen."""
    descriptor = os.open(new, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    remove(path.with_name(f"{path.name}-journal"))
    new.replace(path)
    if hasattr(os, "O_DIRECTORY"):  # elsewhere a folder cannot be synced
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove(path: Path) -> None:
    """Remove a database file and its journal, if they are there."""
    for name in (path.name, f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)
