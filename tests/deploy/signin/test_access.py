"""Who may read what, through Apache and the included provider."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
import requests

from tests.deploy.signin.reader import FETCH, NAVIGATION, Reader
from tests.deploy.signin.stack import CVS, PAGES, SECRET, Stack

pytestmark = pytest.mark.needs("apache")
SignedIn = Callable[[str], Reader]
SECRETS = [text for name, text in (PAGES | CVS).items() if not name.startswith("public/")]


def shows_nothing(answer: requests.Response) -> bool:
    return answer.status_code != 200 and not any(text in answer.text for text in SECRETS)


def test_an_anonymous_navigation_signs_in_and_comes_back_to_the_page_asked_for(
    site: Stack,
) -> None:
    reader = Reader(site)
    form = reader.go("/members/publications/two/")
    assert form.url.startswith(f"{site.signin_url}/accounts/login/")
    password = (site.site / "var" / "secrets" / "demo-password").read_text()
    page = reader.fill(form, login="member@demo.example", password=password)
    assert page.url == f"{site.url}/members/publications/two/"
    assert "Members two" in page.text
    assert page.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "headers",
    [
        FETCH,
        {"Accept": "application/json"},
        {"Accept": "*/*"},
        {"Accept": "text/html", "Sec-Fetch-Mode": "cors"},
        {"Accept": "image/avif,image/webp,*/*", "Sec-Fetch-Mode": "no-cors"},
    ],
)
@pytest.mark.parametrize("path", ["/members/search-index/manifest.json", "/members/", "/staff/"])
def test_an_anonymous_fetch_is_told_401_and_sent_nowhere(
    site: Stack, path: str, headers: dict[str, str]
) -> None:
    answer = Reader(site).get(site.url + path, headers=headers, allow_redirects=False)
    assert answer.status_code == 401
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert shows_nothing(answer)


def test_the_service_answers_programs_401_and_people_by_the_sign_in(site: Stack) -> None:
    reader = Reader(site)
    assert reader.fetch("/services/feedback").status_code == 401
    assert reader.post(f"{site.url}/services/feedback", headers=NAVIGATION).status_code in {
        401,
        411,
    }
    sent = reader.go("/services/feedback", allow_redirects=False)
    assert sent.status_code == 302
    assert sent.headers["Location"].startswith(f"{site.signin_url}/identity/o/authorize?")
    assert "code_challenge_method=S256" in sent.headers["Location"]


ALLOWED = {
    "student": {"/"},
    "researcher": {"/"},
    "member": {"/", "/members/", "/members/publications/two/", "/cvs/acme-circuits/"},
    "member-b": {"/", "/members/", "/members/publications/two/", "/cvs/borealis-devices/"},
    "staff": {"/", "/members/", "/members/publications/two/", "/staff/"},
}
PATHS = sorted(set().union(*ALLOWED.values()))


@pytest.mark.parametrize("who", sorted(ALLOWED))
def test_each_group_reads_what_is_meant_for_it_and_nothing_else(
    signed_in: SignedIn, who: str
) -> None:
    reader = signed_in(who)
    for path in PATHS:
        answer = reader.go(path, allow_redirects=False)
        if path in ALLOWED[who]:
            assert answer.status_code == 200, path
        else:
            assert answer.status_code == 403, path
            assert shows_nothing(answer)


TRICKS = [
    "//members/",
    "/%6dembers/",
    "/members%2findex.html",
    "/members%2Fpublications%2Ftwo/",
    "/./members/",
    "/x/../members/",
    "/members/.",
    "/members/publications/../publications/two/",
    "/public/../members/index.html",
    "/members/index.html.br",
    "/members/publications/two.html",
    "/members/publications/two.html/",
    "/members/publications/two;x/",
    "/members/publications/two/?x=/public/",
    "/MEMBERS/",
    "/Members/index.html",
    "/members./",
    "/members%20/",
    "/members\\index.html",
    "/members%00/",
    "/members/publications/two%2ehtml",
    "/staff/",
    "/staff/index.html",
    "/members/..%2fstaff/index.html",
    "/members/../staff/",
    "/%73taff/",
    "/staff;/",
    "/output/releases/1/members/index.html",
    "/../members/index.html",
    "/cvs/borealis-devices/",
    "/cvs/borealis-devices/index.html",
    "/cvs/acme-circuits/../borealis-devices/",
    "/cvs/acme-circuits/..%2fborealis-devices/index.html",
    "/cvs/acme-circuits%2f../borealis-devices/index.html",
    "/cvs/BOREALIS-DEVICES/",
    "/cvs//borealis-devices/",
    "/cvs/borealis%2ddevices/index.html",
    "/services/../members/index.html",
    "/services/links/abcdefgh/../../../members/",
    "/oidc/../members/index.html",
    "/signin/../members/index.html",
    "/oidc/theme/css/../../../../members/index.html",
    "/oidc/theme/css/..%2f..%2f..%2fpelicanconf.py",
    "/static/../secrets/signin-key",
]


@pytest.mark.parametrize("who", ["student", "member"])
def test_no_way_of_writing_an_address_opens_another_groups_pages(
    site: Stack, signed_in: SignedIn, who: str
) -> None:
    import socket
    import ssl

    reader = signed_in(who)
    cookie = "; ".join(f"{c.name}={c.value}" for c in reader.cookies if "localhost" in c.domain)
    context = ssl.create_default_context(cafile=reader.verify)
    forbidden = [
        text
        for name, text in (PAGES | CVS).items()
        if name.startswith(("staff/", "borealis"))
        or (who == "student" and not name.startswith("public/"))
    ]
    for trick in TRICKS:
        for line in (
            f"GET {trick} HTTP/1.1",
            f"GET {trick} HTTP/1.0",
            f"GET {site.url}{trick} HTTP/1.1",
            f"HEAD {trick} HTTP/1.1\r\nX-HTTP-Method-Override: GET",
            f"GET / HTTP/1.1\r\nX-Original-URL: {trick}\r\nX-Rewrite-URL: {trick}",
            f"GET {trick} HTTP/1.1\r\nRange: bytes=0-400",
        ):
            with (
                socket.create_connection(("127.0.0.1", site.port), 10) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as connection,
            ):
                connection.sendall(
                    f"{line}\r\nHost: localhost:{site.port}\r\nCookie: {cookie}\r\n"
                    "Accept: text/html\r\nConnection: close\r\n\r\n".encode("latin-1")
                )
                answer = b""
                while piece := connection.recv(1 << 16):
                    answer += piece
            for text in forbidden:
                assert text.encode() not in answer, (line, answer[:400])


def test_the_service_learns_who_it_is_from_apache_alone(signed_in: SignedIn) -> None:
    forged = {
        name: "boss"
        for stem in ("User", "Email", "Name", "Groups", "Company")
        for name in (f"X-Remote-{stem}", f"x_remote_{stem.lower()}", f"X_Remote-{stem}")
    }
    forged |= {
        "X-Proxy-Secret": "guess",
        "OIDC_CLAIM_groups": "staff",
        "OIDC-CLAIM-groups": "staff",
        "OIDC_access_token": "x",
        "Remote-User": "boss",
        "Authorization": "Bearer boss",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=6.6.6.6;host=evil.example",
    }
    reader = signed_in("student")
    session = next(c.value for c in reader.cookies if c.name == "__Host-nightpress-session")
    told = reader.fetch("/services/echo", headers=forged).json()
    subject = told["HTTP_X_REMOTE_USER"]
    assert re.fullmatch(r"[0-9a-f-]{36}@signin\.localhost:\d+", subject)
    assert told["HTTP_X_REMOTE_EMAIL"] == "student@demo.example"
    assert told["HTTP_X_REMOTE_NAME"] == "Sam Student"
    assert told["HTTP_X_REMOTE_GROUPS"] == "student"
    assert told.get("HTTP_X_REMOTE_COMPANY", "") == ""
    assert told["HTTP_X_PROXY_SECRET"] == SECRET
    assert "boss" not in str(told)
    assert "6.6.6.6" not in str(told)
    assert "evil.example" not in str(told)
    assert session not in str(told)
    assert not [name for name in told if "TOKEN" in name or "OIDC" in name or "AUTHORIZ" in name]
    assert "HTTP_COOKIE" not in told


def test_a_client_cannot_have_headers_of_apache_dropped_on_the_way(signed_in: SignedIn) -> None:
    reader = signed_in("student")
    for names in ("X-Remote-Groups", "close, x-proxy-secret", "keep-alive,X-Remote-User"):
        answer = reader.fetch("/services/echo", headers={"Connection": names})
        assert answer.status_code == 400, names


def test_a_members_company_is_told_and_a_forged_one_is_not(signed_in: SignedIn) -> None:
    told = signed_in("member-b").fetch("/services/echo", headers={"X-Remote-Company": "acme"})
    assert told.json()["HTTP_X_REMOTE_COMPANY"] == "borealis-devices"
    assert told.json()["HTTP_X_REMOTE_GROUPS"] == "member"


def test_links_that_need_no_sign_in_carry_nobodys_name(site: Stack, signed_in: SignedIn) -> None:
    for reader in (Reader(site), signed_in("member")):
        told = reader.fetch(
            "/services/links/abcdefgh-1234", headers={"X-Remote-User": "boss"}
        ).json()
        assert "HTTP_X_REMOTE_USER" not in told
        assert "HTTP_X_REMOTE_GROUPS" not in told


def test_made_up_and_changed_cookies_are_worth_nothing(site: Stack, signed_in: SignedIn) -> None:
    real = next(
        c.value for c in signed_in("member").cookies if c.name == "__Host-nightpress-session"
    )
    assert real
    for value in ("x", real[:-1] + ("A" if real[-1] != "A" else "B"), real[::-1], "../" + real, ""):
        reader = Reader(site)
        answer = reader.fetch("/members/", headers={"Cookie": f"__Host-nightpress-session={value}"})
        assert answer.status_code == 401, value
        assert shows_nothing(answer)
    hint = Reader(site).fetch("/members/", headers={"Cookie": "nightpress-members=1"})
    assert hint.status_code == 401


def test_cookies_are_for_this_host_alone_and_out_of_reach_of_scripts(site: Stack) -> None:
    reader = Reader(site)
    password = (site.site / "var" / "secrets" / "demo-password").read_text()
    page = reader.sign_in("member@demo.example", password)
    said = [v for a in (*page.history, page) for n, v in a.raw.headers.items() if n == "Set-Cookie"]
    secret = [line for line in said if line.startswith("__Host-") and "1970" not in line]
    assert len(secret) >= 3
    for line in secret:
        assert "Secure" in line
        assert "Path=/" in line
        assert "HttpOnly" in line
        assert "SameSite=Lax" in line
        assert "omain=" not in line
    hints = [line for line in said if line.startswith("nightpress-members=")]
    assert hints == ["nightpress-members=1; Path=/; Secure; SameSite=Lax"]


def test_the_hint_goes_with_the_session(site: Stack, fresh: SignedIn) -> None:
    reader = fresh("member")
    assert reader.cookies.get("nightpress-members") == "1"
    assert fresh("student").cookies.get("nightpress-members") is None
    home = reader.go("/signout/")
    assert home.url == f"{site.url}/"
    assert reader.cookies.get("nightpress-members") is None
    # A session that ended without a word: the first answer that refuses takes the hint back.
    stale = Reader(site)
    answer = stale.fetch("/members/", headers={"Cookie": "nightpress-members=1"})
    assert "nightpress-members=; Path=/; Max-Age=0" in answer.headers["Set-Cookie"]


def test_signing_out_ends_the_session_everywhere(site: Stack, fresh: SignedIn) -> None:
    reader = fresh("member")
    stolen = {
        "Cookie": "; ".join(f"{c.name}={c.value}" for c in reader.cookies),
        **FETCH,
    }
    assert Reader(site).get(f"{site.url}/members/", headers=stolen).status_code == 200
    assert reader.go("/signout/").url == f"{site.url}/"
    assert Reader(site).get(f"{site.url}/members/", headers=stolen).status_code == 401
    assert "/accounts/login/" in reader.go("/members/").url  # signed out at the provider too


def test_who_signed_out_elsewhere_is_told_to_sign_in_again(site: Stack, fresh: SignedIn) -> None:
    laptop, phone = fresh("staff"), fresh("staff")
    assert laptop.go("/staff/").status_code == 200
    phone.go("/signout/")
    time.sleep(2.2)
    page = laptop.go("/staff/")
    assert page.status_code == 403
    assert "Please sign in again" in page.text
    form = laptop.go("/signin/again")
    assert "/accounts/login/" in form.url
    password = (site.site / "var" / "secrets" / "demo-password").read_text()
    laptop.fill(form, login="staff@demo.example", password=password)
    assert laptop.go("/staff/").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "https://localhost.evil.example/",
        "https://localhost@evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_out_or_in(
    site: Stack, signed_in: SignedIn, fresh: SignedIn, target: str
) -> None:
    reader = fresh("student")
    out = reader.go(f"/oidc/callback?logout={requests.utils.quote(target, safe='')}")
    assert {a.url.split("/")[2].split(":")[0] for a in (*out.history, out)} <= {
        "localhost",
        "signin.localhost",
    }
    back = signed_in("member").go(
        f"/signin/?to={requests.utils.quote(target, safe=':/@')}", allow_redirects=False
    )
    assert back.headers["Location"].startswith(f"{site.url}/")


def test_a_name_that_only_looks_like_the_sites_is_not_the_sites(site: Stack) -> None:
    lookalike = f"https://localhost:{site.port}".replace("https://", "https://x") + "/"
    answer = Reader(site).go(f"/oidc/callback?logout={requests.utils.quote(lookalike, safe='')}")
    assert "not match the list of allowed redirect URLs" in answer.text


def test_sign_in_leads_back_to_the_page_where_it_was_clicked(
    site: Stack, signed_in: SignedIn
) -> None:
    reader = signed_in("student")
    back = reader.go("/signin/?to=/publications/one/", allow_redirects=False)
    assert back.headers["Location"] == f"{site.url}/publications/one/"
    assert reader.go("/signin/", allow_redirects=False).headers["Location"] == f"{site.url}/"
    member = signed_in("member").go("/signin/", allow_redirects=False)
    assert member.headers["Location"] == f"{site.url}/members/"


def test_a_blocked_person_is_out_at_once_and_in_again_at_once(
    site: Stack, signed_in: SignedIn
) -> None:
    reader, other = signed_in("member"), signed_in("member-b")
    assert reader.go("/members/").status_code == 200
    site.nightpress("signin", "block", "member@demo.example")
    try:
        for path in ("/members/", "/services/echo", "/cvs/acme-circuits/", "/signin/"):
            answer = reader.go(path, allow_redirects=False)
            assert answer.status_code == 403, path
            assert shows_nothing(answer)
        assert other.go("/members/").status_code == 200
        assert "@signin.localhost" in site.nightpress("signin", "blocked")
    finally:
        site.nightpress("signin", "unblock", "member@demo.example")
    assert reader.go("/members/").status_code == 200
    assert site.nightpress("signin", "blocked") == ""


@pytest.mark.parametrize("fault", ["missing", "unreadable", "a folder", "empty", "another group"])
def test_a_block_list_that_cannot_be_read_closes_the_door(
    site: Stack, signed_in: SignedIn, fault: str
) -> None:
    reader = signed_in("member")
    file = site.live / "blocked.grp"
    before = file.read_text()
    assert reader.go("/members/").status_code == 200
    try:
        file.unlink()
        match fault:
            case "unreadable":
                file.write_text(before)
                file.chmod(0)
            case "a folder":
                file.mkdir()
            case "empty":
                file.touch()
            case "another group":
                file.write_text("blocking: nobody\n")
        for path in ("/members/", "/staff/", "/cvs/acme-circuits/", "/services/echo"):
            answer = reader.go(path, allow_redirects=False)
            assert answer.status_code in {403, 503}, (path, answer.status_code)
            assert shows_nothing(answer)
        assert reader.go("/").status_code == 200
    finally:
        if file.is_dir():
            file.rmdir()
        file.unlink(missing_ok=True)
        file.write_text(before)
    assert reader.go("/members/").status_code == 200


def test_a_group_taken_away_is_gone_after_the_refresh_interval(
    site: Stack, signed_in: SignedIn
) -> None:
    site.nightpress("signin", "groups", "member-b@demo.example", "student")
    try:
        reader = signed_in("member-b")
        assert reader.go("/members/").status_code == 403
        site.nightpress(
            "signin", "groups", "member-b@demo.example", "member", "--company", "borealis-devices"
        )
        time.sleep(2.2)
        assert reader.go("/members/").status_code == 200
        site.nightpress("signin", "groups", "member-b@demo.example", "student")
        time.sleep(2.2)
        assert reader.go("/members/").status_code == 403
    finally:
        site.nightpress(
            "signin", "groups", "member-b@demo.example", "member", "--company", "borealis-devices"
        )


def test_pages_of_the_site_may_not_be_framed_or_run_what_is_not_theirs(
    site: Stack, signed_in: SignedIn
) -> None:
    for page in (
        Reader(site).go("/"),
        signed_in("member").go("/members/"),
        Reader(site).go("/signin/"),
    ):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Strict-Transport-Security"].startswith("max-age=")


def test_the_rebuild_agent_is_reached_by_staff_alone(site: Stack, signed_in: SignedIn) -> None:
    told = signed_in("staff").fetch(
        "/staff/agent/status", headers={"X-Proxy-Secret": "mine", "X-Remote-Groups": "member"}
    )
    assert told.status_code == 200
    said = told.json()
    assert said["PATH_INFO"] == "/staff/agent/status"
    assert said["HTTP_X_PROXY_SECRET"] == SECRET
    assert "staff" in said["HTTP_X_REMOTE_GROUPS"].split(", ")
    assert said["HTTP_X_REMOTE_EMAIL"] == "staff@demo.example"
    for who in ("student", "researcher", "member"):
        for form in ("/staff/agent/status", "/staff/%61gent/status"):
            refused = signed_in(who).fetch(form)
            assert refused.status_code in {403, 404}, (who, form)
            assert "HTTP_X_PROXY_SECRET" not in refused.text
    anonymous = Reader(site).fetch("/staff/agent/status")
    assert anonymous.status_code == 401
    assert site.echo is not None
    before = len(site.echo.posted)
    assert Reader(site).post(f"{site.url}/staff/agent/rebuild", data={"a": "b"}).status_code == 401
    assert len(site.echo.posted) == before
