"""What readers see when files are missing, cut short or refused, and what they never see."""

from __future__ import annotations

import json
import re
from pathlib import Path
from shutil import copytree, rmtree

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.web_server import Answer, Served, serve_trees

pytestmark = pytest.mark.needs("chromium")

FAILED = "Failed to load resource"


def search(page: Page, query: str) -> None:
    page.goto(f"/search/?q={query}")
    expect(page.locator("#search-count")).not_to_have_text(re.compile("^Results$|…"))


def no_answer(page: Page) -> None:
    expect(page.locator("#search-count")).to_have_text("No answer")
    expect(page.locator("#search-results li")).to_have_count(0)
    expect(page.locator("#search-says")).to_contain_text("The lists below lead to everything")
    expect(page.locator("#browse a").first).to_be_visible()
    expect(page.locator("#search-tools")).to_be_hidden()


def is_data(path: str) -> bool:
    return "/search-index/" in path and not path.endswith("manifest.json")


@pytest.mark.parametrize(
    "fault",
    [
        lambda body: Answer(404),
        lambda body: Answer(500),
        lambda body: Answer(200, body[: len(body) // 2]),
        lambda body: Answer(200, body[: len(body) // 2], announced=len(body)),
        lambda body: Answer(200, bytes(len(body))),
        lambda body: Answer(200, b"<!doctype html><title>Sign in</title>"),
        lambda body: Answer(200, b""),
    ],
    ids=["missing", "error", "short", "cut", "zeros", "page", "empty"],
)
def test_a_broken_file_gives_words_and_never_a_wrong_list(new_page, served: Served, fault) -> None:
    page = new_page(allowed=FAILED)
    manifest = served.address + "/search-index/manifest.json"
    good = page.request.get(manifest).body()
    served.faults["/search-index/"] = fault
    served.faults["/search-index/manifest.json"] = lambda body: Answer(200, good)
    search(page, "copper")
    no_answer(page)
    served.faults.clear()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#search-results li").first).to_be_visible()
    expect(page.locator("#search-tools")).to_be_visible()


def test_a_file_that_fails_once_is_asked_for_again(new_page, served: Served) -> None:
    page = new_page(allowed=FAILED)
    failed: set[str] = set()

    def once(body: bytes) -> Answer:
        key = str(hash(body))
        if key in failed:
            return Answer(200, body)
        failed.add(key)
        return Answer(503)

    served.faults["/search-index/"] = once
    search(page, "copper")
    expect(page.locator("#search-results li").first).to_be_visible()
    assert len(failed) > 1


@pytest.mark.parametrize("body", [b"", b"{", b'{"format": 99}', b"[]", b"null"])
def test_a_manifest_that_is_none_is_said_in_words(new_page, served: Served, body: bytes) -> None:
    page = new_page(allowed=FAILED)
    served.faults["/search-index/manifest.json"] = lambda _: Answer(200, body)
    search(page, "copper")
    no_answer(page)


def test_a_site_without_an_index_says_so(new_page, served: Served) -> None:
    page = new_page(allowed=FAILED)
    served.faults["/search-index/"] = lambda _: Answer(404)
    search(page, "copper")
    no_answer(page)
    expect(page.locator("#search-says")).to_contain_text("no search index")


def test_a_lost_connection_is_said_and_the_search_comes_back(new_page, served: Served) -> None:
    page = new_page(allowed=FAILED)
    search(page, "copper")
    page.context.set_offline(True)
    page.locator("#q").fill("noise before failure")
    no_answer(page)
    expect(page.locator("#search-says")).to_contain_text("offline")
    page.context.set_offline(False)
    expect(page.locator("#search-results li").first).to_be_visible()
    expect(page.locator("#search-count")).to_have_text(re.compile("results?$"))


def test_an_index_renewed_while_the_page_is_open_is_read_anew(
    chromium: Browser, release: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "release" / "public"
    for name in ("search", "assets", "search-index"):
        copytree(release / "public" / name, tree / name)
    with serve_trees(tmp_path / "release") as served:
        page = chromium.new_page(base_url=served.address)
        search(page, "copper")
        rmtree(tree / "search-index")
        copytree(release / "members" / "search-index", tree / "search-index")
        page.locator("#q").fill(_members_title(release))
        first = page.locator("#search-results li").first
        expect(first.locator("h3")).to_have_text(_members_title(release))
        assert [one.status for one in served.sent if one.status == 404]
        page.close()


def test_members_search_both_indexes_as_one_list(new_page, release: Path) -> None:
    title = _members_title(release)
    page = new_page()
    search(page, title)
    expect(page.locator("#search-results h3 a", has_text=title)).to_have_count(0)
    member = new_page(member=True)
    search(member, title)
    first = member.locator("#search-results li").first
    expect(first.locator("h3")).to_have_text(title)
    expect(first.locator("b.members")).to_have_text("§ Members")
    expect(first.locator("h3 a")).to_have_attribute("href", re.compile("^/members/"))


def test_a_public_reader_asks_for_nothing_of_members(page: Page, served: Served) -> None:
    search(page, "copper")
    page.wait_for_load_state("networkidle")
    assert not [one for one in served.sent if one.path.startswith("/members/")]


@pytest.mark.parametrize("status", [401, 403, 302])
def test_who_is_no_longer_signed_in_is_told_quietly(new_page, served: Served, status: int) -> None:
    page = new_page(member=True, allowed=FAILED)
    served.faults["/members/"] = lambda _: Answer(
        status, b"", (("Location", "https://id.example/"),)
    )
    search(page, "copper")
    expect(page.locator("#search-results li").first).to_be_visible()
    expect(page.locator("#search-says")).to_contain_text("please sign in again")


def test_a_sign_out_while_searching_leaves_the_public_list(new_page, served: Served) -> None:
    page = new_page(member=True, allowed=FAILED)
    search(page, "copper")
    served.faults["/members/"] = lambda _: Answer(401)
    page.locator("#q").fill("thermal cycling")
    expect(page.locator("#search-says")).to_contain_text("please sign in again")
    expect(page.locator("#search-results li").first).to_be_visible()


def test_withdrawn_records_never_show(new_page, served: Served) -> None:
    page = new_page()
    search(page, "copper+drift")
    total = page.locator("#search-count").inner_text()
    title = page.locator("#search-results h3").first.inner_text()
    page.get_by_role("button", name="JSON").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    first = json.loads(Path(download.value.path()).read_text("utf-8"))["results"][0]
    served.withdrawn = json.dumps(
        {"version": 1, "withdrawn": [f"{first['type']}:{first['id']}"]}
    ).encode()
    other = new_page()
    search(other, "copper+drift")
    expect(other.locator("#search-results h3").first).not_to_have_text(title)
    assert title not in other.locator("#search-results h3").all_inner_texts()
    expect(other.locator("#search-count")).not_to_have_text(total)


@pytest.mark.parametrize("body", [b"", b"nonsense", b'{"withdrawn": 3}', b"[]"])
def test_a_list_of_withdrawn_records_that_is_none_stops_nothing(
    new_page, served: Served, body: bytes
) -> None:
    page = new_page()
    served.withdrawn = body
    search(page, "copper")
    expect(page.locator("#search-results li").first).to_be_visible()


def test_an_engine_that_cannot_be_loaded_is_said_in_words(new_page, served: Served) -> None:
    page = new_page(allowed=FAILED)
    served.faults["/assets/search/engine."] = lambda _: Answer(503)
    search(page, "copper")
    no_answer(page)


def _members_title(release: Path) -> str:
    for file in sorted((release / "documents" / "members").glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            document = json.loads(line)
            if document["type"] == "publication" and document["access"] == "members":
                title: str = document["title"]
                return title
    raise AssertionError("The demo has no members' publication.")
