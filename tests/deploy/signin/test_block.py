"""The block list, as a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from content_sync.errors import NightpressError
from deploy.signin.block import block, blocked, unblock


def test_blocking_is_listed_once_and_taken_back(tmp_path: Path) -> None:
    live = tmp_path / "live"
    assert blocked(live) == []
    assert block(live, "a@signin.example")
    assert not block(live, "a@signin.example")
    assert block(live, "b@login.example/realms/x")
    assert blocked(live) == ["a@signin.example", "b@login.example/realms/x"]
    assert unblock(live, "a@signin.example")
    assert not unblock(live, "a@signin.example")
    unblock(live, "b@login.example/realms/x")
    # Empty, it still names the group: Apache lets nobody in without that.
    assert (live / "blocked.grp").read_text() == "blocked:\n"
    assert (live / "blocked.grp").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("subject", ["", "a b", "a\nblocked: c", '"', "a#b", "x" * 500])
def test_what_would_break_the_file_is_refused(tmp_path: Path, subject: str) -> None:
    with pytest.raises(NightpressError):
        block(tmp_path, subject)
    assert not (tmp_path / "blocked.grp").exists()


def test_a_file_that_somebody_broke_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "blocked.grp"
    file.write_text("bloked: somebody\n")
    with pytest.raises(NightpressError, match="not of the group"):
        block(tmp_path, "a")
    assert file.read_text() == "bloked: somebody\n"
