"""Events of past and future, with agendas, speakers and registration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from content_sync.demo.database import Database
from content_sync.demo.grammar import Draw
from content_sync.demo.people import GROUP, People
from content_sync.demo.plan import FIRST_YEAR, REFERENCE_DATE
from content_sync.demo.words import read_json
from content_sync.demo.works import Sample

_ANSWERS_KEPT_DAYS = 30
_ZONES = {
    "AU": "Australia/Sydney",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GR": "Europe/Athens",
    "IN": "Asia/Kolkata",
    "JP": "Asia/Tokyo",
    "NG": "Africa/Lagos",
    "NO": "Europe/Oslo",
    "PL": "Europe/Warsaw",
    "PT": "Europe/Lisbon",
}
_ONLINE_ZONE = "Europe/Berlin"
# Months, before and after the reference date, in which something went otherwise than planned.
_FATES = {(2027, 5): "postponed", (2026, 10): "cancelled", (2020, 3): "postponed"}


@dataclass(frozen=True, slots=True)
class _Edition:
    """One event of a series."""

    id: str
    starts_on: date
    series: dict[str, Any]


def write_events(
    count: int,
    *,
    samples: dict[int, list[Sample]],
    people: People,
    database: Database,
    draw: Draw,
) -> None:
    """Write `count` events, those to come and then the latest; none before the first year."""
    forms = {
        name: json.dumps(form, ensure_ascii=False) for name, form in read_json("forms.json").items()
    }
    for edition in _choose(count):
        _write_event(edition, forms, people, database)
        _write_agenda(edition, _talks(edition, samples, draw), people, database)


def _choose(count: int) -> list[_Edition]:
    editions: list[_Edition] = []
    series = read_json("events.json")
    for year in range(FIRST_YEAR, REFERENCE_DATE.year + 2):
        number = 0
        for one in series:
            if one["first"] <= year:
                number += 1
                starts_on = _weekday(date(year, one["month"], one["day"]))
                editions.append(_Edition(f"E-{year}-{number:02d}", starts_on, one))
    horizon = REFERENCE_DATE + timedelta(days=230)
    ahead = [e for e in editions if REFERENCE_DATE < e.starts_on < horizon]
    past = [e for e in editions if e.starts_on <= REFERENCE_DATE]
    ahead = ahead[: max(2, count * 5 // 12)]
    return past[-max(1, count - len(ahead)) :] + ahead


def _weekday(day: date) -> date:
    """Return the Tuesday of the week in which `day` falls."""
    return day + timedelta(days=1 - day.weekday())


def _write_event(
    edition: _Edition, forms: dict[str, str], people: People, database: Database
) -> None:
    series = edition.series
    start, end = edition.starts_on, edition.starts_on + timedelta(days=series["days"] - 1)
    first, last = series["agenda"][0], series["agenda"][-1]
    host, zone = "", _ONLINE_ZONE
    if series["host"] >= 0:
        place = people.place(series["host"])
        host, zone = place.name, _ZONES.get(place.country, _ONLINE_ZONE)
    status = _FATES.get((start.year, start.month), "planned")
    database.add(
        "events",
        (
            *(edition.id, series["title"].format(year=start.year), series["description"]),
            *(f"{start}T{first[1]}", f"{end}T{last[2] or last[1]}", zone),
            *(series["place"].format(host=host), status, series["capacity"]),
            f"{start - timedelta(days=95)}T09:00",
            f"{start - timedelta(days=11)}T18:00",
            *(forms[series["form"]], _ANSWERS_KEPT_DAYS, series["access"]),
        ),
    )
    for position, number in enumerate(series["organisers"], 1):
        organiser = people.person(number % people.count)
        database.add("event_organisers", (edition.id, organiser.id, position))


def _talks(edition: _Edition, samples: dict[int, list[Sample]], draw: Draw) -> list[Sample]:
    """Return works for the agenda: of that year or, early in a year, of the one before."""
    start = edition.starts_on
    year = start.year if start.month > 6 else start.year - 1
    while year > FIRST_YEAR and not samples.get(min(year, REFERENCE_DATE.year)):
        year -= 1
    works = list(samples.get(min(year, REFERENCE_DATE.year), ()))
    for i in range(len(works) - 1, 0, -1):
        j = int(draw() * (i + 1))
        works[i], works[j] = works[j], works[i]
    # The hand-written works come first: Python's sort keeps the order of the others.
    return sorted(works, key=lambda work: not work.is_featured)


def _write_agenda(
    edition: _Edition, talks: list[Sample], people: People, database: Database
) -> None:
    organisers = edition.series["organisers"]
    for number, entry in enumerate(edition.series["agenda"], 1):
        day = edition.starts_on + timedelta(days=entry[0])
        key = f"{edition.id}-S{number:02d}"
        title, room = entry[3], entry[4]
        speakers: list[int] = []
        if title == "talk":
            title = "Short talks"
            if talks:
                talk = talks.pop(0)
                title = talk.title
                speakers = talk.authors[: 1 + number % 2]
                database.add("session_publications", (key, talk.id))
        elif len(entry) > 5:
            chair = (organisers[0] + 3 * number + 1) % (2 * GROUP)
            speakers = [organisers[0] if entry[5] == "organiser" else chair]
        starts_at = f"{day}T{entry[1]}"
        ends_at = f"{day}T{entry[2]}" if entry[2] else None
        database.add("event_sessions", (key, edition.id, title, starts_at, ends_at, room, number))
        for position, speaker in enumerate(speakers, 1):
            person = people.person(speaker)
            known = speaker < people.count
            row = (key, position, person.id if known else None, person.printed)
            database.add("session_speakers", row)
