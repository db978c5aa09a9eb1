"""When registration is open: the event's own clock decides, to the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.registration.definition import instant, read_event
from dynamic.registration.opening import When, opening
from tests.dynamic.registration.conftest import SLUG, House
from tests.dynamic.releases import EVENT

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def when(now: str, closed: bool = False, **facts: object) -> When:
    event = read_event({**EVENT, **facts}, timezone="Europe/Berlin")
    return opening(event, at(now), closed_by_organiser=closed).when


@pytest.mark.parametrize(
    ("zone", "opens", "before", "first"),
    [
        ("Europe/Warsaw", "2026-10-01T09:00", "2026-10-01T06:59:59Z", "2026-10-01T07:00:00Z"),
        ("Asia/Kolkata", "2026-10-01T09:00", "2026-10-01T03:29:59Z", "2026-10-01T03:30:00Z"),
        ("Pacific/Kiritimati", "2026-10-01", "2026-09-30T09:59:59Z", "2026-09-30T10:00:00Z"),
        ("Pacific/Pago_Pago", "2026-10-01", "2026-10-01T10:59:59Z", "2026-10-01T11:00:00Z"),
        # Clocks jump from 2:00 to 3:00: half past two is half past three.
        ("Europe/Warsaw", "2026-03-29T02:30", "2026-03-29T01:29:59Z", "2026-03-29T01:30:00Z"),
        # Clocks go back from 3:00 to 2:00: the first of the two.
        ("Europe/Warsaw", "2026-10-25T02:30", "2026-10-25T00:29:59Z", "2026-10-25T00:30:00Z"),
    ],
)
def test_registration_opens(zone: str, opens: str, before: str, first: str) -> None:
    facts = {"timezone": zone, "registration_opens": opens}
    assert when(before, **facts) == When.NOT_YET
    assert when(first, **facts) == When.OPEN


@pytest.mark.parametrize(
    ("zone", "closes", "last", "after"),
    [
        ("Europe/Warsaw", "2027-01-08T18:00", "2027-01-08T16:59:59Z", "2027-01-08T17:00:00Z"),
        ("America/New_York", "2027-01-08T18:00", "2027-01-08T22:59:59Z", "2027-01-08T23:00:00Z"),
        ("Europe/Warsaw", "2027-01-08", "2027-01-08T22:59:59Z", "2027-01-08T23:00:00Z"),
        # The later of the two half past twos, when clocks go back.
        ("Europe/Warsaw", "2026-10-25T02:30", "2026-10-25T01:29:59Z", "2026-10-25T01:30:00Z"),
        ("Europe/Warsaw", None, "2027-01-19T07:59:59Z", "2027-01-19T08:00:00Z"),
    ],
)
def test_registration_closes(zone: str, closes: str | None, last: str, after: str) -> None:
    facts = {"timezone": zone, "registration_closes": closes}
    assert when(last, **facts) == When.OPEN
    assert when(after, **facts) == When.CLOSED


def test_a_record_that_moves_to_another_zone_moves_its_hours() -> None:
    assert when("2027-01-08T17:30:00Z", timezone="Europe/Warsaw") == When.CLOSED
    assert when("2027-01-08T17:30:00Z", timezone="Europe/Lisbon") == When.OPEN


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", None, "../../etc/passwd", "\0", 17])
def test_an_unknown_zone_is_the_sites_own(zone: object) -> None:
    facts = {"timezone": zone, "registration_closes": "2027-01-08T18:00"}
    assert when("2027-01-08T16:59:59Z", **facts) == When.OPEN
    assert when("2027-01-08T17:00:00Z", **facts) == When.CLOSED


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"status": "cancelled"}, When.CANCELLED),
        ({"status": "postponed"}, When.POSTPONED),
        ({"registration_opens": None, "registration_closes": None}, When.NEVER),
        ({"starts": "2026-11-30T09:00", "ends": "2026-11-30T10:00"}, When.OVER),
    ],
)
def test_other_reasons_to_be_closed(facts: dict[str, object], expected: When) -> None:
    assert when("2026-12-01T12:00:00Z", **facts) == expected


def test_organisers_close_at_once() -> None:
    assert when("2026-12-01T12:00:00Z", closed=True) == When.CLOSED


zones = st.sampled_from(
    ["Europe/Warsaw", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(
    lambda m: m.replace(second=0, microsecond=0)
)


@given(zones, moments)
def test_instants_are_what_clocks_on_the_wall_show(zone: str, moment: datetime) -> None:
    place = ZoneInfo(zone)
    local = moment.isoformat(timespec="minutes")
    begins, ends = (instant(local, place, is_end=is_end) for is_end in (False, True))
    assert begins is not None
    assert ends is not None
    assert begins <= ends <= begins + timedelta(hours=1)
    shown = begins.astimezone(place).replace(tzinfo=None)
    # Only a time that the clock jumps over is shown as a later one.
    assert shown == moment or moment < shown <= moment + timedelta(hours=1)


@only_sqlite
def test_the_last_second_counts_over_http(house: House) -> None:
    house.clock.set(2026, 10, 1, 6, 59, 59)
    early, late, mira = house.people(3)
    page = early.get(f"events/{SLUG}/register").text
    assert "Registration opens on 1 October 2026, 09:00 (Europe/Warsaw)." in page
    house.clock.set(2027, 1, 8, 16, 59, 59)
    assert mira.register().status_code == 303
    form = late.get(f"events/{SLUG}/register")
    house.clock.pass_by(seconds=1)
    from tests.dynamic.registration.conftest import token_of

    answer = late.send(
        f"events/{SLUG}/register",
        csrf_token=token_of(form.text),
        name="late",
        q_attendance="On site",
    )
    assert answer.status_code == 409
    assert "Registration closed on 8 January 2027, 18:00 (Europe/Warsaw)." in answer.text
    assert [s for s, _ in house.states()] == ["p3"]
