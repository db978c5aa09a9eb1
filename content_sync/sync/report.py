"""What a sync asked the source for, written where `nightpress source report` finds it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from content_sync.errors import NightpressError
from content_sync.settings import Settings
from content_sync.source.session import Session
from content_sync.source.statements import write_log
from content_sync.sync.run import now


@dataclass(slots=True)
class Told:
    """What the report should say beside what the session knows."""

    number: int | None = None


def report_file(settings: Settings) -> Path:
    """Return where the report of the last sync is."""
    return settings.var / "source-report.json"


@contextmanager
def written(settings: Settings, session: Session) -> Iterator[Told]:
    """Write the report when the block ends, however it ends."""
    began, started = time.monotonic(), now()
    told = Told()
    result = "It was interrupted."
    try:
        yield told
        result = "It landed."
    except NightpressError as error:
        result = f"It did not land: {error}"
        raise
    finally:
        session.finish()
        source = session.opened
        facts = {
            "version": 1,
            "started": started,
            "seconds": round(time.monotonic() - began, 2),
            "result": result,
            "sync": told.number,
            "source": source.name if source else "",
            "dialect": str(source.dialect) if source else "",
            "limits": {
                "login": settings.source_login_seconds,
                "lock": settings.source_lock_seconds,
                "query": settings.source_query_seconds,
            },
            "notes": session.notes,
            **session.log.as_facts(),
        }
        if session.log.connections:
            with suppress(OSError):  # a full disk, which the sync itself tells of
                write_log(report_file(settings), facts)
