"""iCalendar files of events: one for each, and one of all that are ahead or lately over.

A file is for subscribing and for adding by hand (METHOD:PUBLISH). An entry keeps its UID for
good; DTSTAMP is the day of the build that found it changed, which is why a file's key is
made of all but that day. The deadline of registration is an entry of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from content_sync.pages.access import ROOT
from content_sync.pages.model import File
from content_sync.pages.reader import Row
from content_sync.records import EventStatus
from content_sync.urls import record_url, slug

if TYPE_CHECKING:
    from icalendar import Event

ALL_EVENTS = "events/all.ics"
_FORM = 1
"""Raised when the files of unchanged events become other ones."""
PRODUCT = "-//Nightpress//Events//EN"
REFRESH = timedelta(hours=12)


def calendar_file(row: Row, audience: str, siteurl: str, today: str) -> File | None:
    """Return the file of one event, None where its day is not known."""
    if not row["starts_at"]:
        return None
    return _file(
        [row], audience, f"events/{slug(row['id'])}.ics", siteurl, today, f"event:{row['id']}"
    )


def calendar_of_all(
    rows: Iterable[Row], audience: str, siteurl: str, sitename: str, today: str
) -> File | None:
    """Return the file of all events from the beginning of last year on, None if there is none."""
    since = f"{int(today[:4]) - 1}-01-01"
    dated = [r for r in rows if r["starts_at"] and (r["ends_at"] or r["starts_at"]) >= since]
    if not dated:
        return None
    return _file(dated, audience, ALL_EVENTS, siteurl, today, "", name=f"{sitename}: events")


def _file(
    rows: list[Row],
    audience: str,
    path: str,
    siteurl: str,
    today: str,
    record: str,
    name: str | None = None,
) -> File:
    facts = repr([tuple(row.values()) for row in rows]) + f"\0{siteurl}\0{name}\0{_FORM}"
    key = hashlib.sha256(facts.encode()).digest()

    def content() -> bytes:
        from icalendar import Calendar  # the processes that make pages seldom need it

        stamp = datetime.combine(date.fromisoformat(today), datetime.min.time(), UTC)
        calendar = Calendar.new(
            prodid=PRODUCT,
            method="PUBLISH",
            name=name,
            refresh_interval=REFRESH if name else None,
        )
        for row in rows:
            for entry in _entries(row, ROOT[audience], siteurl, stamp):
                calendar.add_component(entry)
        calendar.pop("UID", None)  # a random one: the same facts must give the same bytes
        return bytes(calendar.to_ical())

    return File(audience, path, content, record, key)


def _entries(row: Row, root: str, siteurl: str, stamp: datetime) -> Iterable[Event]:
    """Return the entry of an event and, if it is known, that of its registration's last day."""
    from icalendar import Event
    from icalendar.enums import STATUS, TRANSP

    url = f"{siteurl}{root}{record_url('event', row['id'])}" if siteurl else None
    uid = f"{slug(row['id'])}@{urlsplit(siteurl).hostname or 'nightpress.invalid'}"
    zone = ZoneInfo(row["timezone"]) if row["timezone"] else None
    start, end = _times(row["starts_at"], row["ends_at"] or row["starts_at"], zone)
    status, word = {
        EventStatus.CANCELLED: (STATUS.CANCELLED, "Cancelled: "),
        EventStatus.POSTPONED: (STATUS.TENTATIVE, "Postponed: "),
    }.get(row["status"], (STATUS.CONFIRMED, ""))
    yield Event.new(
        uid=uid,
        stamp=stamp,
        start=start,
        end=end,
        summary=f"{word}{row['title']}",
        description=row["description"],
        location=row["place"] or None,
        status=status,
        transparency=TRANSP.OPAQUE if status == STATUS.CONFIRMED else TRANSP.TRANSPARENT,
        url=url,
    )
    closes = row["registration_closes_at"]
    if closes and row["status"] == EventStatus.PLANNED:
        start, end = _times(closes, closes, zone)
        yield Event.new(
            uid=f"registration-{uid}",
            stamp=stamp,
            start=start,
            end=end,
            summary=f"Registration closes: {row['title']}",
            transparency=TRANSP.TRANSPARENT,
            url=url,
        )


def _times(
    starts: str, ends: str, zone: ZoneInfo | None
) -> tuple[datetime | date, datetime | date | None]:
    """Return beginning and end; whole days where the record has no hour for either.

    Hours of a known zone are told in UTC, which every program understands alike.
    """
    if {starts[10:], ends[10:]} <= {"", "T00:00"}:
        first, last = date.fromisoformat(starts[:10]), date.fromisoformat(ends[:10])
        return first, max(first, last) + timedelta(days=1)
    start, end = (datetime.fromisoformat(t).replace(tzinfo=zone) for t in (starts, ends))
    if zone:
        start, end = start.astimezone(UTC), end.astimezone(UTC)
    return start, end if end > start else None
