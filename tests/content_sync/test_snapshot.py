"""The snapshot file as its readers meet it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from content_sync.errors import NightpressError
from content_sync.records import VIEWS
from content_sync.release.visibility import read_hidden
from content_sync.snapshot import (
    COLUMNS,
    SYNCS_KEPT,
    create_indexes,
    create_tables,
    open_snapshot,
    read_meta,
    touched_since,
)


def test_absent_snapshot_asks_for_a_sync(tmp_path: Path) -> None:
    with pytest.raises(NightpressError, match="Run 'nightpress sync'"):
        open_snapshot(tmp_path / "snapshot.sqlite")


def test_snapshot_has_a_column_for_each_field_of_each_record() -> None:
    connection = sqlite3.connect(":memory:")
    create_tables(connection)
    create_indexes(connection)
    for view in VIEWS:
        table = [row[1] for row in connection.execute(f"PRAGMA table_info({view.name})")]
        assert {field.name for field in fields(view.record)} <= set(table)
        assert set(COLUMNS[view.name]) <= set(table)
        assert COLUMNS[view.name][-1] == "version"
    connection.close()


def test_snapshot_is_read_only(sqlite_nights: Any) -> None:
    sqlite_nights.database.create("publications")
    sqlite_nights.sync()
    connection = open_snapshot(sqlite_nights.settings.snapshot)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM publications")
    connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a process does not kill itself so there")
@pytest.mark.parametrize("asks", ["the reader", "the check"])
def test_half_written_changes_are_taken_back_on_opening(sqlite_nights: Any, asks: str) -> None:
    sqlite_nights.database.create("publications")
    for number in range(500):
        sqlite_nights.database.add("publications", id=f"p{number}", title="T", abstract="x" * 2000)
    sqlite_nights.sync()
    path = sqlite_nights.settings.snapshot
    script = (
        "import os, signal, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1])\n"
        "connection.execute('PRAGMA cache_size = 5')\n"
        "connection.execute('UPDATE publications SET title = id, abstract = id')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    journal = path.with_name("snapshot.sqlite-journal")
    assert journal.exists()
    if asks == "the check":
        assert read_hidden(path, "2026-11-30") == set()
        assert not journal.exists()
    connection = open_snapshot(path)
    assert not journal.exists()
    assert connection.execute("SELECT DISTINCT title FROM publications").fetchall() == [("T",)]
    connection.close()


def test_what_was_touched_is_told_for_the_last_syncs(sqlite_nights: Any) -> None:
    database = sqlite_nights.database
    database.create("publications", "redirects")
    database.add("publications", id="p", title="P")
    sqlite_nights.sync()
    for number in range(2, SYNCS_KEPT + 3):
        database.add("redirects", old_path=f"/{number}", target="/")
        assert sqlite_nights.sync().number == number
    connection = open_snapshot(sqlite_nights.settings.snapshot)
    last = SYNCS_KEPT + 2
    assert touched_since(connection, last) == set()
    assert touched_since(connection, last - 1) == {("redirect", f"/{last}")}
    assert len(touched_since(connection, last - SYNCS_KEPT) or ()) == SYNCS_KEPT
    assert touched_since(connection, last - SYNCS_KEPT - 1) is None
    oldest = connection.execute("SELECT min(sync) FROM touched").fetchone()[0]
    assert oldest == int(read_meta(connection, "kept_from") or 0) == 3
    connection.close()


def test_what_was_touched_before_the_first_sync_cannot_be_told(sqlite_nights: Any) -> None:
    sqlite_nights.database.create("publications")
    sqlite_nights.sync()
    connection = open_snapshot(sqlite_nights.settings.snapshot)
    assert touched_since(connection, 1) == set()
    assert touched_since(connection, 0) is None
    assert re.fullmatch("[0-9a-f]{32}", read_meta(connection, "id") or "")
    connection.close()


def test_snapshot_has_an_identity_until_it_is_made_again(sqlite_nights: Any) -> None:
    database = sqlite_nights.database
    database.create("publications")
    database.add("publications", id="p", title="P")
    found = []
    for title in ("One", "Two"):
        database.change("publications", "id = 'p'", title=title)
        sqlite_nights.sync()
        connection = open_snapshot(sqlite_nights.settings.snapshot)
        found.append(read_meta(connection, "id"))
        connection.close()
    assert found[0] == found[1]
    os.unlink(sqlite_nights.settings.snapshot)  # noqa: PTH108
    sqlite_nights.sync()
    connection = open_snapshot(sqlite_nights.settings.snapshot)
    assert read_meta(connection, "id") != found[0]
    connection.close()
