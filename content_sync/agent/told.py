"""What there is to say of the site and its builds: the same for the command and the pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from content_sync.agent import queue
from content_sync.agent.publishing import publishing_lock
from content_sync.agent.queue import Build
from content_sync.agent.runner import read_progress
from content_sync.lease import Lease, read_holder
from content_sync.operations.overlay import notice, withdrawn
from content_sync.settings import Settings
from content_sync.status import read_status

WORDS = {
    "pending": "waits",
    "running": "runs",
    "live": "went live",
    "unchanged": "nothing to do",
    "held": "ready, not live: publishing is locked",
    "stopped": "stopped by a guard",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "interrupted",
}


def read_facts(settings: Settings) -> dict[str, Any]:
    """Return the status: of the live release, then of agent, builds, overlay."""
    locked = publishing_lock(settings)
    running, pending = queue.running(settings), queue.pending(settings)
    last = queue.last_ended(settings)
    alive = running is not None and agent_of(settings) is not None
    return {
        **read_status(settings),
        "agent": agent_of(settings),
        "building": _words(running) if running else None,
        "waiting": _words(pending) if pending else None,
        "last_build": f"{_words(last)}, {last.finished}" if last else None,
        "last_message": last.message or None if last else None,
        "publishing": str(locked) if locked else "open",
        "withdrawn": len(withdrawn(settings)),
        "notice": notice(settings).text or None,
        "running": {**brief(settings, running), "progress": read_progress(settings)}
        if running and alive
        else None,
        "pending": brief(settings, pending) if pending else None,
        "last": brief(settings, last) if last else None,
    }


def agent_of(settings: Settings) -> str | None:
    """Return where the agent runs, or None if none has been heard of lately."""
    file = settings.var / "agent.lease"
    found = read_holder(file)
    if found is None or Lease(file, "").is_stale():
        return None
    return f"process {found.pid} on {found.host}, since {found.since}"


def brief(settings: Settings, build: Build) -> dict[str, Any]:
    """Return a build with who asked for it."""
    asked = queue.requests_of(settings, build.id, 20)
    facts = asdict(build)
    facts["words"] = WORDS[build.state]
    facts["seconds"] = facts.pop("facts").get("seconds", {})
    facts["requests"] = [{name: r[name] for name in ("who", "reason", "at")} for r in asked]
    return facts


def _words(build: Build) -> str:
    return f"build {build.id}: {WORDS[build.state]}"
