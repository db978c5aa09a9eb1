"""Processes that open strangers' files: one for each file, with nothing of ours in it.

Python and its parsers take half a second to start, and most of that is reading them. So on
Linux a process that holds nothing but the parsers waits beside the service and has never seen a
file: it forks the one that will. On Windows, which cannot fork, each starts anew.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, cast

from dynamic.cv.refusals import Refused
from dynamic.errors import Unavailable

SECONDS = 40
"""Seconds on the clock for one answer, however busy the machine is."""
FORKS = 500
"""Files after which the process that forks is replaced by a new one."""

_LONGEST_ANSWER = 2_000_000
_CAN_FORK = hasattr(os, "fork") and hasattr(socket, "recv_fds")
_PROGRAM = (
    "import sys; sys.dont_write_bytecode = True; sys.path[:0] = [sys.argv[1]];"
    "from dynamic.cv import child; child.{call}"
)


class Child:
    """The process that opens one file; it ends with the block, or by itself."""

    def __init__(self, file: Path, kind: str) -> None:
        self._file, self._kind = file, kind
        self._ends = contextlib.ExitStack()
        self._lines: IO[bytes] | None = None

    def __enter__(self) -> Child:
        try:
            self._lines = _forked(self._ends) if _CAN_FORK else _started(self._ends)
            self._say({"file": str(self._file.resolve()), "kind": self._kind})
        except OSError as error:
            self._ends.close()
            raise Unavailable(
                "Your file could not be looked at just now. Nothing of what you sent was kept."
                " Please try again in a few minutes.",
                retry_after=120,
            ) from error
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.close()

    def answer(self, question: str) -> dict[str, Any]:
        """Return what the child says; one that died of its limits had too much work."""
        assert self._lines
        try:
            self._say(question)
            answer: dict[str, Any] = json.loads(self._lines.readline(_LONGEST_ANSWER))
        except (OSError, ValueError) as error:
            raise Refused("too-complex") from error
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer

    def _say(self, words: object) -> None:
        assert self._lines
        self._lines.write(json.dumps(words).encode() + b"\n")
        self._lines.flush()


class _Forking:
    """The process that forks, started at the first file and again when it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._door: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._left = 0

    def connect(self) -> socket.socket:
        """Return a connection to a new child. Raises OSError if there is none."""
        with self._lock:
            for _ in range(2):
                if self._door is None or self._left == 0:
                    self._start()
                here, there = socket.socketpair()
                here.settimeout(SECONDS)
                try:
                    assert self._door
                    with there:
                        socket.send_fds(self._door, [b"+"], [there.fileno()])
                    if here.recv(1) == b"+":
                        self._left -= 1
                        return here
                except OSError:
                    pass  # it has ended, for want of work: start another
                here.close()
                self._stop()
        raise OSError("there is nobody to look at the file")

    def close(self) -> None:
        """End the process that forks, if there is one."""
        with self._lock:
            self._stop()

    def _start(self) -> None:
        self._stop()
        self._door, theirs = socket.socketpair()
        with theirs:
            self._process = _run("serve()", stdin=theirs.fileno(), stdout=subprocess.DEVNULL)
        self._left = FORKS

    def _stop(self) -> None:
        if self._door is not None:
            self._door.close()  # which it takes for the end
            self._door = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


_forking = _Forking()
atexit.register(_forking.close)


def _forked(ends: contextlib.ExitStack) -> IO[bytes]:
    # A child that is left alone ends by itself: of a closed connection, or of its alarm.
    connection = ends.enter_context(_forking.connect())
    lines = cast("IO[bytes]", connection.makefile("rwb"))
    ends.callback(_close, lines)
    return lines


def _started(ends: contextlib.ExitStack) -> IO[bytes]:
    process = _run("main()", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    ends.callback(process.wait)
    for pipe in (process.stdin, process.stdout):
        ends.callback(_close, pipe)
    ends.callback(process.kill)
    timer = threading.Timer(2 * SECONDS, process.kill)
    timer.start()
    ends.callback(timer.cancel)
    return cast("IO[bytes]", _Both(process.stdout, process.stdin))


class _Both:
    """Two pipes as one connection."""

    def __init__(self, reads: IO[bytes], writes: IO[bytes]) -> None:
        self.readline, self.write, self.flush = reads.readline, writes.write, writes.flush


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        pipe.close()


def _run(call: str, **pipes: Any) -> subprocess.Popen[bytes]:
    """Start a process anew and not by fork: nothing of ours is in its memory."""
    root = Path(__file__).resolve().parent.parent.parent
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _PROGRAM.format(call=call), str(root)],
        stderr=subprocess.DEVNULL,
        env=environment(),
        cwd=Path(sys.executable).parent,
        **pipes,
    )


def environment() -> dict[str, str]:
    """Return the environment of a child: none of our secrets."""
    if sys.platform != "win32":
        return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if name in os.environ}
