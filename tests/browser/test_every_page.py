"""Every kind of page before judges from outside: the Nu HTML checker, axe-core, and its links.

The pages are those of the demo site and of a small site of nasty records, public, members'
and staff's, of each kind the largest, the smallest and one between.
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser
from selectolax.lexbor import LexborHTMLParser

from benchmarks.web_server import COOKIE, serve_trees
from content_sync.release.addresses import file_of, url_of
from tests.browser.nasty import publish_nasty_site
from tests.theme.samples import environment, samples
from tools.components import NODE

MODULES = NODE / "node_modules"
VNU = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
AXE = MODULES / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DYNAMIC = ("/services/", "/live/", "/staff/", "/signin/", "/signout/", "/oai")


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish_nasty_site(tmp_path_factory.mktemp("nasty") / "site")


@pytest.fixture(scope="module", params=["demo", "nasty"])
def site(request: pytest.FixtureRequest) -> Path:
    """The folder of a release."""
    release: Path = request.getfixturevalue("release" if request.param == "demo" else "nasty")
    return release


def pages_of(site: Path) -> list[str]:
    trees = (site / tree for tree in ("public", "members", "staff"))
    return sorted(p.relative_to(site).as_posix() for tree in trees for p in tree.rglob("*.html"))


def some_of_each_kind(site: Path, *, most: int = 3) -> list[str]:
    """Return up to `most` pages of each kind, the largest first."""
    kinds: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for page in pages_of(site):
        parts = page.split("/")
        kinds[(*parts[:2], str(len(parts)), str(parts[-1] == "index.html"))].append(page)
    chosen: list[str] = []
    for pages in kinds.values():
        pages.sort(key=lambda page: ((site / page).stat().st_size, page))
        chosen += list(dict.fromkeys((pages[-1], pages[0], pages[len(pages) // 2])))[:most]
    return chosen


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
    checked = subprocess.run(
        [
            "java",
            "-Xss8m",
            "-jar",
            VNU,
            "--format",
            "json",
            "--stdout",
            "--exit-zero-always",
            "--no-langdetect",  # a guess from few words, and another one each time
            *files,
        ],
        capture_output=True,
        check=True,
    )
    messages = [
        message
        for message in json.loads(checked.stdout)["messages"]
        # Records keep the form of Unicode that they came in, which is no fault of a page.
        if "Unicode Normalization Form C" not in message["message"]
    ]
    assert len(files) > 200
    assert [(m["url"].rpartition("/")[2], m.get("lastLine"), m["message"]) for m in messages] == []


@pytest.mark.needs("chromium", "validators")
def test_axe_finds_nothing_in_light_and_dark(chromium: Browser, site: Path) -> None:
    axe = AXE.read_text(encoding="utf-8")
    found: list[object] = []
    name, _, value = COOKIE.partition("=")
    with serve_trees(site) as server:
        context = chromium.new_context(base_url=server.address, reduced_motion="reduce")
        context.add_cookies([{"name": name, "value": value, "url": server.address}])
        page = context.new_page()
        page.on("pageerror", lambda error: found.append((page.url, str(error))))
        for number, file in enumerate(some_of_each_kind(site, most=1)):
            url = url_of(file)
            if url.startswith("/staff/"):
                continue  # that server knows no staff; the service's tests look at theirs
            page.set_viewport_size({"width": 390 if number % 2 else 1280, "height": 900})
            page.goto(url)
            page.evaluate(axe)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                found += [
                    (scheme, url, one["id"], [node["html"] for node in one["nodes"]][:3])
                    for one in page.evaluate(_RUN, RULES)
                ]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append((url, "wider than the screen"))
        context.close()
    assert found == []


_RUN = """rules => axe.run({runOnly: {type: 'tag', values: rules}}).then(r => r.violations)"""


def test_no_internal_link_is_broken(site: Path) -> None:
    ids: dict[str, set[str]] = {}
    broken: list[tuple[str, str]] = []
    followed = 0
    pages = pages_of(site)
    links: list[tuple[str, str]] = []
    for page in pages:
        tree = LexborHTMLParser((site / page).read_text("utf-8"))
        ids[page] = {n.attributes["id"] or "" for n in tree.css("[id]")}
        links += [(page, link) for link in _links(tree)]
    redirects = {
        line.partition("\t")[0] for line in (site / "redirects.txt").read_text("utf-8").splitlines()
    }
    for page, link in links:
        parts = urlsplit(urljoin(f"https://publications.example{url_of(page)}", link))
        path = unquote(parts.path)
        if parts.netloc != "publications.example" or path.startswith(DYNAMIC):
            continue
        followed += 1
        file = file_of(path)
        if not (site / file).is_file() and path.startswith("/members/"):
            file = file_of(path.removeprefix("/members"))  # as the web server does
        if not (site / file).is_file():
            if path not in redirects:
                broken.append((page, link))
        elif parts.fragment and unquote(parts.fragment) not in ids.get(file, {"top"}):
            broken.append((page, link))
    assert broken == []
    assert followed > 20 * len(pages)


def _links(tree: LexborHTMLParser) -> Iterator[str]:
    for name in ("href", "src"):
        for node in tree.css(f"[{name}]"):
            if value := node.attributes[name]:
                yield value


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
