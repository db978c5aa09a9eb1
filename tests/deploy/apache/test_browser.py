"""The pages as Chromium meets them behind Apache: the policy for scripts stops nothing of ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.apache.conftest import Served

pytestmark = pytest.mark.needs("apache", "chromium")


@pytest.fixture(scope="module")
def context() -> Iterator[Any]:
    from tests.one_playwright import one_playwright

    program = next(
        p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))
    )
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with one_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser.new_context(ignore_https_errors=True)
        browser.close()


def kinds(served: Served) -> list[str]:
    """One address of each kind of page, and a publication with a formula."""
    tree = served.file("public")
    found = ["/", "/search/", "/about/", "/news/first/", "/nothing", "/members/"]
    for folder in sorted(f for f in tree.iterdir() if f.is_dir()):
        pages = [f for f in sorted(folder.glob("*.html")) if f.name != "index.html"]
        if (folder / "index.html").exists():
            found.append(f"/{folder.name}/")
        found += [f"/{folder.name}/{page.stem}/" for page in pages[:2]]
    formula = next(
        (f for f in sorted(tree.glob("publications/*.html")) if "<math" in f.read_text("utf-8")),
        None,
    )
    if formula:
        found.append(f"/publications/{formula.stem}/")
    found += served.file("gone.txt").read_text().split()[:1]
    return found


def test_no_page_breaks_the_policy(shut: Served, context: Any) -> None:
    told: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: told.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: told.append(f"{page.url}: {error}"))
    addresses = kinds(shut)
    assert len(addresses) > 20
    for address in addresses:
        page.goto(shut.stack.url + address, wait_until="load")
        assert page.locator("h1").count() == 1, address
        family = page.locator("body").evaluate("body => getComputedStyle(body).fontFamily")
        assert "Serif" in family or "Sans" in family or "press" in family.lower(), address
    wrong = [line for line in told if "Failed to load resource" not in line]
    assert wrong == []
    page.close()


def test_a_page_with_a_foreign_script_would_be_stopped(shut: Served, context: Any) -> None:
    """The test above would see it: what the policy forbids is told on the console."""
    told: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: told.append(message.text))
    page.goto(f"{shut.stack.url}/about/")
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.bad = 1';"
        " document.body.append(s);"
        " document.body.setAttribute('style', 'color: red'); }"
    )
    page.wait_for_timeout(300)
    assert page.evaluate("window.bad") is None
    assert any("Content Security Policy" in line for line in told)
    page.close()
