"""A child of the agent that has loaded the program and waits for its command.

Loading takes a second, a good part of what one record needs until it is live. The child reads
neither settings nor site before it has its command, so it does what one that starts then would
do. It leaves when its agent is gone.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_ENGINE = Path(__file__).resolve().parents[2]
_LOADED = (
    "content_sync.cli",
    "content_sync.fast_lane",
    "content_sync.indexing",
    "content_sync.nightly",
    "content_sync.pages.generator",
    "content_sync.release.switch",
    "content_sync.release.verify",
    "content_sync.source.session",
    "content_sync.sync.night",
    "search.index",
)
"""What a build of single records needs."""


class Waiting:
    """Starts the agent's builds in a folder: by a child that waits, or else by a new one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Have a child load the program, if none waits already.

        One that ended by itself is not tried again before a build has been started.
        """
        if self._child is None:
            self._child = start_child(self._folder, [__name__], stdin=subprocess.PIPE)

    def run(
        self, arguments: Sequence[str], log: Path, variables: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Run `nightpress` with these arguments, its output at the end of `log`."""
        child, self._child = self._child, None
        if child is not None and child.stdin is not None:
            order = {"arguments": list(arguments), "log": str(log), "variables": dict(variables)}
            with contextlib.suppress(OSError), child.stdin as stdin:
                stdin.write(json.dumps(order).encode() + b"\n")
                if child.poll() is None:
                    return child
            child.kill()
            child.wait()
        with log.open("ab") as output:
            command = ["content_sync.cli", *arguments]
            return start_child(self._folder, command, output=output, variables=variables)

    def close(self) -> None:
        """Let the child go that waits."""
        child, self._child = self._child, None
        if child is not None and child.stdin is not None:
            with contextlib.suppress(OSError):
                child.stdin.close()
            child.terminate()
            child.wait()


def start_child(
    folder: Path,
    command: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    output: IO[bytes] | int = subprocess.DEVNULL,
    variables: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a module of the program, with its arguments, in a session of its own."""
    path = os.pathsep.join(p for p in (str(_ENGINE), os.environ.get("PYTHONPATH", "")) if p)
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        bufsize=0,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **(variables or {})},
        start_new_session=True,
    )


def wait() -> None:
    """Load the program, read the command and run it."""
    # What cannot be loaded says so once more below, where somebody reads it.
    with contextlib.suppress(Exception):
        for name in _LOADED:
            importlib.import_module(name)
    line = sys.stdin.readline()
    if not line:
        return  # the agent is gone
    order = json.loads(line)
    os.environ.update(order["variables"])
    with open(order["log"], "ab") as log, open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.argv = ["nightpress", *order["arguments"]]
    from content_sync.cli import main

    main()


if __name__ == "__main__":
    wait()
