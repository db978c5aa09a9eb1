"""Every kind of page before judges from outside: the Nu HTML checker, axe-core, and its links.

The pages are those of the demo site and of a small site of nasty records, public, members'
and staff's, of each kind the largest, the smallest and one between. What judges see of real
records, `benchmarks.real_pages` tells.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from selectolax.lexbor import LexborHTMLParser

from benchmarks.validators import (
    check_access,
    check_html,
    check_links,
    disagreements,
    pages_of,
    read_metadata,
    some_of_each_kind,
)
from tests.browser.nasty import publish_nasty_site
from tests.theme.samples import environment, samples


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_nasty_site(tmp_path_factory.mktemp("nasty") / "site")


@pytest.fixture(scope="module", params=["demo", "nasty"])
def site(request: pytest.FixtureRequest) -> Path:
    """The folder of a release."""
    release: Path = request.getfixturevalue("release" if request.param == "demo" else "nasty")
    return release


@pytest.mark.needs("java", "validators")
def test_the_nu_html_checker_finds_nothing(release: Path, nasty: Path, tmp_path: Path) -> None:
    files = [
        *(release / page for page in some_of_each_kind(release)),
        *(release / "errors").glob("*.html"),
        *(nasty / page for page in pages_of(nasty)),
    ]
    env = environment()
    for template, name, context in samples(env):
        if name == "hostile":
            continue  # those change what our own code makes too; the nasty site does not
        file = tmp_path / f"{template}-{name}.html"
        file.write_text(env.get_template(template).render(context), encoding="utf-8")
        files.append(file)
    assert len(files) > 200
    assert check_html(files) == []


@pytest.mark.needs("chromium", "validators")
def test_axe_finds_nothing_in_light_and_dark(chromium: Browser, site: Path) -> None:
    assert check_access(chromium, site, some_of_each_kind(site, most=1)) == []


def test_no_internal_link_is_broken(site: Path) -> None:
    broken, followed = check_links(site, "https://publications.example")
    assert broken == []
    assert followed > 10 * len(pages_of(site))


def test_what_pages_say_to_machines_is_sound_json(site: Path) -> None:
    said = 0
    for page in pages_of(site):
        html = (site / page).read_text("utf-8")
        for node in LexborHTMLParser(html).css('script[type="application/ld+json"]'):
            record = json.loads(node.text())
            assert record["@context"] == "https://schema.org"
            assert page.startswith("public/"), "members' pages are for no crawler"
            said += 1
    assert said or "SITEURL" not in (site / "release.json").read_text("utf-8")


@pytest.mark.needs("node", "validators")
def test_citoid_reads_each_work_as_one_record(nasty: Path) -> None:
    """Wikipedia's reader takes the same from Highwire tags, JSON-LD and Open Graph."""
    pages = [
        nasty / page
        for page in pages_of(nasty)
        if "citation_title" in (nasty / page).read_text("utf-8")
    ]
    assert len(pages) > 5
    for file, told in zip(pages, read_metadata(pages), strict=True):
        assert disagreements(told) == [], file


@pytest.mark.needs("node", "validators")
def test_citoid_reads_out_of_lists_what_they_show(nasty: Path) -> None:
    """The span of each list item (COinS) names the work that the item names."""
    pages = [nasty / page for page in some_of_each_kind(nasty, most=2)]
    read = 0
    for file, told in zip(pages, read_metadata(pages), strict=True):
        items = LexborHTMLParser(file.read_text("utf-8")).css("ol.works > li")
        spans = [item for item in items if item.css_first("span.Z3988") is not None]
        works = told.get("coins", [])
        assert len(works) == len(spans)
        for item, work in zip(spans, works, strict=True):
            assert work["ctx_ver"] == "Z39.88-2004"
            name = work["rft"].get("atitle") or work["rft"].get("btitle")
            if item.css_first("math") is None and name:  # others have a title of another sort
                assert " ".join(item.css_first("h3").text().split()) in " ".join(name.split())
                read += 1
    assert read > 20
