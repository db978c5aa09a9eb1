"""Registering for an event, changing one's answers, withdrawing."""

from __future__ import annotations

import pytest

from tests.dynamic.registration.conftest import EVENT, SLUG, House, text_of

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_person_registers_once_and_is_told(house: House) -> None:
    mira = house.person("mira", "student", name="Nguyễn Hạ Miên")
    assert mira.name in mira.get(f"events/{SLUG}/register").text
    answer = mira.register(q_food="No nuts, please.", c_listing="y")
    assert (answer.status_code, answer.location) == (303, f"/services/events/{SLUG}/registration")
    page = mira.get(f"events/{SLUG}/registration").text
    assert "You have a place" in page
    assert "No nuts, please." in page
    (mail,) = house.mails()
    assert (mail["To"], mail["Subject"]) == ("mira@example.org", "Confirmed: Winter Review 2027")
    assert "You get this mail because you registered for Winter Review 2027." in text_of(mail)
    assert "19 January 2027, 09:00, to 20 January 2027, 16:00 (Europe/Warsaw)" in text_of(mail)
    assert house.transitions() == [(None, "confirmed", "person", "mira")]


def test_a_form_sent_twice_registers_once(house: House) -> None:
    mira = house.person("mira")
    mira.register(q_food="first")
    again = mira.send(f"events/{SLUG}/register", name="Other", q_attendance="On site")
    assert again.status_code == 400  # without a token it is not ours
    page = mira.get(f"events/{SLUG}/registration").text
    assert mira.get(f"events/{SLUG}/register").status_code == 303
    from tests.dynamic.registration.conftest import token_of

    again = mira.send(
        f"events/{SLUG}/register", csrf_token=token_of(page), name="Other", q_attendance="Online"
    )
    assert again.status_code == 303
    assert len(house.mails()) == len(house.states()) == 1
    assert house.registration("mira").name == "Person mira"


def test_places_go_in_order_of_arrival_and_then_people_wait(house: House) -> None:
    house.change(capacity=2)
    people = house.people(4)
    for person in people:
        person.register()
    assert [state for _, state in house.states()] == ["confirmed"] * 2 + ["waiting"] * 2
    assert (
        "number <b>2</b> on the waiting list" in people[3].get(f"events/{SLUG}/registration").text
    )
    assert "number 2 in order of arrival" in text_of(house.mails("p4@example.org")[0])


def test_a_place_given_back_is_offered_to_the_next(house: House) -> None:
    house.change(capacity=1)
    first, second, third = house.people(3)
    for person in (first, second, third):
        person.register()
    assert first.withdraw().status_code == 303
    assert [s for _, s in house.states()] == ["withdrawn", "offered", "waiting"]
    offer = house.mails("p2@example.org")[-1]
    assert offer["Subject"] == "A place for you: Winter Review 2027"
    assert "kept for you until 3 December 2026, 13:00 (Europe/Warsaw)" in text_of(offer)
    second.take()
    assert [s for _, s in house.states()] == ["withdrawn", "confirmed", "waiting"]
    assert house.transitions()[-1] == ("offered", "confirmed", "person", "p2")


def test_an_offer_ends_and_goes_to_the_next(house: House) -> None:
    house.change(capacity=1)
    first, second, third = house.people(3)
    for person in (first, second, third):
        person.register()
    first.withdraw()
    house.clock.pass_by(hours=47, minutes=59, seconds=59)
    assert house.tick().lapsed == 0
    house.clock.pass_by(seconds=1)
    late = second.take()
    assert "This offer has ended" in second.get(late.location.removeprefix("/services/")).text
    assert house.tick().lapsed == 1
    assert [s for _, s in house.states()] == ["withdrawn", "withdrawn", "offered"]
    assert house.mails("p2@example.org")[-1]["Subject"].startswith("Offer ended")
    assert ("offered", "withdrawn", "service", "") in house.transitions()
    assert house.tick().lapsed == 0


def test_nothing_is_offered_once_the_event_has_begun(house: House) -> None:
    house.change(capacity=1)
    first, second = house.people(2)
    first.register()
    second.register()
    house.clock.set(2027, 1, 19, 7, 59)
    first.withdraw()
    assert house.registration("p2").offer_ends == house.clock.at.replace(hour=8, minute=0)
    house.clock.set(2027, 1, 19, 8, 0)
    house.tick()
    assert [s for _, s in house.states()] == ["withdrawn", "withdrawn"]


def test_who_withdrew_can_come_again_but_stands_last(house: House) -> None:
    house.change(capacity=1)
    first, second = house.people(2)
    first.register()
    second.register()
    first.withdraw()
    first.register()
    assert house.states() == [("p2", "offered"), ("p1", "waiting")]


def test_taking_part_without_a_place_needs_none(house: House) -> None:
    questions = house.release.events[EVENT]["questions"]
    questions[1]["without_place"] = ["Online"]
    house.change(capacity=1, questions=questions)
    first, second, third, fourth = house.people(4)
    first.register()
    second.register(q_attendance="Online")
    third.register()
    assert [s for _, s in house.states()] == ["confirmed", "confirmed", "waiting"]
    refused = second.post(f"events/{SLUG}/change", name="x", q_attendance="On site")
    assert refused.status_code == 409
    assert "All places on site are taken" in refused.text
    assert house.registration("p2").takes_place is False
    first.post(f"events/{SLUG}/change", name="x", q_attendance="Online")
    assert [s for _, s in house.states()] == ["confirmed", "confirmed", "offered"]
    third.post(f"events/{SLUG}/change", name="x", q_attendance="Online")
    assert house.state("p3") == "confirmed"
    fourth.register()
    assert house.state("p4") == "confirmed"


def test_answers_are_changed_and_a_change_of_nothing_tells_nobody(house: House) -> None:
    mira = house.person("mira")
    mira.register(q_food="No nuts.")
    page = mira.get(f"events/{SLUG}/change").text
    assert "No nuts." in page
    data = {"name": "Mira", "q_attendance": "Online", "q_food": ""}
    for _ in range(2):
        assert mira.post(f"events/{SLUG}/change", **data).status_code == 303
    assert house.registration("mira").facts()["answers"] == {"attendance": "Online"}
    assert [m["Subject"] for m in house.mails()] == [
        "Confirmed: Winter Review 2027",
        "Changed: Winter Review 2027",
    ]


@only_sqlite
@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Hạ Miên",
        "هالة السرياني",
        "נוגה צור־ארזי",
        "沈若溪",
        "Þórunn Eldvarsdóttir",
        "Adéọlá Ògúnṣọlá-Bright",
        "ഇനിയൻ പൂങ്കുഴലി",
        "O'Brien; DROP TABLE registrations--",
        "𝔐𝔦𝔯𝔞 👩🏽‍🔬",
        'Mira "the drift" <Żak>',
    ],
)
def test_names_of_every_script_survive(house: House, name: str) -> None:
    mira = house.person("mira", name=name)
    mira.register(c_listing="y")
    assert house.registration("mira").name == name
    from markupsafe import escape

    assert str(escape(name)) in mira.get(f"events/{SLUG}/registration").text
    table = house.organiser().get(f"events/{SLUG}/participants.csv").data.decode("utf-8-sig")
    assert name.replace('"', '""') in table


@only_sqlite
def test_what_is_wrong_is_said_beside_the_field_and_kept(house: House) -> None:
    mira = house.person("mira")
    answer = mira.post(f"events/{SLUG}/register", name="  ", q_food="Oats", q_attendance="Moon")
    assert answer.status_code == 422
    assert "2 answers need another look" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'aria-describedby="name-error"' in answer.text
    assert "this choice is no longer offered" in answer.text
    assert ">\r\nOats</textarea>" in answer.text or "Oats</textarea>" in answer.text
    assert house.mails() == []


@only_sqlite
def test_questions_of_every_kind_are_asked_and_answered(house: House) -> None:
    kinds = ["text", "long text", "yes or no", "number", "date", "sessions", "diet"]
    questions = [
        {"name": kind.replace(" ", "_"), "label": f"A {kind}?", "type": kind} for kind in kinds
    ]
    questions += [
        {"name": "one", "label": "One?", "type": "choice", "choices": ["A", "B"], "required": True},
        {"name": "several", "label": "Several?", "type": "choices", "choices": ["A", "B", "C"]},
        {"name": "strange", "label": "Strange?", "type": "hologram"},
    ]
    house.change(questions=questions)
    mira = house.person("mira")
    page = mira.get(f"events/{SLUG}/register").text
    assert "Strange?" not in page
    assert "Tuesday, 09:00: Opening" in page
    answers = {
        "q_text": "line",
        "q_long_text": "two\r\nlines",
        "q_yes_or_no": "yes",
        "q_number": "3",
        "q_date": "2027-01-18",
        "q_sessions": ["E-2027-01-S01"],
        "q_diet": ["Vegan", "No nuts"],
        "q_diet_more": "Step-free, please",
        "q_one": "B",
        "q_several": ["A", "C"],
    }
    assert mira.register(**answers).status_code == 303
    assert house.registration("mira").facts()["answers"] == {
        "text": "line",
        "long_text": "two\nlines",
        "yes_or_no": "yes",
        "number": 3,
        "date": "2027-01-18",
        "sessions": ["E-2027-01-S01"],
        "diet": ["Vegan", "No nuts"],
        "diet_more": "Step-free, please",
        "one": "B",
        "several": ["A", "C"],
    }
    shown = mira.get(f"events/{SLUG}/registration").text
    for words in ("Tuesday, 09:00: Opening", "Vegan, No nuts", "A, C", "2027-01-18"):
        assert words in shown
    assert 'value="2027-01-18"' in mira.get(f"events/{SLUG}/change").text
    for field, value in (("q_number", "many"), ("q_date", "31 Feb"), ("q_number", "9" * 30)):
        wrong = mira.post(f"events/{SLUG}/change", name="x", **{**answers, field: value})
        assert wrong.status_code == 422


@only_sqlite
@pytest.mark.parametrize(
    ("access", "group", "code"),
    [
        ("public", "student", 200),
        ("public", "researcher", 200),
        ("members", "member", 200),
        ("members", "staff", 200),
        ("members", "student", 404),
        ("members", "researcher", 404),
    ],
)
def test_an_event_is_for_those_who_see_its_page(
    house: House, access: str, group: str, code: int
) -> None:
    house.change(access=access)
    page = house.person("mira", group).get(f"events/{SLUG}/register")
    assert page.status_code == code


@only_sqlite
def test_a_record_may_keep_an_event_to_students(house: House) -> None:
    house.change(groups=["student"])
    mira = house.person("mira", "researcher")
    page = mira.get(f"events/{SLUG}/register").text
    assert "it is for students" in page
    assert 'method="post"' not in page
    assert house.person("sam", "student").register().status_code == 303


@only_sqlite
def test_an_account_without_an_address_is_told_what_to_do(house: House) -> None:
    mira = house.person("mira")
    mira.headers["X-Remote-Email"] = ""
    assert "no confirmed address" in mira.get(f"events/{SLUG}/register").text


def test_nobody_sees_or_changes_what_is_anothers(house: House) -> None:
    first, second = house.people(2)
    first.register(q_food="secret diet")
    uid = house.registration("p1").uid
    for path in ("registration", "change", "event.ics", "organise", "check-in", "mail"):
        answer = second.get(f"events/{SLUG}/{path}")
        assert answer.status_code in (403, 404), path
        assert "secret diet" not in answer.text
    page = second.get("events/calendar").text
    from tests.dynamic.registration.conftest import token_of

    token = token_of(page)
    for path in ("withdraw", "take", "closing", "mail", f"participants/{uid}/decline"):
        answer = second.send(f"events/{SLUG}/{path}", csrf_token=token)
        assert answer.status_code in (403, 404), path
    assert house.states() == [("p1", "confirmed")]


def test_my_events_lists_mine_and_what_is_open(house: House) -> None:
    mira = house.person("mira")
    assert f"/services/events/{SLUG}/register" in mira.get("events/").text
    mira.register()
    page = mira.get("events/").text
    assert f"/services/events/{SLUG}/registration" in page
    assert f'/services/events/{SLUG}/register"' not in page
