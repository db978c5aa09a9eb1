"""The comparison's Hugo site: the frozen templates with the content of a site of ours.

    python -m benchmarks.make_hugo_site benchmarks/work/site-49000 benchmarks/work/hugo-49000

`--content assembled` gives Hugo records: works with the terms of its taxonomies, and what a
person, venue, year or topic is; Hugo puts together their lists, counts and pages itself.
The other two give it finished lists, so that nothing is left to it but to show them.
`--content files` writes one Markdown file per page with its facts as front matter;
`adapter` (the default: it was the faster in the trial) writes the same facts as data,
1,000 pages a file, which Hugo's content adapters turn into pages.
"""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from benchmarks.page_contexts import Contexts, Page

TEMPLATES = Path(__file__).resolve().parent / "hugo"
ASSEMBLED = Path(__file__).resolve().parent / "hugo-assembled"
"""What the site whose lists Hugo assembles has in addition."""
PAGES_PER_FILE = 1000


def make_hugo_site(site: Path, target: Path, content: str = "adapter") -> dict[str, int]:
    """Make Hugo's site in the folder `target`, anew; return pages per template.

    `site` is a site of ours whose pages have been built.
    """
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(TEMPLATES, target)
    if content == "assembled":
        shutil.copytree(ASSEMBLED, target, dirs_exist_ok=True)
    contexts = Contexts(site)
    counts: Counter[str] = Counter()
    pages = _counted(contexts.pages(), counts)
    if content == "files":
        _write_files(pages, target)
    elif content == "adapter":
        _write_data(map(_front_matter, pages), target)
    else:
        _write_assembled(pages, contexts, target)
    (target / "data").mkdir()
    (target / "data/cards.json").write_bytes(orjson.dumps(contexts.cards))
    contexts.close()
    return dict(counts)


def _counted(pages: Iterable[Page], counts: Counter[str]) -> Iterator[Page]:
    for page in pages:
        counts[page.layout] += 1
        yield page


def _write_assembled(pages: Iterable[Page], contexts: Contexts, target: Path) -> None:
    """Write works with their terms as data, and a file of facts for each term."""
    places = dict(contexts.places())

    def others() -> Iterator[dict[str, Any]]:
        for page in pages:
            term = _term(page)
            if term is None:
                facts = _front_matter(page)
                if page.layout == "publication":
                    pub = page.facts["pub"]
                    place = places[pub["id"]]
                    facts["weight"] = place["weight"]
                    facts["params"] |= place | {"card": contexts.cards[pub["id"]]} | _terms(pub)
                yield facts
            elif "pager" not in page.facts or page.facts["pager"]["page"] == 1:
                _write_term(page, term, target)

    _write_data(others(), target)


def _term(page: Page) -> tuple[str, str, str] | None:
    """Return taxonomy, term and template of a page that Hugo assembles from works."""
    section, *rest = page.file.removesuffix(".html").split("/")
    if page.layout == "person":
        return "people", rest[0], "person"
    if page.layout == "venue":
        return "venues", rest[0], "venue"
    if page.layout == "topic":
        return "topics", rest[0], "topic"
    if page.layout == "listing" and section == "years":
        return "years", rest[0], "year"
    if page.layout == "listing" and section == "venues":
        return "venue_years", f"{rest[0]}--{rest[1]}", "venue_year"
    return None


def _terms(pub: dict[str, Any]) -> dict[str, list[str]]:
    people = [
        name["href"].split("/")[2]
        for role in ("authors", "more_authors", "editors")
        for name in pub.get(role, ())
        if "href" in name
    ]
    terms = {
        "people": list(dict.fromkeys(people)),
        "years": [pub["year_href"].split("/")[2]],
        "topics": [topic["href"].split("/")[2] for topic in pub.get("topics", ())],
    }
    if "venue" in pub:
        _, _, venue, year, _ = pub["venue"]["href"].split("/")
        terms |= {"venues": [venue], "venue_years": [f"{venue}--{year}"]}
    return terms


def _write_term(page: Page, term: tuple[str, str, str], target: Path) -> None:
    taxonomy, name, template = term
    facts = _front_matter(page)
    facts["type"] = template
    del facts["url"]
    for worked_out in ("groups", "years", "pager", "lead"):
        facts["params"].pop(worked_out, None)
    for worked_out in ("groups", "years", "works", "works_text", "span"):
        facts["params"].get("person", {}).pop(worked_out, None)
    folder = target / "content" / taxonomy / name
    folder.mkdir(parents=True)
    text = orjson.dumps(facts, option=orjson.OPT_INDENT_2)
    (folder / "_index.md").write_bytes(text + b"\n")


def _front_matter(page: Page) -> dict[str, Any]:
    facts = page.facts
    return {
        "title": facts.pop("title", ""),
        "url": f"/{page.file}",
        "type": page.layout,
        "description": facts.pop("description", ""),
        "params": facts,
    }


def _write_files(pages: Iterable[Page], target: Path) -> None:
    for number, page in enumerate(pages):
        folder = target / "content" / page.layout / f"{number // PAGES_PER_FILE:04}"
        if number % PAGES_PER_FILE == 0 or not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
        text = orjson.dumps(_front_matter(page), option=orjson.OPT_INDENT_2)
        (folder / f"{number:07}.md").write_bytes(text + b"\n")


def _write_data(pages: Iterable[dict[str, Any]], target: Path) -> None:
    """Write `assets/pages/<template>/<n>.json`, and an adapter for each template."""
    waiting: dict[str, list[dict[str, Any]]] = {}
    files: Counter[str] = Counter()

    def flush(layout: str) -> None:
        folder = target / "assets/pages" / layout
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{files[layout]:04}.json").write_bytes(orjson.dumps(waiting.pop(layout)))
        files[layout] += 1

    for number, page in enumerate(pages):
        some = waiting.setdefault(page["type"], [])
        some.append({"path": f"{number:07}", "kind": "page", **page})
        if len(some) == PAGES_PER_FILE:
            flush(page["type"])
    for layout in list(waiting):
        flush(layout)
    adapter = (target / "adapter.gotmpl").read_text("utf-8")
    for layout in files:
        folder = target / "content" / layout
        folder.mkdir(parents=True)
        (folder / "_content.gotmpl").write_text(adapter.replace("LAYOUT", layout), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_hugo_site")
    parser.add_argument("site", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--content", choices=("assembled", "adapter", "files"), default="adapter")
    given = parser.parse_args()
    for layout, count in make_hugo_site(given.site, given.target, given.content).items():
        print(f"{layout:24}{count:>10,}")


if __name__ == "__main__":
    main()
