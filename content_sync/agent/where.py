"""Where is my edit? What became of a change of one record, from the source to the live site."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from content_sync import snapshot
from content_sync.agent import queue
from content_sync.agent.store import rows
from content_sync.errors import NightpressError
from content_sync.operations.overlay import withdrawn
from content_sync.release.releases import live, releases
from content_sync.settings import Settings
from content_sync.urls import PLURALS, record_url


@dataclass(frozen=True, slots=True)
class Where:
    """What is known of a record's last change."""

    record: str
    url: str
    known: bool
    """Whether the snapshot holds the record."""
    change: str = ""
    """added, changed, gone; empty: not in the syncs that are remembered."""
    read: str = ""
    """When the change was read, UTC; it was made since `read_before`."""
    read_before: str = ""
    release: int | None = None
    """The first kept release that shows it."""
    live_since: str = ""
    is_live: bool = False
    queue: str = ""
    withdrawn: str = ""

    @property
    def says(self) -> str:
        """One line for people."""
        if self.withdrawn:
            return f"Withdrawn ({self.withdrawn}): its address answers 410."
        if not self.change:
            if not self.known:
                return f"No record {self.record} has been read from the source. {self.queue}"
            return f"No change of it has been read lately. {self.queue}"
        what = f"{self.change.capitalize()} in the source, read on {self.read} UTC"
        if self.is_live:
            return f"{what}; live since release {self.release}, built {self.live_since} UTC."
        return f"{what}; not live yet. {self.queue}"


def where_is(settings: Settings, record: str) -> Where:
    """Return what became of a record's last change. Raises NightpressError for no `type:id`."""
    kind, colon, key = record.partition(":")
    if not colon or kind not in PLURALS or not key:
        raise NightpressError(
            f"{record!r} names no record that has a page.",
            hint=f"Write it as type:id; the types are {', '.join(PLURALS)}.",
        )
    url = record_url(kind, key)
    gone = withdrawn(settings).get(record, "")
    with snapshot.open_snapshot(settings.snapshot) as connection:
        try:
            sql = f"SELECT 1 FROM {PLURALS[kind]} WHERE id = ?"  # noqa: S608
            known = connection.execute(sql, (key,)).fetchone() is not None
            found = _last_change(connection, kind, key)
        finally:
            connection.commit()
    connection.close()
    queued = _queued(settings, record)
    if found is None:
        return Where(record, url, known, queue=queued, withdrawn=gone)
    number, change, read, before = found
    current = live(settings)
    is_live = current is not None and int(current.info().get("sync") or 0) >= number
    shows = next((r for r in releases(settings) if int(r.info().get("sync") or 0) >= number), None)
    return Where(
        *(record, url, known, change, read[:16], before[:16]),
        release=shows.number if shows else None,
        live_since=str(shows.info().get("built", ""))[:16] if shows else "",
        is_live=is_live,
        queue="" if is_live else queued,
        withdrawn=gone,
    )


def _last_change(
    connection: sqlite3.Connection, kind: str, key: str
) -> tuple[int, str, str, str] | None:
    row = connection.execute(
        "SELECT c.sync, c.change, s.finished FROM changes AS c JOIN syncs AS s ON s.number = c.sync"
        " WHERE c.type = ? AND c.id = ? ORDER BY c.sync DESC LIMIT 1",
        (kind, key),
    ).fetchone()
    if row is None:
        return None
    before = connection.execute(
        "SELECT max(finished) FROM syncs WHERE number < ?", (row[0],)
    ).fetchone()[0]
    return int(row[0]), str(row[1]), str(row[2]), str(before or "")


def _queued(settings: Settings, record: str) -> str:
    running, pending = queue.running(settings), queue.pending(settings)
    if pending:
        mine = rows(
            settings, "SELECT 1 FROM requests WHERE build = ? AND record = ?", pending.id, record
        )
        place = "It was asked for: b" if mine else "B"
        return f"{place}uild {pending.id} waits{', after ' + str(running.id) if running else ''}."
    if running:
        return f"Build {running.id} runs; an edit after {running.started} needs another one."
    return "No build waits: the night brings it, or 'nightpress rebuild'."


def as_json(where: Where) -> str:
    """Return all of it for a program."""
    from dataclasses import asdict

    return json.dumps({**asdict(where), "says": where.says}, ensure_ascii=False)
