"""The search page in Chromium, under a strict content security policy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree, which
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from search.shards import write_shards

pytestmark = pytest.mark.needs("chromium")

CLIENT = Path(__file__).parents[2] / "search" / "client"

MARKUP = "<img src=x onerror=alert(1)>"

SEARCH_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Search</title>
<link rel="icon" href="data:,">
<script type="module" src="/assets/search/main.js" data-index="/search-index/"></script>
<form class="ask" role="search" action="/search.html">
<input id="q" name="q" type="search" aria-label="Search"><button>Search</button></form>
<p id="search-status" role="status"></p><ol id="search-results"></ol>
<div class="tools" id="search-more"></div>"""


class Handler(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", "default-src 'self'; img-src 'self' data:")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(write_documents, works, tmp_path: Path) -> Iterator[str]:
    """The address of a site with a search page and the shards of a small library."""
    root = tmp_path / "site"
    copytree(CLIENT, root / "assets" / "search")
    (root / "search.html").write_text(SEARCH_PAGE, encoding="utf-8")
    more = [
        {**works[1], "id": f"publication:m{n}", "title": f"Metal number {n}", "doi": "",
         "url": f"/publications/m{n}/"}
        for n in range(50)
    ]  # fmt: skip
    more.append({**works[2], "id": "publication:x", "title": MARKUP})
    write_shards(write_documents("documents", works + more), root / "search-index")
    secret = [{**works[1], "id": "publication:s", "title": "Secret copper", "access": "members"}]
    write_shards(write_documents("secret", secret), root / "members" / "search-index")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/search.html"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=which("chromium") or which("google-chrome"), args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    yield opened
    opened.close()
    assert [fault for fault in faults if "Failed to load resource" not in fault] == []


def test_a_reader_types_filters_pages_and_goes_back(site: str, page: Page) -> None:
    page.goto(site)
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("electromig")
    expect(page.locator("#search-status")).to_have_text("2 results")
    expect(page.locator("#search-results h3").first).to_have_text("Electromigration of copper")
    expect(page.locator("mark").first).to_have_text("Electromigration")
    assert page.url.endswith("?q=electromig")
    page.locator("#q").fill("metal")
    expect(page.locator("#search-status")).to_have_text("50 results, 1 to 20 shown")
    page.locator("#search-more a", has_text="next").click()
    expect(page.locator("#search-status")).to_have_text("50 results, 21 to 40 shown")
    assert page.url.endswith("?q=metal&page=2")
    expect(page.locator("#search-results a").first).to_be_focused()
    page.go_back()
    expect(page.locator("#search-status")).to_have_text("50 results, 1 to 20 shown")
    page.go_back()
    expect(page.locator("#search-status")).to_have_text("")
    assert page.url == site


def test_results_are_reached_by_the_keyboard(site: str, page: Page) -> None:
    page.goto(f"{site}?q=copper+drift")
    expect(page.locator("#search-results li").first).to_be_visible()
    page.locator("#q").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#search-results h3 a").nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_be_focused()


def test_a_retracted_work_is_struck_and_marked(site: str, page: Page) -> None:
    page.goto(f"{site}?q=Copper+drift+revisited")
    first = page.locator("#search-results li").first
    expect(first.locator("h3.struck")).to_have_text("Copper drift revisited")
    expect(first.locator("b.retracted")).to_have_text("† Retracted")
    expect(first.locator(".where")).to_have_text("Report, 2022")


def test_text_is_never_markup(site: str, page: Page) -> None:
    page.goto(f"{site}?q=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E")
    expect(page.locator("#search-results h3").first).to_have_text(MARKUP)
    assert page.locator("img").count() == 0


def test_members_records_appear_only_to_who_signed_in(site: str, page: Page) -> None:
    page.goto(f"{site}?q=secret")
    expect(page.locator("#search-status")).to_contain_text("Nothing found")
    page.context.add_cookies([{"name": "nightpress-members", "value": "1", "url": site}])
    page.goto(f"{site}?q=secret")
    expect(page.locator("#search-status")).to_have_text("1 result")
    expect(page.locator("b.members")).to_have_text("§ Members")


def test_a_missing_index_is_said_in_words(site: str, page: Page) -> None:
    page.route("**/search-index/**", lambda route: route.fulfill(status=404))
    page.goto(f"{site}?q=copper")
    expect(page.locator("#search-status")).to_contain_text("This site has no search index.")
    page.unroute("**/search-index/**")
    page.route("**/search-index/**", lambda route: route.abort())
    page.locator("#q").fill("drift")
    expect(page.locator("#search-status")).to_contain_text("Are you offline?")
    page.unroute("**/search-index/**")
    page.locator("#q").fill("drift ")
    expect(page.locator("#search-results li").first).to_be_visible()
