"""The agent itself: takes builds from the queue one by one, and begins the night on time."""

from __future__ import annotations

import contextlib
import logging
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from content_sync.agent import queue, runner
from content_sync.agent.mails import tell_staff
from content_sync.agent.store import rows
from content_sync.agent.waiting import Waiting
from content_sync.lease import SECONDS, Lease, read_holder
from content_sync.lock import holder
from content_sync.release.releases import live
from content_sync.release.spare import is_ready
from content_sync.settings import Settings

log = logging.getLogger("nightpress.agent")
SCHEDULE = "schedule"
"""Who asks for the builds of the night."""
_QUIET_SECONDS = 5.0
"""How long nothing is asked for before a child loads the program for what comes next."""


class Agent:
    """Runs builds in a thread of its own, while it holds the site's lease for agents.

    A second agent, here or on another machine that shares the folder, stands by: its pages and
    its queue work, and it takes over when the first has not been heard of for `lease_seconds`.
    """

    def __init__(
        self, settings: Settings, *, lease_seconds: float = SECONDS, schedule: bool = True
    ) -> None:
        self.settings = settings
        self._lease_seconds = lease_seconds
        self._schedule = schedule
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agent")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the running build, which the next agent begins anew, and leave."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            lease = Lease(self.settings.var / "agent.lease", "agent", seconds=self._lease_seconds)
            try:
                if lease.take() is not None:
                    self._stop.wait(min(1.0, self._lease_seconds / 4))
                    continue
                try:
                    self._work(lease)
                finally:
                    lease.release()
            except (OSError, sqlite3.Error) as error:
                # A full disk, a share that is away: the agent stays and tries again.
                log.error("The agent cannot work: %s", error)
                self._stop.wait(2)

    def _work(self, lease: Lease) -> None:
        if lost := queue.running(self.settings):
            runner.end_orphan(self.settings, lost)
        for build in queue.take_up(self.settings):
            log.warning("Build %s was interrupted; its requests are asked for again.", build.id)
        tried = 0
        quiet_from = time.monotonic() + _QUIET_SECONDS
        schedule = _scheduled(self.settings) if self._schedule else contextlib.nullcontext()
        with schedule, contextlib.closing(Waiting(self.settings.site)) as waiting:
            while not self._stop.wait(0.2):
                if not lease.is_held():
                    return
                if queue.pending(self.settings) is None:
                    tried = self._stand_ready(tried)
                    if time.monotonic() > quiet_from:
                        waiting.prepare()
                    continue
                if self._is_busy():
                    continue
                claimed = queue.claim(self.settings)
                if claimed is None:
                    continue
                before = queue.last_ended(self.settings)
                if runner.run_build(self.settings, claimed, self._stop, waiting) != "running":
                    tell_staff(self.settings, before, claimed.id)
                quiet_from = time.monotonic() + _QUIET_SECONDS

    def _stand_ready(self, tried: int) -> int:
        """Make a copy of the live release for single records, once for each release."""
        release = live(self.settings)
        if release is None or release.number == tried or self._is_busy():
            return tried
        if not is_ready(self.settings) and not runner.make_spare(self.settings, self._stop):
            log.warning("No copy of the live release stands ready; the next record takes longer.")
        return release.number

    def _is_busy(self) -> bool:
        """Whether somebody works on the site by hand: the queue waits."""
        if holder(self.settings) is not None:
            return True
        file = self.settings.var / "job.lease"
        other = read_holder(file)
        is_elsewhere = other is not None and other.host != socket.gethostname()
        return is_elsewhere and not Lease(file, "agent").is_stale()


@contextlib.contextmanager
def _scheduled(settings: Settings) -> Iterator[None]:
    """Ask for a build each night at NIGHTLY_AT, and at once for a night that was missed."""
    if not settings.nightly_at:
        yield
        return
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.cron import CronTrigger

    hour, minute = settings.nightly_at.split(":")
    scheduler: Any = BackgroundScheduler(timezone=settings.timezone)
    scheduler.add_job(
        ask_for_the_night,
        CronTrigger(hour=int(hour), minute=int(minute), timezone=settings.timezone),
        args=(settings,),
        coalesce=True,
        misfire_grace_time=None,
    )
    if missed_a_night(settings):
        queue.ask(settings, SCHEDULE, "The night was missed: no agent ran.")
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


def ask_for_the_night(settings: Settings) -> None:
    queue.ask(settings, SCHEDULE, "The night.")


def missed_a_night(settings: Settings, moment: datetime | None = None) -> bool:
    """Whether nights were asked for before, and none in the last day and an hour."""
    found = rows(settings, "SELECT max(at) AS at FROM requests WHERE who = ?", SCHEDULE)
    if not found or not found[0]["at"]:
        return False
    age = (moment or datetime.now(UTC)) - datetime.fromisoformat(found[0]["at"])
    return age > timedelta(hours=25)
