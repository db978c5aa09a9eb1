"""The included provider: accounts, mail, groups, limits, claims."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import stat
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from selectolax.lexbor import LexborHTMLParser

from tests.deploy.signin.reader import NAVIGATION, Reader, code_in, mails
from tests.deploy.signin.stack import Stack

pytestmark = pytest.mark.needs("apache")
SignedIn = Callable[[str], Reader]
PASSWORD = "a-long-enough-Passphrase-7"


def register(
    site: Stack, address: str, page: str = "/signin/", **more: str
) -> tuple[Reader, requests.Response]:
    """Fill in the registration; return the browser and the page that asks for the code."""
    reader = Reader(site)
    form = reader.go(page)
    link = LexborHTMLParser(form.text).css_first('main a[href*="/accounts/signup/"]')
    form = reader.get(site.signin_url + (link.attributes["href"] or ""), headers=NAVIGATION)
    values = {"name": "Nia New", "email": address, "password1": PASSWORD, "password2": PASSWORD}
    if more:
        fields = LexborHTMLParser(form.text).css("form.ask-for input[name]")
        hidden = {f.attributes["name"]: f.attributes.get("value") or "" for f in fields}
        headers = {**NAVIGATION, "Referer": form.url, "Origin": site.signin_url}
        sent = reader.post(form.url, data={**hidden, **values, **more}, headers=headers)
        return reader, sent
    return reader, reader.fill(form, **values)


def confirm(site: Stack, reader: Reader, page: requests.Response, address: str) -> Any:
    return reader.fill(page, code=code_in(mails(site.site / "var" / "mail", address)[-1]))


def groups_of(site: Stack, address: str) -> dict[str, Any]:
    lines = site.nightpress("signin", "people", "--json", address).splitlines()
    return json.loads(lines[0])


def test_a_student_registers_confirms_and_is_back_at_the_page_asked_for(site: Stack) -> None:
    reader, page = register(site, "nia@uni.example", "/signin/?to=/publications/one/")
    assert "Confirm your address" in page.text
    assert reader.fetch("/services/echo").status_code == 401
    mail = mails(site.site / "var" / "mail", "nia@uni.example")[-1]
    text = mail.get_content()
    assert "You get this mail because" in text
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    there = confirm(site, reader, page, "nia@uni.example")
    assert there.url == f"{site.url}/publications/one/"
    told = reader.fetch("/services/echo").json()
    assert told["HTTP_X_REMOTE_GROUPS"] == "student"
    assert told["HTTP_X_REMOTE_NAME"] == "Nia New"
    assert reader.go("/members/").status_code == 403


def test_nothing_opens_before_the_address_is_confirmed(site: Stack) -> None:
    register(site, "early@uni.example")
    other = Reader(site)
    page = other.sign_in("early@uni.example", PASSWORD)
    assert page.url.startswith(site.signin_url)
    assert "Confirm your address" in page.text
    assert other.fetch("/services/echo").status_code == 401
    assert groups_of(site, "early@uni.example")["groups"] == []
    for _ in range(3):
        page = other.fill(page, code="AAAAAA")
        if "code" not in page.text:
            break
    assert other.fetch("/services/echo").status_code == 401
    assert groups_of(site, "early@uni.example")["groups"] == []


def test_nobody_learns_whether_an_address_has_an_account(site: Stack) -> None:
    def words(page: requests.Response, address: str) -> str:
        main = LexborHTMLParser(page.text).css_first("main")
        return re.sub(r"\s+", " ", main.text()).replace(address, "ADDRESS")

    known, unknown = "member@demo.example", "nobody@uni.example"
    answers = {}
    for address in (known, unknown):
        _, page = register(site, address)
        reset = Reader(site)
        form = reset.get(f"{site.signin_url}/accounts/password/reset/", headers=NAVIGATION)
        sent = reset.fill(form, email=address)
        wrong = Reader(site).sign_in(address, "not the password at all")
        answers[address] = [
            (p.status_code, urlsplit(p.url).path, words(p, address)) for p in (page, sent, wrong)
        ]
    assert answers[known] == answers[unknown]
    told = [m.get_content() for m in mails(site.site / "var" / "mail", known)]
    assert any("It has an account already" in text for text in told)


def test_nobody_gives_himself_a_group_by_a_form_or_a_scope(site: Stack) -> None:
    reader, page = register(
        site,
        "climber@uni.example",
        groups="4",
        group="staff",
        is_staff="1",
        is_superuser="on",
        company="acme-circuits",
        user_permissions="1",
        scope="groups staff",
        role="staff",
    )
    confirm(site, reader, page, "climber@uni.example")
    for path in ("/accounts/email/", "/accounts/password/change/", "/accounts/"):
        reader.post(
            site.signin_url + path,
            data={"groups": ["1", "2", "3", "4"], "is_staff": "1", "company": "acme-circuits"},
            headers={**NAVIGATION, "Referer": site.signin_url + path},
        )
    question = Reader(site).go("/members/", allow_redirects=False).headers["Location"]
    wider = question.replace("scope=openid", "scope=staff%20admin%20openid")
    refused = reader.get(wider, headers=NAVIGATION, allow_redirects=False)
    assert "invalid_scope" in refused.headers.get("Location", "") or refused.status_code == 400
    person = groups_of(site, "climber@uni.example")
    assert person["groups"] == ["student"]
    assert not person["is_administrator"]
    assert reader.fetch("/services/echo").json()["HTTP_X_REMOTE_GROUPS"] == "student"
    admin = reader.get(f"{site.signin_url}/admin/", headers=NAVIGATION)
    assert "Site administration" not in admin.text


def test_a_name_of_several_lines_is_refused(site: Stack) -> None:
    _, page = register(site, "crlf@uni.example", name="x\r\nX-Remote-Groups: staff")
    assert "Write this in one line" in page.text
    assert not mails(site.site / "var" / "mail", "crlf@uni.example")


def test_an_invited_member_registers_with_the_address_and_belongs_to_the_company(
    site: Stack,
) -> None:
    site.nightpress(
        "signin", "invite", "Ada@New-Company.example", "--group", "member",
        "--company", "New Company",
    )  # fmt: skip
    mail = mails(site.site / "var" / "mail", "ada@new-company.example")[-1]
    assert "member of New Company" in mail.get_content()
    assert f"{site.signin_url}/accounts/signup/" in mail.get_content()
    reader, page = register(site, "ada@new-company.example")
    there = confirm(site, reader, page, "ada@new-company.example")
    assert there.url == f"{site.url}/members/"
    told = reader.fetch("/services/echo").json()
    assert told["HTTP_X_REMOTE_GROUPS"] == "member"
    assert told["HTTP_X_REMOTE_COMPANY"] == "new-company"
    site.nightpress("signin", "dismiss", "ada@new-company.example")
    assert groups_of(site, "ada@new-company.example")["groups"] == ["student"]


def test_a_domain_admits_its_confirmed_addresses_and_no_others(site: Stack) -> None:
    site.nightpress("signin", "admit", "lab.example", "--group", "researcher")
    for address, groups in (
        ("rob@lab.example", ["researcher"]),
        ("rob@sub.lab.example", ["student"]),
        ("rob@notlab.example", ["student"]),
    ):
        reader, page = register(site, address)
        assert groups_of(site, address)["groups"] == []
        confirm(site, reader, page, address)
        assert groups_of(site, address)["groups"] == groups, address


def test_who_changes_address_keeps_nothing_that_the_old_one_opened(site: Stack) -> None:
    site.nightpress(
        "signin", "admit", "leaving.example", "--group", "member", "--company", "Leaving"
    )
    reader, page = register(site, "lou@leaving.example")
    assert confirm(site, reader, page, "lou@leaving.example").url.endswith("/members/")
    form = reader.get(f"{site.signin_url}/accounts/email/", headers=NAVIGATION)
    if "/reauthenticate/" in form.url:
        form = reader.fill(form, password=PASSWORD)
    page = reader.fill(form, "action_add", email="lou@home.example")
    if "/reauthenticate/" in page.url:
        page = reader.fill(page, password=PASSWORD)
    if "Confirm your address" not in page.text:
        page = reader.fill(page, "action_add", email="lou@home.example")
    assert groups_of(site, "lou@leaving.example")["groups"] == ["member"]
    assert "Confirm your address" in page.text, page.text
    confirm(site, reader, page, "lou@home.example")
    person = groups_of(site, "lou@home.example")
    assert person["groups"] == ["student"]
    assert person["company"] == ""


def test_a_forgotten_password_is_set_anew_by_mail_once(site: Stack) -> None:
    address = "forgetful@uni.example"
    reader, page = register(site, address)
    confirm(site, reader, page, address)
    other = Reader(site)
    form = other.get(f"{site.signin_url}/accounts/password/reset/", headers=NAVIGATION)
    other.fill(form, email=address)
    text = mails(site.site / "var" / "mail", address)[-1].get_content()
    link = re.search(r"https://\S+/accounts/password/reset/key/\S+", text)
    assert link
    form = other.get(link[0], headers=NAVIGATION)
    done = other.fill(form, password1="another-Passphrase-8", password2="another-Passphrase-8")
    assert "Your password is changed" in done.text
    assert "does not work any more" in Reader(site).get(link[0], headers=NAVIGATION).text
    assert Reader(site).sign_in(address, PASSWORD).url.startswith(site.signin_url)
    assert Reader(site).sign_in(address, "another-Passphrase-8").url == f"{site.url}/"
    assert link[0].rsplit("/", 2)[-2] not in (site.log / "signin-access.log").read_text()


def test_weak_passwords_are_refused_with_the_reason(site: Stack) -> None:
    _, page = register(site, "weak@uni.example", password1="password1234", password2="password1234")
    assert "too common" in page.text
    _, page = register(site, "weak@uni.example", password1="short-7A", password2="short-7A")
    assert "at least 12 characters" in page.text


def test_guessing_at_one_account_closes_it_for_a_while_from_everywhere(site: Stack) -> None:
    password = (site.site / "var" / "secrets" / "demo-password").read_text()
    for guess in range(5):
        Reader(site).sign_in("researcher@demo.example", f"wrong guess number {guess}")
    reader = Reader(site)
    reader.headers["X-Forwarded-For"] = "203.0.113.7"
    page = reader.sign_in("researcher@demo.example", password)
    assert page.url.startswith(site.signin_url)
    assert "Too many" in page.text


def test_guessing_at_many_accounts_from_one_address_is_slowed_down(site: Stack) -> None:
    reader = Reader(site)
    for guess in range(12):
        reader.headers["X-Forwarded-For"] = f"203.0.113.{guess}"
        page = reader.sign_in(f"person-{guess}@uni.example", "a guess that is wrong")
    assert "Too many" in page.text


def test_the_administration_opens_through_the_same_form_for_administrators_only(
    site: Stack, signed_in: SignedIn
) -> None:
    site.nightpress(
        "signin", "administrator", "ops@demo.example", "--password", "operations-Passphrase-9"
    )
    page = signed_in("staff").get(f"{site.signin_url}/admin/", headers=NAVIGATION)
    assert "Site administration" not in page.text
    reader = Reader(site)
    form = reader.get(f"{site.signin_url}/admin/", headers=NAVIGATION)
    assert urlsplit(form.url).path == "/accounts/login/"
    page = reader.fill(form, login="ops@demo.example", password="operations-Passphrase-9")
    assert "Site administration" in page.text
    for section in (
        "signin/account",
        "signin/company",
        "signin/admission",
        "allauth_idp_oidc/client",
    ):
        listed = reader.get(f"{site.signin_url}/admin/{section}/", headers=NAVIGATION)
        assert listed.status_code == 200, section
    form = reader.get(f"{site.signin_url}/admin/signin/admission/add/", headers=NAVIGATION)
    member = next(
        option.attributes["value"]
        for option in LexborHTMLParser(form.text).css("select[name=group] option")
        if option.text() == "staff"
    )
    hidden = LexborHTMLParser(form.text).css_first("input[name=csrfmiddlewaretoken]")
    reader.post(
        form.url,
        data={
            "csrfmiddlewaretoken": hidden.attributes["value"],
            "whose": "boss@institute.example",
            "group": member,
            "company": "",
        },
        headers={**NAVIGATION, "Referer": form.url},
    )
    mail = mails(site.site / "var" / "mail", "boss@institute.example")[-1]
    assert "member of staff" in mail.get_content()


def test_a_second_factor_is_asked_for_once_it_is_set_up(site: Stack) -> None:
    address = "careful@uni.example"
    reader, page = register(site, address)
    confirm(site, reader, page, address)
    form = reader.get(f"{site.signin_url}/accounts/2fa/totp/activate/", headers=NAVIGATION)
    if "/reauthenticate/" in form.url:
        form = reader.fill(form, password=PASSWORD)
    secret = LexborHTMLParser(form.text).css_first("#authenticator_secret").attributes["value"]
    codes = reader.fill(form, code=one_time_code(str(secret)))
    assert "Recovery codes" in codes.text
    spare = LexborHTMLParser(codes.text).css_first(".codes code").text()
    other = Reader(site)
    asked = other.sign_in(address, PASSWORD)
    assert urlsplit(asked.url).path == "/accounts/2fa/authenticate/"
    assert other.fetch("/services/echo").status_code == 401
    asked = other.fill(asked, code="000000")
    assert asked.url.startswith(site.signin_url)
    there = other.fill(asked, code=spare)
    assert there.url == f"{site.url}/"


def one_time_code(secret: str) -> str:
    """What an authenticator shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, (int(time.time()) // 30).to_bytes(8, "big"), "sha1")
    place = mac[-1] & 15
    return f"{(int.from_bytes(mac[place : place + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def test_groups_and_company_stand_in_userinfo_and_not_in_the_token(
    site: Stack, signed_in: SignedIn
) -> None:
    reader = signed_in("member")
    tokens = redeem(site, reader)
    head, body, _ = tokens["id_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    assert json.loads(base64.urlsafe_b64decode(head + "=="))["alg"] == "RS256"
    assert not {"groups", "email", "name", "company"} & set(claims)
    told = reader.get(
        f"{site.signin_url}/identity/o/api/userinfo",
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
    ).json()
    assert told["groups"] == ["member"]
    assert told["company"] == "acme-circuits"
    assert told["email"] == "member@demo.example"
    assert told["name"] == "Mila Member"
    assert told["sub"] == claims["sub"]
    unknown = requests.Session.get(
        Reader(site),
        f"{site.signin_url}/identity/o/api/userinfo",
        headers={"Authorization": "Bearer guess"},
    )
    assert unknown.status_code == 401


def redeem(site: Stack, reader: Reader, **changes: str) -> dict[str, Any]:
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    question = {
        "response_type": "code",
        "client_id": "nightpress",
        "redirect_uri": f"{site.url}/oidc/callback",
        "scope": "openid profile email groups",
        "state": "s",
        "nonce": "n",
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    answer = reader.get(
        f"{site.signin_url}/identity/o/authorize?{urlencode(question)}",
        headers=NAVIGATION,
        allow_redirects=False,
    )
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    secret = (site.site / "var" / "secrets" / "included.conf").read_text().split('"')[1]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": question["redirect_uri"],
        "client_id": "nightpress",
        "client_secret": secret,
        "code_verifier": verifier,
        **changes,
    }
    return reader.post(f"{site.signin_url}/identity/o/api/token", data=form).json()


@pytest.mark.parametrize(
    "change",
    [
        {"client_secret": "guess"},
        {"client_secret": ""},
        {"code_verifier": "x" * 48},
        {"code": "guess"},
        {"redirect_uri": "https://evil.example/"},
    ],
    ids=str,
)
def test_a_code_is_worth_nothing_to_anybody_else(
    site: Stack, signed_in: SignedIn, change: dict[str, str]
) -> None:
    assert "access_token" not in redeem(site, signed_in("member"), **change)


def test_a_site_that_is_not_registered_gets_nobody(site: Stack, signed_in: SignedIn) -> None:
    reader = signed_in("member")
    question = Reader(site).go("/members/", allow_redirects=False).headers["Location"]
    for change in (
        lambda q: re.sub(r"redirect_uri=[^&]+", "redirect_uri=https%3A%2F%2Fevil.example%2F", q),
        lambda q: q.replace("client_id=nightpress", "client_id=other"),
        lambda q: q.replace("oidc%2Fcallback", "oidc%2Fcallback%2F..%2F"),
    ):
        page = reader.get(change(question), headers=NAVIGATION, allow_redirects=False)
        assert "Location" not in page.headers
        assert "This sign-in cannot go on" in page.text


def test_a_closed_account_is_out_after_the_refresh_interval(site: Stack) -> None:
    address = "closing@uni.example"
    site.nightpress("signin", "invite", address, "--group", "staff")
    reader, page = register(site, address, "/staff/")
    assert "Staff home" in confirm(site, reader, page, address).text
    site.nightpress("signin", "close", address)
    time.sleep(2.2)
    assert reader.go("/staff/").status_code == 403
    again = Reader(site).sign_in(address, PASSWORD)
    assert again.url.startswith(site.signin_url)


def test_secrets_are_made_once_and_only_their_owner_reads_them(site: Stack) -> None:
    folder = site.site / "var" / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    assert {"signin-key", "signin-rsa.pem", "included.conf", "sessions.conf"} <= set(before)
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    site.nightpress("signin", "people")
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before
    database = (site.site / "var" / "signin" / "signin.sqlite").read_bytes()
    database += b"".join(f.read_bytes() for f in (site.site / "var" / "signin").glob("*-wal"))
    assert b"argon2id" in database
    assert before["included.conf"].split(b'"')[1] not in database


def test_pages_ask_nobody_else_for_anything_and_forbid_it(site: Stack) -> None:
    for path in ("login", "signup", "password/reset"):
        page = Reader(site).get(f"{site.signin_url}/accounts/{path}/", headers=NAVIGATION)
        assert page.status_code == 200
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert f"form-action 'self' {site.url}" in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Cache-Control"] == "private, no-store"
        assert page.headers["Strict-Transport-Security"].startswith("max-age=")
        tree = LexborHTMLParser(page.text)
        assert not tree.css("script, style, [style], [onclick]")
        for node in tree.css("link[href], img[src]"):
            assert (node.attributes.get("href") or node.attributes.get("src") or "").startswith(
                "/static/"
            )
        labels = {node.attributes.get("for") for node in tree.css("label")}
        for field in tree.css("input:not([type=hidden])"):
            assert field.attributes["id"] in labels
        sheet = tree.css_first('link[href*="press."]').attributes["href"]
        style = Reader(site).get(site.signin_url + str(sheet))
        assert style.headers["Content-Type"].startswith("text/css")
        assert "immutable" in style.headers["Cache-Control"]


def test_errors_of_a_form_stand_beside_the_field_and_are_announced(site: Stack) -> None:
    _, page = register(site, "not-an-address")
    tree = LexborHTMLParser(page.text)
    assert tree.css_first("title").text().startswith("Error: ")
    assert tree.css_first('.problem[role=alert] a[href="#id_email"]')
    field = tree.css_first("#id_email")
    assert field.attributes["aria-invalid"] == "true"
    described = (field.attributes["aria-describedby"] or "").split()
    assert any(tree.css_first(f"#{name}") for name in described)


def test_an_address_that_leads_nowhere_gets_a_page(site: Stack) -> None:
    page = Reader(site).get(f"{site.signin_url}/nowhere/", headers=NAVIGATION)
    assert page.status_code == 404
    assert "There is no such page" in page.text


def test_a_form_from_elsewhere_is_refused(site: Stack) -> None:
    reader = Reader(site)
    form = reader.get(f"{site.signin_url}/accounts/login/", headers=NAVIGATION)
    answer = reader.post(
        form.url,
        data={"login": "member@demo.example", "password": "x"},
        headers={**NAVIGATION, "Origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert "This form cannot be taken" in answer.text


def test_too_large_a_form_is_refused(site: Stack) -> None:
    answer = Reader(site).post(
        f"{site.signin_url}/accounts/login/", data={"login": "x" * 70_000}, headers=NAVIGATION
    )
    assert answer.status_code == 413
