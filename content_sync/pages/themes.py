"""What the pages of themes and programmes show: where their projects stand, and what came of them.

Both are names in the records of projects, and not records of their own. A programme's page
leads to its themes, a theme's to its projects; each shows the newest works of them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from content_sync.machines.feeds import theme_feed_url
from content_sync.pages.access import AUDIENCES, ROOT, visible
from content_sync.pages.charts import states_chart, years_chart
from content_sync.pages.listings import (
    NEWEST_FIRST,
    PER_PAGE,
    WORK_COLUMNS,
    card,
    members_see_more,
    pager,
    works_for,
)
from content_sync.pages.model import Context, Made, Page
from content_sync.pages.people import full_name, when
from content_sync.pages.progress import in_short, in_words, tally
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import counted, title_length
from content_sync.records import Access
from content_sync.urls import record_url

NEWEST_WORKS = 25

_PROJECTS = """
SELECT p.*, lead.id AS known_lead, lead.given_name, lead.family_name
FROM projects p LEFT JOIN people lead ON lead.id = p.lead_person_id
WHERE p.{group} = ?
ORDER BY p.status IS NOT 'running', p.starts_on DESC, p.title, p.id"""

_DELIVERABLES = """
SELECT d.project_id, d.* FROM projects p JOIN deliverables d ON d.project_id = p.id
WHERE p.{group} = ? ORDER BY d.id"""

_WORKS = f"""
SELECT pp.project_id, {WORK_COLUMNS}
FROM projects p JOIN project_publications pp ON pp.project_id = p.id
JOIN cache.works w ON w.id = pp.publication_id
WHERE p.{{group}} = ? AND w.visible > 0 ORDER BY {NEWEST_FIRST}"""  # noqa: S608


@dataclass(slots=True)
class _Project:
    """A project with what of it an audience sees."""

    row: Row
    states: Counter[str]
    works: list[Row] = field(default_factory=list)


def make_themes(reader: Reader, names: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the pages of each theme named."""
    for name in names:
        yield name, Made(pages=list(_pages(reader, "theme", name)))


def make_programmes(reader: Reader, names: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the pages of each programme named."""
    for name in names:
        yield name, Made(pages=list(_pages(reader, "programme", name)))


def _pages(reader: Reader, group: str, name: str) -> Iterator[Page]:
    if not reader.makes("lineage"):
        return
    rows = reader.rows(_PROJECTS.format(group=group), None, name)
    deliverables = reader.rows(_DELIVERABLES.format(group=group), None, name)
    works = reader.rows(_WORKS.format(group=group), None, name)
    members_see_another = (
        any(r["access"] != Access.PUBLIC for r in (*rows, *deliverables))
        or members_see_more(works)
    )  # fmt: skip
    for audience in AUDIENCES if members_see_another else AUDIENCES[:1]:
        shown = [d for d in deliverables if visible(d["access"], audience)]
        projects = _seen(reader, audience, rows, shown, works_for(works, audience))
        if projects:
            yield from _listed(reader, group, name, audience, projects, shown)


def _seen(
    reader: Reader, audience: str, rows: list[Row], deliverables: list[Row], works: list[Row]
) -> dict[str, _Project]:
    """Return the projects that an audience sees, with what it sees of each."""
    owed: dict[str, list[Row]] = {}
    for row in deliverables:
        owed.setdefault(row["project_id"], []).append(row)
    projects = {
        row["id"]: _Project(row, tally(owed.get(row["id"], ()), reader.today))
        for row in rows
        if visible(row["access"], audience)
    }
    for work in works:
        if work["project_id"] in projects:
            projects[work["project_id"]].works.append(work)
    return projects


def _listed(
    reader: Reader,
    group: str,
    name: str,
    audience: str,
    projects: dict[str, _Project],
    deliverables: list[Row],
) -> Iterator[Page]:
    root = ROOT[audience]
    url = record_url(group, name)
    works = _newest(projects)
    own = [p for p in projects.values() if group == "theme" or not p.row["theme"]]
    pages = max(1, -(-len(own) // PER_PAGE))
    owed = [d for d in deliverables if d["project_id"] in projects]
    common: Context = {
        "kind": group.capitalize(),
        "name": name,
        "long": title_length(name),
        "above": _above(projects, root) if group == "theme" else [],
        "themes": _themes(projects, root) if group == "programme" else [],
        "says": _says(projects),
        "owed": in_words(tally(owed, reader.today)),
        "n_projects": len(projects),
        "n_works": len(works),
    }
    for number in range(1, pages + 1):
        shown = own[(number - 1) * PER_PAGE : number * PER_PAGE]
        first = number == 1
        newest = works[:NEWEST_WORKS] if first else []
        yield Page(
            url=url if first else f"{url}{number}/",
            audience=audience,
            template="theme.html",
            context={
                "section": "projects",
                "title": name if first else f"{name}, page {number}",
                "description": f"{name}: {common['says']}",
                "noindex": False,
                "feed": theme_feed_url(name)
                if audience == "public" and works and group == "theme"
                else "",
                "group": common
                | {
                    "charts": _charts(reader, works, owed) if first else [],
                    "projects": [_project(p, root) for p in shown],
                    "cards": [card(w, audience) for w in newest],
                },
                "pager": pager(root + url, number, pages),
            },
            records=tuple(
                [f"project:{p.row['id']}" for p in shown]
                + [f"deliverable:{d['id']}" for d in owed]
                + [f"publication:{w['id']}" for w in newest]
            ),
        )


def _newest(projects: dict[str, _Project]) -> list[Row]:
    """Return the works of all projects, each once, the newest first."""
    works = {w["id"]: w for p in projects.values() for w in p.works}
    order = sorted(works.values(), key=lambda w: (w["in_print"], w["id"]))
    return sorted(order, key=lambda w: (w["year"] != 0, w["year"], w["date"]), reverse=True)


def _says(projects: dict[str, _Project]) -> str:
    """Return one sentence on the projects: `31 projects: 12 running, 18 ended.`"""
    states = Counter(p.row["status"] or "of unknown state" for p in projects.values())
    parts = [
        f"{states[state]:,} {state}"
        for state in ("running", "planned", "ended", "stopped", "of unknown state")
        if states[state]
    ]
    if len(parts) == 1 and states["of unknown state"]:
        return f"{counted(len(projects), 'project')}."
    return f"{counted(len(projects), 'project')}: {', '.join(parts)}."


def _charts(reader: Reader, works: list[Row], deliverables: list[Row]) -> list[Context]:
    if not reader.makes("charts"):
        return []
    charts = (
        states_chart(tally(deliverables, reader.today)),
        years_chart(sorted(Counter(w["year"] for w in works).items())),
    )
    return [chart for chart in charts if chart]


def _above(projects: dict[str, _Project], root: str) -> list[Context]:
    names = sorted({p.row["programme"] for p in projects.values() if p.row["programme"]})
    return [{"name": n, "href": root + record_url("programme", n)} for n in names]


def _themes(projects: dict[str, _Project], root: str) -> list[Context]:
    """Return a line for each theme of a programme."""
    themes: dict[str, list[_Project]] = {}
    for project in projects.values():
        if project.row["theme"]:
            themes.setdefault(project.row["theme"], []).append(project)
    return [
        {
            "name": name,
            "href": root + record_url("theme", name),
            "projects": len(some),
            "running": sum(p.row["status"] == "running" for p in some),
            "owed": in_short(_together(some)),
            "works": len({w["id"] for p in some for w in p.works}),
        }
        for name, some in sorted(themes.items(), key=lambda item: item[0].casefold())
    ]


def _together(projects: list[_Project]) -> Counter[str]:
    states: Counter[str] = Counter()
    for project in projects:
        states += project.states
    return states


def _project(project: _Project, root: str) -> Context:
    row = project.row
    return {
        "title": row["title"],
        "href": root + record_url("project", row["id"]),
        "lead": {"name": full_name(row), "href": root + record_url("person", row["known_lead"])}
        if row["known_lead"]
        else None,
        "when": when(row),
        "status": row["status"] or "",
        "owed": in_short(project.states),
        "works": len(project.works),
    }
