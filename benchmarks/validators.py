"""Judges of a release's pages from outside: the Nu HTML checker, axe-core, Citoid, and links.

Tests put the demo site before them, `benchmarks.real_pages` a site of real records. Each
judge returns what it found, one entry for each fault; an empty list is a clean page.
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from playwright.sync_api import Browser
from selectolax.lexbor import LexborHTMLParser

from benchmarks.web_server import COOKIE, serve_trees
from content_sync.release.addresses import file_of, url_of
from tools.components import NODE

TREES = ("public", "members", "staff")
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")

_VNU = NODE / "node_modules/vnu-jar/build/dist/vnu.jar"
_AXE = NODE / "node_modules/axe-core/axe.min.js"
_CITOID = NODE / "node_modules/html-metadata/index.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = "rules => axe.run({runOnly: {type: 'tag', values: rules}}).then(r => r.violations)"
_DYNAMIC = ("/services/", "/live/", "/staff/", "/signin/", "/signout/", "/oai")
_FILES_AT_ONCE = 500
_READ = """
const reader = require(process.argv[1]);
const { readFileSync } = require("node:fs");
const pages = readFileSync(0, "utf8").split("\\n").map(file => readFileSync(file, "utf8"));
Promise.all(pages.map(page => reader.loadFromString(page)))
  .then(all => process.stdout.write(JSON.stringify(all)));
"""

Fault = tuple[Any, ...]


def pages_of(release: Path) -> list[str]:
    """Return the paths of all pages of a release, in order."""
    trees = (release / tree for tree in TREES)
    return sorted(p.relative_to(release).as_posix() for tree in trees for p in tree.rglob("*.html"))


def some_of_each_kind(release: Path, *, most: int = 3) -> list[str]:
    """Return up to `most` pages of each kind: the largest, the smallest, then evenly between."""
    kinds: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for page in pages_of(release):
        parts = page.split("/")
        kinds[(*parts[:2], str(len(parts)), str(parts[-1] == "index.html"))].append(page)
    chosen: list[str] = []
    for pages in kinds.values():
        pages.sort(key=lambda page: ((release / page).stat().st_size, page))
        last = len(pages) - 1
        between = (last * n // max(1, most - 1) for n in range(1, most - 1))
        places = dict.fromkeys((last, 0, *between))
        chosen += [pages[place] for place in list(places)[:most]]
    return chosen


def check_html(files: Iterable[Path]) -> list[Fault]:
    """Return what the Nu HTML checker says: file, line and message."""
    found: list[Fault] = []
    wanted = list(files)
    for start in range(0, len(wanted), _FILES_AT_ONCE):
        checked = subprocess.run(
            [
                "java",
                "-Xss8m",
                "-jar",
                _VNU,
                "--format",
                "json",
                "--stdout",
                "--exit-zero-always",
                "--no-langdetect",  # a guess from few words, and another one each time
                *wanted[start : start + _FILES_AT_ONCE],
            ],
            capture_output=True,
            check=True,
        )
        found += [
            (message["url"].rpartition("/")[2], message.get("lastLine"), message["message"])
            for message in json.loads(checked.stdout)["messages"]
            # Records keep the form of Unicode that they came in, which is no fault of a page.
            if "Unicode Normalization Form C" not in message["message"]
        ]
    return found


def check_access(browser: Browser, release: Path, pages: Iterable[str]) -> list[Fault]:
    """Return what axe-core finds in light and dark, scripts' errors, and pages too wide.

    Pages are looked at as on a laptop and on a phone in turn, as a member sees them. Those for
    staff are left out: they come from the service.
    """
    axe = _AXE.read_text(encoding="utf-8")
    found: list[Fault] = []
    name, _, value = COOKIE.partition("=")
    with serve_trees(release) as server:
        context = browser.new_context(base_url=server.address, reduced_motion="reduce")
        context.add_cookies([{"name": name, "value": value, "url": server.address}])
        page = context.new_page()
        page.on("pageerror", lambda error: found.append((page.url, str(error))))
        looked_at = (url for url in map(url_of, pages) if not url.startswith("/staff/"))
        for number, url in enumerate(looked_at):
            page.set_viewport_size({"width": WIDTHS[number % 2], "height": 900})
            page.goto(url)
            page.evaluate(axe)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                found += [
                    (scheme, url, one["id"], [node["html"] for node in one["nodes"]][:3])
                    for one in page.evaluate(_RUN, _RULES)
                ]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append((url, "wider than the screen"))
        context.close()
    return found


def check_links(release: Path, site: str) -> tuple[list[Fault], int]:
    """Return links of all pages that lead nowhere on `site`, and how many were followed.

    A link to a place in a page needs the place, too. What the service answers is not followed.
    """
    host = urlsplit(site).netloc
    ids: dict[str, set[str]] = {}
    links: dict[str, set[str]] = {}
    for page in pages_of(release):
        tree = LexborHTMLParser((release / page).read_text("utf-8"))
        ids[page] = {node.attributes["id"] or "" for node in tree.css("[id]")}
        links[page] = set(_links(tree))
    redirects = {
        line.partition("\t")[0]
        for line in (release / "redirects.txt").read_text("utf-8").splitlines()
    }
    broken: list[Fault] = []
    followed = 0
    for page, targets in links.items():
        for link in sorted(targets):
            parts = urlsplit(urljoin(site + url_of(page), link))
            path = unquote(parts.path)
            if parts.netloc != host or path.startswith(_DYNAMIC):
                continue
            followed += 1
            file = file_of(path)
            if not (release / file).is_file() and path.startswith("/members/"):
                file = file_of(path.removeprefix("/members"))  # as the web server does
            if not (release / file).is_file():
                if path not in redirects:
                    broken.append((page, link))
            elif parts.fragment and unquote(parts.fragment) not in ids.get(file, {"top"}):
                broken.append((page, link))
    return broken, followed


def read_metadata(files: Iterable[Path]) -> list[dict[str, Any]]:
    """Return what the reader of Citoid, with which Wikipedia cites web pages, takes from pages.

    For each page Highwire, Open Graph, JSON-LD and COinS, as far as it has them
    (https://github.com/wikimedia/html-metadata).
    """
    done = subprocess.run(
        ["node", "--eval", _READ, str(_CITOID)],
        input="\n".join(map(str, files)),
        encoding="utf-8",
        capture_output=True,
        check=True,
    )
    read: list[dict[str, Any]] = json.loads(done.stdout)
    return read


def disagreements(told: dict[str, Any]) -> list[str]:
    """Return where a publication's tags, JSON-LD and Open Graph, as read, tell different things."""
    highwire, shared, record = (
        told.get(name, {}) for name in ("highwirePress", "openGraph", "jsonLd")
    )
    if not (highwire and shared and record):
        return [f"only {sorted(told)}"]
    same = {
        "title": {highwire["title"], shared["title"], record["name"]},
        "address": {highwire["abstract_html_url"], shared["url"], record["url"]},
        "authors": {
            tuple(_several(highwire.get("author"))),
            tuple(person["name"] for person in _several(record.get("author"))),
        },
        "date": {
            highwire.get("publication_date", "").replace("/", "-"),
            record.get("datePublished", ""),
        },
    }
    return [f"{name}: {told}" for name, told in same.items() if len(told) > 1]


def _several(value: Any) -> list[Any]:
    """A reader gives one alone where there is one."""
    return value if isinstance(value, list) else [value] if value else []


def _links(tree: LexborHTMLParser) -> Iterator[str]:
    for name in ("href", "src"):
        for node in tree.css(f"[{name}]"):
            if value := node.attributes[name]:
                yield value
