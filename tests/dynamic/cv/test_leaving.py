"""CVs that are withdrawn, read, renewed, purged, handed out and erased."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from dynamic.cv import consent, shelf, upkeep
from dynamic.cv.forms import CvForm
from dynamic.cv.inspection import inspect
from dynamic.cv.models import AccountPerson, Cv, CvReceipt
from dynamic.cv.receipts import parse, read_receipts
from dynamic.cv.shelf import Entry
from dynamic.cv.spool import spooled
from dynamic.database import db, now
from dynamic.outbox import Mail
from dynamic.privacy import erase_person, export_person
from tests.dynamic.apache_says import signed_in
from tests.dynamic.cv import files
from tests.dynamic.cv.students import MINE, send, student
from tests.dynamic.process import Service
from tests.dynamic.releases import Releases

ENTRY = Entry(
    name="Nguyễn Hạ Miên",
    email="mien@luzna.example",
    degree="master",
    field="Physics",
    graduation="2027-09",
    topics=("Metrology",),
    availability=("internship",),
    available_from="",
    links=(),
    shown_to="all",
    chosen=(),
    blocked=(),
)


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    """The app, with a context pushed: this process is the worker."""
    with app.app_context():
        yield app
        db.session.remove()


def land(subject: str = "s-1") -> str:
    import io

    from flask import current_app

    folder = current_app.config["SETTINGS"].var / "cv-spool"
    with spooled(io.BytesIO(files.pdf()), folder) as file:
        found = inspect(file.path)
        return shelf.land(subject, ENTRY, (file, found, "cv.pdf"), queue=lambda _: None).id


def subjects() -> list[str]:
    from email import message_from_bytes
    from email.policy import default

    return [
        str(message_from_bytes(mail.content, policy=default)["Subject"])
        for mail in db.session.scalars(select(Mail).order_by(Mail.id))
    ]


def test_withdrawing_is_confirmed_when_everything_is_gone(service: Service) -> None:
    mien = student(service)
    send(mien)
    page = mien.get("/services/cv/withdraw")
    assert "Withdraw your CV?" in page.text
    assert list((service.site / "var" / "cv-store").iterdir())  # looking changes nothing
    token = mien.token("/services/cv/withdraw")
    answer = mien.post("/services/cv/withdraw", {"csrf_token": token})
    assert answer.headers["Location"] == "/services/cv/?done=withdrawn"
    assert "is withdrawn" in mien.get("/services/cv/?done=withdrawn").text
    assert not list((service.site / "var" / "cv-store").iterdir())
    assert mien.get("/services/cv/file").status_code == 404
    again = mien.post("/services/cv/withdraw", {"csrf_token": token})
    assert again.status_code == 303
    assert send(mien).status_code == 303  # and a new one can be sent at any time


def test_a_withdrawal_that_could_not_be_done_is_not_confirmed(service: Service) -> None:
    mien = student(service)
    send(mien)
    book = service.site / "var" / "cvbook"
    book.mkdir()
    (book / "not-a-book").write_text("a mount point with something else in it")
    token = mien.token("/services/cv/withdraw")
    answer = mien.post("/services/cv/withdraw", {"csrf_token": token})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "not yet done everywhere" in answer.text.lower().replace("this is ", "")
    assert "Being withdrawn" in mien.get(MINE).text
    (book / "not-a-book").unlink()
    answer = mien.post("/services/cv/withdraw", {"csrf_token": token})
    assert answer.status_code == 303


LINE = '127.0.0.1 u-7 [{time}] "{what}" {status} 5120 900\n'


def _log(cv_id: str, *lines: tuple[str, str, str, int]) -> str:
    return "".join(
        LINE.format(time=time, what=f"{method} {path.replace('CV', cv_id)} HTTP/2.0", status=status)
        for time, method, path, status in lines
    )


def _receipts() -> list[tuple[str, str, str]]:
    db.session.rollback()
    return [
        (one.company, one.opened.strftime("%H:%M"), one.what)
        for one in db.session.scalars(
            select(CvReceipt).order_by(
                CvReceipt.opened, CvReceipt.what.desc(), CvReceipt.company.desc()
            )
        )
    ]


def test_receipts_come_from_apaches_log_once_each(inside: Flask, release: Releases) -> None:
    cv_id = land()
    folder = inside.config["SETTINGS"].var / "log"
    folder.mkdir()
    log = folder / "apache-access.log"
    log.write_text(
        _log(
            cv_id,
            ("2026-11-24T09:15:01+0100", "GET", "/cvs/acme/CV/", 200),
            ("2026-11-24T09:15:09+0100", "GET", "/cvs/acme/CV/jane-cv.pdf", 206),
            ("2026-11-24T09:15:11+0100", "GET", "/cvs/acme/CV/jane-cv.pdf", 206),
            ("2026-11-24T09:16:00+0100", "GET", "/cvs/borealis/CV/", 403),
            ("2026-11-24T09:16:01+0100", "HEAD", "/cvs/acme/CV/", 200),
            ("2026-11-24T09:16:02+0100", "GET", "/cvs/acme/", 200),
            ("2026-11-24T09:16:03+0100", "GET", "/cvs/acme/" + "0" * 32 + "/", 200),
            ("2026-11-24T09:16:04+0100", "GET", "/publications/cvs/acme/CV/", 200),
        )
    )
    assert read_receipts() == 2
    assert _receipts() == [("acme", "08:15", "page"), ("acme", "08:15", "file")]
    assert read_receipts() == 0
    # Rotated by renaming, then compressed; the new one goes on; a line is half-written.
    log.rename(folder / "apache-access.log.1")
    log.write_text(
        _log(cv_id, ("2026-11-25T10:00:00+0000", "GET", "/cvs/cygnus/CV/index.html", 304))
        + "127.0.0.1 u-7 [2026-11-25T10:00:"
    )
    assert read_receipts() == 1
    with gzip.open(folder / "apache-access.log.2.gz", "wb") as packed:
        packed.write((folder / "apache-access.log.1").read_bytes())
    (folder / "apache-access.log.1").unlink()
    assert read_receipts() == 0
    with log.open("a") as more:
        more.write(f'05+0000] "GET /cvs/acme/{cv_id}/ HTTP/1.1" 200 1 1\n')
    assert read_receipts() == 1
    assert _receipts()[2:] == [("cygnus", "10:00", "page"), ("acme", "10:00", "page")]
    client = inside.test_client()
    page = client.get(MINE, headers=signed_in("s-1", "student")).get_data(as_text=True)
    assert "Cygnus &amp; Söhne" in page
    assert "25 November 2026, 10:00" in page


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe\x00",
        b'1 u [2026-13-45T99:99:99+0000] "GET /cvs/a/' + b"0" * 32 + b'/ HTTP/1.1" 200 1 1\n',
        b'1 u [2026-11-24T09:15:01+0000] "GET /cvs/../' + b"0" * 32 + b'/ HTTP/1.1" 200 1 1\n',
        b'1 u [2026-11-24T09:15:01+0000] "GET /cvs/A%2F/' + b"0" * 32 + b'/ H" 200 1 1\n',
        b'1 "GET /cvs/acme/' + b"0" * 32 + b'/ HTTP/1.1" 200 1 1\n',
    ],
)
def test_a_broken_line_of_the_log_is_no_receipt(line: bytes) -> None:
    assert parse(line) is None


def test_a_year_ends_with_two_reminders_and_a_purge(inside: Flask, release: Releases) -> None:
    land()
    store = inside.config["SETTINGS"].var / "cv-store"

    def in_days(days: float) -> None:
        db.session.execute(update(Cv).values(expires=now() + timedelta(days=days)))
        db.session.commit()

    for days, reminded in ((31, 0), (29, 1), (28, 0), (6.9, 1), (6, 0)):
        in_days(days)
        assert upkeep.tend()["reminded"] == reminded
    cv = shelf.cv_of("s-1")
    assert cv is not None
    shelf.renew(cv)
    assert upkeep.tend()["reminded"] == 0
    in_days(3)
    assert upkeep.tend()["reminded"] == 1  # one that nobody saw coming is told once
    in_days(-0.1)
    assert upkeep.tend()["purged"] == 1
    assert shelf.cv_of("s-1") is None
    assert list(store.iterdir()) == []
    told = subjects()
    assert [word for word in told if "is deleted on" in word] == told[:3]
    assert told[3] == "Your CV has been deleted"


def test_renewing_gives_a_year_from_today(inside: Flask, release: Releases) -> None:
    land()
    db.session.execute(update(Cv).values(expires=now() + timedelta(days=3), reminders=2))
    db.session.commit()
    client = inside.test_client()
    client.environ_base["wsgi.url_scheme"] = "https"
    headers = {**signed_in("s-1", "student"), "Referer": "https://localhost/services/cv/"}
    page = client.get(MINE, headers=headers).get_data(as_text=True)
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = client.post("/services/cv/renew", data={"csrf_token": token}, headers=headers)
    assert answer.status_code == 303
    db.session.rollback()
    cv = shelf.cv_of("s-1")
    assert cv is not None
    assert cv.expires > now() + timedelta(days=364)
    assert cv.reminders == 0


def test_renewing_asks_for_consent_where_the_text_has_changed(
    inside: Flask, release: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    land()
    monkeypatch.setitem(consent.CONSENTS, "2025-09", "I agreed to less.")
    soon = now() + timedelta(days=3)
    db.session.execute(update(Cv).values(expires=soon, consent="2025-09", consented=soon))
    db.session.commit()
    client = inside.test_client()
    client.environ_base["wsgi.url_scheme"] = "https"
    headers = {**signed_in("s-1", "student"), "Referer": "https://localhost/services/cv/"}

    def renew(**agreed: str) -> tuple[str, Cv]:
        page = client.get(MINE, headers=headers).get_data(as_text=True)
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        data = {"csrf_token": token, **agreed}
        answer = client.post("/services/cv/renew", data=data, headers=headers)
        assert answer.status_code == 303
        shown = client.get(answer.headers["Location"], headers=headers).get_data(as_text=True)
        db.session.rollback()
        cv = shelf.cv_of("s-1")
        assert cv is not None
        return shown, cv

    shown, cv = renew()
    assert "Not renewed: the text has changed" in shown
    assert consent.CONSENTS[consent.CURRENT] in shown
    assert (cv.consent, cv.expires) == ("2025-09", soon)
    shown, cv = renew(consent="y")
    assert "kept for another year" in shown
    assert cv.consent == consent.CURRENT
    assert cv.expires - cv.consented == timedelta(days=365)


def test_a_person_is_told_and_erased(inside: Flask, release: Releases) -> None:
    cv_id = land()
    land("s-2")
    db.session.add(AccountPerson(subject="s-1", person_id="p", tied_by="boss", tied=now()))
    db.session.add(CvReceipt(cv_id=cv_id, company="acme", opened=now(), what="page"))
    db.session.commit()
    # Both accounts have one address, so both are the same person's.
    told = export_person("s-1")["CVs"]
    assert {cv["account"] for cv in told["cvs"]} == {"s-1", "s-2"}
    assert told["tied_to_people"][0]["person"] == "p"
    json.dumps(told, default=str)
    (opened,) = (cv["opened"] for cv in told["cvs"] if cv["account"] == "s-1")
    assert opened[0]["company"] == "Acme Devices"
    db.session.rollback()
    gone = erase_person("mien@luzna.example")
    assert gone["CVs"] == 3
    assert not db.session.scalars(select(Cv)).all()
    assert not db.session.scalars(select(AccountPerson)).all()
    assert list((inside.config["SETTINGS"].var / "cv-store").iterdir()) == []
    assert export_person("s-1")["CVs"] == {"cvs": [], "tied_to_people": []}
    export = (inside.config["SETTINGS"].var / "service-export.sqlite").read_bytes()
    assert b"luzna" not in export
    assert cv_id.encode() not in (inside.config["SETTINGS"].var / "cvbook-denied.txt").read_bytes()


def test_staff_tie_an_account_to_a_person_of_the_records(
    service: Service, release: Releases
) -> None:
    release.documents["person:ada"] = {
        "id": "person:ada",
        "type": "person",
        "url": "/people/ada/",
        "title": "Ada Lovelace",
        "access": "public",
    }
    release.publish()
    mien = student(service)
    send(mien)
    boss = service.browse("boss", "staff")
    page = boss.get("/services/cv/staff/").text
    action = page.partition('action="/services/cv/staff/')[2].partition('"')[0]
    path = f"/services/cv/staff/{action}"
    assert files.TEXT not in page
    token = boss.token("/services/cv/staff/")
    answer = boss.post(path, {"csrf_token": token, "person": "nobody-known"})
    assert answer.status_code == 422
    assert "There is no person nobody-known" in answer.text
    answer = boss.post(path, {"csrf_token": token, "person": "person:ada"})
    assert answer.status_code == 303
    assert "Ada Lovelace" in boss.get("/services/cv/staff/").text
    assert "Those of ada in the records" in mien.get(MINE).text
    for other in (mien, service.browse("m", "member", company="acme")):
        assert other.get("/services/cv/staff/").status_code == 403
        assert other.post(path, {"csrf_token": "x", "person": ""}).status_code in {400, 403}
    assert boss.post(path, {"csrf_token": token, "person": ""}).status_code == 303
    assert "Those of ada" not in mien.get(MINE).text
    gone = f"/services/cv/staff/{'0' * 32}/person"
    assert boss.post(gone, {"csrf_token": token, "person": "ada"}).status_code == 404


def test_the_form_asks_for_what_the_table_keeps() -> None:
    asked = {name for name in vars(CvForm) if name in Entry.__dataclass_fields__}
    assert asked == set(Entry.__dataclass_fields__) - {"email"}
