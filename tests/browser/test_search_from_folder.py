"""The search page opened from a folder: no server, no worker, no fetch."""

from __future__ import annotations

import re
from pathlib import Path
from shutil import copytree

import pytest
from playwright.sync_api import Browser, Page, expect

from search.offline import write_scripts

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def folder(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the public tree whose pages lead to each other as files."""
    root = tmp_path_factory.mktemp("folder") / "site"
    copytree(release / "public", root / "public", ignore=lambda *_: ["search-index"])
    copytree(release / "members", root / "members", ignore=lambda *_: ["search-index"])
    for audience in ("public", "members"):
        write_scripts(release / audience / "search-index", root / audience / "search-index-scripts")
    page = root / "public" / "search" / "index.html"
    text = page.read_text("utf-8")
    text = re.sub(r'<link rel="preload" as="fetch"[^>]*>\n', "", text)
    text = text.replace('data-index="/search-index/"', 'data-index="../search-index-scripts/"')
    text = text.replace(
        'data-members="/members/search-index/"',
        'data-members="../../members/search-index-scripts/" data-root=".."',
    )
    page.write_text(text.replace('"/assets/', '"../assets/'), encoding="utf-8")
    return root


@pytest.fixture
def page(chromium: Browser) -> Page:
    opened = chromium.new_page(viewport={"width": 1280, "height": 900})
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    yield opened
    opened.close()
    assert [fault for fault in faults if "ERR_FILE_NOT_FOUND" not in fault] == []


def test_a_folder_is_searched_as_a_site_is(page: Page, folder: Path) -> None:
    page.goto((folder / "public/search/index.html").as_uri())
    page.keyboard.type("copper drift")
    expect(page.locator("#search-results li").first).to_be_visible()
    expect(page.locator("#search-results .snip mark").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"index\.html\?q=copper\+drift$"))
    kind = page.locator('#search-facets a[data-key^="kind:"]').first
    expect(kind).to_be_visible()
    kind.click()
    expect(page).to_have_url(re.compile("kind="))
    page.go_back()
    expect(page).not_to_have_url(re.compile("kind="))
    with page.expect_download() as download:
        page.locator('[data-key="as:bib"]').click()
    assert "@" in Path(download.value.path()).read_text("utf-8")
    expect(page.locator(".saved")).to_be_visible()


def test_results_lead_to_files_of_both_trees(page: Page, folder: Path) -> None:
    page.goto((folder / "public/search/index.html").as_uri() + "?access=members")
    link = page.locator("#search-results h3 a").first
    expect(link).to_have_attribute("href", re.compile(r"^\.\./\.\./members/.*\.html$"))
    for query in ("?access=members", "?q=copper", "?type=person", "?type=event"):
        page.goto((folder / "public/search/index.html").as_uri() + query)
        links = page.locator("#search-results h3 a")
        expect(links.first).to_be_visible()
        for href in links.evaluate_all("all => all.map(a => a.href)"):
            assert Path(href.removeprefix("file://")).is_file(), href


def test_a_missing_script_is_said_in_words(page: Page, folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "site"
    copytree(folder, broken)
    for script in broken.rglob("search-index-scripts/*/t/*.js"):
        script.unlink()
    page.goto((broken / "public/search/index.html").as_uri() + "?q=copper")
    expect(page.locator("#search-count")).to_have_text("No answer")
    expect(page.locator("#search-says")).to_contain_text("missing")
    expect(page.locator("#search-results li")).to_have_count(0)
