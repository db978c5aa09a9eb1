"""What a guard refused is kept, so that a person can look and land exactly that.

`var/refused.sqlite` is the staging file of the refused sync, with a digest of all that it
would change. `nightpress diff` notes the digest that it showed in `var/looked-at.json`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from content_sync import snapshot
from content_sync.errors import GuardRefused
from content_sync.records import VIEWS
from content_sync.settings import Settings
from content_sync.snapshot import COLUMNS
from content_sync.source.catalogue import SourceView, contract
from content_sync.sync import staging
from content_sync.sync.files import move_into_place, remove
from content_sync.sync.run import Run, ViewCounts


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused sync: when it was, upon which snapshot, and a digest of its differences."""

    at: str
    snapshot: str
    number: int
    digest: str
    facts: dict[str, Any]


def kept(settings: Settings) -> Path:
    """Return where the staging file of a refused sync is kept."""
    return settings.var / "refused.sqlite"


def note(connection: sqlite3.Connection, run: Run, why: str) -> None:
    """Write into the staging file what it takes to land it later."""
    last = snapshot.last_sync(connection)
    facts = {
        "at": run.started,
        "why": why,
        "snapshot": snapshot.read_meta(connection, "id") or "",
        "number": last.number if last else 0,
        "digest": digest_of(connection),
        "source": run.identity,
        "is_demo": run.is_demo,
        "floor": run.floor.hex() if run.floor else "",
        "windows": run.windows,
        "found": {
            name: {"types": found.types, "has_version": found.has_version}
            for name, found in run.found.items()
        },
        "counts": {name: asdict(counts) for name, counts in run.counts.items()},
    }
    connection.execute("INSERT INTO staging.meta VALUES ('refused', ?)", (json.dumps(facts),))


def keep(settings: Settings, work: Path) -> None:
    """Move the staging file of a refused sync to where it is kept."""
    remove(kept(settings))
    move_into_place(work, kept(settings))


def pending(settings: Settings) -> Refusal | None:
    """Return the refused sync, if there is one upon the snapshot as it is now."""
    path = kept(settings)
    if not path.is_file() or not settings.snapshot.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as one:
            facts = json.loads(snapshot.read_meta(one, "refused") or "null")
        with closing(sqlite3.connect(settings.snapshot)) as now:
            last = snapshot.last_sync(now)
            stands = (snapshot.read_meta(now, "id"), last.number if last else 0)
            is_current = snapshot.is_current(now)
    except (sqlite3.DatabaseError, ValueError):
        return None
    if not facts or not is_current or stands != (facts["snapshot"], facts["number"]):
        return None
    return Refusal(facts["at"], facts["snapshot"], facts["number"], facts["digest"], facts)


def forget(settings: Settings) -> None:
    """Remove what was kept of a refused sync."""
    remove(kept(settings))
    for name in ("refused.txt", "looked-at.json"):
        (settings.var / name).unlink(missing_ok=True)


def looked_at(settings: Settings, digest: str) -> None:
    """Note that a person was shown these differences."""
    (settings.var / "looked-at.json").write_text(json.dumps({"digest": digest}) + "\n", "utf-8")


def check_looked_at(settings: Settings, refusal: Refusal) -> None:
    """Raise GuardRefused if `nightpress diff` showed something else than was refused last."""
    try:
        seen = json.loads((settings.var / "looked-at.json").read_text("utf-8"))["digest"]
    except (OSError, ValueError, KeyError):
        return
    if seen != refusal.digest:
        raise GuardRefused(
            "The source has moved since 'nightpress diff' showed what was refused: the refused "
            f"sync of {refusal.at} is another one.",
            hint="Look again with 'nightpress diff', then 'nightpress sync --accept'.",
        )


def restore(refusal: Refusal, run: Run) -> None:
    """Give `run` what the refused sync knew of the source."""
    facts = refusal.facts
    run.identity, run.is_demo = facts["source"], facts["is_demo"]
    run.floor = bytes.fromhex(facts["floor"]) if facts["floor"] else None
    run.windows = facts["windows"]
    run.found = {
        name: SourceView(contract(name), f"web.{name}", {}, known["has_version"], known["types"])
        for name, known in facts["found"].items()
    }
    run.counts = {name: ViewCounts(**counts) for name, counts in facts["counts"].items()}


def digest_of(connection: sqlite3.Connection) -> str:
    """Return a digest of all that the staged rows would change in the snapshot."""
    digest = hashlib.blake2b(digest_size=16)
    for view in VIEWS:
        keys = ", ".join(f"d.{name}" for name in view.key)
        values = ", ".join(f"n.{name}" for name in COLUMNS[view.name][:-1])
        rows = connection.execute(
            f"""
            SELECT d.change, {keys}, {values} FROM staging.diff_{view.name} AS d
            LEFT JOIN staging.{view.name} AS n ON {staging.same_key(view, "n", "d")}
            ORDER BY d.change, {keys}
            """
        )
        for row in rows:
            digest.update(f"{view.name}{row!r}\n".encode())
    return digest.hexdigest()
