"""iCalendar files: one event for one person in a mail, or all of a person's events.

A person's entry keeps its UID for good. Each mail raises SEQUENCE, so that a calendar
program takes the newest; METHOD:REQUEST makes or changes the entry, METHOD:CANCEL takes it
away. Nobody is asked to answer by calendar (RSVP=FALSE): the links in the mail do that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from functools import lru_cache

from flask import current_app
from icalendar import Calendar, Timezone, vCalAddress
from icalendar import Event as Entry
from icalendar.enums import STATUS, TRANSP

from dynamic.addresses import mail_address
from dynamic.database import now
from dynamic.registration.definition import Event
from dynamic.registration.models import Registration
from dynamic.registration.states import State

PRODUCT = "-//Nightpress//Event registration//EN"
REFRESH = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Invitation:
    """One iCalendar file for a mail."""

    method: str
    """REQUEST or CANCEL, as in the file and in the mail's Content-Type."""
    content: bytes


def invite(event: Event, registration: Registration) -> Invitation | None:
    """Return the entry that a person's calendar gets; None while the date is not known.

    Whoever still waits gets a tentative entry that does not block their time.
    """
    return _one(event, registration, "REQUEST")


def cancel(event: Event, registration: Registration) -> Invitation | None:
    """Return what takes the entry out of the person's calendar again."""
    return _one(event, registration, "CANCEL")


def personal_calendar(found: Iterable[tuple[Event, Registration]]) -> bytes:
    """Return a calendar of all that a person is registered for, to be subscribed to."""
    sitename = current_app.config["SETTINGS"].sitename
    calendar = Calendar.new(
        prodid=PRODUCT, method="PUBLISH", name=f"{sitename}: my events", refresh_interval=REFRESH
    )
    for event, registration in found:
        if event.starts:
            calendar.add_component(_entry(event, registration))
    return _written(calendar)


def one_event(event: Event, registration: Registration) -> bytes:
    """Return the file that a person loads down by hand."""
    calendar = Calendar.new(prodid=PRODUCT, method="PUBLISH")
    calendar.add_component(_entry(event, registration))
    return _written(calendar)


def uid_of(registration: Registration) -> str:
    """Return the UID of a person's entry: the same for good."""
    return f"{registration.uid}@{_host()}"


def _one(event: Event, registration: Registration, method: str) -> Invitation | None:
    if not event.starts:
        return None
    entry = _entry(event, registration, is_gone=method == "CANCEL")
    entry.organizer = _address(_sender(), current_app.config["SETTINGS"].sitename)
    partstat = {State.CONFIRMED: "ACCEPTED", State.ATTENDED: "ACCEPTED"}
    entry.attendees = [
        _address(
            registration.email,
            registration.name,
            partstat="DECLINED"
            if method == "CANCEL"
            else partstat.get(registration.stands, "TENTATIVE"),
        )
    ]
    calendar = Calendar.new(prodid=PRODUCT, method=method)
    calendar.add_component(entry)
    return Invitation(method, _written(calendar))


def _written(calendar: Calendar) -> bytes:
    """Return a calendar as a file, the time zones that it names before what names them."""
    calendar.pop("UID", None)  # a new one each time would make the same calendar another
    content = bytes(calendar.to_ical())
    zones = b"".join(
        _zone(name, *_years(calendar)) for name in sorted(calendar.get_missing_tzids())
    )
    return content.replace(b"BEGIN:VEVENT", zones + b"BEGIN:VEVENT", 1)


def _years(calendar: Calendar) -> tuple[int, int]:
    """Return the first and the last year in which something happens, with one around them."""
    times = [entry.start for entry in calendar.events] + [entry.end for entry in calendar.events]
    return min(time.year for time in times) - 1, max(time.year for time in times) + 1


@lru_cache(maxsize=200)
def _zone(name: str, first: int, last: int) -> bytes:
    # Half of what a mail would cost, and the same each time.
    zone = Timezone.from_tzid(name, first_date=date(first, 1, 1), last_date=date(last, 12, 31))
    return bytes(zone.to_ical())


def _entry(event: Event, registration: Registration, *, is_gone: bool = False) -> Entry:
    settings = current_app.config["SETTINGS"]
    start, end = _times(event)
    is_sure = registration.stands in (State.CONFIRMED, State.ATTENDED)
    summary, status = event.title, STATUS.CONFIRMED
    if is_gone or event.status == "cancelled":
        status = STATUS.CANCELLED
        if event.status == "cancelled":
            summary = f"Cancelled: {summary}"
    elif event.status == "postponed":
        summary, status = f"Postponed: {summary}", STATUS.TENTATIVE
    elif not is_sure:
        word = "Waiting list" if registration.stands == State.WAITING else "Not yet confirmed"
        summary, status = f"{word}: {summary}", STATUS.TENTATIVE
    return Entry.new(
        uid=uid_of(registration),
        sequence=registration.sequence,
        stamp=now(),
        start=start,
        end=end,
        summary=summary,
        location=event.place or None,
        status=status,
        transparency=TRANSP.OPAQUE if status == STATUS.CONFIRMED else TRANSP.TRANSPARENT,
        url=f"{settings.siteurl}{event.url}" if settings.siteurl else None,
    )


def _times(event: Event) -> tuple[datetime | date, datetime | date]:
    """Return beginning and end; whole days where the record has no hour for both."""
    starts, ends = event.starts, event.ends or event.starts
    if len(starts) <= 10 or len(ends) <= 10:
        last = max(date.fromisoformat(ends[:10]), date.fromisoformat(starts[:10]))
        return date.fromisoformat(starts[:10]), last + timedelta(days=1)
    start, end = (datetime.fromisoformat(t).replace(tzinfo=event.zone) for t in (starts, ends))
    return start, max(start, end)


def _address(email: str, name: str, partstat: str | None = None) -> vCalAddress:
    # A quotation mark cannot stand in a parameter, whatever the name is.
    cn = name.replace('"', "'")
    email = mail_address(email) or email
    if partstat is None:
        return vCalAddress.new(email, cn=cn)
    return vCalAddress.new(email, cn=cn, partstat=partstat, role="REQ-PARTICIPANT", rsvp=False)


def _sender() -> str:
    return parseaddr(current_app.config["SETTINGS"].sender)[1]


def _host() -> str:
    return _sender().rpartition("@")[2] or "localhost"
