"""What the nightly build may show of registrations: consented names, and places taken.

    participants(event_id, name, affiliation)           agreed to be listed, and have a place
    places(event_id, confirmed, waiting, capacity, since)

`confirmed` counts the places that are held, offers included; `since` is the day on which a
count last changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from dynamic.database import db
from dynamic.registration.models import Desk, Registration
from dynamic.registration.places import held, waiting
from dynamic.registration.states import State
from dynamic.registration.words import iso_day
from dynamic.service_export import TABLES, Table


def _participants() -> Iterator[tuple[object, ...]]:
    found = select(Registration.event_id, Registration.name, Registration.affiliation).where(
        Registration.listed,
        Registration.state.in_([State.CONFIRMED.value, State.ATTENDED.value]),
    )
    rows = {(row[0], row[1], row[2]) for row in db.session.execute(found)}
    yield from sorted(rows)


def _places() -> Iterator[tuple[object, ...]]:
    desks = db.session.scalars(select(Desk).order_by(Desk.event_id))
    for desk in list(desks):
        event_id = desk.event_id
        yield event_id, held(event_id), waiting(event_id), desk.capacity, iso_day(desk.changed)


TABLES["participants"] = Table(
    ("event_id TEXT NOT NULL", "name TEXT NOT NULL", "affiliation TEXT NOT NULL"), _participants
)
TABLES["places"] = Table(
    (
        "event_id TEXT NOT NULL PRIMARY KEY",
        "confirmed INTEGER NOT NULL",
        "waiting INTEGER NOT NULL",
        "capacity INTEGER",
        "since TEXT NOT NULL",
    ),
    _places,
)
