"""What organisers see and do, and that they see their own events only."""

from __future__ import annotations

import csv
import io

import pytest

from tests.dynamic.registration.conftest import EVENT, SLUG, House, text_of, token_of

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OTHER = {"organisers": [{"id": "grace", "name": "Grace", "addresses": ["grace@people.example"]}]}


def add_other_event(house: House) -> None:
    other = {**house.release.events[EVENT], **OTHER, "id": "E-2", "slug": "e-2_u", "title": "Other"}
    house.release.events["E-2"] = other
    house.release.publish()


@only_sqlite
def test_organisers_see_their_own_events_only(house: House) -> None:
    add_other_event(house)
    ada = house.organiser()
    uid = _registered(house)
    for page in ("organise", "participants.csv", "check-in", "mail"):
        assert ada.get(f"events/{SLUG}/{page}").status_code == 200
        assert ada.get(f"events/e-2_u/{page}").status_code == 403
    mine = ada.get("events/").text
    assert f"/services/events/{SLUG}/organise" in mine
    assert "/services/events/e-2_u/organise" not in mine
    # Somebody else's participant cannot be reached through one's own event.
    house.person("p2").register("e-2_u")
    with house.session():
        from dynamic.database import db
        from dynamic.registration.models import Registration

        other = db.session.query(Registration).filter_by(event_id="E-2").one().uid
    for act in ("check-in", "decline", "admit", "undo"):
        answer = ada.post(f"events/{SLUG}/participants/{other}/{act}", f"events/{SLUG}/organise")
        assert answer.status_code == 404
    assert house.registration("p2").state == "confirmed"
    assert ada.post(f"events/{SLUG}/participants/{uid}/explode", f"events/{SLUG}/organise")


def _registered(house: House, subject: str = "p1", **more: str) -> str:
    house.person(subject, **more).register()
    return house.registration(subject).uid


@only_sqlite
@pytest.mark.parametrize(
    "email", ["ada@people.example.evil", "xada@people.example", "", "ada", "ada@people.example,x@y"]
)
def test_no_other_address_makes_an_organiser(house: House, email: str) -> None:
    stranger = house.person("ada", "researcher", name="Ada Lovelace", email=email)
    assert stranger.get(f"events/{SLUG}/organise").status_code == 403


@only_sqlite
def test_an_organiser_without_other_rights_reaches_a_members_event(house: House) -> None:
    house.change(access="members")
    assert house.organiser().get(f"events/{SLUG}/organise").status_code == 200
    assert house.person("r", "researcher").get(f"events/{SLUG}/organise").status_code == 404


@only_sqlite
def test_staff_tie_an_account_to_an_organiser(house: House) -> None:
    other = house.person("x", "researcher", email="Countess@home.example")
    assert other.get(f"events/{SLUG}/organise").status_code == 403
    staff = house.staff()
    wrong = staff.post("events/accounts", act="tie", email="nonsense", person="ada-lovelace")
    assert wrong.status_code == 422
    for _ in range(2):
        done = staff.post(
            "events/accounts", act="tie", email=" countess@HOME.example ", person="ada-lovelace"
        )
        assert done.status_code == 303
    assert other.get(f"events/{SLUG}/organise").status_code == 200
    page = staff.get("events/accounts").text
    assert page.count("countess@home.example</th>") == 1
    number = page.partition('name="tie" value="')[2].partition('"')[0]
    staff.post("events/accounts", act="untie", tie=number)
    assert other.get(f"events/{SLUG}/organise").status_code == 403
    for person in (other, house.organiser(), house.person("m", "member")):
        for path in ("events/accounts", "events/all"):
            assert person.get(path).status_code == 403


def test_an_event_may_ask_for_approval(house: House) -> None:
    house.change(approval=True, capacity=1)
    people = house.people(3)
    for person in people:
        person.register()
    assert [s for _, s in house.states()] == ["pending"] * 3
    assert house.mails("p1@example.org")[0]["Subject"] == "Received: Winter Review 2027"
    ada = house.organiser()
    uids = [house.registration(f"p{n}").uid for n in (1, 2, 3)]
    for uid, act in ((uids[1], "admit"), (uids[0], "admit"), (uids[2], "decline")):
        for _ in range(2):  # a button used twice does it once
            ada.post(f"events/{SLUG}/participants/{uid}/{act}", f"events/{SLUG}/organise")
    assert [s for _, s in house.states()] == ["waiting", "confirmed", "declined"]
    assert len(house.mails()) == 6
    assert "cannot offer you a place" in text_of(house.mails("p3@example.org")[-1])
    again = people[2].get(f"events/{SLUG}/register").text
    assert "could not offer you a place" in again
    assert 'method="post"' not in again


def test_declining_one_who_has_a_place_gives_it_to_the_next(house: House) -> None:
    house.change(capacity=1)
    for person in house.people(2):
        person.register()
    uid = house.registration("p1").uid
    house.organiser().post(f"events/{SLUG}/participants/{uid}/decline", f"events/{SLUG}/organise")
    assert house.states() == [("p1", "declined"), ("p2", "offered")]
    assert ("confirmed", "declined", "organiser", "ada") in house.transitions()


@only_sqlite
def test_registration_is_closed_at_once_and_opened_again(house: House) -> None:
    ada, (first, second) = house.organiser(), house.people(2)
    form = first.get(f"events/{SLUG}/register").text
    ada.post(f"events/{SLUG}/closing", f"events/{SLUG}/organise", act="close")
    late = first.send(
        f"events/{SLUG}/register", csrf_token=token_of(form), name="x", q_attendance="On site"
    )
    assert late.status_code == 409
    assert "The organisers have closed registration." in late.text
    ada.post(f"events/{SLUG}/closing", f"events/{SLUG}/organise", act="open")
    assert second.register().status_code == 303


@only_sqlite
def test_check_in_by_name_in_any_script(house: House) -> None:
    names = ["Nguyễn Hạ Miên", "Łukasz Żak", "هالة السرياني", "沈若溪", "O'Brien, Pat"]
    for n, name in enumerate(names):
        house.person(f"p{n}", name=name).register()
    ada = house.organiser()
    for words, found in (
        ("nguyen", names[0]),
        ("ha mi", names[0]),
        ("LUKASZ", names[1]),
        ("żak", names[1]),
        ("هالة", names[2]),
        ("若", ""),
        ("沈若", names[3]),
        ("shen", names[3]),
        ("brien", ""),
        ("pat", names[4]),
    ):
        page = ada.get(f"events/{SLUG}/check-in?q={words}").text
        shown = [name for name in names if f"<bdi>{name.replace(chr(39), '&#39;')}</bdi>" in page]
        assert shown == ([found] if found else []), words
    uid = house.registration("p0").uid
    for _ in range(2):
        ada.post(f"events/{SLUG}/participants/{uid}/check-in", f"events/{SLUG}/check-in")
    assert "<b>1 of 5</b> are here" in ada.get(f"events/{SLUG}/check-in").text
    assert house.state("p0") == "attended"
    ada.post(f"events/{SLUG}/participants/{uid}/undo", f"events/{SLUG}/check-in")
    assert house.state("p0") == "confirmed"
    assert len(house.mails()) == 5  # nobody is mailed at the door


@only_sqlite
def test_who_has_no_place_is_not_checked_in(house: House) -> None:
    house.change(capacity=1)
    for person in house.people(2):
        person.register()
    uid = house.registration("p2").uid
    ada = house.organiser()
    ada.post(f"events/{SLUG}/participants/{uid}/check-in", f"events/{SLUG}/check-in")
    assert "the registration is waiting" in ada.get(f"events/{SLUG}/check-in").text
    assert house.state("p2") == "waiting"


@only_sqlite
def test_a_table_runs_nothing_and_shows_no_address(house: House) -> None:
    formulas = ['=HYPERLINK("http://evil","x")', "+1+1", "-2+3", "@SUM(A1)", " =1+1", "＝1+1"]
    for n, formula in enumerate(formulas):
        house.person(f"p{n}", name=f"Name {n}").register(
            name=formula, affiliation=formula, q_food=formula
        )
    house.person("last", name='A "quoted", one').register(q_food="two\r\nlines; and; more")
    answer = house.organiser().get(f"events/{SLUG}/participants.csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{SLUG}.csv"'
    assert "example.org" not in answer.text
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(rows) == 8
    assert rows[0][:4] == ["Number", "Name", "Organisation", "State"]
    for row in rows[1:]:
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝"))
    assert rows[7][1] == 'A "quoted", one'
    assert "two\nlines; and; more" in rows[7]


def test_an_organisers_mail_goes_out_once_after_a_look(house: House) -> None:
    house.change(capacity=2)
    people = house.people(3)
    for person in people:
        person.register()
    ada = house.organiser()
    data = {"whom": "confirmed", "title": "Bring\r\nBcc: x@y.z", "text": "A poster,\n\nplease."}
    page = ada.post(f"events/{SLUG}/mail", act="look", nonce="n" * 32, **data).text
    assert "Nothing has been sent yet. It goes to 2 people" in page
    assert len(house.mails()) == 3
    for _ in range(2):
        sent = ada.post(f"events/{SLUG}/mail", act="send", nonce="n" * 32, **data)
        assert sent.status_code == 303
    assert len(house.mails()) == 5
    mail = house.mails("p1@example.org")[-1]
    assert mail["Subject"] == "Winter Review 2027: Bring Bcc: x@y.z"
    assert mail["Bcc"] is None
    assert "A poster,\n\nplease." in text_of(mail)
    assert "Answers reach Ada Lovelace at ADA@people.example." in text_of(mail)
    assert [m["Subject"] for m in house.mails("p3@example.org")] == [
        "Waiting list: Winter Review 2027"
    ]


@only_sqlite
def test_a_mail_without_words_is_not_sent(house: House) -> None:
    _registered(house)
    ada = house.organiser()
    for data in (
        {"whom": "everyone", "title": "x", "text": "y"},
        {"whom": "confirmed", "title": " ", "text": "y"},
        {"whom": "confirmed", "title": "x", "text": ""},
        {"whom": "confirmed", "title": "x" * 151, "text": "y"},
    ):
        answer = ada.post(f"events/{SLUG}/mail", act="send", nonce="n" * 32, **data)
        assert answer.status_code == 422, data
    assert len(house.mails()) == 1
