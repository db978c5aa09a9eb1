"""Child processes: their death is told with their last words, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from content_sync.operations.children import ChildDied, Children, free_port, listens

SLEEPER = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]


def wait_until_written(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 0


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_children_are_stopped_in_the_end(tmp_path: Path) -> None:
    with Children() as children:
        for number in range(2):
            log = tmp_path / f"{number}.log"
            child = children.start(f"Part {number}", SLEEPER, log=log)
            children.wait_for(child, lambda log=log: wait_until_written(log))  # type: ignore[misc]
        pids = [child.process.pid for child in children.running]
        assert all(map(is_alive, pids))
    assert not any(map(is_alive, pids))


def test_a_child_that_never_answers_is_told_with_its_last_lines(tmp_path: Path) -> None:
    program = "import sys; print('line one'); sys.exit('no such database')"
    with Children() as children:
        child = children.start("The part", [sys.executable, "-c", program], log=tmp_path / "log")
        with pytest.raises(ChildDied, match=r"(?s)The part ended with exit code 1.*no such datab"):
            children.wait_for(child, lambda: False)


def test_watching_tells_who_died_and_how(tmp_path: Path) -> None:
    with Children() as children:
        first = children.start("The first", SLEEPER, log=tmp_path / "first.log")
        second = children.start("The second", SLEEPER, log=tmp_path / "second.log")
        children.wait_for(second, lambda: wait_until_written(tmp_path / "second.log"))
        second.process.send_signal(signal.SIGKILL)
        with pytest.raises(ChildDied, match=r"(?s)The second ended with signal SIGKILL.*here"):
            children.watch()
        assert first.is_running()


def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys, time, signal;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    with Children() as children:
        child = children.start("The part", [sys.executable, "-c", program], log=log)
        children.wait_for(child, lambda: wait_until_written(log))
        grandchild = int(log.read_text())
        assert is_alive(grandchild)
    deadline = time.monotonic() + 10
    while _is_running(grandchild) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_running(grandchild)


def _is_running(pid: int) -> bool:
    """Whether a process lives; one that only waits to be counted does not."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(told.stdout.strip()) and "Z" not in told.stdout


def test_free_ports_are_free() -> None:
    assert not listens(free_port())
