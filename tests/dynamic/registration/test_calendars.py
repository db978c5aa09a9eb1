"""Calendar files in mails, and a person's calendar by address."""

from __future__ import annotations

import ics
import pytest
from icalendar import Calendar

from tests.dynamic.registration.conftest import (
    EVENT,
    SLUG,
    House,
    calendar_of,
    token_of,
)

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
pytestmark = only_sqlite


def entries(house: House, to: str) -> list[tuple[str, str, int, str]]:
    """METHOD, UID, SEQUENCE and STATUS of the calendar in each mail to a person."""
    found = []
    for mail in house.mails(to):
        calendar = Calendar.from_ical(calendar_of(mail))
        (event,) = calendar.events
        (part,) = [p for p in mail.walk() if p.get_content_type() == "text/calendar"]
        assert part.get_param("method") == calendar["METHOD"]
        found.append(
            (str(calendar["METHOD"]), str(event["UID"]), event["SEQUENCE"], str(event["STATUS"]))
        )
    return found


def test_each_mail_carries_the_newest_entry_under_one_uid(house: House) -> None:
    house.change(capacity=1)
    first, second = house.people(2)
    first.register()
    second.register()
    first.withdraw()
    second.take()
    house.change(place="Elsewhere")
    house.tick()
    house.change(status="cancelled")
    house.tick()
    uid = f"{house.registration('p2').uid}@publications.example"
    assert entries(house, "p2@example.org") == [
        ("REQUEST", uid, 0, "TENTATIVE"),
        ("REQUEST", uid, 1, "TENTATIVE"),
        ("REQUEST", uid, 2, "CONFIRMED"),
        ("REQUEST", uid, 3, "CONFIRMED"),
        ("CANCEL", uid, 4, "CANCELLED"),
    ]
    assert [e[::2] for e in entries(house, "p1@example.org")] == [("REQUEST", 0), ("CANCEL", 1)]


def test_the_entry_says_when_in_the_events_own_zone(house: House) -> None:
    house.person("mira", name='Mira "M" Żak; x, y').register()
    raw = calendar_of(house.mails()[0])
    (event,) = Calendar.from_ical(raw).events
    assert event.start.isoformat() == "2027-01-19T09:00:00+01:00"
    assert b"DTSTART;TZID=Europe/Warsaw:20270119T090000" in raw
    assert b"BEGIN:VTIMEZONE" in raw
    assert event["LOCATION"] == "Gdańsk and online"
    assert str(event["ATTENDEE"]) == "mailto:mira@example.org"
    assert event["ATTENDEE"].params["RSVP"] == "FALSE"
    assert event["ORGANIZER"] == "mailto:noreply@publications.example"


def test_a_second_reader_of_calendars_agrees(house: House) -> None:
    house.change(title="Review; with, signs\\ and: colons \u2028 of ünïcode" + " long" * 60)
    mira = house.person("mira", name='Mira "M" Żak; x, y')
    mira.register()
    files = [calendar_of(house.mails()[0]), mira.get(f"events/{SLUG}/event.ics").data]
    for raw in files:
        assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
        calendar = ics.Calendar(raw.decode())
        (event,) = calendar.events
        assert event.begin.isoformat() == "2027-01-19T09:00:00+01:00"
        assert event.end.isoformat() == "2027-01-20T16:00:00+01:00"
        assert event.location == "Gdańsk and online"
        (own,) = Calendar.from_ical(raw).events
        assert event.uid == own["UID"]
        assert event.name == own["SUMMARY"]
        assert Calendar.from_ical(raw).errors == []


@pytest.mark.parametrize(
    ("starts", "ends", "line"),
    [
        ("2027-01-19", "2027-01-20", b"DTEND;VALUE=DATE:20270121"),
        ("2027-01-19", None, b"DTEND;VALUE=DATE:20270120"),
        ("2027-03-28T01:30", "2027-03-28T05:00", b"DTEND;TZID=Europe/Warsaw:20270328T050000"),
    ],
)
def test_days_and_hours_are_told_apart(
    house: House, starts: str, ends: str | None, line: bytes
) -> None:
    house.change(starts=starts, ends=ends)
    house.person("mira").register()
    raw = calendar_of(house.mails()[0])
    assert line in raw
    assert len(ics.Calendar(raw.decode()).events) == 1


def test_without_a_date_there_is_no_calendar_file(house: House) -> None:
    house.change(starts=None, ends=None)
    mira = house.person("mira")
    mira.register()
    (mail,) = house.mails()
    assert [p.get_content_type() for p in mail.walk()] == ["text/plain"]
    assert mira.get(f"events/{SLUG}/event.ics").status_code == 404


def test_a_persons_calendar_has_an_address_that_can_be_taken_back(house: House) -> None:
    other = dict(house.release.events[EVENT], id="E-2", slug="e-2_u", title="Summer School")
    house.release.events["E-2"] = other
    house.release.publish()
    mira, sam = house.people(2)
    mira.register()
    mira.register("e-2_u")
    sam.register()
    page = mira.post("events/calendar", act="give").text
    path = page.partition("https://publications.example/services/")[2].partition("<")[0]
    program = house.stranger()
    answer = program.get(path)
    assert answer.content_type == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(answer.data)
    assert sorted(str(e["SUMMARY"]) for e in calendar.events) == [
        "Summer School",
        "Winter Review 2027",
    ]
    assert len(ics.Calendar(answer.data.decode()).events) == 2
    assert program.client.post(f"/services/{path}", headers=program.headers).status_code == 401
    house.change(status="cancelled")
    (gone, _) = sorted(Calendar.from_ical(program.get(path).data).events, key=lambda e: e["STATUS"])
    assert gone["SUMMARY"] == "Cancelled: Winter Review 2027"
    # A new address ends the old one, and taking it back ends every one.
    page = mira.post("events/calendar", act="give").text
    fresh = page.partition("https://publications.example/services/")[2].partition("<")[0]
    assert program.get(path).status_code == 404
    assert program.get(fresh).status_code == 200
    mira.post("events/calendar", act="revoke")
    assert program.get(fresh).status_code == 404


def test_a_calendars_address_opens_nothing_else(house: House) -> None:
    mira = house.person("mira")
    mira.register()
    page = mira.post("events/calendar", act="give").text
    token = page.partition("/services/calendars/")[2].partition(".ics")[0]
    anyone = house.stranger()
    assert anyone.get(f"links/{token}").status_code == 410
    sam = house.person("sam")
    csrf = token_of(sam.get("events/calendar").text)
    assert anyone.send(f"links/{token}", csrf_token=csrf).status_code in (400, 410)
    assert house.state("mira") == "confirmed"
