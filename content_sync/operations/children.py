"""Child processes of the stack: started one after the other, watched, stopped in reverse.

They end with their parent. Where it is killed and cannot stop them, Linux does: each child is
started through `setpriv --pdeathsig` (util-linux, part of every Debian), which asks the kernel
for SIGTERM in that moment and then becomes the child. On other systems what a killed parent
leaves must be ended by hand.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from content_sync.errors import NightpressError

START_SECONDS = 120.0
"""How long a child may take until it answers."""
STOP_SECONDS = 10.0
"""How long a child may take to end before it is killed."""
_PORTS = range(12_000, 32_000)
_LAST_LINES = 12


class ChildDied(NightpressError):
    """A part of the stack ended on its own, or never came to answer."""

    @classmethod
    def told(cls, what: str, log: Path) -> ChildDied:
        """Return the failure with the last lines of the part's log."""
        lines = "".join(f"\n    {line}" for line in last_lines(log))
        return cls(f"{what}. The last lines of {log}:{lines}")


class Child:
    """One running process of the stack."""

    def __init__(self, title: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.title = title
        self.process = process
        self.log = log

    def is_running(self) -> bool:
        return self.process.poll() is None

    def failure(self) -> ChildDied:
        """Return what to tell of a child that ended: how, and its last words."""
        code = self.process.poll()
        how = "does not answer" if code is None else f"ended with {_status(code)}"
        return ChildDied.told(f"{self.title} {how}", self.log)

    def stop(self) -> None:
        """End the process and all that it started, politely at first."""
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if hasattr(os, "killpg"):
            # What is left of its group, if it could not clean up itself.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Children:
    """The processes of one stack; leaving the block stops them all, the last one first."""

    def __init__(self) -> None:
        self.running: list[Child] = []

    def start(
        self,
        title: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Child:
        """Start a process whose output goes to `log`; it need not answer yet."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*_ends_with_us(), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                start_new_session=True,  # Ctrl+C is ours: they are stopped in order
            )
        child = Child(title, process, log)
        self.running.append(child)
        return child

    def wait_for(self, child: Child, ready: Callable[[], bool]) -> None:
        """Wait until `ready`. Raises ChildDied when the child ends first or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if not child.is_running() or time.monotonic() > deadline:
                raise child.failure()
            time.sleep(0.03)

    def watch(self) -> None:
        """Wait until one of them ends. Raises ChildDied, which says which and why."""
        while True:
            for child in self.running:
                if not child.is_running():
                    raise child.failure()
            time.sleep(0.3)

    def stop(self) -> None:
        while self.running:
            self.running.pop().stop()

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def last_lines(log: Path) -> list[str]:
    """Return the last lines of a log, few enough to show."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8000))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-_LAST_LINES:]


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port that nobody used a moment ago.

    It lies below those that systems give to outgoing connections: the kernel's own choice could be
    given to one of them before the child that it is for listens there.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((address, port))
            return port


def listens(port: int, address: str = "127.0.0.1") -> bool:
    """Whether somebody accepts connections at a port."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


@functools.cache
def _ends_with_us() -> tuple[str, ...]:
    """The words before a command that make it end when we do; none where that is not to be had."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return ()
    words = (setpriv, "--pdeathsig", "TERM", "--")
    tried = subprocess.run([*words, "true"], capture_output=True)  # BusyBox's knows it not
    return words if tried.returncode == 0 else ()


def _status(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
