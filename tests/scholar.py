"""A linter of publication pages: what Google Scholar, Zotero and crawlers ask of each.

Each rule is a generator; its docstring states the rule, and it yields what breaks it. The
rules look at the finished page alone, so what they find is a fault of the templates.
https://scholar.google.com/intl/en/scholar/inclusion.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

_ONCE_FOR_EACH_AUTHOR = ("citation_author", "citation_author_institution", "citation_author_orcid")
_CONTAINERS = (
    "citation_journal_title",
    "citation_conference_title",
    "citation_inbook_title",
    "citation_technical_report_institution",
    "citation_dissertation_institution",
)


class PublicationPage:
    """One page, its address, and the tree that it stands in."""

    def __init__(self, html: str, url: str, tree: Path) -> None:
        self.tree = LexborHTMLParser(html)
        self.url = url
        self.files = tree
        self.tags = [
            (str(node.attributes["name"]), str(node.attributes.get("content") or ""))
            for node in self.tree.css('meta[name^="citation_"]')
        ]

    def all(self, name: str) -> list[str]:
        return [content for tag, content in self.tags if tag == name]

    def links(self, rel: str) -> list[str]:
        return [str(n.attributes["href"]) for n in self.tree.css(f'link[rel="{rel}"]')]


Rule = Callable[[PublicationPage], Iterator[str]]


def names_its_title_once(page: PublicationPage) -> Iterator[str]:
    """There is one title, and it is the heading's, apart from formulas and marks."""
    titles = page.all("citation_title")
    if len(titles) != 1 or not titles[0].strip():
        yield f"titles: {titles}"
        return
    heading = page.tree.css_first("h1")
    if heading.css_first("math") is None and heading.text().strip() not in titles[0]:
        yield f"{titles[0]!r} is not {heading.text()!r}"


def names_each_author_once_and_in_order(page: PublicationPage) -> Iterator[str]:
    """Each author has a tag of their own, in the order of the page."""
    authors = page.all("citation_author")
    by = page.tree.css_first(".head > .by")
    shown = [n.text() for n in by.css("a, span")] if by and "Edited by" not in by.text() else []
    shown += [n.text().strip() for n in page.tree.css(".head .names li")]
    if authors != shown:
        yield f"{authors} are not {shown}"
    for author in authors:
        if ";" in author or " et al" in author:
            yield f"more than one: {author}"


def says_of_whom_an_institution_is(page: PublicationPage) -> Iterator[str]:
    """An institution or ORCID follows the author whose it is."""
    before = ""
    for tag, _ in page.tags:
        if tag in _ONCE_FOR_EACH_AUTHOR[1:] and before not in _ONCE_FOR_EACH_AUTHOR:
            yield f"{tag} follows {before or 'nothing'}"
        before = tag


def dates_itself_as_scholar_reads_it(page: PublicationPage) -> Iterator[str]:
    """There is at most one date, 2019, 2019/07 or 2019/07/31."""
    dates = page.all("citation_publication_date")
    if len(dates) > 1 or any(not re.fullmatch(r"\d{4}(/\d\d){0,2}", d) for d in dates):
        yield f"dates: {dates}"


def stands_in_one_thing(page: PublicationPage) -> Iterator[str]:
    """A work stands in one journal, conference or book, or is a report or thesis."""
    found = [name for name in _CONTAINERS if page.all(name)]
    if len(found) > 1:
        yield f"all of {found}"


def says_nothing_twice(page: PublicationPage) -> Iterator[str]:
    """No other tag is there twice, and none is empty."""
    for name in {tag for tag, _ in page.tags} - set(_ONCE_FOR_EACH_AUTHOR):
        if len(page.all(name)) > 1:
            yield f"{name} twice"
    for name, content in page.tags:
        if not content.strip():
            yield f"{name} is empty"


def gives_pages_one_by_one(page: PublicationPage) -> Iterator[str]:
    """First and last page are apart, and a last page has a first."""
    for name in ("citation_firstpage", "citation_lastpage"):
        for text in page.all(name):
            if re.search(r"\d\s*[-–—]\s*\d", text):
                yield f"{name}: {text}"
    if page.all("citation_lastpage") and not page.all("citation_firstpage"):
        yield "a last page alone"


def offers_a_pdf_that_is_there(page: PublicationPage) -> Iterator[str]:
    """The PDF stands below the page, on the same host, and everyone may read it."""
    for address in page.all("citation_pdf_url"):
        pdf, own = urlsplit(address), urlsplit(page.url)
        if pdf.netloc != own.netloc or not pdf.path.startswith(own.path):
            yield f"{address} is not below {page.url}"
        if not (page.files / pdf.path.lstrip("/")).is_file():
            yield f"{address} is not there"


def names_itself(page: PublicationPage) -> Iterator[str]:
    """The page's own address is the canonical one, in tags and links."""
    for found in (page.all("citation_abstract_html_url"), page.links("canonical") or [page.url]):
        if found != [page.url]:
            yield f"{found} is not {page.url}"


def is_no_list(page: PublicationPage) -> Iterator[str]:
    """A page of one work carries no machine-readable list items: Zotero would take those."""
    if page.tree.css(".Z3988"):
        yield "COinS"


def tells_crawlers_the_same(page: PublicationPage) -> Iterator[str]:
    """JSON-LD names the page, the title and as many authors as the tags do."""
    scripts = page.tree.css('script[type="application/ld+json"]')
    if len(scripts) != 1:
        yield f"{len(scripts)} records"
        return
    data = json.loads(scripts[0].text())
    if data["@id"] != page.url or [data["name"]] != page.all("citation_title"):
        yield f"it names {data['@id']}, {data['name']}"
    if [a["name"] for a in data.get("author", [])] != page.all("citation_author"):
        yield "other authors"


def links_as_signposting_wants(page: PublicationPage) -> Iterator[str]:
    """One `cite-as`, a type, and descriptions that are there."""
    if len(page.links("cite-as")) != 1 or not page.links("type"):
        yield f"cite-as: {page.links('cite-as')}, type: {page.links('type')}"
    described = page.links("describedby")
    if len(described) != 3:
        yield f"described by {described}"
    for address in described:
        if not (page.files / urlsplit(address).path.lstrip("/")).is_file():
            yield f"{address} is not there"


RULES: tuple[Rule, ...] = (
    names_its_title_once,
    names_each_author_once_and_in_order,
    says_of_whom_an_institution_is,
    dates_itself_as_scholar_reads_it,
    stands_in_one_thing,
    says_nothing_twice,
    gives_pages_one_by_one,
    offers_a_pdf_that_is_there,
    names_itself,
    is_no_list,
    tells_crawlers_the_same,
    links_as_signposting_wants,
)


def lint(page: PublicationPage) -> list[str]:
    """Return what breaks the rules, each with the rule's name."""
    return [f"{rule.__name__}: {fault}" for rule in RULES for fault in rule(page)]
