"""The edition opened in a browser from the folder it was unpacked into, with no server."""

from __future__ import annotations

import contextlib
import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from selectolax.lexbor import LexborHTMLParser

from content_sync.demo import write_demo
from content_sync.errors import NightpressError
from content_sync.indexing import index_release
from content_sync.pages.site import build_site
from content_sync.release.stage import staged
from content_sync.release.switch import publish
from content_sync.settings import Settings, read_settings
from content_sync.sync import sync
from content_sync.travelling.edition import make_edition, verify_edition

CONF = """
from content_sync.site_defaults import *
SITENAME = "Test Consortium"
SITEURL = "https://publications.example"
FULL_TEXTS = "var/demo-files"
WORKERS = 1
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("edition") / "site"
    (root / "content/pages").mkdir(parents=True)
    (root / "pelicanconf.py").write_text(CONF)
    (root / "content/pages/about.md").write_text("Title: About\nSlug: about\n\nWho we are.\n")
    settings = read_settings(root)
    write_demo(settings.demo_source, settings.var / "demo-files", publications=50, seed=3)
    sync(settings, accept=True)
    build_site(settings)
    index_release(settings, staged(settings))
    stage = staged(settings)
    assert stage is not None
    publish(settings, stage)
    return settings


@pytest.fixture(scope="module", params=["public", "members"])
def unpacked(request: pytest.FixtureRequest, site: Settings, tmp_path_factory) -> Path:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp(request.param)
    made = make_edition(site, folder / "ours.zip", members=request.param == "members")
    with zipfile.ZipFile(made.file) as archive:
        archive.extractall(folder)
    return folder / "ours"


def test_every_link_leads_to_a_file_or_to_the_site(unpacked: Path) -> None:
    inside = 0
    for page in unpacked.rglob("*.html"):
        for node in LexborHTMLParser(page.read_text("utf-8")).css("[href], [src], [action]"):
            value = node.attributes.get("href") or node.attributes.get("src")
            value = value or node.attributes.get("action") or "#"
            if re.match(r"#|https?:|mailto:", value):
                continue
            assert not value.startswith("/"), (page, value)
            target = page.parent / re.split("[?#]", value)[0]
            assert target.is_file(), (page, value)
            inside += 1
    assert inside > 1000


def test_a_public_edition_holds_nothing_of_members(unpacked: Path, site: Settings) -> None:
    folders = {path.name for path in unpacked.iterdir() if path.is_dir()}
    if unpacked.parent.name.startswith("public"):
        assert folders == {"public"}
    else:
        assert folders == {"public", "members"}
    names = {path.name for path in unpacked.rglob("*")}
    assert not names & {"robots.txt", "records.json", "feeds", "staff"}


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("width", [390, 1280])
def test_it_opens_and_searches_without_a_server(
    unpacked: Path, chromium: Browser, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 850})
    faults: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    with contextlib.closing(page):
        page.goto((unpacked / "start.html").as_uri())
        expect(page).to_have_url(re.compile(r"/(?:public|members)/index\.html$"))
        page.locator("main ol.works a").first.click()
        expect(page.locator("h1")).to_be_visible()
        page.goto((unpacked / "public/index.html").as_uri())
        page.locator("main input[type=search]").fill("drift")
        page.keyboard.press("Enter")
        expect(page.locator("#search-results li").first).to_be_visible()
        page.locator("#search-results h3 a").first.click()
        expect(page.locator("h1")).to_be_visible()
        assert page.url.startswith("file:")
        assert page.url.endswith(".html")
        someone = sorted((unpacked / "public/people").glob("*-*.html"))[0].read_text("utf-8")
        name = LexborHTMLParser(someone).css_first("title").text().partition(" ·")[0]
        page.goto((unpacked / "public/people/index.html").as_uri())
        page.locator("#name-q").fill(name)
        page.keyboard.press("Enter")
        expect(page.locator("#search-results li").first).to_contain_text(name)
    assert faults == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_what_was_changed_is_found_out(site: Settings, tmp_path: Path) -> None:
    made = make_edition(site, tmp_path / "e.zip", full_texts=False)
    public = (site.var / "edition-key.pem.pub").read_bytes()
    assert verify_edition(made.file, public).is_known_key
    assert not verify_edition(made.file, None).is_known_key
    assert (site.var / "edition-key.pem").stat().st_mode & 0o077 == 0
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(made.file) as old, zipfile.ZipFile(other, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename == "e/public/index.html":
                content = content.replace(b"Test", b"Best")
            new.writestr(item, content)
    with pytest.raises(NightpressError, match="was changed"):
        verify_edition(other, public)
    with zipfile.ZipFile(made.file, "a") as more:
        more.writestr("e/public/extra.html", "x")
    with pytest.raises(NightpressError, match="not in its manifest"):
        verify_edition(made.file, public)
    again = make_edition(site, tmp_path / "e2.zip", full_texts=False)
    (site.var / "edition-key.pem").unlink()
    (site.var / "edition-key.pem.pub").unlink()
    make_edition(site, tmp_path / "e3.zip", full_texts=False)
    with pytest.raises(NightpressError, match="not signed by this key"):
        verify_edition(again.file, (site.var / "edition-key.pem.pub").read_bytes())


def test_nothing_leaves_while_a_withdrawn_record_is_live(site: Settings, tmp_path: Path) -> None:
    file = site.var / "live" / "withdrawn.json"
    before = file.read_bytes() if file.is_file() else None
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"version": 1, "withdrawn": ["publication:x"]}))
    try:
        with pytest.raises(NightpressError, match="withdrawn"):
            make_edition(site, tmp_path / "e.zip")
        assert list(tmp_path.iterdir()) == []
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_bytes(before)
