"""Who may register for an event, and who organises it."""

from __future__ import annotations

from flask import abort
from sqlalchemy import select

from dynamic.database import db
from dynamic.identity import Reader
from dynamic.registration.definition import Event, read_event
from dynamic.registration.models import AccountTie
from dynamic.site import Site, current_site


def all_events(site: Site | None = None) -> list[Event]:
    """Return the events of the live release, the next one first."""
    site = site or current_site()
    events = [read_event(facts, timezone=site.timezone) for facts in site.events.values()]
    return sorted(events, key=lambda e: (e.starts, e.id))


def find_event(event_id: str) -> Event | None:
    """Return an event of the live release by its id."""
    site = current_site()
    facts = site.events.get(event_id)
    return read_event(facts, timezone=site.timezone) if facts else None


def event_at(slug: str, reader: Reader) -> Event:
    """Return the event of an address, if this reader may know of it; 404 otherwise."""
    site = current_site()
    for facts in site.events.values():
        if facts.get("slug") == slug:
            event = read_event(facts, timezone=site.timezone)
            if may_see(event, reader) or is_organiser(event, reader):
                return event
    abort(404)


def may_see(event: Event, reader: Reader) -> bool:
    """Tell whether a reader may see the event's page: members' events are for members."""
    return event.access == "public" or bool(reader.groups & {"member", "staff"})


def may_register(event: Event, reader: Reader) -> bool:
    """Tell whether the event is for this reader: for one of the groups, or staff."""
    return "staff" in reader.groups or bool(reader.groups & event.groups)


def is_organiser(event: Event, reader: Reader) -> bool:
    """Tell whether a reader organises this very event, or is staff.

    An account is an organiser's if its confirmed address stands in the records for one of
    the persons whom the event names, or if staff tied the account to one of them.
    """
    if "staff" in reader.groups:
        return True
    address = reader.email.strip().casefold()
    if not address or "@" not in address:
        return False
    if any(address in organiser.addresses for organiser in event.organisers):
        return True
    ids = [organiser.id for organiser in event.organisers]
    tie = select(AccountTie.id).where(AccountTie.email == address, AccountTie.person_id.in_(ids))
    return bool(ids) and db.session.scalar(tie.limit(1)) is not None


def organised_by(reader: Reader) -> list[Event]:
    """Return the events that a reader organises; all of them for staff."""
    return [event for event in all_events() if is_organiser(event, reader)]


def organisers_only(slug: str, reader: Reader) -> Event:
    """Return the event of an address if this reader organises it; 404 for everyone else."""
    event = event_at(slug, reader)
    if not is_organiser(event, reader):
        abort(403 if may_see(event, reader) else 404)
    return event
