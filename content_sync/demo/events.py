"""Events of past and future, with agendas, speakers and registration."""

from __future__ import annotations

from content_sync.demo.database import Database
from content_sync.demo.grammar import Draw
from content_sync.demo.people import People
from content_sync.demo.works import Sample


def write_events(
    count: int,
    *,
    samples: dict[int, list[Sample]],
    people: People,
    database: Database,
    draw: Draw,
) -> None:
    return
