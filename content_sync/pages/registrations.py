"""What the service tells the build of registrations: places taken, and who agreed to be listed.

It is read from `var/service-export.sqlite`, which the service writes whole (see
`dynamic/registration/for_build.py`). Without it, or if it cannot be read, pages show no
places and nobody's name.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

FILE = "service-export.sqlite"

log = logging.getLogger(__name__)

Registrations = dict[str, Any]
"""`places`: event id → [taken, waiting, capacity, since].
`participants`: event id → [[name, affiliation], …]."""

_PLACES = "SELECT event_id, confirmed, waiting, capacity, since FROM places ORDER BY event_id"
_PARTICIPANTS = "SELECT event_id, name, affiliation FROM participants"


def read_registrations(var: Path) -> Registrations:
    """Return places and listed participants of all events, as of the service's last export."""
    file = var / FILE
    if not file.is_file():
        return {"places": {}, "participants": {}}
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as export:
            places = {row[0]: list(row[1:]) for row in export.execute(_PLACES)}
            participants: dict[str, list[list[str]]] = {}
            for event_id, name, affiliation in export.execute(_PARTICIPANTS):
                participants.setdefault(event_id, []).append([name, affiliation])
    except sqlite3.Error as error:
        log.warning("%s cannot be read (%s): pages name no participants.", file, error)
        return {"places": {}, "participants": {}}
    for people in participants.values():
        people.sort(key=lambda person: (person[0].casefold(), person))
    return {"places": places, "participants": participants}


def digest_of_registrations(registrations: Registrations) -> str:
    """Return what tells one state of registrations from another."""
    content = orjson.dumps(registrations, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=16).hexdigest()
