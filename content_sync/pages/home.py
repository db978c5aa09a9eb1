"""The home page: what there is, what is new, what lies ahead."""

from __future__ import annotations

from collections.abc import Iterator

from content_sync.pages.access import ROOT, visible
from content_sync.pages.entries import (
    audiences_for,
    count,
    members_have_works,
    newest_works,
    own_page,
)
from content_sync.pages.events import is_past
from content_sync.pages.listings import card
from content_sync.pages.model import Context, Page
from content_sync.pages.reader import Reader
from content_sync.pages.wording import counted, iso_in_words
from content_sync.urls import record_url

NEWEST_ON_HOME = 8


def make_home(reader: Reader) -> Iterator[Page]:
    newest = newest_works(reader, NEWEST_ON_HOME)
    for audience in audiences_for(members_have_works(reader)):
        root = ROOT[audience]
        least = 2 if audience == "public" else 1
        shown = [w for w in newest if w["visible"] >= least][:NEWEST_ON_HOME]
        yield own_page(
            "/",
            audience,
            "home.html",
            {
                "title": "",
                "heading": reader.shared["heading"],
                "lead": reader.shared["lead"],
                "description": reader.shared["lead"] or reader.shared["heading"],
                "counts": _home_counts(reader, audience),
                "newest_heading": "Newest",
                "newest": [card(w, audience) for w in shown],
                "news": reader.shared["news"],
                "ahead": _ahead(reader, audience),
                "themes": _themes(reader, root),
                "data_date": iso_in_words(reader.shared["data_date"]),
            },
            [f"publication:{w['id']}" for w in shown],
        )


def _home_counts(reader: Reader, audience: str) -> list[Context]:
    root = ROOT[audience]
    least = 2 if audience == "public" else 1
    works, first = reader.connection.execute(
        "SELECT count(*), min(nullif(year, 0)) FROM cache.works WHERE visible >= ?", (least,)
    ).fetchone()
    see = "access = 'public'" if audience == "public" else "1"
    running, projects = reader.connection.execute(
        f"SELECT coalesce(sum(status = 'running'), 0), count(*) FROM projects WHERE {see}"  # noqa: S608
    ).fetchone()
    people = count(reader, "SELECT count(*) FROM people")
    places = count(reader, "SELECT count(*) FROM institutions")
    events = reader.rows(f"SELECT starts_at, ends_at FROM events WHERE {see}")  # noqa: S608
    past = sum(is_past(e, reader.today) for e in events)
    counts = [("Publications", "publications", f"{works:,}" + (f" since {first}" if first else ""))]
    if projects:
        running_text = f", {running:,} running" if running else ""
        counts.append(("Projects", "projects", f"{projects:,}{running_text}"))
    if people:
        where = f" in {counted(places, 'institution')}" if places else ""
        counts.append(("People", "people", f"{people:,}{where}"))
    if events:
        counts.append(("Events", "events", f"{len(events) - past:,} ahead, {past:,} past"))
    return [
        {"label": label, "href": f"{root}/{section}/", "text": text}
        for label, section, text in counts
    ]


def _ahead(reader: Reader, audience: str) -> list[Context]:
    rows = reader.rows(
        "SELECT id, title, starts_at, ends_at, place, access, status FROM events"
        " WHERE coalesce(ends_at, starts_at) >= ? ORDER BY starts_at, id",
        None,
        reader.today,
    )
    return [
        {
            "date": iso_in_words(e["starts_at"]),
            "title": e["title"],
            "href": ROOT[audience] + record_url("event", e["id"]),
            "place": e["place"] or "",
            "status": e["status"],
        }
        for e in rows
        if visible(e["access"], audience)
    ][:5]


def _themes(reader: Reader, root: str) -> list[Context]:
    least = 2 if not root else 1
    rows = reader.rows(
        """
        WITH RECURSIVE below (top, id) AS (
            SELECT id, id FROM topics WHERE parent_id IS NULL
            UNION SELECT b.top, t.id FROM topics t JOIN below b ON t.parent_id = b.id
        )
        SELECT top.id, top.name, count(DISTINCT w.id) AS n
        FROM below b JOIN topics top ON top.id = b.top
        JOIN publication_topics pt ON pt.topic_id = b.id
        JOIN cache.works w ON w.id = pt.publication_id AND w.visible >= ?
        GROUP BY top.id ORDER BY n DESC, top.name LIMIT 8""",
        None,
        least,
    )
    return [
        {"name": r["name"], "href": root + record_url("topic", r["id"]), "n": r["n"]} for r in rows
    ]
