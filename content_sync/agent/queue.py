"""Builds that are asked for: one runs, one waits, and further requests join the one that waits.

States: pending, running; then live (a release was published), unchanged (nothing to do), held
(built, but publishing is locked), stopped (a guard refused; a person must look), failed,
cancelled, interrupted (the agent or its machine died; its requests went to the next build).
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from content_sync.agent.store import note, now, rows, writing
from content_sync.errors import NightpressError
from content_sync.settings import Settings

LONGEST_REASON = 500
QUIET = timedelta(seconds=0.4)
"""A build begins when nobody has asked for so long …"""
LONGEST_WAIT = timedelta(seconds=30)
"""… or when the first has waited for so long."""


@dataclass(frozen=True, slots=True)
class Build:
    """One build, asked for, running or over."""

    id: int
    state: str
    full: bool
    accept: bool
    asked: str
    started: str | None
    finished: str | None
    pid: int | None
    release: int | None
    message: str
    facts: dict[str, Any] = field(default_factory=dict)


def ask(
    settings: Settings,
    who: str,
    reason: str,
    *,
    full: bool = False,
    record: str = "",
    accept: bool = False,
) -> Build:
    """Ask for a build and return the one that carries the request.

    It joins the build that waits, or makes one: a build that runs has read the source already.
    Raises NightpressError without a reason.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise NightpressError("A rebuild needs a reason.", hint="Say why with --reason.")
    with writing(settings) as connection:
        waiting = connection.execute("SELECT id FROM builds WHERE state = 'pending'").fetchone()
        if waiting:
            number = int(waiting["id"])
        else:
            done = connection.execute(
                "INSERT INTO builds (state, asked) VALUES ('pending', ?)", (now(),)
            )
            number = int(done.lastrowid or 0)
        connection.execute(
            "UPDATE builds SET full = max(full, ?), accept = max(accept, ?) WHERE id = ?",
            (full, accept, number),
        )
        connection.execute(
            "INSERT INTO requests (build, at, who, reason, full, record) VALUES (?, ?, ?, ?, ?, ?)",
            (number, now(), who, reason, full, record),
        )
        what = f"build {number}" + (", full" if full else "") + (f", {record}" if record else "")
        note(connection, who, "approve" if accept else "rebuild", what, reason)
        return _build(connection.execute("SELECT * FROM builds WHERE id = ?", (number,)).fetchone())


def claim(settings: Settings) -> Build | None:
    """Begin the build that waits and return it; None if none does, or another runs."""
    with writing(settings) as connection:
        if connection.execute("SELECT 1 FROM builds WHERE state = 'running'").fetchone():
            return None
        if _is_still_joined(connection):
            return None
        found = connection.execute(
            "UPDATE builds SET state = 'running', started = ? WHERE state = 'pending' RETURNING *",
            (now(),),
        ).fetchone()
        return _build(found) if found else None


def _is_still_joined(connection: sqlite3.Connection) -> bool:
    """Whether requests are coming in just now: they shall not need a build more."""
    found = connection.execute(
        "SELECT b.asked, max(r.at) AS newest FROM builds AS b JOIN requests AS r ON r.build = b.id"
        " WHERE b.state = 'pending' GROUP BY b.id"
    ).fetchone()
    if found is None:
        return False
    moment = datetime.now(UTC)
    quiet = moment - datetime.fromisoformat(found["newest"])
    waited = moment - datetime.fromisoformat(found["asked"])
    return quiet < QUIET and waited < LONGEST_WAIT


def runs_as(settings: Settings, build: Build, pid: int) -> None:
    """Note the process that runs a build, for whoever has to clean up."""
    with writing(settings) as connection:
        connection.execute("UPDATE builds SET pid = ? WHERE id = ?", (pid, build.id))


def finish(
    settings: Settings,
    build: Build,
    state: str,
    *,
    message: str = "",
    release: int | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Note how a build ended."""
    with writing(settings) as connection:
        connection.execute(
            "UPDATE builds SET state = ?, finished = ?, message = ?, release = ?, facts = ?"
            " WHERE id = ? AND state = 'running'",
            (state, now(), message, release, json.dumps(facts or {}), build.id),
        )


def cancel(settings: Settings, who: str, reason: str) -> Build:
    """Cancel the build that waits and return it. Raises NightpressError if none does."""
    with writing(settings) as connection:
        found = connection.execute(
            "UPDATE builds SET state = 'cancelled', finished = ?, message = ?"
            " WHERE state = 'pending' RETURNING *",
            (now(), f"Cancelled by {who}" + (f": {reason}" if reason else "")),
        ).fetchone()
        if found is None:
            raise NightpressError("No build waits; one that runs cannot be cancelled.")
        note(connection, who, "cancel", f"build {found['id']}", reason)
        return _build(found)


def take_up(
    settings: Settings, why: str = "The agent or its machine stopped in mid-build."
) -> list[Build]:
    """Give up builds whose agent died, and put what they carried back into the queue.

    Only the agent that holds the lease calls this. Returns the builds that were given up.
    """
    with writing(settings) as connection:
        lost = connection.execute("SELECT * FROM builds WHERE state = 'running'").fetchall()
        for row in lost:
            connection.execute(
                "UPDATE builds SET state = 'interrupted', finished = ?, message = ? WHERE id = ?",
                (now(), why, row["id"]),
            )
            _carry_on(connection, row)
        return [_build(row) for row in lost]


def running(settings: Settings) -> Build | None:
    """Return the build that runs, or None."""
    return _first(settings, "SELECT * FROM builds WHERE state = 'running'")


def pending(settings: Settings) -> Build | None:
    """Return the build that waits, or None."""
    return _first(settings, "SELECT * FROM builds WHERE state = 'pending'")


def build_of(settings: Settings, number: int) -> Build | None:
    """Return one build, or None."""
    return _first(settings, "SELECT * FROM builds WHERE id = ?", number)


def last_ended(settings: Settings) -> Build | None:
    """Return the last build that came to an end of its own."""
    return _first(
        settings,
        "SELECT * FROM builds WHERE state IN ('live', 'unchanged', 'held', 'stopped', 'failed')"
        " ORDER BY id DESC LIMIT 1",
    )


def builds(settings: Settings, most: int = 60) -> list[Build]:
    """Return the builds, the newest first."""
    found = rows(settings, "SELECT * FROM builds ORDER BY id DESC LIMIT ?", most)
    return [_build(row) for row in found]


def requests_of(settings: Settings, build: int, most: int = 200) -> list[dict[str, Any]]:
    """Return who asked for a build, and why."""
    found = rows(
        settings, "SELECT * FROM requests WHERE build = ? ORDER BY id LIMIT ?", build, most
    )
    return [dict(row) for row in found]


def records_of(settings: Settings, build: Build) -> tuple[str, ...]:
    """Return the records that a build is for, if it is for these alone; else nothing."""
    if build.full or build.accept:
        return ()
    found = rows(settings, "SELECT DISTINCT record FROM requests WHERE build = ?", build.id)
    records = tuple(sorted(row["record"] for row in found))
    return records if all(records) else ()


def _carry_on(connection: sqlite3.Connection, lost: sqlite3.Row) -> None:
    waiting = connection.execute("SELECT id FROM builds WHERE state = 'pending'").fetchone()
    number = (
        waiting["id"]
        if waiting
        else connection.execute(
            "INSERT INTO builds (state, asked) VALUES ('pending', ?)", (lost["asked"],)
        ).lastrowid
    )
    connection.execute(
        "UPDATE builds SET full = max(full, ?), accept = max(accept, ?) WHERE id = ?",
        (lost["full"], lost["accept"], number),
    )
    connection.execute("UPDATE requests SET build = ? WHERE build = ?", (number, lost["id"]))


def _first(settings: Settings, sql: str, *values: object) -> Build | None:
    found = rows(settings, sql, *values)
    return _build(found[0]) if found else None


def _build(row: sqlite3.Row) -> Build:
    return Build(
        id=row["id"],
        state=row["state"],
        full=bool(row["full"]),
        accept=bool(row["accept"]),
        asked=row["asked"],
        started=row["started"],
        finished=row["finished"],
        pid=row["pid"],
        release=row["release"],
        message=row["message"],
        facts=json.loads(row["facts"]),
    )
