"""One build, run as a child process of the command that a person would type."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

from content_sync.agent import queue
from content_sync.agent.content import pull_content
from content_sync.agent.queue import Build
from content_sync.agent.waiting import Waiting, start_child
from content_sync.lock import holder
from content_sync.release.releases import live
from content_sync.settings import Settings

STOP_SECONDS = 20
LOGS_KEPT = 100


def run_build(settings: Settings, build: Build, stop: threading.Event, waiting: Waiting) -> str:
    """Run a build that was claimed to its end, by a child of `waiting`, and return its state.

    When `stop` is set, the child is ended and the state is "running": whoever starts next
    takes the queue up again.
    """
    log = log_of(settings, build.id)
    log.parent.mkdir(parents=True, exist_ok=True)
    progress = progress_file(settings)
    progress.unlink(missing_ok=True)
    command = ["nightly", "--site", str(settings.site)]
    command += [*(["--full"] if build.full else []), *(["--accept"] if build.accept else [])]
    for record in queue.records_of(settings, build):
        command += ["--record", record]
    if said := pull_content(settings):
        with log.open("ab") as output:
            output.write(f"{said}\n".encode())
    child = waiting.run(command, log, {"NIGHTPRESS_PROGRESS": str(progress)})
    queue.runs_as(settings, build, child.pid)
    while child.poll() is None:
        if stop.wait(0.2):
            _end(child)
            return "running"
    state, message, facts = _outcome(child.returncode, log, read_progress(settings))
    if state == "failed" and message.startswith("Another job works on this site"):
        # Somebody was quicker by hand: the requests wait for the end of that.
        queue.take_up(settings, "Another job had the site.")
        return "running"
    release = live(settings)
    queue.finish(
        *(settings, build, state),
        message=message,
        release=release.number if release and state == "live" else None,
        facts=facts,
    )
    _tidy(log.parent)
    return state


def make_spare(settings: Settings, stop: threading.Event) -> bool:
    """Have a copy of the live release made ready; return whether that succeeded."""
    child = start_child(settings.site, ["content_sync.cli", "spare", "--site", str(settings.site)])
    while child.poll() is None:
        if stop.wait(0.2):
            _end(child)
            return False
    return child.returncode == 0


def end_orphan(settings: Settings, build: Build) -> None:
    """End the child that an agent of this machine left when it was killed."""
    import socket

    who = holder(settings)
    if who is None or who.pid != build.pid or who.host != socket.gethostname():
        return
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(who.pid, signal.SIGKILL)
        else:
            os.kill(who.pid, signal.SIGTERM)


def log_of(settings: Settings, number: int) -> Path:
    """Return the file that holds all that a build said."""
    return settings.var / "agent" / "logs" / f"{number}.log"


def progress_file(settings: Settings) -> Path:
    return settings.var / "agent" / "progress.json"


def read_progress(settings: Settings) -> dict[str, Any]:
    """Return how far the running build is, or nothing."""
    try:
        found = json.loads(progress_file(settings).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _outcome(code: int, log: Path, told: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    facts = told.get("facts") or {"seconds": told.get("seconds", {})}
    if code == 0:
        if held := facts.get("held"):
            return "held", str(held), facts
        if facts.get("skipped"):
            return "unchanged", "Nothing had changed since the last release.", facts
        return "live", "", facts
    if code < 0:
        where = f" in step '{told['step']}'" if told.get("step") else ""
        return "failed", f"The build was killed (signal {-code}){where}.", facts
    lines = [
        line.removeprefix("nightpress: ")
        for line in log.read_text("utf-8", "replace").splitlines()
        if line.startswith("nightpress: ")
    ]
    message = lines[-1] if lines else f"Ended with exit code {code}; see the log."
    return ("stopped" if code == 3 else "failed"), message, facts


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)


def _tidy(folder: Path) -> None:
    for old in sorted(folder.glob("*.log"), key=lambda f: int(f.stem))[:-LOGS_KEPT]:
        old.unlink(missing_ok=True)
