"""Staff at work in two browsers, through Apache, with sign-in, the agent and a live site."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from content_sync.agent import queue, tokens
from content_sync.operations.stack import Stack, request, running_stack
from content_sync.settings import Settings, read_settings
from tests.content_sync.agent.conftest import CONF, nightpress
from tests.deploy.signin import reader  # noqa: F401 - lets requests find *.localhost
from tests.one_playwright import one_playwright

pytestmark = pytest.mark.needs("apache", "chromium")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Settings, Stack]]:
    # pytest's own folders are for their owner alone; Apache's user must get in.
    root = Path(tempfile.mkdtemp(prefix="nightpress-agent-"))
    root.chmod(0o755)
    (root / "content").mkdir()
    (root / "pelicanconf.py").write_text(CONF)
    settings = read_settings(root)
    nightpress(settings, "demo", "-n", "40")
    nightpress(settings, "nightly")
    with running_stack(settings) as stack:
        yield settings, stack
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def browsers(served: tuple[Settings, Stack]) -> Iterator[tuple[Any, Any, Any]]:
    """Two browsers signed in as staff and one as a member."""
    settings, stack = served
    password = (settings.var / "secrets/demo-password").read_text().strip()
    program = next(
        p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))
    )
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with one_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)

        def signed_in(who: str) -> Any:
            page = browser.new_context(ignore_https_errors=True).new_page()
            page.goto(f"{stack.url}/members/")
            page.fill("input[name=login]", f"{who}@demo.example")
            page.fill("input[name=password]", password)
            page.locator("input[name=password]").press("Enter")
            page.wait_for_url(f"{stack.url}/**")
            return page

        yield signed_in("staff"), signed_in("staff"), signed_in("member")
        browser.close()


def do(page: Any, form: str, **fields: str) -> str:
    """Fill a form of the agent's page in, send it, and return what the page says."""
    place = page.locator(f"form[action='/staff/agent/{form}/']").first
    for name, value in fields.items():
        place.locator(f"[name={name}]").fill(value)
    place.locator("button").click()
    return str(page.locator(".lead").first.inner_text())


def a_publication(settings: Settings) -> tuple[str, str]:
    connection = sqlite3.connect(settings.snapshot)
    found = connection.execute(
        "SELECT id FROM publications WHERE access = 'public' AND public_on IS NULL ORDER BY id"
    ).fetchone()[0]
    connection.close()
    from content_sync.urls import record_url

    return f"publication:{found}", record_url("publication", found)


def status_of(stack: Stack, path: str) -> int:
    return int(request(stack, path).split(b" ", 2)[1])


def test_two_of_staff_share_a_build_and_see_it_end(
    served: tuple[Settings, Stack], browsers: tuple[Any, Any, Any]
) -> None:
    _, stack = served
    ada, ben, _ = browsers
    told: list[str] = []
    ada.on("console", lambda message: told.append(message.text))
    for page in (ada, ben):
        page.goto(f"{stack.url}/staff/agent/")
    assert "carries your request" in do(ada, "rebuild", reason="Ada's")
    assert "carries your request" in do(ben, "rebuild", reason="Ben's")
    # The live bits tell of the end without a reload.
    ada.locator("[data-live=last_build]", has_text="build").wait_for(timeout=120_000)
    ada.goto(f"{stack.url}/staff/agent/audit/")
    assert "Ada's" in ada.content()
    assert "Ben's" in ada.content()
    ada.goto(f"{stack.url}/staff/agent/builds/")
    size = ada.locator("img.chart").evaluate("image => image.naturalWidth")
    assert size > 0
    ada.goto(f"{stack.url}/staff/agent/links/")
    assert "Release" in ada.locator(".lead").inner_text()
    assert [line for line in told if "Security" in line] == []


def test_a_withdrawal_by_one_is_undone_by_the_other(
    served: tuple[Settings, Stack], browsers: tuple[Any, Any, Any]
) -> None:
    settings, stack = served
    ada, ben, _ = browsers
    record, url = a_publication(settings)
    assert status_of(stack, url) == 200
    ada.goto(f"{stack.url}/staff/agent/")
    assert "is withdrawn" in do(ada, "withdraw", record=record, reason="Patent pending")
    assert status_of(stack, url) == 410
    citation = f"/citations/{url.split('/')[2]}.bib"
    assert status_of(stack, citation) == 410
    assert record.encode() in request(stack, "/live/withdrawn.json")
    ben.goto(f"{stack.url}/staff/agent/")
    assert "shown again" in do(ben, "bring-back", reason="Published by now")
    assert status_of(stack, url) == status_of(stack, citation) == 200
    assert record.encode() not in request(stack, "/live/withdrawn.json")


def test_a_notice_and_a_lock_are_seen_by_both(
    served: tuple[Settings, Stack], browsers: tuple[Any, Any, Any]
) -> None:
    _, stack = served
    ada, ben, _ = browsers
    ada.goto(f"{stack.url}/staff/agent/")
    assert "is shown" in do(ada, "notice", text="Down until noon <b>")
    assert b"Down until noon <b>" in request(stack, "/live/notice.json")
    assert "locked" in do(ada, "lock", reason="Press conference")
    ben.goto(f"{stack.url}/staff/agent/")
    assert "Press conference" in ben.locator("#publishing").inner_text()
    assert "open" in do(ben, "unlock", reason="Over")
    assert "no notice" in do(ben, "notice", text="")


def test_nobody_else_gets_in(
    served: tuple[Settings, Stack], browsers: tuple[Any, Any, Any]
) -> None:
    settings, stack = served
    ada, _, member = browsers
    for path in ("/staff/agent/", "/staff/agent/status.json", "/staff/agent/builds/1/log.txt"):
        assert status_of(stack, path) == 401, path
        assert member.goto(stack.url + path).status == 403, path
    assert status_of(stack, "/staff/agent/metrics") in (401, 403)
    # Without the token of a form, and from another site, nothing is done.
    session = requests.Session()
    session.verify, session.trust_env = str(stack.authority), False
    for cookie in ada.context.cookies(stack.url):
        session.cookies.set(cookie["name"], cookie["value"])
    address = f"{stack.url}/staff/agent/rebuild/"
    form = {"reason": "Forged"}
    assert session.post(address, data=form).status_code == 400
    facts = session.get(f"{stack.url}/staff/agent/status.json")
    form["csrf_token"] = facts.json()["csrf_token"]
    before = queue.builds(settings)
    for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = session.post(address, data=form, headers=header)
        assert answer.status_code == 403, header
    assert queue.builds(settings) == before


def test_a_tray_program_reads_the_state_until_its_token_is_revoked(
    served: tuple[Settings, Stack], browsers: tuple[Any, Any, Any]
) -> None:
    settings, stack = served
    path = f"/staff/agent/tray/{tokens.give(settings, 'wall', 'u-1')}/cctray.xml"
    answer = request(stack, path)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'activity="' in answer
    assert path.encode() not in (stack.log / "apache-access.log").read_bytes()
    assert tokens.revoke(settings, "wall", "u-1") == 1
    assert status_of(stack, path) == 404
