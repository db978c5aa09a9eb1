"""The short form of `make soak`'s campaign of killed syncs, and what a power cut relies on."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from benchmarks.soak import sync_killed
from content_sync.sync.update import open_with_staging


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a signal of POSIX")
def test_killed_syncs_leave_the_old_or_the_new_snapshot() -> None:
    found = sync_killed.run(0.02)
    assert found["rounds"] == 8
    assert int(found["old"]) + int(found["new"]) == 8


def test_snapshot_is_written_through_to_the_disk(sqlite_nights: Any) -> None:
    """What survives a power cut: a journal on disk before the file is touched, and syncs."""
    sqlite_nights.database.create("publications")
    sqlite_nights.sync()
    snapshot = sqlite_nights.settings.snapshot
    connection = open_with_staging(snapshot, snapshot.with_name("staging.sqlite"))
    try:
        assert connection.execute("PRAGMA main.synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA main.journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA staging.synchronous").fetchone() == (0,)
    finally:
        connection.close()
