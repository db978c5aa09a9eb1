"""The lock on publishing: builds go on, the live site stays as it is."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

from content_sync.agent.store import audit, now
from content_sync.errors import GuardRefused, NightpressError
from content_sync.settings import Settings

_FILE = "publishing-locked.json"


@dataclass(frozen=True, slots=True)
class PublishingLock:
    """Who locked publishing, when and why."""

    who: str
    since: str
    reason: str

    def __str__(self) -> str:
        return f"Publishing is locked by {self.who} since {self.since}: {self.reason}"


def publishing_lock(settings: Settings) -> PublishingLock | None:
    """Return the lock, or None. A file that cannot be read locks, too."""
    file = settings.var / _FILE
    try:
        who, since, reason = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return PublishingLock("unknown", "unknown", f"{file} cannot be read")
    return PublishingLock(str(who), str(since), str(reason))


def check_may_publish(settings: Settings) -> None:
    """Raise GuardRefused while publishing is locked."""
    found = publishing_lock(settings)
    if found:
        raise GuardRefused(f"{found}.", hint="'nightpress unlock' ends that.")


def lock_publishing(settings: Settings, who: str, reason: str) -> None:
    """Keep the live site as it is until it is unlocked. Raises NightpressError without reason."""
    if not reason.strip():
        raise NightpressError("A lock needs a reason.", hint="Say why with --reason.")
    settings.var.mkdir(parents=True, exist_ok=True)
    fresh = settings.var / f"{_FILE}.new"
    fresh.write_text(json.dumps((who, now(), " ".join(reason.split()))), "utf-8")
    fresh.replace(settings.var / _FILE)
    audit(settings, who, "lock", "publishing", reason)


def unlock_publishing(settings: Settings, who: str, reason: str = "") -> bool:
    """Let builds go live again; return whether that was locked."""
    was = publishing_lock(settings) is not None
    with contextlib.suppress(FileNotFoundError):
        (settings.var / _FILE).unlink()
    if was:
        audit(settings, who, "unlock", "publishing", reason)
    return was
