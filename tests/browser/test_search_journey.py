"""A reader searches: types, narrows, turns pages, goes back, saves; all of it by keyboard, too."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from pathlib import Path

import pytest
import rispy
from playwright.sync_api import Locator, Page, expect
from pybtex.database import parse_string

from benchmarks.web_server import Served

pytestmark = pytest.mark.needs("chromium")


def results(page: Page) -> int:
    """How many results the heading names."""
    heading = page.locator("#search-count")
    expect(heading).to_have_text(re.compile(r"results?$"))
    found = re.search(r"[\d,]+", heading.inner_text())
    return int(found[0].replace(",", "")) if found else 0


def answered(page: Page, query: str) -> None:
    """Wait until the list answers a query, snippets and all."""
    expect(page.locator("#search-results")).to_have_attribute("data-query", query)
    expect(page.locator("#search-results .snip:empty")).to_have_count(0)


def first_title(page: Page) -> str:
    return page.locator("#search-results h3").first.inner_text()


def counted(page: Page, key: str) -> int:
    """The count beside a value of a facet."""
    item = page.locator(f'#search-facets li:has([data-key="{key}"])')
    expect(page.locator("#search-facets")).not_to_have_class(re.compile("stale"))
    return int(item.locator(".n").inner_text().replace(",", ""))


def becomes(on: Page | Locator, script: str, value: object) -> None:
    """Wait until a script returns a value; the page's own policy forbids waiting inside it."""
    deadline = time.monotonic() + 15
    while (found := on.evaluate(script)) != value:
        assert time.monotonic() < deadline, (script, found, value)
        time.sleep(0.05)


def history_length(page: Page) -> int:
    length: int = page.evaluate("history.length")
    return length


def test_a_reader_types_narrows_turns_pages_and_goes_back(page: Page) -> None:
    page.goto("/search/")
    expect(page.locator("#q")).to_be_focused()
    before = history_length(page)
    page.keyboard.type("copp")
    expect(page.locator("#search-results li").first).to_be_visible()
    expect(page.locator("#search-results mark").first).to_have_text(re.compile("^copper", re.I))
    expect(page).to_have_url(re.compile(r"\?q=copp$"))
    page.keyboard.type("er")
    expect(page).to_have_url(re.compile(r"\?q=copper$"))
    assert history_length(page) == before, "typing makes no entries"
    page.keyboard.press("Enter")
    assert history_length(page) == before + 1
    everything = results(page)

    kinds = page.locator('#search-facets a[data-key^="kind:"]')
    expect(kinds.first).to_be_visible()
    key = kinds.first.get_attribute("data-key") or ""
    of_kind = counted(page, key)
    kinds.first.click()
    expect(page).to_have_url(re.compile("kind="))
    expect(page.locator("#search-count")).to_have_text(re.compile(rf"^{of_kind:,} "))
    assert 0 < of_kind < everything
    expect(page.locator("[data-only] a")).to_have_count(1)

    page.locator('[data-key="sort:oldest"]').click()
    expect(page.locator('[data-key="sort:oldest"]')).to_have_attribute("aria-current", "true")
    expect(page.locator("#search-count")).to_have_text(re.compile(rf"^{of_kind:,} "))
    years = page.locator("#search-results .when span:first-child").all_inner_texts()
    assert years == sorted(years)

    page.locator("#search-more a[rel=next]").click()
    expect(page).to_have_url(re.compile("page=2"))
    expect(page.locator("#search-more [aria-current=page]")).to_have_text(re.compile(r"^\d+–"))
    expect(page.locator("#search-count")).to_be_focused()

    page.go_back()
    expect(page).not_to_have_url(re.compile("page="))
    page.go_back()
    expect(page.locator('[data-key="sort:relevance"]')).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?q=copper$"))
    expect(page.locator("#search-count")).to_have_text(re.compile(rf"^{everything:,} "))
    page.go_back()
    expect(page).to_have_url(re.compile("/search/$"))
    expect(page.locator("#q")).to_have_value("")
    expect(page.locator("#results")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#q")).to_have_value("copper")
    expect(page.locator("#search-count")).to_have_text(re.compile(rf"^{everything:,} "))


def test_an_address_holds_the_whole_state(page: Page) -> None:
    page.goto("/search/?q=copper&type=publication&year=2010..2020&sort=newest&page=2")
    expect(page.locator("#search-more [aria-current=page]")).to_be_visible()
    expect(page.locator("#q")).to_have_value("copper")
    expect(page.locator("[data-only] li")).to_have_count(4)  # the label, two filters, take all off
    expect(page.locator("[data-only]")).to_contain_text("2010–2020")
    expect(page.locator("#year-from")).to_have_value("2010")
    years = page.locator("#search-results .when span:first-child").all_inner_texts()
    assert years == sorted(years, reverse=True)
    assert all(2010 <= int(year) <= 2020 for year in years)
    page.locator("[data-only] a", has_text="take all off").click()
    expect(page).to_have_url(re.compile(r"\?q=copper&sort=newest$"))
    expect(page.locator("[data-only]")).to_be_hidden()


def test_a_page_beyond_the_last_is_the_last(page: Page) -> None:
    page.goto("/search/?q=copper&page=9999")
    expect(page.locator("#search-results li").first).to_be_visible()
    expect(page.locator("#search-more a[rel=next]")).to_have_count(0)


def test_counts_are_those_of_the_list_in_every_facet(page: Page) -> None:
    page.goto("/search/?q=drift")
    for name in ("venue", "topic", "institution"):
        page.locator(f"[data-open={name}]").click()
        expect(page.locator(f'#search-facets a[data-key^="{name}:"]').first).to_be_visible()
    address = page.url
    whole = page.locator("#search-count").inner_text()
    for name in ("type", "kind", "venue", "topic", "institution", "access"):
        value = page.locator(f'#search-facets a[data-key^="{name}:"]').nth(1)
        if not value.count():
            continue
        key = value.get_attribute("data-key") or ""
        expected = counted(page, key)
        value.click()
        expect(page).to_have_url(re.compile(f"{name}="))
        expect(page.locator("#search-count")).to_have_text(re.compile(rf"^{expected:,} "))
        expect(page.locator(f'#search-facets [data-key="{key}"]')).to_be_focused()
        page.locator(f'#search-facets [data-key="{key}"]').click()
        expect(page).to_have_url(address)
        expect(page.locator("#search-count")).to_have_text(whole)


def test_values_of_one_facet_add_up_and_facets_narrow_each_other(page: Page) -> None:
    page.goto("/search/?q=copper")
    values = page.locator('#search-facets a[data-key^="kind:"]')
    keys = [values.nth(i).get_attribute("data-key") or "" for i in range(2)]
    counts = [counted(page, key) for key in keys]
    for key in keys:
        page.locator(f'#search-facets [data-key="{key}"]').click()
        expect(page.locator(f'#search-facets [data-key="{key}"]')).to_have_attribute(
            "aria-current", "true"
        )
    expect(page.locator("#search-count")).to_have_text(f"{sum(counts):,} results")


def test_years_are_narrowed_by_bar_and_by_field(page: Page) -> None:
    page.goto("/search/?q=copper")
    bar = page.locator("#search-facets rect.hold").nth(5)
    expect(bar).to_be_attached()
    year = bar.get_attribute("data-from")
    name = bar.locator("title").text_content() or ""
    bar.click()
    expect(page).to_have_url(re.compile(f"year={year}$"))
    if name.endswith(": 0 results"):
        expect(page.locator("#search-count")).to_have_text("No results")
    else:
        expect(page.locator("#search-count")).to_have_text(name.partition(": ")[2])
    page.locator("#year-from").fill("2020")
    page.locator("#year-to").fill("2010")
    page.locator("#year-to").press("Enter")
    expect(page).to_have_url(re.compile("year=2010..2020$"))
    page.locator("[data-key=year-all]").click()
    expect(page).to_have_url(re.compile(r"\?q=copper$"))


def test_everything_can_be_browsed_without_words(page: Page) -> None:
    page.goto("/search/")
    events = page.locator('#search-facets a[data-key="type:event"]')
    expect(events).to_be_visible()
    expected = counted(page, "type:event")
    events.click()
    expect(page.locator("#search-count")).to_have_text(f"{expected} results")
    expect(page.locator('[data-key="sort:newest"]')).to_have_attribute("aria-current", "true")
    expect(page.locator('[data-key="sort:relevance"]')).to_have_count(0)


def test_the_keyboard_is_enough(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.goto("/people/")
    page.keyboard.press("/")
    expect(page.locator("#find-q")).to_be_focused()
    page.keyboard.type("copper drift")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search/\?q=copper\+drift$"))
    titles = page.locator("#search-results h3 a")
    expect(titles.first).to_be_visible()
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(titles.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(titles.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(titles.nth(0)).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#search-more a[rel=next]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    target = titles.nth(0).get_attribute("href") or ""
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(target)))
    page.go_back()
    expect(titles.first).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_reader_who_comes_back_from_a_result_stands_where_they_left(
    page: Page, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/search/?q=copper&page=2")
    expect(page.locator("#search-results .snip").first).to_be_visible()
    link = page.locator("#search-results h3 a").nth(7)
    link.scroll_into_view_if_needed()
    href = link.get_attribute("href")
    top = link.evaluate("link => link.getBoundingClientRect().top")
    link.click()
    expect(page).to_have_url(re.compile(re.escape(href or "") + "$"))
    page.go_back()
    same = page.locator(f'#search-results h3 a[href="{href}"]')
    expect(same).to_be_focused()
    expect(page.locator("#search-results .snip").first).to_be_visible()
    becomes(page, "document.fonts.status", "loaded")
    becomes(same, "link => Math.round(link.getBoundingClientRect().top)", round(top))


def test_pages_of_the_list_begin_at_their_top_and_back_leads_to_where_one_was(page: Page) -> None:
    page.goto("/search/?q=copper")
    following = page.locator("#search-more a[rel=next]")
    expect(page.locator("#search-results .snip").first).to_be_visible()
    # Lines may break otherwise in the fonts that come after the list.
    page.wait_for_load_state("networkidle")
    following.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    assert before > 0
    following.click()
    expect(page).to_have_url(re.compile("page=2"))
    results = page.locator("#results")
    becomes(results, "one => Math.abs(one.getBoundingClientRect().top) < 60", value=True)
    page.go_back()
    becomes(page, "Math.round(scrollY)", round(before))


def test_a_list_that_follows_a_letter_keeps_the_items_that_are_the_same(page: Page) -> None:
    shown = """["search-results", "search-tools", "search-says", "search-more"].map(
      (id) => document.getElementById(id).innerHTML).join("\\n")"""
    page.goto("/search/?q=copper+drift")
    answered(page, "copper drift")
    opened_anew = page.evaluate(shown)
    page.goto("/search/")
    page.locator("#q").press_sequentially("copper drif")
    answered(page, "copper drif")
    before = page.locator("#search-results h3").all_inner_texts()
    page.evaluate("document.querySelectorAll('#search-results li').forEach((li) => (li.old = 1))")
    page.locator("#q").press_sequentially("t")
    answered(page, "copper drift")
    after = page.locator("#search-results h3").all_inner_texts()
    kept = "[...document.querySelectorAll('#search-results li')].filter((li) => li.old).length"
    assert 0 < page.evaluate(kept) <= len(set(before) & set(after))
    becomes(page, shown, opened_anew)


def test_a_facet_is_reached_and_chosen_by_tab_and_enter(page: Page) -> None:
    page.goto("/search/?q=copper")
    value = page.locator('#search-facets a[data-key^="kind:"]').first
    expect(value).to_be_visible()
    key = value.get_attribute("data-key")
    page.locator("#q").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.key") == key:
            break
    expect(value).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(f'#search-facets [data-key="{key}"]')).to_have_attribute(
        "aria-current", "true"
    )
    expect(page.locator(f'#search-facets [data-key="{key}"]')).to_be_focused()


def test_announcements_wait_until_typing_stops(page: Page) -> None:
    page.goto("/search/")
    page.evaluate(
        """() => {
          window.said = [];
          const status = document.getElementById("search-status");
          new MutationObserver(() => window.said.push(status.textContent))
            .observe(status, { childList: true, characterData: true, subtree: true });
        }"""
    )
    page.locator("#q").press_sequentially("copper drift", delay=60)
    expect(page.locator("#search-status")).to_have_text(re.compile(r"^[\d,]+ results"))
    said = page.evaluate("window.said.filter(Boolean)")
    assert len(said) == 1


def test_the_list_is_saved_in_four_formats(page: Page, tmp_path: Path) -> None:
    page.goto("/search/?q=copper+drift")
    total = results(page)
    texts = {}
    for ending in ("csv", "bib", "ris", "json"):
        with page.expect_download() as download:
            page.locator(f'[data-key="as:{ending}"]').click()
        assert download.value.suggested_filename == f"copper-drift.{ending}"
        file = tmp_path / f"list.{ending}"
        download.value.save_as(file)
        texts[ending] = file.read_bytes().decode("utf-8-sig")
        expect(page.locator(".saved")).to_contain_text(f"of {total:,} saved")
    rows = list(csv.DictReader(io.StringIO(texts["csv"], newline="")))
    assert len(rows) == total
    assert rows[0]["title"] == first_title(page)
    works = [row for row in rows if row["type"] == "publication"]
    assert len(json.loads(texts["json"])["results"]) == total
    assert len(parse_string(texts["bib"], "bibtex").entries) == len(works)
    assert [e["title"] for e in rispy.loads(texts["ris"])] == [w["title"] for w in works]


def test_nothing_found_says_what_would_be_found(page: Page) -> None:
    page.goto("/search/?q=electromigration+zzyzxqq")
    expect(page.locator("#search-results li").first).to_be_visible()
    page.locator("#q").fill("zzyzxqq")
    expect(page.locator("#search-count")).to_have_text("No results")
    expect(page.locator("#search-says")).to_contain_text("Nothing")
    expect(page.locator("#browse")).to_be_visible()
    expect(page.locator("#search-results li")).to_have_count(0)
    expect(page.locator("#search-tools [data-exports]")).to_be_hidden()


def test_filters_that_leave_nothing_can_be_taken_off(page: Page) -> None:
    page.goto("/search/?q=copper&year=1066")
    expect(page.locator("#search-count")).to_have_text("No results")
    link = page.locator("#search-says a").first
    expect(page.locator("#search-says")).to_contain_text("without them")
    expected = link.inner_text()
    link.click()
    expect(page.locator("#search-count")).to_have_text(expected)


def test_a_misspelt_word_finds_what_was_meant(page: Page) -> None:
    page.goto("/search/?q=electromigratoin")
    expect(page.locator("#search-results li").first).to_be_visible()
    expect(page.locator("#search-says")).to_contain_text("electromigration")


@pytest.mark.parametrize(
    "query",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a" * 10_000,
        "copper " * 1_400,
        "\x00\x01\x07\x1b",
        "هالة السرياني",
        "自然言語処理",
        "\u202egnirts",
        "%00%ff&page=2",
        '"',
        "-",
        "author:",
        "year:9999..0",
        "{}[]()^$.*+?|\\",
        "😀🏳️‍🌈",
        "\ud83d",
    ],
    ids=lambda query: ascii(query[:16]),
)
def test_any_query_is_harmless(page: Page, query: str) -> None:
    page.goto("/search/")
    page.locator("#q").evaluate(
        "(field, text) => { field.value = text; field.dispatchEvent(new Event('input')); }", query
    )
    expect(page.locator("#search-count")).to_have_text(re.compile("results?$"))
    page.locator("#q").press("Enter")
    page.reload()
    expect(page.locator("#search-count")).to_have_text(re.compile("results?$"))
    assert page.locator("main img, main script, main iframe").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_a_script_the_lists_remain(new_page, served: Served) -> None:
    page = new_page(java_script_enabled=False)
    answer = page.goto("/search/?q=copper")
    assert answer is not None
    note = re.search("<noscript>.*?</noscript>", answer.text(), re.DOTALL)
    assert note is not None
    assert "Searching needs JavaScript" in note[0]
    expect(page.locator("#browse a", has_text="Publications")).to_be_visible()
    expect(page.locator("#results")).to_be_hidden()


def test_a_page_that_may_start_no_worker_searches_itself(page: Page) -> None:
    page.add_init_script("delete window.Worker")
    page.goto("/search/?q=copper")
    assert results(page) > 1
    expect(page.locator("#search-results li").first).to_be_visible()


def test_the_search_runs_beside_the_page(page: Page) -> None:
    page.goto("/search/?q=copper")
    expect(page.locator("#search-results li").first).to_be_visible()
    assert len(page.workers) == 1


def test_first_results_need_few_requests_and_bytes(page: Page, served: Served) -> None:
    page.goto("/search/?q=copper+drift")
    expect(page.locator("#search-results li").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    sent = served.sent
    assert all(one.status in (200, 206) for one in sent)
    paths = [one.path for one in sent]
    assert paths.count("/search-index/manifest.json") == 1
    assert sum(path.startswith("/assets/search/engine.") for path in paths) == 1
    fonts = sum(one.size for one in sent if "/fonts/" in one.path)
    assert sum(one.size for one in sent) - fonts < 80_000
    assert [one.path for one in sent if one.path.startswith("/members/")] == []
    mark = len(sent)
    page.locator("#q").fill("copper drift lines")
    expect(page).to_have_url(re.compile("lines"))
    page.wait_for_load_state("networkidle")
    assert sum(one.size for one in served.since(mark)) < 40_000
