"""Who may ask the service anything at all."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dynamic.identity import only, reader, without_sign_in
from tests.dynamic.apache_says import SECRET, signed_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    @app.get("/services/me")
    def me() -> dict[str, object]:
        return {"subject": reader.subject, "name": reader.name, "company": reader.company}

    @app.get("/services/for-members")
    @only("member")
    def for_members() -> str:
        return "members"

    @app.get("/services/open")
    @without_sign_in
    def open_to_links() -> str:
        return "open"

    return app.test_client()


def test_a_reader_is_who_apache_says(client: FlaskClient) -> None:
    answer = client.get("/services/me", headers=signed_in("u-7", "member", name="Łukasz Żak"))
    assert answer.json == {"subject": "u-7", "name": "Łukasz Żak", "company": ""}


@pytest.mark.parametrize("secret", [None, "", SECRET[:-1], SECRET + "x", "ÿ" * 40])
def test_nobody_is_believed_without_the_secret(client: FlaskClient, secret: str | None) -> None:
    headers = signed_in("boss", "staff")
    headers.pop("X-Proxy-Secret")
    if secret is not None:
        headers["X-Proxy-Secret"] = secret
    for path in ("/services/me", "/services/open", "/services/nothing"):
        assert client.get(path, headers=headers).status_code == 403


def test_a_request_without_a_reader_is_refused(client: FlaskClient) -> None:
    for user in ("", "(null)", "  "):
        headers = {"X-Proxy-Secret": SECRET, "X-Remote-User": user}
        assert client.get("/services/me", headers=headers).status_code == 401


def test_links_need_no_reader_but_do_need_apache(client: FlaskClient) -> None:
    assert client.get("/services/open", headers={"X-Proxy-Secret": SECRET}).text == "open"
    assert client.get("/services/open").status_code == 403


def test_groups_decide(client: FlaskClient) -> None:
    assert client.get("/services/for-members", headers=signed_in("u", "member")).status_code == 200
    for groups in ((), ("student",), ("members",), ("Member",), ("student", "staff")):
        answer = client.get("/services/for-members", headers=signed_in("u", *groups))
        assert answer.status_code == 403
        assert "may not open" in answer.text


def test_only_a_member_has_a_company(client: FlaskClient) -> None:
    as_student = client.get("/services/me", headers=signed_in("s", "student", company="acme"))
    as_member = client.get("/services/me", headers=signed_in("m", "member", company="acme"))
    assert (as_student.json or {})["company"] == ""
    assert (as_member.json or {})["company"] == "acme"
