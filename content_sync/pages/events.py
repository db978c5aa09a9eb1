"""What an event's page shows: when and where, registration, agenda with linked works."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from content_sync.pages.access import AUDIENCES, ROOT, effective, visible
from content_sync.pages.calendars import calendar_file
from content_sync.pages.maths import with_mathml
from content_sync.pages.model import Context, Made, Page
from content_sync.pages.people import full_name
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import (
    counted,
    iso_in_words,
    moment_in_words,
    paragraphs,
    span_in_words,
    summary,
    time_in_words,
    title_length,
    weekday_in_words,
)
from content_sync.records import Access, EventStatus
from content_sync.urls import record_url, slug

_EVENTS = "SELECT * FROM events e WHERE e.id IN :ids ORDER BY e.id"

_ORGANISERS = """
SELECT o.event_id, p.id, p.given_name, p.family_name
FROM event_organisers o JOIN people p ON p.id = o.person_id
WHERE o.event_id IN :ids ORDER BY o.position, p.sort_name, p.id"""

_SESSIONS = """
SELECT event_id, id, title, starts_at, ends_at, place FROM event_sessions
WHERE event_id IN :ids ORDER BY starts_at IS NULL, starts_at, position, id"""

_SPEAKERS = """
SELECT s.session_id, p.id AS person_id, s.name
FROM session_speakers s LEFT JOIN people p ON p.id = s.person_id
WHERE s.session_id IN :ids ORDER BY s.position"""

_WORKS = """
SELECT s.session_id, p.id, p.title, p.access, p.public_on
FROM session_publications s JOIN publications p ON p.id = s.publication_id
WHERE s.session_id IN :ids AND p.status <> 'withdrawn' ORDER BY p.title, p.id"""


def make_events(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the pages and the document of each event."""
    organisers = reader.grouped(_ORGANISERS, ids)
    sessions = reader.grouped(_SESSIONS, ids)
    session_ids = [s["id"] for group in sessions.values() for s in group]
    speakers = reader.grouped(_SPEAKERS, session_ids)
    works = reader.grouped(_WORKS, session_ids)
    for row in reader.rows(_EVENTS, ids):
        made = Made()
        agenda = sessions[row["id"]]
        members_only = any(
            effective(w["access"], w["public_on"], reader.today) == Access.MEMBERS
            for s in agenda
            for w in works[s["id"]]
        )
        for audience in AUDIENCES:
            if not visible(row["access"], audience):
                continue
            participants = _participants(reader, row) if audience == "members" else []
            same_for_all = row["access"] == Access.PUBLIC and not members_only
            if audience == "members" and same_for_all and not participants:
                continue
            shown = {
                s["id"]: [
                    w
                    for w in works[s["id"]]
                    if visible(effective(w["access"], w["public_on"], reader.today), audience)
                ]
                for s in agenda
            }
            made.pages.append(
                _page(
                    reader,
                    row,
                    audience,
                    organisers[row["id"]],
                    agenda,
                    speakers,
                    shown,
                    participants,
                )
            )
            siteurl = reader.shared.get("siteurl", "")
            if reader.makes("machines") and (
                file := calendar_file(row, audience, siteurl, reader.today)
            ):
                made.files.append(file)
        document = {
            "id": f"event:{row['id']}",
            "type": "event",
            "url": record_url("event", row["id"]),
            "title": row["title"],
            "people": list(dict.fromkeys(p["name"] for s in agenda for p in speakers[s["id"]])),
            "year": int(row["starts_at"][:4]) if row["starts_at"] else None,
            "date": row["starts_at"][:10] if row["starts_at"] else None,
            "venue": row["place"],
            "abstract": row["description"],
            "access": row["access"],
            "status": "current",
        }
        audience = "public" if row["access"] == Access.PUBLIC else "members"
        made.documents.append((audience, {k: v for k, v in document.items() if v}))
        yield row["id"], made


def is_past(row: Row, today: str) -> bool:
    """Tell whether the last day of an event lies before `today`."""
    last = row["ends_at"] or row["starts_at"]
    return bool(last) and last[:10] < today


def _page(
    reader: Reader,
    row: Row,
    audience: str,
    organisers: list[Row],
    agenda: list[Row],
    speakers: dict[str, list[Row]],
    works: dict[str, list[Row]],
    participants: list[Context],
) -> Page:
    root = ROOT[audience]
    days: list[Context] = []
    undated = "Sessions" if is_past(row, reader.today) else "Time to be announced"
    for day, group in groupby(agenda, lambda s: (s["starts_at"] or "")[:10]):
        days.append(
            {
                "heading": weekday_in_words(day) if day else undated,
                "iso": day,
                "sessions": [_session(s, speakers[s["id"]], works[s["id"]], root) for s in group],
            }
        )
    event: Context = {
        "id": row["id"],
        "title": row["title"],
        "long": title_length(row["title"]),
        "when": span_in_words(row["starts_at"], row["ends_at"]),
        "starts": row["starts_at"],
        "ends": row["ends_at"],
        "place": row["place"],
        "timezone": row["timezone"],
        "status": row["status"],
        "banner": {"kind": row["status"], "word": row["status"].capitalize()}
        if row["status"] != EventStatus.PLANNED
        else None,
        "description": paragraphs(row["description"]),
        "capacity": row["capacity"],
        "registration": _registration(row, reader.today),
        "organisers": [
            {"name": full_name(p), "href": root + record_url("person", p["id"])} for p in organisers
        ],
        "days": days,
        "past": is_past(row, reader.today),
        "calendar": f"{root}/events/{slug(row['id'])}.ics"
        if row["starts_at"] and reader.makes("machines")
        else "",
        "places": _places(reader, row),
        "participants": participants,
    }
    return Page(
        url=record_url("event", row["id"]),
        audience=audience,
        template="event.html",
        context={
            "section": "events",
            "title": row["title"],
            "description": summary(row["description"]) or event["when"],
            "noindex": False,
            "event": event,
        },
        records=tuple(
            [f"event:{row['id']}"]
            + [f"person:{p['id']}" for p in organisers]
            + [
                f"person:{p['person_id']}"
                for s in agenda
                for p in speakers[s["id"]]
                if p["person_id"]
            ]
            + [f"publication:{w['id']}" for s in agenda for w in works[s["id"]]]
        ),
    )


def _session(session: Row, speakers: list[Row], works: list[Row], root: str) -> Context:
    return {
        "time": time_in_words(session["starts_at"]),
        "title": with_mathml(session["title"]),
        "place": session["place"],
        "speakers": [
            {
                "name": p["name"],
                "href": root + record_url("person", p["person_id"]) if p["person_id"] else "",
            }
            for p in speakers
        ],
        "works": [
            {"title": with_mathml(w["title"]), "href": root + record_url("publication", w["id"])}
            for w in works
        ],
    }


def _registration(row: Row, today: str) -> Context:
    """Return when one can register, and where while one can by the dates of the record.

    The hour is for the service to watch; the link is there from the first day to the last.
    """
    opens, closes = row["registration_opens_at"], row["registration_closes_at"]
    href = ""
    if row["status"] == EventStatus.CANCELLED or not (opens or closes):
        state = ""
    elif row["status"] == EventStatus.POSTPONED:
        state = "closed until the new date is known"
    elif opens and opens[:10] > today:
        state = f"opens {moment_in_words(opens)}"
    elif closes and closes[:10] < today:
        state = "closed"
    else:
        state = f"open until {moment_in_words(closes)}" if closes else "open"
        if row["status"] == EventStatus.PLANNED and not is_past(row, today):
            href = f"/services/events/{slug(row['id'])}/register"
    return {
        "opens": iso_in_words(opens),
        "closes": iso_in_words(closes),
        "state": state,
        "href": href,
    }


def _places(reader: Reader, row: Row) -> Context | None:
    """Return how many places are left, with the day on which that last changed."""
    known = reader.shared.get("registrations", {}).get("places", {}).get(row["id"])
    is_off = row["status"] != EventStatus.PLANNED or is_past(row, reader.today)
    if known is None or not row["capacity"] or is_off:
        return None
    taken, waiting, _, since = known
    left = max(0, row["capacity"] - taken)
    if left and not waiting:
        text = f"{left:,} of {counted(row['capacity'], 'place')} left"
    else:
        text = f"{waiting:,} on the waiting list" if waiting else "No place left"
    return {"text": text, "since": iso_in_words(since)}


def _participants(reader: Reader, row: Row) -> list[Context]:
    """Return those who agreed to be listed; of a cancelled event nobody is."""
    if row["status"] == EventStatus.CANCELLED:
        return []
    known = reader.shared.get("registrations", {}).get("participants", {}).get(row["id"], [])
    return [{"name": name, "affiliation": affiliation} for name, affiliation in known]
