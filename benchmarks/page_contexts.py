"""What each public page of a site shows, for Hugo to show the same.

Taken from the page makers themselves, so both sides show the same text by construction.
Everything that can be worked out is: groups, counts with their separators, dates, page
numbers. Our own build does that work within its figure; Hugo gets it for nothing.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import escape

from benchmarks.bench_site import LEAD, SITENAME, SITEURL, SUBTITLE
from content_sync.pages.listings import NEWEST_FIRST
from content_sync.pages.model import Page as MadePage
from content_sync.pages.model import Work
from content_sync.pages.reader import in_batches, open_reader
from content_sync.pages.render import MAKERS
from content_sync.pages.scope import everything
from content_sync.pages.wording import MONTHS
from content_sync.settings import PARTS, read_settings
from content_sync.urls import page_file

Facts = dict[str, Any]

BATCH = 400
NAMES_SHOWN = 10
"""Names above the fold of a publication's page, as its template has it."""
SKIPPED = frozenset({"search.html", "not_found.html", "opensearch.xml"})
"""What is no page, or one without records."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its file, the template that shows it, and what it shows."""

    file: str
    layout: str
    facts: Facts


class Contexts:
    """The public pages of a site whose snapshot has been built once.

    The finished list items in the build's cache are replaced, in a copy, by the ids of
    their works: `cards` gives what each of them shows.
    """

    def __init__(self, site: Path) -> None:
        settings = read_settings(site)
        self._folder = Path(tempfile.mkdtemp(prefix="contexts-"))
        cache = self._folder / "cache.sqlite"
        with sqlite3.connect(settings.var / "cache.sqlite") as source:
            source.backup(copy := sqlite3.connect(cache))
        source.close()
        with copy:
            copy.execute("UPDATE works SET public = id, members = NULL")
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.close()
        self._reader = open_reader(settings.snapshot, cache, datetime.now(UTC).date().isoformat())
        synced = self._reader.connection.execute(
            "SELECT finished FROM syncs ORDER BY number DESC LIMIT 1"
        ).fetchone()
        self._reader.shared = {
            "globals": {
                "SITENAME": SITENAME,
                "SITEURL": SITEURL,
                "TIMEZONE": "UTC",
                "DEFAULT_LANG": "en",
            },
            "siteurl": SITEURL,
            # All of them came after the templates were frozen.
            "left_out": PARTS,
            "heading": SUBTITLE,
            "lead": LEAD,
            "news": [],
            "data_date": synced["finished"][:10],
        }
        self.cards: dict[str, Facts] = {}

    def pages(self) -> Iterator[Page]:
        """Yield every public page, publications first; then `cards` is complete."""
        for kind, make in MAKERS.items():
            of = "publication" if kind == "work" else kind
            for ids in in_batches(everything(self._reader, of), BATCH):
                for _, made in make(self._reader, ids):
                    if made.work:
                        self._keep_card(made.work)
                    for page in made.pages:
                        if page.audience == "public" and page.template not in SKIPPED:
                            yield _page(page)

    def places(self) -> Iterator[tuple[str, Facts]]:
        """Yield each listed work's id and where lists put it, for an engine that sorts."""
        orders = {
            "weight": NEWEST_FIRST,
            "in_year": "substr(w.date, 1, 7) DESC, w.venue_id, w.in_print, w.id",
            "in_venue": "w.in_print, w.id",
        }
        ranks = ", ".join(
            f"row_number() OVER (ORDER BY {order}) AS {name}" for name, order in orders.items()
        )
        for row in self._reader.connection.execute(
            f"SELECT w.id, w.year, w.date, w.in_print, {ranks} FROM cache.works w"  # noqa: S608
            " WHERE w.visible = 2"
        ):
            known = len(row["date"]) >= len("2019-07")
            yield (
                row["id"],
                {
                    "weight": row["weight"],
                    "in_year": row["in_year"],
                    "in_venue": row["in_venue"],
                    "year": str(row["year"] or "No date"),
                    "month": row["date"][:7] if known else "",
                    "month_name": MONTHS[int(row["date"][5:7]) - 1] if known else "Month not known",
                    "container": row["in_print"].partition("\t")[0],
                },
            )

    def close(self) -> None:
        self._reader.connection.close()
        shutil.rmtree(self._folder)

    def _keep_card(self, work: Work) -> None:
        if work.visible == 2:
            self.cards[work.id] = _plain({**work.item, "title": escape(work.item["title"])})


def _page(page: MadePage) -> Page:
    context = {**page.context, "canonical": page.url}
    layout = page.template.removesuffix(".html")
    facts = _plain(_FITTED.get(layout, dict)(context))
    return Page(page_file(page.url), layout, facts)


def _plain(value: Any) -> Any:
    """Return what JSON and Hugo's templates can hold: absent facts left out, counts as text."""
    if isinstance(value, dict):
        if "://" in (value.get("url") or ""):
            value = {**value, "url_text": value["url"].split("/")[2]}
        return {
            name: f"{item:,}" if name == "n" else _plain(item)
            for name, item in value.items()
            if item not in (None, "", [], {}) and item is not False
        }
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _publication(context: Facts) -> Facts:
    pub = context["pub"]
    authors = pub["authors"]
    split = {"authors": authors[:NAMES_SHOWN], "more_authors": authors[NAMES_SHOWN:]}
    meta = [
        ["property" if name.startswith("og:") else "name", name, content]
        for name, content in pub["meta"]
    ]
    # Titles and abstracts may hold MathML: they come escaped, and are shown as they come.
    texts = {
        "title": escape(pub["title"]),
        "abstract": [escape(paragraph) for paragraph in pub.get("abstract", ())],
    }
    return {**context, "pub": {**pub, **split, **texts, "meta": meta}}


def _person(context: Facts) -> Facts:
    person = context["person"]
    works = person["counts"]["works"]
    counts = {
        "works": f"{works:,}" if works else "",
        "works_text": f"{works:,} work{'' if works == 1 else 's'}",
    }
    return {**context, "person": {**person, **counts}}


def _publications(context: Facts) -> Facts:
    newest = context["newest"]
    group = {"heading": "Newest", "id": "newest", "n": len(newest), "cards": newest}
    return {**context, "groups": [group], "years": _years(context["years"])}


def _venue(context: Facts) -> Facts:
    return {**context, "years": _years(context["years"])}


def _years(years: list[Facts]) -> list[Facts]:
    return [{"heading": y["year"], "href": y["href"], "n": y["n"]} for y in years]


def _project(context: Facts) -> Facts:
    project = context["project"]
    cards = project["cards"]
    group = {"heading": "Publications", "id": "publications", "n": len(cards), "cards": cards}
    # Themes and programmes are pages by now; when the templates were frozen they were words.
    words = {name: (project[name] or {}).get("name") for name in ("theme", "programme")}
    return {**context, "project": {**project, **words, "groups": [group] if cards else []}}


def _institution(context: Facts) -> Facts:
    people = [{**p, "n": p["n"] or None} if "n" in p else p for p in context["people"]]
    return {**context, "people": people, "people_count": str(len(people))}


_FITTED: dict[str, Callable[[Facts], Facts]] = {
    "publication": _publication,
    "tombstone": _publication,
    "person": _person,
    "publications": _publications,
    "venue": _venue,
    "project": _project,
    "institution": _institution,
}
"""What a template of Hugo's is given in another shape than ours."""
