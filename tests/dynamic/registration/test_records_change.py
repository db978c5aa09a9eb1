"""Between two nights the records change: capacity, times, place, status."""

from __future__ import annotations

import pytest

from tests.dynamic.registration.conftest import EVENT, SLUG, House, text_of

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def subjects(house: House, to: str) -> list[str]:
    return [m["Subject"].partition(":")[0] for m in house.mails(to)]


def test_more_places_are_offered_in_order_of_arrival(house: House) -> None:
    house.change(capacity=1)
    for person in house.people(4):
        person.register()
    house.change(capacity=3)
    house.tick()
    assert [s for _, s in house.states()] == ["confirmed", "offered", "offered", "waiting"]
    house.change(capacity=None)
    house.tick()
    assert [s for _, s in house.states()] == ["confirmed", "offered", "offered", "offered"]


def test_fewer_places_take_none_away_and_give_none_out(house: House) -> None:
    house.change(capacity=3)
    people = house.people(4)
    for person in people:
        person.register()
    house.change(capacity=1)
    house.tick()
    assert [s for _, s in house.states()] == ["confirmed"] * 3 + ["waiting"]
    people[0].withdraw()
    people[1].withdraw()
    assert [s for _, s in house.states()][2:] == ["confirmed", "waiting"]
    people[2].withdraw()
    assert house.state("p4") == "offered"


@pytest.mark.parametrize(
    ("facts", "subject", "words"),
    [
        ({"place": "Hall 5"}, "Changed", "has a new place"),
        ({"starts": "2027-01-19T10:00"}, "Changed", "has a new time"),
        ({"timezone": "Europe/Lisbon"}, "Changed", "has a new time"),
        ({"status": "postponed"}, "Postponed", "A new date will follow by mail"),
        ({"status": "cancelled"}, "Cancelled", "will not take place"),
        (
            {"status": "postponed", "starts": "2027-03-01T09:00", "ends": "2027-03-02T16:00"},
            "New date",
            "1 March 2027, 09:00",
        ),
    ],
)
@only_sqlite
def test_everyone_is_told_once(
    house: House, facts: dict[str, object], subject: str, words: str
) -> None:
    house.change(capacity=1)
    first, second, third = house.people(3)
    for person in (first, second, third):
        person.register()
    third.withdraw()
    house.change(**facts)
    assert house.tick().told == 2
    assert house.tick().told == 0
    for to in ("p1@example.org", "p2@example.org"):
        assert subjects(house, to)[-1] == subject
        assert words in text_of(house.mails(to)[-1])
    assert subjects(house, "p3@example.org") == ["Waiting list", "Withdrawn"]


@only_sqlite
def test_what_nobody_needs_to_know_is_not_told(house: House) -> None:
    house.person("mira").register()
    house.change(title="Winter Review (hybrid)", capacity=44)
    assert house.tick().told == 0


@only_sqlite
def test_a_postponed_event_gets_a_new_date_and_comes_back(house: House) -> None:
    mira = house.person("mira")
    mira.register()
    house.change(status="postponed")
    house.tick()
    late = house.person("late").get(f"events/{SLUG}/register").text
    assert "postponed" in late
    house.change(status="planned", starts="2027-03-01T09:00", ends="2027-03-02T16:00")
    house.tick()
    assert subjects(house, "mira@example.org") == ["Confirmed", "Postponed", "New date"]
    house.change(status="cancelled")
    house.tick()
    house.change(status="planned")
    house.tick()
    assert subjects(house, "mira@example.org")[3:] == ["Cancelled", "Takes place"]


def test_nothing_is_offered_for_a_cancelled_event(house: House) -> None:
    house.change(capacity=1)
    first, second, third = house.people(3)
    for person in (first, second, third):
        person.register()
    first.withdraw()
    house.change(status="cancelled", capacity=10)
    house.tick()
    assert [s for _, s in house.states()] == ["withdrawn", "offered", "waiting"]
    second.take()
    assert house.state("p2") == "offered"
    late = house.person("p9")
    assert "The event is cancelled." in late.get(f"events/{SLUG}/register").text
    answer = late.post(
        f"events/{SLUG}/register", "events/calendar", name="x", q_attendance="On site"
    )
    assert answer.status_code == 409


@only_sqlite
def test_a_record_that_vanishes_leaves_registrations_alone(house: House) -> None:
    mira = house.person("mira")
    mira.register()
    del house.release.events[EVENT]
    house.release.publish()
    house.tick()
    assert mira.get(f"events/{SLUG}/registration").status_code == 404
    assert mira.get("events/").status_code == 200
    assert house.state("mira") == "confirmed"


@only_sqlite
def test_past_events_tell_nobody_of_changes(house: House) -> None:
    house.person("mira").register()
    house.clock.set(2027, 2, 1)
    house.change(place="Elsewhere")
    assert house.tick().told == 0


@only_sqlite
def test_answers_are_deleted_and_later_the_registration(house: House) -> None:
    mira = house.person("mira", name="Mira Żak")
    mira.register(q_food="No nuts", c_listing="y")
    house.clock.set(2027, 2, 19, 14, 59)
    assert house.tick().purged == 0
    house.clock.set(2027, 2, 19, 15, 0)  # 30 days after 20 January, 16:00 in Warsaw
    assert house.tick().purged == 1
    assert house.tick().purged == 0
    known = house.registration("mira")
    assert (known.answers, known.listed, known.name) == (None, False, "Mira Żak")
    assert "deleted, as promised" in mira.get(f"events/{SLUG}/registration").text
    house.clock.set(2028, 1, 20, 15, 0)
    assert house.tick().deleted == 0
    house.clock.pass_by(seconds=1)
    assert house.tick().deleted == 1
    assert house.states() == house.transitions() == []


@only_sqlite
@pytest.mark.parametrize(("days", "purged"), [(0, 1), (10, 1), (12, 0), (None, 0)])
def test_a_record_names_the_days_even_after_it_is_gone(
    house: House, days: int | None, purged: int
) -> None:
    house.change(answers_kept_days=days)
    house.person("mira").register()
    del house.release.events[EVENT]
    house.release.publish()
    house.clock.set(2027, 1, 31, 16)
    assert house.tick().purged == purged
