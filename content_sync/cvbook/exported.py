"""Read what the service exports of CVs: who may be shown to whom, as of this moment."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from content_sync.cvbook.gate import digest_of, read_denied
from content_sync.errors import BuildError

FILE = "service-export.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cv:
    """One CV, as its owner let the service export it."""

    id: str
    name: str
    email: str
    person_id: str | None
    """Tied to the account by staff."""
    degree: str
    field: str
    graduation: str
    """2027-09."""
    topics: tuple[str, ...]
    availability: tuple[str, ...]
    available_from: str
    links: tuple[str, ...]
    companies: frozenset[str]
    """Those that may see it."""
    object: str
    """Name in the CV store."""
    kind: str
    sha256: str
    size: int
    pages: int | None
    uploaded: str


def read_cvs(var: Path, *, now: datetime | None = None) -> list[Cv] | None:
    """Return the CVs that somebody may see now, or None if the service exports none.

    A CV whose year is over is left out, and so is whatever stands in the list of the
    denied, which outranks the export. Raises BuildError if the export cannot be read.
    """
    file = var / FILE
    if not file.is_file():
        return None
    instant = (now or datetime.now(UTC)).isoformat()
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as source:
            source.row_factory = sqlite3.Row
            has_cvs = source.execute("SELECT 1 FROM sqlite_master WHERE name = 'cvs'").fetchone()
            rows = source.execute("SELECT * FROM cvs").fetchall() if has_cvs else None
    except sqlite3.Error as error:
        raise BuildError(
            f"{file} cannot be read: {error}.",
            hint="The service writes it; run 'nightpress cv tend' and try again.",
        ) from error
    if rows is None:
        return None
    denied = read_denied(var)
    found = []
    for row in rows:
        digest = digest_of(row["id"])
        if row["expires"] <= instant or denied.get((digest, "*")) == "withdrawn":
            continue
        readers = frozenset(
            company
            for company in json.loads(row["companies"])
            if denied.get((digest, company)) != "blocked"
        )
        if readers:
            found.append(_cv(row, readers))
    return sorted(found, key=lambda cv: (cv.name.casefold(), cv.id))


def _cv(row: sqlite3.Row, readers: frozenset[str]) -> Cv:
    return Cv(
        id=row["id"],
        name=row["name"],
        email=row["email"],
        person_id=row["person_id"],
        degree=row["degree"],
        field=row["field"],
        graduation=row["graduation"],
        topics=tuple(json.loads(row["topics"])),
        availability=tuple(json.loads(row["availability"])),
        available_from=row["available_from"],
        links=tuple(json.loads(row["links"])),
        companies=readers,
        object=row["object"],
        kind=row["kind"],
        sha256=row["sha256"],
        size=row["size"],
        pages=row["pages"],
        uploaded=row["uploaded"],
    )
