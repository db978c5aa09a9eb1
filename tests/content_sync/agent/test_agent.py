"""The queue, the agent that works it off, and what is left when either is killed."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from pathlib import Path

import pytest

from content_sync.agent import mails, queue
from content_sync.agent import publishing_acts as acts
from content_sync.agent.publishing import lock_publishing, unlock_publishing
from content_sync.agent.store import audit_log
from content_sync.agent.where import where_is
from content_sync.errors import NightpressError
from content_sync.lease import Lease
from content_sync.lock import SiteLocked, check_held, lock
from content_sync.operations import overlay
from content_sync.release.releases import live, releases
from content_sync.settings import Settings
from tests.content_sync.agent.conftest import RunningAgent, ended, nightpress, wait_for

Start = Callable[[], RunningAgent]


def edit(settings: Settings, sql: str, *values: object) -> None:
    with sqlite3.connect(settings.demo_source) as connection:
        connection.execute(sql, values)
    connection.close()


def a_publication(settings: Settings) -> str:
    connection = sqlite3.connect(settings.snapshot)
    found = connection.execute(
        "SELECT min(id) FROM publications WHERE access = 'public' AND public_on IS NULL"
    ).fetchone()[0]
    connection.close()
    return str(found)


def number_live(settings: Settings) -> int:
    found = live(settings)
    assert found is not None
    return found.number


def test_a_thousand_requests_give_two_builds_at_most(settings: Settings, agent: Start) -> None:
    agent()
    with ThreadPoolExecutor(8) as pool:
        carriers = list(pool.map(lambda n: queue.ask(settings, f"u-{n}", "Burst").id, range(1000)))
    assert len(set(carriers)) <= 2
    for number in set(carriers):
        assert ended(settings, number).state in ("live", "unchanged")
    everybody = [r["who"] for n in set(carriers) for r in queue.requests_of(settings, n, 2000)]
    assert sorted(everybody) == sorted(f"u-{n}" for n in range(1000))


def test_an_edit_goes_live_and_can_be_followed(settings: Settings, agent: Start) -> None:
    key = a_publication(settings)
    edit(settings, "UPDATE publications SET title = 'Anew' WHERE id = ?", key)
    record = f"publication:{key}"
    nightpress(settings, "rebuild", "--record", record, "--reason", "Wrong title")
    assert "waits" in where_is(settings, record).queue
    agent()
    done = ended(settings, 1)
    assert (done.state, done.release) == ("live", number_live(settings))
    assert {"sync", "build", "index", "check", "publish"} <= done.facts["seconds"].keys()
    found = where_is(settings, record)
    assert found.is_live
    assert found.change == "changed"
    assert found.release == done.release
    assert "live since" in nightpress(settings, "where", record)
    assert "went live" in nightpress(settings, "status")


def test_a_killed_agent_is_followed_by_one_that_begins_its_build_anew(
    settings: Settings, agent: Start
) -> None:
    first = agent()
    before = number_live(settings)
    edit(settings, "UPDATE publications SET title = 'Anew' WHERE id = ?", a_publication(settings))
    build = queue.ask(settings, "u-1", "All titles", full=True)
    wait_for(lambda: (found := queue.running(settings)) and found.pid)
    first.kill()
    assert number_live(settings) == before
    agent()  # takes the lease once the first has not been heard of
    assert ended(settings, build.id).state == "interrupted"
    following = build.id + 1
    assert ended(settings, following).state == "live"
    assert [r["who"] for r in queue.requests_of(settings, following)] == ["u-1"]
    assert len([f for f in (settings.output / "releases").iterdir() if "staged" in f.name]) == 0


def test_a_killed_build_is_told_and_the_next_one_is_whole(settings: Settings, agent: Start) -> None:
    import os
    import signal

    agent()
    edit(settings, "UPDATE publications SET title = 'Anew' WHERE id = ?", a_publication(settings))
    build = queue.ask(settings, "u-1", "All titles", full=True)
    wait_for(lambda: (found := queue.running(settings)) and found.pid)
    found = queue.running(settings)
    assert found is not None
    assert found.pid is not None
    os.killpg(found.pid, signal.SIGKILL)
    done = ended(settings, build.id)
    assert done.state == "failed"
    assert "killed" in done.message
    again = queue.ask(settings, "u-1", "Once more")
    assert ended(settings, again.id).state == "live"
    nightpress(settings, "check", "--full")
    mailed = [message_from_bytes(f.read_bytes()) for f in (settings.var / "mail").glob("*.eml")]
    subjects = sorted(str(m["Subject"]) for m in mailed)
    assert len(subjects) == 2
    assert "failed" in subjects[1] or "failed" in subjects[0]
    assert any("succeed again" in s for s in subjects)


def test_locked_publishing_keeps_the_live_site(settings: Settings, agent: Start) -> None:
    before = number_live(settings)
    lock_publishing(settings, "u-1", "Press conference")
    agent()
    edit(settings, "UPDATE publications SET title = 'Later' WHERE id = ?", a_publication(settings))
    build = queue.ask(settings, "u-2", "Try")
    assert ended(settings, build.id).state == "held"
    assert number_live(settings) == before
    assert "locked by u-1" in nightpress(settings, "publish", fails=True)
    assert unlock_publishing(settings, "u-1")
    nightpress(settings, "publish")
    assert number_live(settings) > before
    assert [line["action"] for line in audit_log(settings)][:2] == ["unlock", "rebuild"]


def test_what_a_guard_stopped_is_approved(settings: Settings, agent: Start) -> None:
    agent()
    edit(settings, "DELETE FROM publications WHERE id <> ?", a_publication(settings))
    build = queue.ask(settings, "u-1", "Clean up")
    assert ended(settings, build.id).state == "stopped"
    nightpress(settings, "diff")
    build = queue.ask(settings, "u-1", "It is meant so", accept=True)
    assert ended(settings, build.id).state == "live"


def test_a_waiting_build_is_cancelled_once(settings: Settings) -> None:
    build = queue.ask(settings, "u-1", "By mistake")
    assert queue.cancel(settings, "u-2", "Not needed").id == build.id
    with pytest.raises(NightpressError):
        queue.cancel(settings, "u-2", "")
    assert queue.claim(settings) is None


def test_a_request_needs_a_reason(settings: Settings) -> None:
    with pytest.raises(NightpressError, match="reason"):
        queue.ask(settings, "u-1", " \n ")


def test_another_machine_is_kept_out_until_its_lease_is_over(settings: Settings) -> None:
    file = settings.var / "job.lease"
    other = Lease(file, "nightly", seconds=1.0, host="the other node")
    assert other.take() is None
    with pytest.raises(SiteLocked, match="the other node"), lock(settings, "nightly"):
        pass
    other.release()
    with lock(settings, "nightly"):
        stranger = Lease(file, "nightly", host="the other node").take()
        assert stranger is not None
        # Somebody took it over while we were away: nothing may be published by us.
        file.unlink()
        assert Lease(file, "nightly", host="the other node").take() is None
        with pytest.raises(SiteLocked):
            check_held(settings)
    file.unlink()


def test_of_many_that_find_a_stale_lease_one_takes_it(tmp_path: Path) -> None:
    import os

    for round_ in range(30):
        file = tmp_path / f"{round_}.lease"
        dead = Lease(file, "dead", seconds=3600, host="a machine that is gone")
        assert dead._make()
        long_ago = time.time() - 7200
        os.utime(file, (long_ago, long_ago))
        ready = threading.Barrier(6)
        contenders = [Lease(file, f"{n}", seconds=3600, host=f"node {n}") for n in range(6)]

        def contend(lease: Lease, ready: threading.Barrier = ready) -> bool:
            ready.wait()
            return lease.take() is None

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(contend, contenders))
        assert sum(lease.is_held() for lease in contenders) == 1
        for lease in contenders:
            lease.release()


@pytest.mark.parametrize(
    ("was", "now", "in_a_row", "says"),
    [
        (False, True, 1, "failed; the live site"),
        (True, True, 2, ""),
        (True, True, 3, "3 builds in a row"),
        (True, True, 4, ""),
        (True, False, 0, "succeed again"),
        (False, False, 0, ""),
    ],
)
def test_mails_tell_changes_of_state_only(was: bool, now: bool, in_a_row: int, says: str) -> None:
    found = mails.what_to_say(was_broken=was, is_broken=now, in_a_row=in_a_row, again_after=3)
    assert (says in found) if says else found == ""


def test_a_withdrawal_is_undone_and_told(settings: Settings, tmp_path: Path) -> None:
    record = f"publication:{a_publication(settings)}"
    with pytest.raises(NightpressError, match="no record"):
        acts.withdraw(settings, "publication:mistyped", "withdrawn", "u-1", "Legal")
    assert acts.withdraw(settings, record, "legal", "u-1", "Patent pending")
    assert overlay.withdrawn(settings) == {record: "legal"}
    assert not acts.withdraw(settings, record, "legal", "u-1", "Patent pending")
    assert "Withdrawn" in nightpress(settings, "where", record)
    assert acts.bring_back(settings, record, "u-2", "Published")
    assert overlay.withdrawn(settings) == {}
    assert "Patent pending" in nightpress(settings, "audit")


def test_a_withdrawal_reaches_every_node_or_says_which_it_missed(
    settings: Settings, tmp_path: Path
) -> None:
    from dataclasses import replace

    node = tmp_path / "node"
    node.mkdir()
    record = f"publication:{a_publication(settings)}"
    both = replace(settings, live_folders=(str(node), str(tmp_path / "away")))
    with pytest.raises(NightpressError, match="away"):
        overlay.withdraw(both, record)
    for name in ("withdrawn.txt", "withdrawn.json"):
        here = (settings.var / "live" / name).read_bytes()
        assert record.split(":")[1].encode() in here or name == "withdrawn.txt"
        assert (node / name).read_bytes() == here
    (tmp_path / "away").mkdir()
    assert not overlay.withdraw(both, record)
    assert (tmp_path / "away/withdrawn.json").is_file()


def test_erased_records_leave_kept_releases(settings: Settings) -> None:
    key = a_publication(settings)
    record = f"publication:{key}"
    acts.withdraw(settings, record, "erased", "u-1", "Asked for")
    with pytest.raises(NightpressError, match="live release still holds"):
        acts.purge(settings, "u-1", "Asked for")
    edit(settings, "DELETE FROM publications WHERE id = ?", key)
    first = number_live(settings)
    nightpress(settings, "nightly", "--accept")
    assert first in [r.number for r in releases(settings)]
    assert acts.purge(settings, "u-1", "Asked for") == [first]
    assert [r.number for r in releases(settings)] == [number_live(settings)]
    nightpress(settings, "check", "--full")
