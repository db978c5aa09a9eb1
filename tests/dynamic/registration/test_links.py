"""Signed links: they need no sign-in, show on GET, act on POST only, and end."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import select

from dynamic.database import db
from dynamic.links import Link
from tests.dynamic.registration.conftest import SLUG, House, links_of, text_of, token_of

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_person_changes_and_withdraws_without_signing_in(house: House) -> None:
    house.change(capacity=1)
    first, second = house.people(2)
    first.register(q_food="No nuts.")
    second.register()
    links = links_of(house.mails("p1@example.org")[0])
    assert set(links) == {"see", "withdraw,"}
    anyone = house.stranger()
    page = anyone.get(links["see"])
    assert "No nuts." in page.text
    done = anyone.post(links["see"], name="Renée", q_attendance="On site", q_food="Nuts")
    assert done.status_code == 303
    assert "Your answers are changed." in anyone.get(done.location.partition("services/")[2]).text
    assert house.registration("p1").name == "Renée"
    asked = anyone.get(links["withdraw,"])
    assert "Nothing has happened yet" in asked.text
    done = anyone.post(links["withdraw,"])
    assert "Withdrawn" in done.text
    assert house.states() == [("p1", "withdrawn"), ("p2", "offered")]
    assert ("confirmed", "withdrawn", "link", "") in house.transitions()


@only_sqlite
def test_a_links_address_is_handed_on_to_nobody(house: House) -> None:
    (person,) = house.people(1)
    person.register()
    page = house.stranger().get(links_of(house.mails("p1@example.org")[0])["see"])
    assert page.headers["Referrer-Policy"] == "no-referrer"


@only_sqlite
def test_what_was_written_by_link_is_not_lost_with_the_database(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (person,) = house.people(1)
    person.register()
    link = links_of(house.mails("p1@example.org")[0])["see"]
    anyone = house.stranger()
    token = token_of(anyone.get(link).text)

    monkeypatch.setattr("dynamic.database.BUSY_SECONDS", 1)
    with house.session():
        file = db.engine.url.database
    other = sqlite3.connect(str(file), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = anyone.send(link, csrf_token=token, q_food="No nuts\nand no fish")
    assert answer.status_code == 503
    assert "No nuts\nand no fish</textarea>" in answer.text
    # Without our own token nobody puts words on our page.
    answer = anyone.send(link, csrf_token="x", q_food="Call 0900\nat once")
    assert answer.status_code == 400
    assert "0900" not in answer.text
    other.execute("ROLLBACK")
    other.close()
    assert anyone.send(link, csrf_token=token, q_food="No nuts\nand no fish").status_code == 303


def test_an_offer_is_taken_by_link(house: House) -> None:
    house.change(capacity=1)
    first, second, third = house.people(3)
    for person in (first, second, third):
        person.register()
    first.withdraw()
    links = links_of(house.mails("p2@example.org")[-1])
    anyone = house.stranger()
    assert "Do you take the place?" in anyone.get(links["take"]).text
    assert house.state("p2") == "offered"
    assert "You have a place" in anyone.post(links["take"], act="take").text
    assert house.state("p2") == "confirmed"
    # Sent again it changes nothing, and says how it stands.
    again = anyone.send(
        links["take"], act="take", csrf_token=token_of(second.get("events/calendar").text)
    )
    assert again.status_code == 400
    assert house.state("p2") == "confirmed"


def test_an_offer_can_be_left_to_the_next(house: House) -> None:
    house.change(capacity=1)
    first, second, third = house.people(3)
    for person in (first, second, third):
        person.register()
    first.withdraw()
    house.stranger().post(links_of(house.mails("p2@example.org")[-1])["take"], act="leave")
    assert [s for _, s in house.states()] == ["withdrawn", "withdrawn", "offered"]


def test_scanners_that_open_every_link_change_nothing(house: House) -> None:
    house.change(capacity=1)
    first, second = house.people(2)
    first.register()
    second.register()
    first.withdraw()
    states, mails = house.states(), len(house.mails())
    scanner = house.stranger()
    for mail in house.mails():
        for path in links_of(mail).values():
            for method in ("GET", "HEAD", "OPTIONS"):
                scanner.client.open(f"/services/{path}", method=method, headers=scanner.headers)
    assert (house.states(), len(house.mails())) == (states, mails)


def test_links_end(house: House) -> None:
    mira = house.person("mira")
    mira.register()
    links = links_of(house.mails()[0])
    anyone = house.stranger()
    house.clock.set(2027, 1, 19, 7, 59)
    assert anyone.get(links["see"]).status_code == 200
    house.clock.set(2027, 1, 19, 8, 0)
    assert anyone.get(links["see"]).status_code == 410
    assert anyone.get(links["withdraw,"]).status_code == 200
    house.clock.set(2027, 1, 21, 15, 0)
    assert anyone.get(links["withdraw,"]).status_code == 410


def test_withdrawing_takes_all_links_back(house: House) -> None:
    mira = house.person("mira")
    mira.register()
    links = links_of(house.mails()[0])
    mira.withdraw()
    for path in links.values():
        assert house.stranger().get(path).status_code == 410
    with house.session():
        assert list(db.session.scalars(select(Link))) == []


@only_sqlite
def test_forged_and_foreign_tokens_are_refused(house: House) -> None:
    mira = house.person("mira")
    mira.register()
    links = links_of(house.mails()[0])
    anyone = house.stranger()
    token = token_of(anyone.get(links["withdraw,"]).text)
    right = links["withdraw,"].partition("links/")[2]
    forged = [right[:-1], right + "A", right[::-1], "x", "%00", "..%2f..", "a" * 5000, "é"]
    for wrong in forged:
        for answer in (
            anyone.get(f"links/{wrong}"),
            anyone.send(f"links/{wrong}", csrf_token=token),
        ):
            assert answer.status_code in (401, 404, 410), wrong
    # A link of one purpose does nothing else, and a calendar's is none.
    assert "Nothing has happened yet" not in anyone.get(links["see"]).text
    assert anyone.get(f"calendars/{right}.ics").status_code == 404
    assert house.states() == [("mira", "confirmed")]


@only_sqlite
def test_a_link_needs_the_forms_own_token(house: House) -> None:
    mira = house.person("mira")
    mira.register()
    path = links_of(house.mails()[0])["withdraw,"]
    assert house.stranger().send(path).status_code == 400
    other = house.stranger()
    token = token_of(other.get(path).text)
    assert house.stranger().send(path, csrf_token=token).status_code == 400
    assert house.state("mira") == "confirmed"


@only_sqlite
def test_the_database_holds_no_token(house: House) -> None:
    house.person("mira").register()
    token = links_of(house.mails()[0])["see"].partition("links/")[2]
    with house.session():
        for link in db.session.scalars(select(Link)):
            assert token.encode() not in link.digest
            assert token not in f"{link.purpose} {link.target}"


@only_sqlite
def test_every_mail_has_subject_reason_and_a_way_out(house: House) -> None:
    house.change(capacity=1, approval=False)
    first, second, third = house.people(3)
    for person in (first, second, third):
        person.register()
    first.withdraw()
    second.take()
    second.post(f"events/{SLUG}/change", name="x", q_attendance="Online")
    house.change(place="Elsewhere")
    house.tick()
    house.change(status="cancelled")
    house.tick()
    mails = house.mails()
    assert len(mails) == 11
    for mail in mails:
        assert "Winter Review 2027" in mail["Subject"]
        assert "You get this mail because you registered for Winter Review 2027." in text_of(mail)
        is_over = mail["Subject"].startswith(("Withdrawn", "Cancelled"))
        assert ("withdraw," in links_of(mail)) is not is_over
        assert ("You get no more" in text_of(mail)) is is_over
