"""The search page for everybody: axe-core finds nothing, by day and by night, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from benchmarks.web_server import Answer, Served

pytestmark = pytest.mark.needs("chromium")

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}


def landing(page: Page) -> None:
    page.goto("/search/")
    if page.viewport_size and page.viewport_size["width"] > 900:
        expect(page.locator("#search-facets .n").first).to_be_visible()


def results(page: Page) -> None:
    page.goto("/search/?q=copper+drift&kind=report&year=2000..2026")
    expect(page.locator("#search-results li").first).to_be_visible()


def facets(page: Page) -> None:
    page.goto("/search/?q=copper")
    if page.viewport_size and page.viewport_size["width"] < 900:
        page.locator("#search-narrow > summary").click()
    for name in ("venue", "topic", "institution"):
        page.locator(f"[data-open={name}]").click()
        expect(page.locator(f'#search-facets a[data-key^="{name}:"]').first).to_be_visible()


def nothing(page: Page) -> None:
    page.goto("/search/?q=zzyzxqq+electromigratoin")
    page.goto("/search/?q=zzyzxqq+qqyzz&kind=report")
    expect(page.locator("#search-count")).to_have_text("No results")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("state", [landing, results, facets, nothing])
def test_axe_finds_nothing(
    new_page, state: Callable[[Page], None], width: int, scheme: str
) -> None:
    page = new_page(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    state(page)
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_axe_finds_nothing_where_the_search_failed(new_page, served: Served) -> None:
    page = new_page(allowed="Failed to load resource", reduced_motion="reduce")
    served.faults["/search-index/"] = lambda _: Answer(404)
    page.goto("/search/?q=copper")
    expect(page.locator("#search-count")).to_have_text("No answer")
    found = Axe().run(page, options=RULES).response["violations"]
    assert [one["id"] for one in found] == []


def test_a_reader_at_320_pixels_and_twice_the_letters_sees_all(new_page) -> None:
    page = new_page()
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto("/search/?q=copper")
    expect(page.locator("#search-results li").first).to_be_visible()
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_moves_for_who_wants_no_motion(new_page) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/search/?q=copper")
    expect(page.locator("#search-results li").first).to_be_visible()
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((one) => {
          const style = getComputedStyle(one);
          return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
        }).length"""
    )
    assert moving == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_the_order_of_focus_is_the_order_of_reading(page: Page) -> None:
    page.goto("/search/?q=copper")
    expect(page.locator("#search-results li").first).to_be_visible()
    expect(page.locator("#search-facets .n").first).to_be_visible()
    page.locator("#q").focus()
    regions: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        region = page.evaluate(
            """() => document.activeElement.closest(
                 "#search-tools, #search-facets, #search-results, #search-more, footer")?.id ?? ""
            """
        )
        if region and (not regions or regions[-1] != region):
            regions.append(region)
        if region == "search-more":
            break
    assert regions == ["search-tools", "search-facets", "search-results", "search-more"]


def test_the_field_takes_the_direction_of_its_words(page: Page) -> None:
    page.goto("/search/")
    page.locator("#q").fill("هالة")
    assert page.locator("#q").evaluate("field => getComputedStyle(field).direction") == "rtl"
    expect(page.locator("#search-count")).to_have_text(re.compile("result"))
