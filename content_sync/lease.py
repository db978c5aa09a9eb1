"""A lease on a folder that several machines may share: who holds it, and for how long.

The file names its holder and is touched while the holder lives. Its age is told by the file
server's own clock, so that machines need not agree on the time. Who was away for too long has
lost it, and finds out by `is_held` before doing anything that readers would see.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SECONDS = 30.0
"""A lease that was not renewed for so long is anyone's."""


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who holds a lease."""

    token: str
    job: str
    pid: int
    host: str
    since: str


class Lease:
    """One lease; `take` it, do the work, `release` it."""

    def __init__(self, file: Path, job: str, *, seconds: float = SECONDS, host: str = "") -> None:
        self.file = file
        self.seconds = seconds
        self.me = LeaseHolder(
            secrets.token_hex(8),
            job,
            os.getpid(),
            host or socket.gethostname(),
            datetime.now(UTC).isoformat(" ", "seconds"),
        )
        self._ended = threading.Event()
        self._renewing: threading.Thread | None = None

    def take(self, *, alone_here: bool = False) -> LeaseHolder | None:
        """Take the lease and renew it from now on; return its holder if that is another.

        `alone_here` says that nobody else on this machine can hold it: what a killed process
        of this machine left is then taken over at once.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(5):
            if self._make():
                self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
                self._renewing.start()
                return None
            other = read_holder(self.file)
            is_left = other is not None and other.host == self.me.host and alone_here
            if not is_left and not self.is_stale():
                return other or LeaseHolder("", "unknown", 0, "unknown", "unknown")
            self._put_away(other)
        return read_holder(self.file) or LeaseHolder("", "unknown", 0, "unknown", "unknown")

    def is_held(self) -> bool:
        """Tell whether the lease is still ours."""
        other = read_holder(self.file)
        return other is not None and other.token == self.me.token

    def release(self) -> None:
        """Give the lease back, if it is still ours."""
        self._ended.set()
        if self._renewing:
            self._renewing.join()
            self._renewing = None
        if self.is_held():
            self.file.unlink(missing_ok=True)

    def _make(self) -> bool:
        fresh = self.file.with_name(f"{self.file.name}.{self.me.token}")
        facts = (self.me.token, self.me.job, self.me.pid, self.me.host, self.me.since)
        fresh.write_text(json.dumps(facts), "utf-8")
        try:
            os.link(fresh, self.file)  # one step on every file system, shared ones too
        except FileExistsError:
            return False
        finally:
            fresh.unlink(missing_ok=True)
        return True

    def is_stale(self) -> bool:
        """Tell whether the file is older than the lease, by the clock of its file system."""
        probe = self.file.with_name(f"{self.file.name}.{self.me.token}.now")
        try:
            probe.write_bytes(b"")
            return probe.stat().st_mtime - self.file.stat().st_mtime > self.seconds
        except FileNotFoundError:
            return False
        finally:
            probe.unlink(missing_ok=True)

    def _put_away(self, stale: LeaseHolder | None) -> None:
        away = self.file.with_name(f"{self.file.name}.{self.me.token}.away")
        try:
            self.file.rename(away)
        except FileNotFoundError:
            return
        if read_holder(away) != stale:
            # Somebody else took it over in between: it is theirs.
            with contextlib.suppress(FileExistsError):
                os.link(away, self.file)
        away.unlink(missing_ok=True)

    def _renew(self) -> None:
        while not self._ended.wait(self.seconds / 4):
            with contextlib.suppress(OSError):
                if not self.is_held():
                    return
                os.utime(self.file)


def read_holder(file: Path) -> LeaseHolder | None:
    """Return who holds the lease, or None."""
    try:
        token, job, pid, host, since = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return LeaseHolder(str(token), str(job), int(pid), str(host), str(since))
