"""Tokens, states and answers that are not what they should be, from a provider that lies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from content_sync.operations.children import free_port
from deploy.signin.keys import make_session_key
from tests.deploy.signin.other_provider import FAULTS, OtherProvider
from tests.deploy.signin.reader import NAVIGATION, Reader
from tests.deploy.signin.stack import Stack, stack

pytestmark = pytest.mark.needs("apache")


@dataclass
class Pair:
    site: Stack
    provider: OtherProvider


@pytest.fixture(scope="module")
def running() -> Iterator[Pair]:
    """A site whose people come from a Keycloak realm, which is the tests' own."""
    port = free_port()
    realm = f"other.localhost:{port}/realms/institute"
    with (
        stack("keycloak", NIGHTPRESS_KEYCLOAK_REALM=realm, NIGHTPRESS_REFRESH_SECONDS="1") as site,
        OtherProvider(site.site.parent, port, path="/realms/institute") as provider,
    ):
        secrets = site.site / "var" / "secrets"
        make_session_key(secrets)
        (secrets / "keycloak.conf").write_text('OIDCClientSecret "secret"\n')
        site.start_apache()
        yield Pair(site, provider)


@pytest.fixture
def pair(running: Pair) -> Pair:
    running.provider.fault = ""
    running.provider.claims = {"sub": "kc-1"}
    running.provider.userinfo = {"groups": ["staff"], "email": "z@example.org"}
    return running


def test_sound_tokens_are_taken(pair: Pair) -> None:
    page = Reader(pair.site).go("/staff/")
    assert page.url == f"{pair.site.url}/staff/"
    assert "Staff home" in page.text


@pytest.mark.parametrize("fault", FAULTS)
def test_a_token_with_one_thing_wrong_opens_nothing_and_says_so(pair: Pair, fault: str) -> None:
    pair.provider.fault = fault
    reader = Reader(pair.site)
    page = reader.go("/staff/")
    assert "Staff home" not in page.text
    if fault == "no algorithm":
        # The module takes it, because it came over TLS; the guards do not.
        assert page.status_code == 403
        assert reader.fetch("/services/echo").status_code == 403
        assert reader.fetch("/members/").status_code == 403
    else:
        assert "Signing in did not work" in page.text
        assert '<a href="/signin/">Sign in again</a>' in page.text
        assert reader.fetch("/staff/").status_code == 401
        assert reader.fetch("/services/echo").status_code == 401
    assert "groups" not in page.text


def test_an_answer_is_taken_once_and_only_where_it_was_asked_for(pair: Pair) -> None:
    reader = Reader(pair.site)
    question = reader.go("/staff/", allow_redirects=False).headers["Location"]
    answer = reader.get(question, allow_redirects=False).headers["Location"]
    stranger = Reader(pair.site)
    refused = stranger.go(answer)
    assert refused.status_code == 400
    assert "This sign-in cannot go on" in refused.text
    assert stranger.fetch("/staff/").status_code == 401
    assert "Staff home" in reader.go(answer).text
    # After the session is gone, the same answer is worth nothing in the same browser either.
    for name in ("__Host-nightpress-session",):
        reader.cookies.clear(domain="localhost.local", path="/", name=name)
    again = reader.go(answer)
    assert again.status_code == 400
    assert "Staff home" not in again.text


@pytest.mark.parametrize(
    "query",
    ["code=x&state=y", "code=x", "error=access_denied&state=y", "error=%3Cscript%3Ealert(1)"],
)
def test_an_answer_that_nobody_asked_for_gets_a_page_that_explains(pair: Pair, query: str) -> None:
    page = Reader(pair.site).go(f"/oidc/callback?{query}")
    assert page.status_code == 400
    assert "This sign-in cannot go on" in page.text
    assert "<script" not in page.text


@pytest.mark.parametrize("query", ["", "info=json", "jwks=rsa", "revoke_session=1", "refresh=/x"])
def test_the_callback_answers_no_other_question(pair: Pair, query: str) -> None:
    answer = Reader(pair.site).go(f"/oidc/callback?{query}", allow_redirects=False)
    if query:
        assert answer.status_code == 400
        assert "This sign-in cannot go on" in answer.text
    else:
        assert answer.headers["Location"] == f"{pair.site.url}/"
    posted = Reader(pair.site).post(
        f"{pair.site.url}/oidc/callback", data={"code": "x", "state": "y"}, headers=NAVIGATION
    )
    assert posted.status_code == 405


def test_nobody_brings_a_provider_of_their_own(pair: Pair) -> None:
    port = free_port()
    with OtherProvider(pair.site.site.parent, port, name="evil") as evil:
        evil.userinfo = {"groups": ["staff"]}
        for query in (
            f"iss={evil.issuer}",
            f"iss={evil.issuer}&error=x",
            f"iss={evil.issuer}&code=x",
            f"iss={evil.issuer}&state=x",
            f"disc_user=x@evil.localhost:{port}",
            f"target_link_uri={pair.site.url}/staff/&iss={evil.issuer}&x_csrf=1",
        ):
            page = Reader(pair.site).go(f"/oidc/callback?{query}")
            assert page.status_code == 400, query
            assert "This sign-in cannot go on" in page.text
        assert evil.asked == []


def test_groups_of_the_id_token_do_not_outlive_those_of_userinfo_where_only_one_has_them(
    pair: Pair,
) -> None:
    reader = Reader(pair.site)
    assert "Staff home" in reader.go("/staff/").text
    pair.provider.userinfo = {"groups": ["student"]}
    time.sleep(1.2)
    assert reader.go("/staff/").status_code == 403
    assert reader.fetch("/services/echo").json()["HTTP_X_REMOTE_GROUPS"] == "student"


def test_a_group_whose_name_holds_another_groups_name_is_not_that_group(pair: Pair) -> None:
    pair.provider.userinfo = {
        "groups": ["a,staff", "staffs", "Staff", "staff member", "x,member,y"]
    }
    reader = Reader(pair.site)
    assert reader.go("/staff/").status_code == 403
    assert reader.go("/members/").status_code == 403
    assert "HTTP_X_REMOTE_GROUPS" not in reader.fetch("/services/echo").json()


def test_names_of_any_script_reach_the_service_as_utf_8(pair: Pair) -> None:
    pair.provider.userinfo = {
        "groups": ["member"],
        "name": "Zoë Ångström 王小明",
        "company": "acme",
    }
    told = Reader(pair.site)
    told.go("/members/")
    answer = told.fetch("/services/echo").json()
    assert answer["HTTP_X_REMOTE_NAME"].encode("latin-1").decode() == "Zoë Ångström 王小明"
    assert answer["HTTP_X_REMOTE_USER"].startswith("kc-1@other.localhost:")


def test_a_name_with_line_breaks_makes_no_header_of_its_own(pair: Pair) -> None:
    pair.provider.userinfo = {"groups": ["student"], "name": "x\r\nX-Remote-Groups: staff\r\n"}
    reader = Reader(pair.site)
    reader.go("/signin/")
    answer = reader.fetch("/services/echo")
    assert answer.json()["HTTP_X_REMOTE_GROUPS"] == "student"
    assert answer.json()["HTTP_X_REMOTE_NAME"].split() == ["x", "X-Remote-Groups:", "staff"]


def test_a_provider_that_does_not_answer_is_said_in_words(pair: Pair) -> None:
    pair.provider.fault = "token endpoint down"
    page = Reader(pair.site).go("/staff/")
    assert "Signing in did not work" in page.text
    assert "Staff home" not in page.text
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\';' in page.text


def test_somebody_elses_subject_cannot_be_claimed_by_writing_its_provider_into_it(
    pair: Pair,
) -> None:
    pair.provider.claims = {"sub": f"1@signin.localhost:{pair.site.port}"}
    reader = Reader(pair.site)
    reader.go("/staff/")
    told = reader.fetch("/services/echo").json()["HTTP_X_REMOTE_USER"]
    assert told.endswith(pair.provider.issuer.removeprefix("https://"))
