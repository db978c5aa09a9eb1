"""A journey through feedback in Chromium: a member sends, staff decide, without any script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.dynamic.apache_says import signed_in
from tests.dynamic.process import Service
from tests.dynamic.test_feedback import PUBLICATION
from tests.one_playwright import one_playwright

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

STATIC = Path(__file__).parent.parent.parent / "theme" / "static"


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with one_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


def visit(browser: Browser, service: Service, *groups: str, **options: Any) -> Page:
    """Return a page of a signed-in reader; the site's own files come from the theme."""
    subject = f"{groups[0]}-1"
    context = browser.new_context(
        base_url=service.url,
        extra_http_headers=signed_in(subject, *groups, name="Mien", email="mien@example.org"),
        **options,
    )
    page = context.new_page()
    page.route("**/assets/**", _asset)
    return page


def _asset(route: Route) -> None:
    path = re.sub(r"\.0a\.", ".", route.request.url.partition("/assets/")[2])
    file = STATIC / path
    if file.is_file():
        route.fulfill(path=file)
    else:
        route.fulfill(status=404)


def check_access(page: Page) -> None:
    """Fail for what a screen reader or a reader with weak eyes would stumble over."""
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()


def test_a_member_sends_and_staff_decide(chromium: Browser, service: Service) -> None:
    member = visit(chromium, service, "member", java_script_enabled=True)
    complaints: list[str] = []
    member.on("console", lambda message: complaints.append(message.text))
    member.goto(PUBLICATION)
    check_access(member)
    member.get_by_role("button", name="Send feedback").click()
    expect(member.get_by_role("alert")).to_contain_text("One answer needs another look")
    check_access(member)
    member.get_by_role("radio", name="Very useful").check()
    member.get_by_label("What would you like to tell us?").fill("Figure 3 is upside down.")
    member.get_by_text("Correct this record").click()
    expect(member.get_by_label("Authors", exact=True)).to_have_value("Ada Lovelace\nŁukasz Żak")
    member.get_by_label("Title", exact=True).fill("Copper drift in wide lines")
    check_access(member)
    member.get_by_role("button", name="Send feedback").click()
    expect(member.get_by_role("heading", level=1)).to_have_text("Thank you. It arrived")
    expect(member.get_by_role("status")).to_contain_text("mien@example.org")
    check_access(member)
    member.go_back()
    member.get_by_role("button", name="Send feedback").click()
    expect(member.get_by_role("heading", level=1)).to_have_text("Thank you. It arrived")
    member.goto("/services/feedback/")
    expect(member.locator("tbody tr")).to_have_count(1)
    check_access(member)

    staff = visit(
        chromium, service, "staff", color_scheme="dark", viewport={"width": 390, "height": 800}
    )
    staff.goto("/services/")
    check_access(staff)
    staff.get_by_role("link", name="Feedback to deal with").click()
    check_access(staff)
    staff.get_by_role("link", name="Copper drift in narrow lines").click()
    staff.get_by_role("radio", name="Declined").check()
    staff.get_by_role("button", name="Save").click()
    expect(staff.get_by_text("Give the sender a reason.").first).to_be_visible()
    staff.get_by_label("What the sender is told").fill("The title is right.")
    staff.get_by_role("button", name="Save").click()
    expect(staff.get_by_role("status")).to_have_text("Saved.")
    check_access(staff)
    width = staff.evaluate("document.documentElement.scrollWidth")
    assert width <= 390

    member.reload()
    expect(member.get_by_text("declined")).to_be_visible()
    assert [c for c in complaints if "Content Security Policy" in c] == []


def test_it_works_without_javascript(chromium: Browser, service: Service) -> None:
    member = visit(chromium, service, "member", java_script_enabled=False)
    member.goto(PUBLICATION)
    member.get_by_label("What would you like to tell us?").fill("No script here.")
    member.get_by_role("button", name="Send feedback").click()
    expect(member.get_by_role("heading", level=1)).to_have_text("Thank you. It arrived")
