"""Feedback of members: sent once, kept, answered."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from dynamic.database import db
from dynamic.feedback.following import follow_corrections
from dynamic.feedback.models import Feedback
from dynamic.outbox import Mail
from tests.dynamic.apache_says import signed_in
from tests.dynamic.releases import Releases

PUBLICATION = "/services/feedback/publication/el-2026-17_u"
MEMBER = signed_in("m-1", "member", name="Łukasz Żak", email="lukasz@example.org")
STAFF = signed_in("s-1", "staff", name="Office")

pytestmark = pytest.mark.usefixtures("release")


def form_of(client: FlaskClient, path: str, headers: dict[str, str]) -> dict[str, str]:
    """Return the fields of a form as a browser would send them."""
    page = client.get(path, headers=headers)
    assert page.status_code == 200, page.text
    main = page.text[page.text.index("<main") :]
    fields = {}
    for tag in re.findall(r"<input[^>]*>", main):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        kind = re.search(r' type="([^"]*)"', tag)
        assert name
        assert kind
        if kind[1] not in ("radio", "checkbox") or " checked" in tag:
            fields[name[1]] = unescape(value[1] if value else "")
    for name, body in re.findall(
        r'<textarea[^>]* name="([^"]*)"[^>]*>\n?(.*?)</textarea>', main, re.DOTALL
    ):
        fields[name] = unescape(body)
    return fields


def unescape(words: str) -> str:
    from html import unescape as plain

    return plain(words)


def send(
    client: FlaskClient, path: str = PUBLICATION, headers: dict[str, str] = MEMBER, **changes: str
) -> TestResponse:
    fields = form_of(client, path, headers) | changes
    return client.post(path, data=fields, headers=headers)


def kept(app: Flask) -> list[Feedback]:
    with app.app_context():
        found = db.session.query(Feedback).order_by(Feedback.id).all()
        for one in found:
            assert one.corrections is not None
            assert one.steps
        return found


def mails(app: Flask) -> list[EmailMessage]:
    with app.app_context():
        found = db.session.query(Mail).order_by(Mail.id).all()
        return [message_from_bytes(m.content, policy=policy.default) for m in found]  # type: ignore[misc]


def words_of(mail: EmailMessage) -> str:
    return str(mail.get_content())


def test_what_is_sent_is_kept_and_answered(app: Flask, client: FlaskClient) -> None:
    answer = send(client, text="Schön.\n再见", rating="4")
    assert answer.status_code == 303
    assert answer.location == "/services/feedback/1?sent"
    page = client.get(answer.location, headers=MEMBER)
    assert "F-1" in page.text
    assert "lukasz@example.org" in page.text
    (feedback,) = kept(app)
    assert (feedback.text, feedback.rating, feedback.name) == ("Schön.\n再见", 4, "Łukasz Żak")
    assert (feedback.record_type, feedback.record_id) == ("publication", "EL-2026-17")
    assert feedback.corrections == []
    receipt, staff = mails(app)
    assert (receipt["To"], staff["To"]) == ("lukasz@example.org", "office@example.org")
    assert "再见" in words_of(receipt)
    assert "https://publications.example/services/feedback/1" in words_of(receipt)
    assert "Copper drift in narrow lines" in staff["Subject"]
    assert "Łukasz Żak" in words_of(staff)
    assert receipt["Message-ID"] != staff["Message-ID"]


def test_only_fields_that_were_changed_are_corrections(app: Flask, client: FlaskClient) -> None:
    fields = form_of(client, PUBLICATION, MEMBER)
    assert fields["field_title"] == "Copper drift in narrow lines"
    assert fields["field_people"] == "Ada Lovelace\nŁukasz Żak"
    assert fields["field_abstract"] == "Lines drift.\n\nWe measured how far."
    answer = send(
        client,
        field_title="Copper drift in wide lines",
        field_people="Ada Lovelace\r\nŁukasz Żak",
        field_doi="",
    )
    assert answer.status_code == 303
    corrections = [(c.field, c.was, c.proposed) for c in kept(app)[0].corrections]
    assert corrections == [
        ("title", "Copper drift in narrow lines", "Copper drift in wide lines"),
        ("doi", "10.5555/el.17", ""),
    ]


def test_a_field_that_a_newer_release_corrected_is_none(
    app: Flask, client: FlaskClient, release: Releases
) -> None:
    fields = form_of(client, PUBLICATION, MEMBER)
    release.documents["publication:EL-2026-17"]["title"] = "New title"
    release.documents["publication:EL-2026-17"]["doi"] = "10.5555/new"
    release.publish()
    fields |= {"field_title": "New title", "text": "Typo"}
    assert client.post(PUBLICATION, data=fields, headers=MEMBER).status_code == 303
    assert kept(app)[0].corrections == []  # the DOI was not touched by the reader


def test_the_same_form_twice_is_one_message(app: Flask, client: FlaskClient) -> None:
    fields = form_of(client, PUBLICATION, MEMBER) | {"text": "Once"}
    first = client.post(PUBLICATION, data=fields, headers=MEMBER)
    second = client.post(PUBLICATION, data=fields, headers=MEMBER)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert len(kept(app)) == 1
    assert len(mails(app)) == 2


def test_nothing_said_is_told_beside_the_field(app: Flask, client: FlaskClient) -> None:
    answer = send(client)
    assert answer.status_code == 422
    assert "Say something" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert kept(app) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": "x" * 10_001}, "keep to 10000 characters"),
        ({"rating": "9"}, "Choose one of the answers"),
        ({"rating": "4 OR 1=1"}, "Choose one of the answers"),
        ({"field_title": "y" * 2001}, "keep to 2000 characters"),
    ],
)
def test_what_cannot_be_kept_is_told_and_the_text_stays(
    client: FlaskClient, changes: dict[str, str], words: str
) -> None:
    answer = send(client, **{"text": "My long thoughts", **changes})
    assert answer.status_code == 422
    assert words in answer.text
    assert "Error:" in answer.text
    assert changes.get("text", "My long thoughts")[:20] in answer.text


@pytest.mark.parametrize(
    ("path", "mailbox"),
    [
        ("/services/feedback/project/drift", "office@example.org"),
        ("/services/feedback/event/e-2027-01_u", "events@example.org"),
        ("/services/feedback/deliverable/d1.1_u", "office@example.org"),
    ],
)
def test_each_type_of_record_goes_to_its_mailbox(
    app: Flask, client: FlaskClient, path: str, mailbox: str
) -> None:
    assert send(client, path, text="Hello").status_code == 303
    assert mails(app)[1]["To"] == mailbox


def test_members_records_exist_for_those_who_see_them(client: FlaskClient) -> None:
    path = "/services/feedback/publication/secret-1"
    assert client.get(path, headers=MEMBER).status_code == 200
    for groups in (["student"], ["researcher"], []):
        answer = client.get(path, headers=signed_in("x", *groups))
        assert answer.status_code == 403


def test_researchers_who_may_send_do_not_see_members_records(
    site_folder: object, client: FlaskClient, app: Flask
) -> None:
    from dataclasses import replace

    app.config["SETTINGS"] = replace(
        app.config["SETTINGS"], feedback_groups=("member", "staff", "researcher")
    )
    researcher = signed_in("r", "researcher")
    assert client.get(PUBLICATION, headers=researcher).status_code == 200
    for path in ("publication/secret-1", "deliverable/d1.1_u"):
        answer = client.get(f"/services/feedback/{path}", headers=researcher)
        assert answer.status_code == 404
        assert "For members alone" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        *("publication/nothing", "person/ada", "publication/..", "publication/el-2026-17"),
        *("publication/%00", "publication/_zz", "publication/_ff", "publication/x_m", "x/y"),
        *("publication/_2e_2e_2fservice_2frecords.json", "deliverable/x", "event/" + "a" * 900),
        "publication/x_h" + "0" * 32,
    ],
)
def test_there_is_no_form_for_what_is_no_record(client: FlaskClient, path: str) -> None:
    assert client.get(f"/services/feedback/{path}", headers=MEMBER).status_code == 404


def test_a_long_id_is_found_by_its_digest(client: FlaskClient, release: Releases) -> None:
    slug = "a" * 120 + "_h" + "0" * 32
    release.documents["publication:" + "a" * 200] = {
        **release.documents["publication:EL-2026-17"],
        "id": "publication:" + "a" * 200,
        "url": f"/publications/{slug}/",
        "title": "Long",
    }
    release.publish()
    answer = client.get(f"/services/feedback/publication/{slug}", headers=MEMBER)
    assert "“<bdi>Long</bdi>”" in answer.text


def test_a_copy_is_offered_where_there_is_no_full_text(
    app: Flask, client: FlaskClient, release: Releases
) -> None:
    assert send(client, wants_copy="y").status_code == 303
    assert kept(app)[0].wants_copy is True
    folder = release.root / "members" / "publications" / "el-2026-17_u"
    folder.mkdir(parents=True)
    (folder / "el-2026-17_u.pdf").write_bytes(b"%PDF-")
    fields = form_of(client, PUBLICATION, MEMBER)
    assert "wants_copy" not in client.get(PUBLICATION, headers=MEMBER).text
    answer = client.post(
        PUBLICATION, data=fields | {"wants_copy": "y", "text": "x"}, headers=MEMBER
    )
    assert answer.status_code == 303
    assert kept(app)[1].wants_copy is False


def test_nobody_reads_what_another_sent(client: FlaskClient) -> None:
    send(client, text="Between us")
    for headers in (signed_in("m-2", "member"), STAFF):
        assert client.get("/services/feedback/1", headers=headers).status_code == 404
        assert "Between us" not in client.get("/services/feedback/", headers=headers).text
    assert client.get("/services/staff/feedback/1", headers=MEMBER).status_code == 403
    assert client.get("/services/staff/feedback/", headers=MEMBER).status_code == 403
    assert client.get("/services/staff/feedback.csv", headers=MEMBER).status_code == 403
    decided = {"state": "declined", "version": "1", "note": "x"}
    assert client.post("/services/staff/feedback/1", data=decided, headers=MEMBER).status_code in (
        400,
        403,
    )


def test_a_post_without_our_token_is_refused(app: Flask, client: FlaskClient) -> None:
    fields = form_of(client, PUBLICATION, MEMBER) | {"text": "x"}
    without = {k: v for k, v in fields.items() if k != "csrf_token"}
    for data in (without, fields | {"csrf_token": "forged"}):
        answer = client.post(PUBLICATION, data=data, headers=MEMBER)
        assert answer.status_code == 400
        assert "grown old" in answer.text
    other = app.test_client()  # another browser, to which the token was not given
    assert other.post(PUBLICATION, data=fields, headers=MEMBER).status_code == 400
    cross = MEMBER | {"Sec-Fetch-Site": "cross-site"}
    assert client.post(PUBLICATION, data=fields, headers=cross).status_code == 403
    assert kept(app) == []


def test_a_header_cannot_be_broken_out_of(
    app: Flask, client: FlaskClient, release: Releases
) -> None:
    release.documents["publication:EL-2026-17"]["title"] = "A\r\nBcc: all@example.org\r\n\r\nB"
    release.publish()
    hostile = signed_in("m-1", "member", name="X\tBcc: y@example.org", email="m@example.org")
    assert send(client, headers=hostile, text="x\r\n.\r\nBcc: z@example.org").status_code == 303
    for mail in mails(app):
        assert mail["Bcc"] is None
        assert len(mail.get_all("To", [])) == 1


@pytest.mark.parametrize(
    "email", ["", "no address", "a@b, c@d", "<a@b.example>", "a@b.example\t", "ä@b.example"]
)
def test_without_an_address_the_page_is_the_receipt(
    app: Flask, client: FlaskClient, email: str
) -> None:
    headers = signed_in("m-1", "member", email=email.encode().decode("latin-1"))
    answer = send(client, headers=headers, text="Hello")
    assert answer.status_code == 303
    page = client.get(answer.location, headers=headers)
    if email.strip() == "a@b.example":
        assert len(mails(app)) == 2
    else:
        assert "no mail address" in page.text
        assert [m["To"] for m in mails(app)] == ["office@example.org"]


def test_staff_decide_and_the_sender_is_told(app: Flask, client: FlaskClient) -> None:
    send(client, text="First")
    path = "/services/staff/feedback/1"
    assert "First" in client.get(path, headers=STAFF).text
    assert send(client, path, STAFF, state="declined").status_code == 422
    assert send(client, path, STAFF, state="declined", note="Not ours.\nSorry.").status_code == 303
    (feedback,) = kept(app)
    assert feedback.state == "declined"
    assert [s.by for s in feedback.steps] == ["", "s-1"]
    told = mails(app)[2]
    assert told["To"] == "lukasz@example.org"
    assert "Not ours." in words_of(told)
    assert "declined" in client.get("/services/feedback/", headers=MEMBER).text
    assert send(client, path, STAFF, state="published", build="7", note="").status_code == 303
    assert "published in build 7" in client.get("/services/feedback/1", headers=MEMBER).text


@pytest.mark.parametrize("build", ["", "0", "-3", "x", "99999999999999999999"])
def test_a_build_has_a_number(client: FlaskClient, build: str) -> None:
    send(client, text="First")
    answer = send(client, "/services/staff/feedback/1", STAFF, state="published", build=build)
    assert answer.status_code == 422


def test_two_of_staff_do_not_overwrite_each_other(client: FlaskClient) -> None:
    send(client, text="First")
    path = "/services/staff/feedback/1"
    old = form_of(client, path, STAFF)
    assert send(client, path, STAFF, state="working").status_code == 303
    answer = client.post(path, data=old | {"state": "declined", "note": "No"}, headers=STAFF)
    assert answer.status_code == 409
    assert "being worked on" in client.get(path, headers=STAFF).text


def test_the_queue_is_filtered_and_paged(client: FlaskClient) -> None:
    for number in range(53):
        sender = signed_in(f"m-{number}", "member", name="Łukasz Żak")
        send(client, headers=sender, text=f"Message {number}")
    send(client, "/services/feedback/project/drift", text="About the project")
    send(client, "/services/staff/feedback/1", STAFF, state="declined", note="No")
    first = client.get("/services/staff/feedback/", headers=STAFF).text
    assert "Page 1 of 2" in first
    assert "F-54" not in first
    assert "F-54" in client.get("/services/staff/feedback/?page=2", headers=STAFF).text

    def found(query: str) -> set[str]:
        page = client.get(f"/services/staff/feedback/?{query}", headers=STAFF).text
        return set(re.findall(r'data-h="Reference">(F-\d+)<', page))

    assert found("state=declined") == {"F-1"}
    assert found("type=project") == {"F-54"}
    assert found("q=F-3") == {"F-3"}
    assert found("q=drift&type=project") == {"F-54"}
    assert found("q=%25") == set()
    assert found("q=%C5%81ukasz&state=declined") == {"F-1"}
    assert found("state='--&page=x&type=[]") == found("")


def test_no_cell_of_the_table_is_a_formula(client: FlaskClient) -> None:
    send(client, text="=HYPERLINK(1)", field_title="@SUM(1)", field_doi="+1")
    table = client.get("/services/staff/feedback.csv", headers=STAFF)
    assert table.headers["Content-Disposition"] == 'attachment; filename="feedback.csv"'
    import csv
    import io

    rows = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert [(r["field"], r["proposed"]) for r in rows] == [("title", "'@SUM(1)"), ("doi", "'+1")]
    assert {r["text"] for r in rows} == {"'=HYPERLINK(1)"}


def test_the_sender_is_told_when_a_release_shows_the_correction(
    app: Flask, client: FlaskClient, release: Releases
) -> None:
    send(client, field_title="Copper drift in wide lines", field_doi="10.5555/other")
    with app.app_context():
        assert follow_corrections() == 0  # the release is the one that the reader saw
    release.publish()
    with app.app_context():
        assert follow_corrections() == 0  # a new one, but it says the same
    document = release.documents["publication:EL-2026-17"]
    document["title"] = "Copper  drift in wide lines"
    release.publish()
    with app.app_context():
        assert follow_corrections() == 1
        assert follow_corrections() == 0
    assert kept(app)[0].state == "received"  # the DOI is still open
    document["doi"] = "10.5555/third"
    release.publish()
    with app.app_context():
        assert follow_corrections() == 1
    (feedback,) = kept(app)
    assert (feedback.state, feedback.build) == ("published", 4)
    first, second = mails(app)[2:]
    assert first["Subject"] == "F-1: published in build 3"
    assert "reads as you proposed" in words_of(first)
    assert "otherwise than you proposed" in words_of(second)
    assert "10.5555/third" in words_of(second)


def test_what_was_declined_is_not_followed(
    app: Flask, client: FlaskClient, release: Releases
) -> None:
    send(client, field_title="Other")
    send(client, "/services/staff/feedback/1", STAFF, state="declined", note="No")
    release.documents["publication:EL-2026-17"]["title"] = "Other"
    release.publish()
    with app.app_context():
        assert follow_corrections() == 0


def test_the_business_database_finds_it_in_the_inbox(app: Flask, client: FlaskClient) -> None:
    send(client, text="Hello", field_title="Other")
    with app.app_context():
        row = db.session.execute(text("SELECT * FROM inbox_feedback")).mappings().one()
        assert list(row) == [
            *("id", "record_type", "record_id", "rating", "text", "wants_copy", "account"),
            *("email", "name", "state", "build", "note", "release", "made_utc", "changed_utc"),
        ]
        assert (row["record_id"], row["text"]) == ("EL-2026-17", "Hello")
        row = db.session.execute(text("SELECT * FROM inbox_corrections")).mappings().one()
        assert (row["feedback_id"], row["field"], row["proposed"]) == (1, "title", "Other")


@pytest.mark.parametrize(
    "name",
    ["Ngũgĩ wa Thiong’o", "毛泽东", "محمد بن سلمان", "שָׁלוֹם", "Владимир", "नरेन्द्र", "🦊", "a\u0301"],
)
def test_names_in_every_script_survive(app: Flask, client: FlaskClient, name: str) -> None:
    headers = signed_in("m-1", "member", name=name, email="m@example.org")
    send(client, headers=headers, text=name, field_people=f"{name}\n{name}")
    import unicodedata

    (feedback,) = kept(app)
    composed = unicodedata.normalize("NFC", name)
    assert (feedback.name, feedback.text) == (composed, composed)
    assert feedback.corrections[0].proposed == f"{composed}\n{composed}"
    assert composed in words_of(mails(app)[1])
    assert composed in client.get("/services/feedback/1", headers=headers).text
