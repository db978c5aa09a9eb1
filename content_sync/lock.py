"""One job at a time on a site.

The lock is the operating system's on `var/job.lock`, so it dies with its process however that
ends. Who holds it stands in the file. A lease beside it, `var/job.lease`, keeps out other machines
that share the folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from content_sync.errors import NightpressError
from content_sync.lease import Lease, LeaseHolder
from content_sync.settings import Settings

if os.name == "nt":
    import msvcrt
else:
    import fcntl


class Holder(NamedTuple):
    """The process that works on a site."""

    job: str
    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"'{self.job}' (process {self.pid} on {self.host}, since {self.since})"


class SiteLocked(NightpressError):
    """Another job works on the site."""


@contextlib.contextmanager
def lock(settings: Settings, job: str, *, name: str = "job") -> Iterator[None]:
    """Hold the site's lock for the length of the block; another `name` is another lock.

    Raises SiteLocked, which names the holder, when another job has it.
    """
    file = (settings.var / f"{name}.lock").resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    with _in_this_process(file, job):
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        try:
            try:
                _seize(descriptor)
            except OSError as error:
                raise _refusal(_read(descriptor)) from error
            with _leased(file, job):
                _write(descriptor, _self(job))
                try:
                    yield
                finally:
                    _write(descriptor, None)
        finally:
            os.close(descriptor)


def check_held(settings: Settings) -> None:
    """Raise SiteLocked if another machine took the site over while this one was away."""
    lease = _leases.get((settings.var / "job.lock").resolve())
    if lease and not lease.is_held():
        raise SiteLocked(
            "This machine was away for so long that another one took the site over.",
            hint="Nothing was published by this run.",
        )


def holder(settings: Settings) -> Holder | None:
    """Return who works on the site, or None."""
    file = (settings.var / "job.lock").resolve()
    with _guard:
        # Opening and closing the file here would give up this process's own lock.
        if file in _held:
            return _held[file]
    try:
        descriptor = os.open(file, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
    try:
        _seize(descriptor)
    except OSError:
        return _read(descriptor) or Holder("unknown", 0, "unknown", "unknown")
    finally:
        os.close(descriptor)
    return None


# A lock of POSIX is one process's: a second one in the same process would succeed.
_held: dict[Path, Holder] = {}
_leases: dict[Path, Lease] = {}
_guard = threading.Lock()

# Windows forbids to read what is locked, so the locked byte lies far behind the text.
_PLACE = 1 << 30


@contextlib.contextmanager
def _in_this_process(file: Path, job: str) -> Iterator[None]:
    with _guard:
        if file in _held:
            raise _refusal(_held[file])
        _held[file] = _self(job)
    try:
        yield
    finally:
        with _guard:
            del _held[file]


@contextlib.contextmanager
def _leased(file: Path, job: str) -> Iterator[None]:
    """Keep other machines out that share the folder: the system's lock may not reach them."""
    lease = Lease(file.with_suffix(".lease"), job)
    # We hold this machine's own lock: what it left of a lease is of a process that was killed.
    other = lease.take(alone_here=True)
    if other:
        raise _refusal(_named(other))
    _leases[file] = lease
    try:
        yield
    finally:
        del _leases[file]
        lease.release()


def _named(other: LeaseHolder) -> Holder:
    return Holder(other.job, other.pid, other.host, other.since)


def _seize(descriptor: int) -> None:
    """Take the lock or raise OSError. A child made by fork does not hold it with us."""
    if os.name == "nt":
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _PLACE)


def _self(job: str) -> Holder:
    return Holder(
        job, os.getpid(), socket.gethostname(), datetime.now(UTC).isoformat(" ", "seconds")
    )


def _refusal(other: Holder | None) -> SiteLocked:
    return SiteLocked(
        f"Another job works on this site: {other or 'unknown'}.",
        hint="Wait until it has ended, or end it, and try again.",
    )


def _write(descriptor: int, who: Holder | None) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.ftruncate(descriptor, 0)
    if who:
        os.write(descriptor, json.dumps(who).encode())


def _read(descriptor: int) -> Holder | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        job, pid, host, since = json.loads(os.read(descriptor, 4096))
    except ValueError:
        return None
    return Holder(str(job), int(pid), str(host), str(since))
