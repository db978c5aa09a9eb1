"""Calendars of events, read again by three other programs' readers."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from pathlib import Path

import ics
import pytest
from icalendar import Calendar

from content_sync.pages.calendars import ALL_EVENTS
from tests.content_sync.pages.conftest import Site
from tools.components import NODE

READ = """
import ICAL from "{module}";
import {{ readFileSync }} from "node:fs";
const found = process.argv.slice(1).map(file => {{
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(file, "utf8")));
  return calendar.getAllSubcomponents("vevent").map(one => {{
    const event = new ICAL.Event(one);
    return [event.uid, event.summary, event.startDate.toString(), event.location];
  }});
}});
console.log(JSON.stringify(found));
"""
TITLE = "Review; with, signs\\ and: colons of ünïcode" + " long" * 60


@pytest.fixture
def files(site: Site) -> list[Path]:
    """The calendars of a site with an event of every shape, that of all events first."""
    site.edit(
        "UPDATE events SET registration_closes_at = NULL, access = 'public', status = 'planned'"
    )
    ids = [row[0] for row in site.source("SELECT id FROM events ORDER BY starts_at DESC LIMIT 4")]
    site.edit(
        "UPDATE events SET title = ?, starts_at = '2031-01-19T09:00', ends_at = '2031-01-20T16:00',"
        " timezone = 'Europe/Warsaw', registration_closes_at = '2031-01-08T18:00' WHERE id = ?",
        *(TITLE, ids[0]),
    )
    for one, starts, ends in ((ids[1], "2031-02-02", "2031-02-04"), (ids[2], None, None)):
        site.edit("UPDATE events SET starts_at = ?, ends_at = ? WHERE id = ?", starts, ends, one)
    site.edit("UPDATE events SET status = 'cancelled' WHERE id = ?", ids[3])
    site.edit("UPDATE events SET version = version + 1")
    site.night()
    public = site.settings.output / "current" / "public"
    single = sorted(f for f in (public / "events").glob("*.ics") if f.name != "all.ics")
    assert (
        len(single) == site.source("SELECT count(*) FROM events WHERE starts_at IS NOT NULL")[0][0]
    )
    return [public / ALL_EVENTS, *single]


@pytest.mark.needs("node", "validators")
def test_three_readers_agree_on_every_calendar(files: list[Path]) -> None:
    script = READ.format(module=(NODE / "node_modules/ical.js/dist/ical.js").as_uri())
    command = ["node", "--input-type=module", "--eval", script, *map(str, files)]
    answer = subprocess.run(command, capture_output=True, check=True, text=True)
    for file, others in zip(files, json.loads(answer.stdout), strict=True):
        raw = file.read_bytes()
        assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
        calendar = Calendar.from_ical(raw)
        assert calendar.errors == []
        own = {str(e["UID"]): str(e["SUMMARY"]) for e in calendar.events}
        assert {uid: summary for uid, summary, _, _ in others} == own
        assert {e.uid: e.name for e in ics.Calendar(raw.decode()).events} == own


def test_an_event_stands_beside_the_last_day_of_its_registration(files: list[Path]) -> None:
    events = {str(e["SUMMARY"]): e for e in Calendar.from_ical(files[0].read_bytes()).events}
    event, deadline = events[TITLE], events[f"Registration closes: {TITLE}"]
    assert event.start == datetime.fromisoformat("2031-01-19T09:00+01:00")
    assert event.end == datetime.fromisoformat("2031-01-20T16:00+01:00")
    assert deadline.start == datetime.fromisoformat("2031-01-08T18:00+01:00")
    assert event["URL"].startswith("https://publications.example/events/")
    days = next(e for e in events.values() if str(e["DTSTART"].to_ical(), "ascii") == "20310202")
    assert days["DTEND"].to_ical() == b"20310205"
    assert any(name.startswith("Cancelled: ") for name in events)


def test_members_events_are_in_members_calendars_only(site: Site) -> None:
    site.edit("UPDATE events SET access = 'public', version = version + 1")
    one, title = site.source("SELECT id, title FROM events WHERE starts_at > '2026' LIMIT 1")[0]
    site.edit("UPDATE events SET access = 'members' WHERE id = ?", one)
    site.night()
    current = site.settings.output / "current"
    summaries = {
        tree: {
            str(e["SUMMARY"])
            for e in Calendar.from_ical((current / tree / ALL_EVENTS).read_bytes()).events
        }
        for tree in ("public", "members")
    }
    assert title in summaries["members"] - summaries["public"]


def test_a_calendar_is_made_again_only_when_its_event_changes(site: Site) -> None:
    site.night()
    before = {f.name: f.read_bytes() for f in _calendars(site)}
    one = site.source(
        "SELECT id FROM events WHERE access = 'public' AND starts_at > '2026' LIMIT 1"
    )
    site.edit(
        "UPDATE events SET place = 'Elsewhere', version = version + 1 WHERE id = ?", one[0][0]
    )
    site.night()
    after = {f.name: f.read_bytes() for f in _calendars(site)}
    assert (
        len({name for name in after if before[name] != after[name]}) == 2
    )  # its own and that of all
    assert sum(b"Elsewhere" in content for content in after.values()) == 2


def _calendars(site: Site) -> list[Path]:
    return list((site.settings.output / "current" / "public" / "events").glob("*.ics"))
