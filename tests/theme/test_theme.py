"""Every template, with rich, empty, long and hostile records, is sound HTML."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from tests.theme.samples import HOSTILE, LONG_TITLE, THEME, environment, samples

STATIC = THEME / "static"
_OWN = ("/assets/", "/opensearch.xml", "/search-index/manifest.json")
_NEVER_LOADED = (
    "alternate",
    "author",
    "canonical",
    "cite-as",
    "describedby",
    "item",
    "license",
    "type",
)
SHEET = STATIC / "css" / "press.css"

_ENVIRONMENT = environment()
PAGES = {
    f"{template}-{name}": _ENVIRONMENT.get_template(template).render(context)
    for template, name, context in samples(_ENVIRONMENT)
}

on_every_page = pytest.mark.parametrize("page", sorted(PAGES))


def parse(page: str) -> LexborHTMLParser:
    return LexborHTMLParser(PAGES[page])


def elements(page: str) -> list[LexborNode]:
    return [node for node in parse(page).root.traverse() if node.tag and node.tag[0].isalpha()]


@on_every_page
def test_page_has_one_heading_of_the_first_level_and_skips_no_level(page: str) -> None:
    levels = [int(n.tag[1]) for n in elements(page) if re.fullmatch(r"h[1-6]", n.tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@on_every_page
def test_ids_are_unique_and_links_within_the_page_lead_to_one(page: str) -> None:
    ids = [n.attributes["id"] for n in elements(page) if "id" in n.attributes]
    assert len(ids) == len(set(ids))
    inner = [n.attributes["href"] for n in parse(page).css('a[href^="#"]')]
    assert {href[1:] for href in inner if href} <= set(ids)


@on_every_page
def test_landmarks_are_complete(page: str) -> None:
    tree = parse(page)
    assert len(tree.css("main#main")) == 1
    assert len(tree.css("header.site")) == 1
    assert len(tree.css("footer.foot")) == 1
    assert tree.css_first("a.skip").attributes["href"] == "#main"
    assert tree.css_first("html").attributes["lang"]
    for kind in ("nav", "aside"):
        names = [n.attributes.get("aria-label") for n in tree.css(kind)]
        assert all(names)
        assert len(names) == len(set(names))


@on_every_page
def test_every_field_has_a_label(page: str) -> None:
    tree = parse(page)
    named = {n.attributes.get("for") for n in tree.css("label")}
    for field in tree.css("input:not([type=hidden])"):
        assert field.attributes["id"] in named


@on_every_page
def test_nothing_breaks_a_strict_content_security_policy(page: str) -> None:
    for node in elements(page):
        assert node.tag != "style"
        assert not [name for name in node.attributes if name == "style" or name.startswith("on")]
        if node.attributes.get("type") == "application/ld+json":
            continue  # data, which no policy stops and no browser runs
        if node.tag == "script":
            assert (node.attributes.get("src") or "").startswith("/assets/")
            assert not node.text()
        for name in ("src", "srcset", "poster"):
            assert not (node.attributes.get(name) or "").startswith(("http", "//"))
        if node.tag == "link" and node.attributes["rel"] not in _NEVER_LOADED:
            assert (node.attributes["href"] or "").startswith(_OWN)


@on_every_page
def test_lists_hold_items_only_and_what_names_something_is_not_empty(page: str) -> None:
    tree = parse(page)
    for node in tree.css("ul, ol"):
        assert {child.tag for child in node.iter()} <= {"li"}
    for node in tree.css("h1, h2, h3, dt, li, a, button, th, caption, summary"):
        assert node.text(strip=True), node.html
    for node in tree.css("dl"):
        assert node.css("dt")
        assert node.css("dd")


@on_every_page
def test_page_does_not_say_none(page: str) -> None:
    body = parse(page).css_first("body").text(separator=" ")
    assert not re.search(r"\bNone\b(?! (?:yet|are|is))|\bundefined\b|, ,|(?<![0-9:])\.\.", body)


@pytest.mark.parametrize("page", sorted(p for p in PAGES if p.endswith("-hostile")))
def test_text_of_records_is_shown_and_never_run(page: str) -> None:
    tree = parse(page)
    assert "<script>alert" not in PAGES[page]
    assert not tree.css("[onmouseover]")
    assert not tree.css('script:not([src]):not([type="application/ld+json"])')


def test_hostile_title_is_readable_as_it_was_written() -> None:
    assert HOSTILE in parse("publication.html-hostile").css_first("h1").text()
    assert HOSTILE in parse("listing.html-hostile").css_first(".works h3").text()


def test_long_lists_of_authors_are_folded_after_ten() -> None:
    tree = parse("publication.html-long")
    assert tree.css_first("h1").text() == LONG_TITLE
    assert len(tree.css(".names li")) == 290
    assert tree.css_first("summary").text() == "and 290 more authors"


def test_an_empty_publication_says_what_is_missing() -> None:
    text = parse("publication.html-empty").css_first("main").text()
    assert "No abstract." in text
    assert "No full text" in text


def test_demo_is_announced_and_not_indexed() -> None:
    env = environment()
    env.globals["is_demo"] = True
    for template, name, context in samples(env):
        if name != "rich":
            continue
        html = env.get_template(template).render(context)
        assert "Demonstration: a fictional consortium; nothing here is real." in html
        assert '<meta name="robots" content="noindex">' in html


def test_public_pages_name_their_canonical_address_and_members_pages_none() -> None:
    link = parse("publication.html-rich").css_first('link[rel="canonical"]')
    assert link.attributes["href"] == "https://publications.ellmark.example/sample/rich/"
    members = parse("publication.html-members")
    assert not members.css('link[rel="canonical"]')
    assert members.css_first('meta[name="robots"]').attributes["content"] == "noindex"


def test_members_pages_keep_to_the_members_tree() -> None:
    tree = parse("publication.html-members")
    links = [n.attributes["href"] for n in tree.css("header.site nav a")]
    assert links
    assert all(href and href.startswith("/members/") for href in links)


def test_current_section_is_marked() -> None:
    current = parse("person.html-rich").css('header.site [aria-current="true"]')
    assert [n.text() for n in current] == ["People"]


def test_search_page_has_what_the_search_client_fills() -> None:
    tree = parse("search.html-rich")
    assert tree.css_first('form.ask[role="search"][action="/search/"] input#q[name="q"]')
    assert tree.css_first('#search-status[role="status"]')
    assert tree.css_first("ol#search-results.works.found")
    for part in ("tools", "facets", "narrow", "count", "says", "more"):
        assert tree.css_first(f"#search-{part}"), part
    assert tree.css_first("#results[hidden]")
    assert tree.css_first("#browse noscript")
    script = tree.css_first("script[data-index]").attributes
    assert script["data-index"] == "/search-index/"
    assert script["data-engine"] == "/assets/search/engine.js"
    assert tree.css_first("html.urgent"), "results come before fonts"
    assert not tree.css_first('link[as="font"]')


def test_every_other_page_leads_to_its_search_field_by_a_key() -> None:
    for page in PAGES:
        if "<html" in PAGES[page] and not page.startswith("search.html"):
            script = parse(page).css_first('script[type="module"][data-then]')
            assert script.attributes["src"] == "/assets/js/find.js"


def test_no_template_is_longer_than_ninety_lines_but_the_macros() -> None:
    lengths = {
        file.name: len(file.read_text(encoding="utf-8").splitlines())
        for file in (THEME / "templates").glob("*.html")
        if file.name != "_macros.html"
    }
    assert {name: n for name, n in lengths.items() if n > 90} == {}


def test_stylesheet_stays_small_and_its_files_exist() -> None:
    sheet = SHEET.read_text(encoding="utf-8")
    assert len(sheet.encode()) < 30_000
    urls = re.findall(r"url\(([^)]+)\)", sheet)
    assert urls
    for url in urls:
        assert (SHEET.parent / url).resolve().is_file(), url
    assert sheet.count("{") == sheet.count("}")


def test_fonts_of_a_first_visit_stay_under_120_kilobytes() -> None:
    latin = [f for f in (STATIC / "fonts").glob("*.woff2") if f.stem.endswith("latin")]
    assert len(latin) == 4
    assert sum(f.stat().st_size for f in latin) < 120_000


def test_every_asset_that_templates_name_exists() -> None:
    for template in (THEME / "templates").glob("*.html"):
        for name in re.findall(r"asset\('([^']+)'\)", template.read_text(encoding="utf-8")):
            # The search client's modules are published from their own folder, and
            # site.css is a site's own, named only where there is one.
            if not name.startswith("search/") and name != "css/site.css":
                assert (STATIC / name).is_file(), name


def test_theme_holds_no_python() -> None:
    assert list(Path(THEME).rglob("*.py")) == []
