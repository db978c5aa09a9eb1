"""Writing the demo's database: one new file of the source contract, filled in one pass."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType

from content_sync.records import VIEWS

APPLICATION_ID = 0x4E505244
"""Marks a demo source: `PRAGMA application_id`, the letters NPRD."""

_CONTRACT = Path(__file__).parent.parent / "source" / "sql" / "contract.sqlite.sql"
_BATCH = 4_000

Row = Sequence[object]


class Database:
    """A new database file: rows are added in batches and become one transaction."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.counts = {view.name: 0 for view in VIEWS}
        self._waiting: dict[str, list[Row]] = {view.name: [] for view in VIEWS}
        self._insert = {view.name: _insert(view.name, view.record) for view in VIEWS}
        self._connection = sqlite3.connect(path, isolation_level=None)
        # Nobody else sees the file before it is complete, so a crash costs nothing.
        self._connection.executescript(
            f"PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            f"PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536;"
            f"PRAGMA application_id = {APPLICATION_ID};"
        )
        self._connection.executescript(_CONTRACT.read_text(encoding="utf-8"))
        self._connection.execute("BEGIN")

    def add(self, view: str, row: Row) -> None:
        """Add one row; values stand in the order of the record type's fields."""
        waiting = self._waiting[view]
        waiting.append(row)
        if len(waiting) >= _BATCH:
            self._flush(view)

    def finish(self) -> None:
        """Write what waits, add the triggers that keep `version` honest, and commit."""
        for view in self._waiting:
            self._flush(view)
        for view in self._waiting:
            self._connection.execute(_trigger(view))
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _flush(self, view: str) -> None:
        rows = self._waiting[view]
        self._connection.executemany(self._insert[view], rows)
        self.counts[view] += len(rows)
        rows.clear()


def _insert(view: str, record: type) -> str:
    columns = [field.name for field in fields(record)]
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {view} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608


def _trigger(view: str) -> str:
    """A row edited by hand, without a thought for its version, is still seen as changed."""
    return f"""
        CREATE TRIGGER {view}_edited AFTER UPDATE ON {view}
        WHEN NEW.version <= OLD.version
        BEGIN
            UPDATE {view} SET version = OLD.version + 1 WHERE rowid = NEW.rowid;
        END
    """  # noqa: S608
