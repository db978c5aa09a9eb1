"""Journeys through Apache and the included provider in Chromium, by what people see and type."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.deploy.signin.reader import code_in, mails
from tests.deploy.signin.stack import Stack, stack
from tests.one_playwright import one_playwright
from tests.theme.samples import THEME, environment

pytestmark = pytest.mark.needs("apache", "chromium")
PASSWORD = "a-long-enough-Passphrase-7"


@pytest.fixture(scope="module")
def site() -> Iterator[Stack]:
    with stack() as running:
        _write_page_of_the_theme(running)
        running.nightpress("signin", "demo")
        running.start_provider()
        running.start_apache()
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with one_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, site: Stack) -> Iterator[Page]:
    """A new browser without scripts, whose console must stay empty and which asks no stranger."""
    context = chromium.new_context(
        ignore_https_errors=True, java_script_enabled=False, viewport={"width": 390, "height": 844}
    )
    opened = context.new_page()
    faults: list[str] = []
    strangers: list[str] = []
    opened.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    hosts = (site.url, site.signin_url, "data:")
    opened.on("request", lambda r: None if r.url.startswith(hosts) else strangers.append(r.url))
    yield opened
    context.close()
    assert [fault for fault in faults if "Failed to load resource" not in fault] == []
    assert strangers == []


def _write_page_of_the_theme(running: Stack) -> None:
    """A public page with the theme's own header, script and sheet."""
    env = environment()
    env.globals["sign_in_url"] = "/signin/"
    page = env.get_template("not_found.html").render(title="", canonical="/x/", section="", root="")
    public = running.site / "output" / "releases" / "1" / "public"
    (public / "assets").mkdir()
    for name, kind in re.findall(r'(?:src|href)="/assets/([^"]+?\.(css|js))"', page):
        stem = name.rpartition("/")[2].split(".")[0]
        target = public / "assets" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((THEME / "static" / kind / f"{stem}.{kind}").read_bytes())
    (public / "publications" / "themed.html").write_text(page)


def demo_password(site: Stack) -> str:
    return (site.site / "var" / "secrets" / "demo-password").read_text()


def sign_in(page: Page, address: str, password: str) -> None:
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_an_anonymous_reader_reads_what_is_public_and_is_asked_to_sign_in(
    site: Stack, page: Page
) -> None:
    page.goto(f"{site.url}/publications/one/")
    expect(page.get_by_role("heading")).to_have_text("Public one")
    page.goto(f"{site.url}/members/publications/two/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert page.url.startswith(site.signin_url)


def test_a_student_registers_confirms_is_refused_signs_out_and_in_again(
    site: Stack, page: Page
) -> None:
    page.goto(f"{site.url}/signin/?to=/publications/one/")
    page.get_by_role("link", name="Register with your e-mail address").click()
    page.get_by_label("Your name").fill("Sára Nová")
    page.get_by_label("Email").fill("sara@uni.example")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Password (again)").fill("short")
    page.get_by_role("button", name="Send me the code").click()
    expect(page.get_by_role("alert")).to_contain_text("too short")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.get_by_role("button", name="Send me the code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your address")
    code = code_in(mails(site.site / "var" / "mail", "sara@uni.example")[-1])
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading")).to_have_text("Public one")
    assert page.url == f"{site.url}/publications/one/"
    refused = page.goto(f"{site.url}/members/")
    assert refused is not None
    assert refused.status == 403
    page.goto(f"{site.url}/signout/")
    expect(page.get_by_role("heading")).to_have_text("Public home")
    page.goto(f"{site.url}/signin/")
    sign_in(page, "sara@uni.example", PASSWORD)
    expect(page.get_by_role("heading")).to_have_text("Public home")
    page.goto(f"{site.signin_url}/accounts/")
    expect(page.locator("main")).to_contain_text("Sára Nová")
    expect(page.locator("main")).to_contain_text("student")


def test_who_forgot_the_password_sets_a_new_one_by_mail(site: Stack, page: Page) -> None:
    page.goto(f"{site.url}/members/")
    page.get_by_role("link", name="Forgot").click()
    page.get_by_label("Email").fill("member-b@demo.example")
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    text = mails(site.site / "var" / "mail", "member-b@demo.example")[-1].get_content()
    link = re.search(r"https://\S+/key/\S+", text)
    assert link
    page.goto(link[0])
    page.get_by_label("New Password", exact=True).fill(PASSWORD)
    page.get_by_label("New Password (again)").fill(PASSWORD)
    page.get_by_role("button", name="Set this password").click()
    page.get_by_role("link", name="Sign in to").click()
    sign_in(page, "member-b@demo.example", PASSWORD)
    expect(page.get_by_role("heading")).to_have_text("Members home")


@pytest.mark.parametrize(
    ("who", "opens", "closed"),
    [
        ("member", {"/members/": "Members home", "/cvs/acme-circuits/": "Acme"}, "/staff/"),
        ("staff", {"/staff/": "Staff home", "/members/": "Members home"}, "/cvs/acme-circuits/"),
    ],
)
def test_members_and_staff_sign_in_read_are_refused_and_sign_out(
    site: Stack, page: Page, who: str, opens: dict[str, str], closed: str
) -> None:
    first = next(iter(opens))
    page.goto(site.url + first)
    sign_in(page, f"{who}@demo.example", "not my password")
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    sign_in(page, f"{who}@demo.example", demo_password(site))
    assert page.url == site.url + first
    for path, heading in opens.items():
        page.goto(site.url + path)
        expect(page.get_by_role("heading")).to_contain_text(heading)
    refused = page.goto(site.url + closed)
    assert refused is not None
    assert refused.status == 403
    page.goto(f"{site.url}/signout/")
    assert page.url == f"{site.url}/"
    page.goto(site.url + first)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_header_knows_a_member_and_leads_back_to_the_page(
    site: Stack, chromium: Browser
) -> None:
    context = chromium.new_context(
        ignore_https_errors=True, viewport={"width": 1280, "height": 800}
    )
    page = context.new_page()
    here = f"{site.url}/publications/themed/"
    page.goto(here)
    header = page.locator("header.site")
    expect(header.get_by_role("link", name="Members")).to_be_hidden()
    header.get_by_role("link", name="Sign in").click()
    sign_in(page, "member@demo.example", demo_password(site))
    assert page.url == here
    expect(header.get_by_role("link", name="Members")).to_be_visible()
    expect(header.get_by_role("link", name="Sign in")).to_be_hidden()
    header.get_by_role("link", name="Sign out").click()
    assert page.url == f"{site.url}/"
    page.goto(here)
    expect(header.get_by_role("link", name="Sign in")).to_be_visible()
    expect(header.get_by_role("link", name="Sign out")).to_be_hidden()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_of_the_sign_in_fit_the_screen_and_show_where_the_reader_is(
    site: Stack, chromium: Browser, width: int, scheme: str
) -> None:
    context = chromium.new_context(
        ignore_https_errors=True,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    for path in ("login", "signup", "password/reset"):
        page.goto(f"{site.signin_url}/accounts/{path}/")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        field = page.locator("main input:not([type=hidden])").first
        field.focus()
        assert field.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        box = page.locator("button.main").bounding_box()
        assert box is not None
        assert box["height"] >= 32
    context.close()
