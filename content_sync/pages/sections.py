"""What the site's own pages show: the overview of each section, search."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from content_sync.pages.access import ROOT, visible
from content_sync.pages.calendars import ALL_EVENTS, calendar_of_all
from content_sync.pages.charts import years_chart
from content_sync.pages.entries import (
    ENTRIES_PER_PAGE,
    audiences_for,
    count,
    entries_page,
    group_of,
    listing,
    members_have_works,
    newest_works,
    own_page,
)
from content_sync.pages.events import is_past
from content_sync.pages.home import make_home
from content_sync.pages.institutions import place
from content_sync.pages.listings import (
    NEWEST,
    card,
    pager,
)
from content_sync.pages.model import Context, File, Made, Page
from content_sync.pages.people import name_index, names_field, when
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import counted, span_in_words
from content_sync.urls import record_url

NAVIGATION = (
    ("publications", "Publications", "publications"),
    ("topics", "Topics", "topics"),
    ("projects", "Projects", "projects"),
    ("people", "People", "people"),
    ("events", "Events", "events"),
)
"""(section, title, table that must not be empty) of the links in the header."""

LETTERS = "abcdefghijklmnopqrstuvwxyz0"


def navigation(reader: Reader) -> list[dict[str, str]]:
    """Return the header's links: the sections that the source has views for."""
    return [
        {"section": section, "title": title, "url": f"/{section}/"}
        for section, title, table in NAVIGATION
        if section == "publications" or count(reader, f"SELECT count(*) FROM {table}")  # noqa: S608
    ]


def make_sections(reader: Reader, names: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the pages of each section named."""
    for name in names:
        made = Made(pages=list(SECTIONS[name](reader)))
        if name == "people":
            made.files = list(name_index(reader))
        elif name == "events":
            made.files = _event_calendars(reader)
        yield name, made


def _publications(reader: Reader) -> Iterator[Page]:
    newest = newest_works(reader, NEWEST)
    for audience in audiences_for(members_have_works(reader)):
        root = ROOT[audience]
        least = 2 if audience == "public" else 1
        years = reader.rows(
            "SELECT year, count(*) AS n FROM cache.works WHERE visible >= ?"
            " GROUP BY year ORDER BY year = 0, year DESC",
            None,
            least,
        )
        shown = [w for w in newest if w["visible"] >= least][:NEWEST]
        total = sum(y["n"] for y in years)
        yield own_page(
            "/publications/",
            audience,
            "publications.html",
            {
                "section": "publications",
                "title": "Publications",
                "heading": "Publications",
                "lead": f"{counted(total, 'work')}, here the newest {len(shown)}",
                "newest": [card(w, audience) for w in shown],
                "chart": years_chart([(y["year"], y["n"]) for y in years])
                if reader.makes("charts")
                else None,
                "years": [
                    {
                        "year": str(y["year"]) if y["year"] else "No date",
                        "n": y["n"],
                        "href": f"{root}/years/{y['year'] or 'undated'}/",
                    }
                    for y in years
                ],
                "venues_href": f"{root}/venues/"
                if count(reader, "SELECT count(*) FROM venues")
                else "",
            },
            [f"publication:{w['id']}" for w in shown],
        )


def _people(reader: Reader) -> Iterator[Page]:
    letters = {
        row["letter"]: row["n"]
        for row in reader.rows("SELECT letter, count(*) AS n FROM people GROUP BY letter")
    }
    if not letters:
        return
    entries = [
        {
            "text": letter.upper() if letter != "0" else "Other letters",
            "href": f"/people/a-z/{letter}/",
            "n": letters[letter],
        }
        for letter in LETTERS
        if letter in letters
    ]
    yield entries_page(
        "/people/",
        "public",
        section="people",
        heading="People",
        lead=counted(sum(letters.values()), "person", "people") + ", by family name",
        groups=[group_of("", "letters", entries)],
        columns="row",
        names=names_field(reader),
        tools=[("Institutions", "/institutions/")]
        if count(reader, "SELECT count(*) FROM institutions")
        else [],
    )


def _venues(reader: Reader) -> Iterator[Page]:
    rows = reader.rows("SELECT id, name, short_name FROM venues ORDER BY name COLLATE NOCASE, id")
    if not rows:
        return
    works: dict[str, Counter[str]] = defaultdict(Counter)
    for row in reader.rows(
        "SELECT venue_id, visible, count(*) AS n FROM cache.works WHERE visible > 0 GROUP BY 1, 2"
    ):
        works[row["venue_id"]]["members"] += row["n"]
        works[row["venue_id"]]["public"] += row["n"] * (row["visible"] == 2)
    more = count(
        reader,
        "SELECT EXISTS (SELECT 1 FROM cache.works WHERE (visible = 1 OR members IS NOT NULL)"
        " AND venue_id IN (SELECT id FROM venues) AND visible > 0)",
    )
    for audience in audiences_for(bool(more)):
        entries = [
            {
                "text": r["name"],
                "href": ROOT[audience] + record_url("venue", r["id"]),
                "note": r["short_name"] or "",
                "n": works[r["id"]][audience],
            }
            for r in rows
        ]
        yield entries_page(
            "/venues/",
            audience,
            section="publications",
            heading="Venues",
            lead=counted(len(rows), "venue"),
            groups=[group_of("", "venues", entries)],
            columns=2,
            tools=[("Publications by year", "/publications/")],
            records=[f"venue:{r['id']}" for r in rows],
        )


def _topics(reader: Reader) -> Iterator[Page]:
    rows = reader.rows("SELECT id, name, parent_id FROM topics ORDER BY name COLLATE NOCASE, id")
    if not rows:
        return
    counts = {
        r["topic_id"]: (r["public"], r["members"])
        for r in reader.rows(
            """
            WITH RECURSIVE below (top, id) AS (
                SELECT id, id FROM topics
                UNION SELECT b.top, t.id FROM topics t JOIN below b ON t.parent_id = b.id
            )
            SELECT b.top AS topic_id, count(DISTINCT w.id) AS members,
                   count(DISTINCT CASE WHEN w.visible = 2 THEN w.id END) AS public
            FROM below b JOIN publication_topics pt ON pt.topic_id = b.id
            JOIN cache.works w ON w.id = pt.publication_id
            WHERE w.visible > 0 GROUP BY b.top"""
        )
    }
    known = {r["id"] for r in rows}
    children: dict[str | None, list[Row]] = {}
    for r in rows:
        children.setdefault(r["parent_id"] if r["parent_id"] in known else None, []).append(r)
    for audience in audiences_for(any(a != b for a, b in counts.values())):
        groups: list[Context] = []
        for top in children.get(None, []):
            entries = list(_tree(top, children, counts, audience, 0, set()))
            groups.append(group_of("", f"t{len(groups) + 1}", entries))
        # Topics in a circle hang below nothing; they stay findable at the end.
        reached = {e["href"] for g in groups for e in g["entries"]}
        lost = [
            _topic_entry(r, counts, audience, 0)
            for r in rows
            if ROOT[audience] + record_url("topic", r["id"]) not in reached
        ]
        if lost:
            groups.append(group_of("", f"t{len(groups) + 1}", lost))
        yield entries_page(
            "/topics/",
            audience,
            section="topics",
            heading="Topics",
            lead=counted(len(rows), "topic"),
            groups=groups,
            columns=2,
            records=[f"topic:{r['id']}" for r in rows],
        )


def _tree(
    row: Row,
    children: dict[str | None, list[Row]],
    counts: dict[str, tuple[int, int]],
    audience: str,
    level: int,
    seen: set[str],
) -> Iterator[Context]:
    if row["id"] in seen:
        return
    seen.add(row["id"])
    yield _topic_entry(row, counts, audience, level)
    for child in children.get(row["id"], []):
        yield from _tree(child, children, counts, audience, level + 1, seen)


def _topic_entry(
    row: Row, counts: dict[str, tuple[int, int]], audience: str, level: int
) -> Context:
    return {
        "text": row["name"],
        "href": ROOT[audience] + record_url("topic", row["id"]),
        "n": counts.get(row["id"], (0, 0))[0 if audience == "public" else 1],
        "level": level,
    }


def _projects(reader: Reader) -> Iterator[Page]:
    rows = reader.rows(
        "SELECT id, title, programme, theme, access, status, starts_on, ends_on FROM projects"
        " ORDER BY programme IS NULL, programme, theme IS NULL, theme, title, id"
    )
    yield from listing(
        rows,
        "/projects/",
        "projects",
        "Projects",
        "project",
        heading_of=lambda r: (
            " · ".join(t for t in (r["programme"], r["theme"]) if t) or "Other projects"
        ),
        href_of=_group_url if reader.makes("lineage") else lambda row: "",
        tools=[
            (title, url)
            for title, url, group in (
                ("Programmes", "/programmes/", "programme"),
                ("Themes", "/themes/", "theme"),
            )
            if reader.makes("lineage")
            and any(r[group] and visible(r["access"], "public") for r in rows)
        ],
        entry_of=lambda r, root: {
            "text": r["title"],
            "href": root + record_url("project", r["id"]),
            "note": ", ".join(x for x in (r["status"] or "", when(r)) if x),
        },
    )


def _group_url(row: Row) -> str:
    """Return the page of a project's theme, or else of its programme."""
    for group in ("theme", "programme"):
        if row[group]:
            return record_url(group, row[group])
    return ""


def _themes_by_name(reader: Reader) -> Iterator[Page]:
    rows = reader.rows(
        "SELECT theme AS name, count(*) AS members, sum(access = 'public') AS public,"
        " sum(status = 'running') AS running,"
        " sum(status = 'running' AND access = 'public') AS running_public"
        " FROM projects WHERE theme IS NOT NULL GROUP BY theme ORDER BY theme COLLATE NOCASE, theme"
    )
    yield from _groups_listed(reader, rows, "theme", "/themes/", "Themes", columns=2)


def _programmes(reader: Reader) -> Iterator[Page]:
    rows = reader.rows(
        "SELECT programme AS name, count(*) AS members, sum(access = 'public') AS public,"
        " sum(status = 'running') AS running,"
        " sum(status = 'running' AND access = 'public') AS running_public"
        " FROM projects WHERE programme IS NOT NULL"
        " GROUP BY programme ORDER BY programme COLLATE NOCASE, programme"
    )
    yield from _groups_listed(reader, rows, "programme", "/programmes/", "Programmes")


def _groups_listed(
    reader: Reader, rows: list[Row], group: str, url: str, heading: str, *, columns: int = 1
) -> Iterator[Page]:
    """Yield the pages that list all themes or all programmes, with their numbers of projects."""
    if not reader.makes("lineage"):
        return

    def note(row: Row, audience: str) -> str:
        running = row["running" if audience == "members" else "running_public"]
        runs = f", {running:,} running" if running else ""
        return f"{counted(row[audience], 'project')}{runs}"

    for audience in audiences_for(any(r["public"] != r["members"] for r in rows)):
        root = ROOT[audience]
        seen = [r for r in rows if r[audience]]
        if not seen:
            continue
        pages = -(-len(seen) // ENTRIES_PER_PAGE)
        for number in range(1, pages + 1):
            shown = seen[(number - 1) * ENTRIES_PER_PAGE : number * ENTRIES_PER_PAGE]
            entries = [
                {
                    "text": r["name"],
                    "href": root + record_url(group, r["name"]),
                    "note": note(r, audience),
                }
                for r in shown
            ]
            yield entries_page(
                url if number == 1 else f"{url}page/{number}/",
                audience,
                section="projects",
                heading=heading,
                title=heading if number == 1 else f"{heading}, page {number}",
                lead=counted(len(seen), group),
                groups=[group_of("", "groups", entries)],
                columns=columns,
                tools=[("All projects", "/projects/")],
                pages=pager(root + url, number, pages, between="page/"),
            )


def _institutions(reader: Reader) -> Iterator[Page]:
    rows = reader.rows(
        "SELECT id, name, city, country, is_member_company, 'public' AS access FROM institutions"
        " ORDER BY name COLLATE NOCASE, id"
    )
    yield from listing(
        rows,
        "/institutions/",
        "people",
        "Institutions",
        "institution",
        heading_of=lambda r: "",
        entry_of=lambda r, root: {
            "text": r["name"],
            "href": root + record_url("institution", r["id"]),
            "note": place(r),
        },
        columns=2,
    )


def _events(reader: Reader) -> Iterator[Page]:
    rows = reader.rows(
        "SELECT id, title, place, access, status, starts_at, ends_at FROM events"
        " ORDER BY starts_at IS NULL, starts_at DESC, id"
    )
    ahead = [r for r in rows if not is_past(r, reader.today)]
    past = [r for r in rows if is_past(r, reader.today)]

    def heading(row: Row) -> str:
        if not is_past(row, reader.today):
            return "Ahead"
        return str(row["starts_at"] or row["ends_at"])[:4]

    def entry(row: Row, root: str) -> Context:
        facts = (
            span_in_words(row["starts_at"], row["ends_at"]),
            row["place"] or "",
            row["status"] if row["status"] != "planned" else "",
        )
        return {
            "text": row["title"],
            "href": root + record_url("event", row["id"]),
            "note": ", ".join(f for f in facts if f),
        }

    yield from listing(
        ahead[::-1] + past,
        "/events/",
        "events",
        "Events",
        "event",
        heading_of=heading,
        entry_of=entry,
        tools=[("All in your calendar (iCalendar)", f"/{ALL_EVENTS}")]
        if reader.makes("machines")
        and any(r["starts_at"] and visible(r["access"], "public") for r in ahead)
        else [],
    )


def _event_calendars(reader: Reader) -> list[File]:
    """Return the calendar of all events for everyone, and for members where it is another."""
    if not reader.makes("machines"):
        return []
    rows = reader.rows("SELECT * FROM events ORDER BY starts_at, id")
    shared = reader.shared
    files = [
        calendar_of_all(
            [r for r in rows if visible(r["access"], audience)],
            audience,
            shared["siteurl"],
            shared["globals"].get("SITENAME", ""),
            reader.today,
        )
        for audience in audiences_for(any(r["access"] != "public" for r in rows))
    ]
    return [file for file in files if file]


def _search(reader: Reader) -> Iterator[Page]:
    name = reader.shared["globals"]["SITENAME"]
    description = f"Search the publications, people, projects and events of {name}."
    context = {"title": "Search", "section": "search", "description": description}
    yield own_page("/search/", "public", "search.html", context)
    if reader.shared["globals"]["SITEURL"]:  # browsers want whole addresses
        yield own_page("/opensearch.xml", "public", "opensearch.xml", {"title": ""})


def _not_found(reader: Reader) -> Iterator[Page]:
    yield own_page("/404.html", "public", "not_found.html", {"title": "Not found", "noindex": True})


SECTIONS: dict[str, Callable[[Reader], Iterator[Page]]] = {
    "home": make_home,
    "publications": _publications,
    "people": _people,
    "venues": _venues,
    "topics": _topics,
    "projects": _projects,
    "themes": _themes_by_name,
    "programmes": _programmes,
    "institutions": _institutions,
    "events": _events,
    "search": _search,
    "not_found": _not_found,
}
"""The site's own pages; every build looks at all of them."""
