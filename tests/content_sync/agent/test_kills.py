"""Kill -9 in the middle of every job, with readers at work: the short form of the campaign."""

from __future__ import annotations

import pytest

from benchmarks.soak import rebuild_kills

pytestmark = pytest.mark.needs("apache", "ceph")


def test_readers_notice_nothing_when_jobs_are_killed() -> None:
    figures = rebuild_kills.run(scale=0)
    assert int(figures["kills"]) >= 4
    assert int(figures["requests"]) > 100
