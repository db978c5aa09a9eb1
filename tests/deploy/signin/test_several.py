"""Two providers at once: the included one for members, the institute's own for staff."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from selectolax.lexbor import LexborHTMLParser

from content_sync.errors import NightpressError
from content_sync.operations.children import free_port
from deploy.signin.providers import Provider, add, providers, remove
from tests.deploy.signin.other_provider import OtherProvider
from tests.deploy.signin.reader import NAVIGATION, Reader
from tests.deploy.signin.stack import Stack, stack


@dataclass
class Two:
    site: Stack
    institute: OtherProvider

    def choose(self, reader: Reader, page: str, label: str) -> object:
        """Open a page and follow the choice with this label."""
        chooser = reader.go(page)
        assert "Where do you sign in?" in chooser.text, chooser.text
        links = {
            a.text(): a.attributes["href"] for a in LexborHTMLParser(chooser.text).css("main li a")
        }
        link = next(href for text, href in links.items() if label in text)
        return reader.get(self.site.url + str(link), headers=NAVIGATION)


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    port = free_port()
    realm = f"other.localhost:{port}/realms/institute"
    with (
        stack("several", NIGHTPRESS_KEYCLOAK_REALM=realm) as site,
        OtherProvider(site.site.parent, port, path="/realms/institute") as institute,
    ):
        site.nightpress("signin", "demo")
        site.nightpress("signin", "provider", "included")
        document = site.site / "institute.json"
        document.write_text(json.dumps(institute.metadata()))
        os.environ["NIGHTPRESS_CLIENT_SECRET"] = "secret"
        site.nightpress(
            "signin", "provider", institute.issuer, "--label", "Staff of <the> institute",
            "--metadata", str(document),
        )  # fmt: skip
        del os.environ["NIGHTPRESS_CLIENT_SECRET"]
        site.start_provider()
        site.start_apache()
        yield Two(site, institute)


@pytest.fixture
def clean(two: Two) -> Two:
    two.institute.claims = {"sub": "kc-7"}
    two.institute.userinfo = {"groups": ["staff"], "email": "kc@institute.example"}
    two.institute.fault = ""
    return two


@pytest.mark.needs("apache")
def test_people_choose_and_come_back_to_the_page_asked_for(clean: Two) -> None:
    staff = Reader(clean.site)
    page = clean.choose(staff, "/staff/", "Staff of")
    assert page.url == f"{clean.site.url}/staff/"
    assert "Staff home" in page.text
    member = Reader(clean.site)
    form = clean.choose(member, "/members/publications/two/", "students, researchers")
    password = (clean.site.site / "var" / "secrets" / "demo-password").read_text()
    page = member.fill(form, login="member@demo.example", password=password)
    assert page.url == f"{clean.site.url}/members/publications/two/"
    told = member.fetch("/services/echo").json()
    assert told["HTTP_X_REMOTE_GROUPS"] == "member"
    assert told["HTTP_X_REMOTE_COMPANY"] == "acme-circuits"
    assert staff.fetch("/services/echo").json()["HTTP_X_REMOTE_USER"].startswith("kc-7@other.")


@pytest.mark.needs("apache")
def test_no_provider_hands_out_another_ones_groups(clean: Two) -> None:
    # The institute speaks for staff, and for nobody else.
    clean.institute.userinfo = {
        "groups": ["member", "student", "researcher"],
        "company": "acme-circuits",
    }
    reader = Reader(clean.site)
    clean.choose(reader, "/members/", "Staff of")
    assert reader.go("/members/").status_code == 403
    assert reader.go("/cvs/acme-circuits/").status_code == 403
    told = reader.fetch("/services/echo").json()
    assert "HTTP_X_REMOTE_GROUPS" not in told
    assert not told.get("HTTP_X_REMOTE_COMPANY")
    # The included one speaks for all but staff.
    password = (clean.site.site / "var" / "secrets" / "demo-password").read_text()
    other = Reader(clean.site)
    form = clean.choose(other, "/staff/", "students, researchers")
    assert other.fill(form, login="staff@demo.example", password=password).status_code == 403
    assert other.go("/members/").status_code == 403
    assert "HTTP_X_REMOTE_GROUPS" not in other.fetch("/services/echo").json()


@pytest.mark.needs("apache")
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "INCLUDED"},
        {"Iss": "INCLUDED"},
        {"ISS": "INCLUDED", "Groups": ["member"]},
        {"sub": "x@INCLUDED"},
    ],
    ids=str,
)
@pytest.mark.parametrize("where", ["userinfo", "id_token"])
def test_a_provider_that_claims_to_be_another_is_still_itself(
    clean: Two, claims: dict[str, object], where: str
) -> None:
    included = clean.site.signin_url
    told = json.loads(
        json.dumps(claims).replace("x@INCLUDED", "x@" + included[8:]).replace("INCLUDED", included)
    )
    if where == "userinfo":
        told.pop("sub", None)
        clean.institute.userinfo = {**told, "groups": ["member"], "company": "acme-circuits"}
    else:
        clean.institute.claims = {
            "sub": "kc-8",
            **told,
            "groups": ["member"],
            "company": "acme-circuits",
        }
    reader = Reader(clean.site)
    clean.choose(reader, "/members/", "Staff of")
    assert reader.fetch("/members/").status_code in {401, 403}
    assert reader.fetch("/cvs/acme-circuits/").status_code in {401, 403}
    answer = reader.fetch("/services/echo")
    if answer.status_code == 200:
        assert "HTTP_X_REMOTE_GROUPS" not in answer.json()
        assert not answer.json().get("HTTP_X_REMOTE_COMPANY")
        assert answer.json()["HTTP_X_REMOTE_USER"].endswith(clean.institute.issuer[8:])


@pytest.mark.needs("apache")
def test_nobody_brings_a_third_provider(clean: Two) -> None:
    port = free_port()
    known = quote(clean.institute.issuer, safe="")
    with OtherProvider(clean.site.site.parent, port, name="evil") as evil:
        evil.userinfo = {"groups": ["staff", "member"]}
        name = quote(evil.issuer, safe="")
        for choice in (
            f"iss={name}",
            f"iss={known}&iss={name}",
            f"iss={name}&iss={known}",
            f"iss={known}&disc_user=x@evil.localhost:{port}",
            f"iss={known}.evil.example",
            f"x=1&iss={name}",
            f"iss={name}&state=x",
        ):
            reader = Reader(clean.site)
            chooser = reader.go("/staff/")  # sets the cookie that permits discovery
            query = re.search(r"[?](.*)", chooser.url)
            assert query
            page = reader.go(f"/oidc/callback?{choice}&{query[1]}")
            assert page.status_code == 400, choice
            assert "Staff home" not in page.text
        assert evil.asked == []
    written = list((clean.site.site / "var" / "apache" / "providers").iterdir())
    assert not [file for file in written if "evil" in file.name]


@pytest.mark.needs("apache")
def test_the_page_to_choose_on_shows_no_markup_of_its_address(clean: Two) -> None:
    page = Reader(clean.site).go("/oidc/choose?\"><script>alert(1)</script>&x='<b>")
    assert "<script" not in page.text
    assert "<b>" not in page.text
    assert "Staff of &lt;the&gt; institute" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "private, no-store"


def provider(**changes: object) -> Provider:
    values = {"issuer": "https://login.example", "label": "Login", "client_id": "np", **changes}
    return Provider(**values)  # type: ignore[arg-type]


DOCUMENT = {
    "issuer": "https://login.example",
    "authorization_endpoint": "https://login.example/a",
    "token_endpoint": "https://login.example/t",
    "jwks_uri": "https://login.example/k",
}


def test_a_provider_is_added_replaced_and_forgotten(tmp_path: Path) -> None:
    add(tmp_path, provider(), "s1", DOCUMENT)
    add(tmp_path, provider(label="Second"), "s2", DOCUMENT)
    assert [one.label for one in providers(tmp_path)] == ["Second"]
    client = tmp_path / "apache" / "providers" / "login.example.client"
    assert json.loads(client.read_text())["client_secret"] == "s2"
    assert client.stat().st_mode & 0o777 == 0o600
    remove(tmp_path, "https://login.example")
    assert providers(tmp_path) == []
    assert not client.exists()
    with pytest.raises(NightpressError, match="No provider"):
        remove(tmp_path, "https://login.example")


@pytest.mark.parametrize(
    "document",
    [
        {**DOCUMENT, "issuer": "https://other.example"},
        {**DOCUMENT, "token_endpoint": "http://login.example/t"},
        {"issuer": "https://login.example"},
    ],
)
def test_a_document_that_is_not_the_providers_is_refused(
    tmp_path: Path, document: dict[str, str]
) -> None:
    with pytest.raises(NightpressError):
        add(tmp_path, provider(), "secret", document)
    assert providers(tmp_path) == []
