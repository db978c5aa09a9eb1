"""What a project's page shows: team, results, and for those who may see it the plan."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby

from content_sync.citations.lists import export_files, export_links
from content_sync.pages.access import AUDIENCES, ROOT, effective, visible
from content_sync.pages.lanes import lane, time_scale
from content_sync.pages.listings import (
    NEWEST_FIRST,
    WORK_COLUMNS,
    card,
    members_see_more,
    works_for,
)
from content_sync.pages.maths import without_latex
from content_sync.pages.model import Context, Made, Page
from content_sync.pages.people import full_name
from content_sync.pages.progress import (
    in_short,
    in_words,
    slip_days,
    slip_in_words,
    state_of,
    tally,
)
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import (
    counted,
    iso_in_words,
    month_in_words,
    paragraphs,
    short_date,
    span_in_words,
    summary,
    title_length,
)
from content_sync.records import Access, ProjectStatus
from content_sync.urls import record_url, slug

_PROJECTS = """
SELECT p.*, i.name AS institution_name, i.id AS known_institution,
       lead.given_name, lead.family_name, lead.id AS known_lead
FROM projects p
LEFT JOIN institutions i ON i.id = p.institution_id
LEFT JOIN people lead ON lead.id = p.lead_person_id
WHERE p.id IN :ids ORDER BY p.id"""

_TEAM = """
SELECT pp.project_id, p.id, p.given_name, p.family_name, pp.role
FROM project_people pp JOIN people p ON p.id = pp.person_id
WHERE pp.project_id IN :ids ORDER BY pp.position, p.sort_name, p.id, pp.role"""

_DELIVERABLES = """
SELECT d.project_id, d.* FROM deliverables d
WHERE d.project_id IN :ids ORDER BY d.due_on IS NULL, d.due_on, d.id"""

_WORKS = f"""
SELECT pp.project_id, {WORK_COLUMNS}
FROM project_publications pp JOIN cache.works w ON w.id = pp.publication_id
WHERE pp.project_id IN :ids AND w.visible > 0 ORDER BY {NEWEST_FIRST}"""  # noqa: S608


_HANDED_IN = """
SELECT d.project_id, r.deliverable_id, p.id, p.title, p.access, p.public_on
FROM deliverables d JOIN deliverable_publications r ON r.deliverable_id = d.id
JOIN publications p ON p.id = r.publication_id AND p.status <> 'withdrawn'
WHERE d.project_id IN :ids ORDER BY p.year, p.title, p.id"""

_EVENTS = """
SELECT DISTINCT w.project_id, e.id, e.title, e.access, e.starts_at, e.ends_at,
       p.id AS work, p.access AS work_access, p.public_on
FROM project_publications w JOIN session_publications r ON r.publication_id = w.publication_id
JOIN event_sessions s ON s.id = r.session_id JOIN events e ON e.id = s.event_id
JOIN publications p ON p.id = w.publication_id AND p.status <> 'withdrawn'
WHERE w.project_id IN :ids ORDER BY e.starts_at DESC, e.id, p.id"""

_HISTORY_SHOWN = 6


def make_projects(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the pages and the document of each project."""
    team = reader.grouped(_TEAM, ids)
    deliverables = reader.grouped(_DELIVERABLES, ids)
    works = reader.grouped(_WORKS, ids)
    lineage = ids if reader.makes("lineage") else []
    handed_in = reader.grouped(_HANDED_IN, lineage)
    events = reader.grouped(_EVENTS, lineage)
    for row in reader.rows(_PROJECTS, ids):
        key = row["id"]
        made = Made()
        if row["access"] == Access.PUBLIC:
            made.files = export_files(reader, works[key], f"projects/{slug(key)}", f"project:{key}")
        for audience in AUDIENCES:
            if not visible(row["access"], audience):
                continue
            if (
                audience == "members"
                and row["access"] == Access.PUBLIC
                and not members_see_more(works[key])
                and not any(r["access"] != Access.PUBLIC for r in deliverables[key] + events[key])
                and not any(_is_closed(reader, r) for r in handed_in[key])
            ):
                continue
            page = _page(
                reader,
                row,
                audience,
                team[key],
                [d for d in deliverables[key] if visible(d["access"], audience)],
                works_for(works[key], audience),
            )
            project = page.context["project"]
            _add_works(reader, project, handed_in[key], audience)
            project["events"] = _events(reader, events[key], audience)
            page.records += (
                *(f"event:{e['id']}" for e in project["events"]),
                *(f"publication:{w['id']}" for d in project["deliverables"] for w in d["works"]),
            )
            made.pages.append(page)
        made.documents.append(_document(row, team[key]))
        yield key, made


def _is_closed(reader: Reader, work: Row) -> bool:
    return effective(work["access"], work["public_on"], reader.today) == Access.MEMBERS


def _document(row: Row, team: list[Row]) -> tuple[str, Context]:
    """Return the audience that may find a project, and what search knows of it."""
    document = {
        "id": f"project:{row['id']}",
        "type": "project",
        "url": record_url("project", row["id"]),
        "title": row["title"],
        "people": list(dict.fromkeys(full_name(p) for p in team)),
        "institutions": [row["institution_name"]] if row["known_institution"] else [],
        "topics": [t for t in (row["programme"], row["theme"]) if t],
        "year": int(row["starts_on"][:4]) if row["starts_on"] else None,
        "date": row["starts_on"],
        "abstract": row["summary"],
        "access": row["access"],
        "status": "current",
    }
    audience = "public" if row["access"] == Access.PUBLIC else "members"
    return audience, {k: v for k, v in document.items() if v}


def _page(
    reader: Reader,
    row: Row,
    audience: str,
    team: list[Row],
    deliverables: list[Row],
    works: list[Row],
) -> Page:
    root = ROOT[audience]
    scale = time_scale(row, deliverables) if reader.makes("charts") else None
    plan = [_deliverable(d, scale, reader.today) for d in deliverables]
    history = _history(row, deliverables) if reader.makes("lineage") else []
    states = tally(deliverables, reader.today)
    project: Context = {
        "id": row["id"],
        "title": row["title"],
        "long": title_length(row["title"]),
        "summary": paragraphs(row["summary"]),
        "programme": _group(row, "programme", root),
        "theme": _group(row, "theme", root),
        "starts": month_in_words(row["starts_on"]),
        "ends": month_in_words(row["ends_on"]),
        "status": row["status"],
        "budget": _money(row["budget"], row["currency"]),
        "url": row["url"],
        "lead": {
            "name": full_name(row),
            "href": root + record_url("person", row["known_lead"]),
        }
        if row["known_lead"]
        else None,
        "institution": {
            "name": row["institution_name"],
            "href": root + record_url("institution", row["known_institution"]),
        }
        if row["known_institution"]
        else None,
        "team": _team(team, root),
        "deliverables": plan,
        "deliverables_hidden": False,
        "ticks": scale["ticks"] if scale else [],
        "lanes": bool(scale),
        "says": in_words(states),
        "owed": in_short(states),
        "history": history[:_HISTORY_SHOWN],
        "earlier": history[_HISTORY_SHOWN:],
        "cards": [card(w, audience) for w in works],
        "exports": export_links(reader, works, audience, f"projects/{slug(row['id'])}")
        if row["access"] == Access.PUBLIC
        else [],
        "works": counted(len(works), "work"),
        "events": [],
    }
    return Page(
        url=record_url("project", row["id"]),
        audience=audience,
        template="project.html",
        context={
            "section": "projects",
            "title": row["title"],
            "description": summary(row["summary"]) or f"Project {row['id']}",
            "noindex": False,
            "project": project,
        },
        records=tuple(
            [f"project:{row['id']}"]
            + [f"person:{p['id']}" for p in team]
            + ([f"person:{row['known_lead']}"] if row["known_lead"] else [])
            + ([f"institution:{row['known_institution']}"] if row["known_institution"] else [])
            + [f"deliverable:{d['id']}" for d in deliverables]
            + [f"publication:{w['id']}" for w in works]
        ),
    )


def _group(row: Row, group: str, root: str) -> Context | None:
    name = row[group]
    return {"name": name, "href": root + record_url(group, name)} if name else None


def _team(team: list[Row], root: str) -> list[Context]:
    people: dict[str, Context] = {}
    for p in team:
        if p["id"] in people:
            people[p["id"]]["role"] += f", {p['role']}"
        else:
            people[p["id"]] = {
                "name": full_name(p),
                "href": root + record_url("person", p["id"]),
                "role": p["role"],
            }
    return list(people.values())


def _money(amount: str | None, currency: str | None) -> str:
    if not amount:
        return ""
    return f"{currency or ''} {Decimal(amount):,.0f}".strip()


def _deliverable(row: Row, scale: Context | None, today: str) -> Context:
    state = state_of(row, today)
    due = iso_in_words(row["due_on"])
    return {
        "id": row["id"],
        "slug": slug(row["id"]),
        "title": row["title"],
        "due": short_date(row["due_on"]),
        "submitted": short_date(row["submitted_on"]),
        "accepted": short_date(row["accepted_on"]),
        "state": f"late since {due['text']}" if state == "late" and due else state,
        "late": state == "late",
        "slip": slip_in_words(slip_days(row)),
        "marks": lane(scale, row, state) if scale else {},
        "works": [],
    }


def _add_works(reader: Reader, project: Context, works: list[Row], audience: str) -> None:
    """Name at each deliverable the works that it was handed in as or led to."""
    by_id = {d["id"]: d for d in project["deliverables"]}
    for work in works:
        access = effective(work["access"], work["public_on"], reader.today)
        if work["deliverable_id"] in by_id and visible(access, audience):
            by_id[work["deliverable_id"]]["works"].append(
                {
                    "id": work["id"],
                    "title": without_latex(work["title"]),
                    "href": ROOT[audience] + record_url("publication", work["id"]),
                }
            )


def _events(reader: Reader, rows: list[Row], audience: str) -> list[Context]:
    """Return the events at which works of the project were on the agenda."""
    events: dict[str, Context] = {}
    for row in rows:
        access = effective(row["work_access"], row["public_on"], reader.today)
        if visible(row["access"], audience) and visible(access, audience):
            event = events.setdefault(
                row["id"],
                {
                    "id": row["id"],
                    "title": row["title"],
                    "href": ROOT[audience] + record_url("event", row["id"]),
                    "when": span_in_words(row["starts_at"], row["ends_at"]),
                    "n": 0,
                },
            )
            event["n"] += 1
    return list(events.values())


def _history(row: Row, deliverables: list[Row]) -> list[Context]:
    """Return what happened by the records' own dates, the latest first."""
    steps: list[tuple[str, int, str, str]] = []
    if row["starts_on"]:
        is_ahead = row["status"] == ProjectStatus.PLANNED
        steps.append((row["starts_on"], 0, "To start" if is_ahead else "Started", ""))
    if row["ends_on"]:
        word = {ProjectStatus.ENDED: "Ended", ProjectStatus.STOPPED: "Was to end"}
        steps.append((row["ends_on"], 3, word.get(row["status"], "Planned end"), ""))
    for d in deliverables:
        if d["submitted_on"]:
            slip = slip_in_words(slip_days(d))
            words = f"Handed in{', ' + slip if slip else ''}: {d['title']}"
            steps.append((d["submitted_on"], 1, words, slug(d["id"])))
        if d["accepted_on"]:
            steps.append((d["accepted_on"], 2, f"Accepted: {d['title']}", slug(d["id"])))
    return [
        {
            "date": short_date(day),
            "steps": [{"text": text, "slug": target} for _, _, text, target in some],
        }
        for day, some in groupby(sorted(steps, reverse=True), key=lambda step: step[0])
    ]
