"""What a project's page shows: team, results, and for those who may see it the plan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from content_sync.citations.lists import export_files, export_links
from content_sync.pages.access import AUDIENCES, ROOT, visible
from content_sync.pages.listings import (
    NEWEST_FIRST,
    WORK_COLUMNS,
    card,
    members_see_more,
    works_for,
)
from content_sync.pages.model import Context, Made, Page
from content_sync.pages.people import full_name
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import (
    counted,
    iso_in_words,
    month_in_words,
    paragraphs,
    summary,
    title_length,
)
from content_sync.records import Access, DeliverableStatus
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


def make_projects(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the pages and the document of each project."""
    team = reader.grouped(_TEAM, ids)
    deliverables = reader.grouped(_DELIVERABLES, ids)
    works = reader.grouped(_WORKS, ids)
    for row in reader.rows(_PROJECTS, ids):
        key = row["id"]
        made = Made()
        if row["access"] == Access.PUBLIC:
            made.files = export_files(reader, works[key], f"projects/{slug(key)}", f"project:{key}")
        url = record_url("project", key)
        for audience in AUDIENCES:
            if not visible(row["access"], audience):
                continue
            if (
                audience == "members"
                and row["access"] == Access.PUBLIC
                and not members_see_more(works[key])
                and not any(d["access"] != Access.PUBLIC for d in deliverables[key])
            ):
                continue
            made.pages.append(
                _page(
                    reader,
                    row,
                    url,
                    audience,
                    team[key],
                    [d for d in deliverables[key] if visible(d["access"], audience)],
                    works_for(works[key], audience),
                )
            )
        document = {
            "id": f"project:{key}",
            "type": "project",
            "url": url,
            "title": row["title"],
            "people": list(dict.fromkeys(full_name(p) for p in team[key])),
            "institutions": [row["institution_name"]] if row["known_institution"] else [],
            "topics": [t for t in (row["programme"], row["theme"]) if t],
            "year": int(row["starts_on"][:4]) if row["starts_on"] else None,
            "date": row["starts_on"],
            "abstract": row["summary"],
            "access": row["access"],
            "status": "current",
        }
        audience = "public" if row["access"] == Access.PUBLIC else "members"
        made.documents.append((audience, {k: v for k, v in document.items() if v}))
        yield key, made


def _page(
    reader: Reader,
    row: Row,
    url: str,
    audience: str,
    team: list[Row],
    deliverables: list[Row],
    works: list[Row],
) -> Page:
    root = ROOT[audience]
    plan = [_deliverable(d, reader.today) for d in deliverables]
    project: Context = {
        "id": row["id"],
        "title": row["title"],
        "long": title_length(row["title"]),
        "summary": paragraphs(row["summary"]),
        "programme": row["programme"],
        "theme": row["theme"],
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
        "says": _says(plan),
        "cards": [card(w, audience) for w in works],
        "exports": export_links(works, audience, f"projects/{slug(row['id'])}")
        if row["access"] == Access.PUBLIC
        else [],
        "works": counted(len(works), "work"),
    }
    return Page(
        url=url,
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


def _deliverable(row: Row, today: str) -> Context:
    due, submitted, accepted = row["due_on"], row["submitted_on"], row["accepted_on"]
    status = row["status"]
    late = False
    if status == DeliverableStatus.DROPPED:
        state = "dropped"
    elif accepted or status == DeliverableStatus.ACCEPTED:
        state = "accepted"
    elif submitted or status == DeliverableStatus.SUBMITTED:
        state = "in review"
    elif due and due < today:
        late = True
        since = iso_in_words(due)
        state = f"late since {since['text']}" if since else "late"
    else:
        state = "planned"
    return {
        "id": row["id"],
        "slug": slug(row["id"]),
        "title": row["title"],
        "due": iso_in_words(due),
        "submitted": iso_in_words(submitted),
        "accepted": iso_in_words(accepted),
        "state": state,
        "late": late,
        "slip": _slip(due, submitted),
    }


def _slip(due: str | None, submitted: str | None) -> str:
    """Return how far the hand-in was from the plan; what is still open has no number."""
    if not due or not submitted:
        return ""
    days = (date.fromisoformat(submitted) - date.fromisoformat(due)).days
    if days > 0:
        return f"{counted(days, 'day')} late"
    return f"{counted(-days, 'day')} early" if days < 0 else "on time"


def _says(plan: list[Context]) -> str:
    """Return one sentence on where the deliverables stand."""
    if not plan:
        return ""
    counts = {
        "accepted": sum(d["state"] == "accepted" for d in plan),
        "in review": sum(d["state"] == "in review" for d in plan),
        "late": sum(d["late"] for d in plan),
        "to come": sum(d["state"] == "planned" for d in plan),
        "dropped": sum(d["state"] == "dropped" for d in plan),
    }
    parts = [f"{n} {what}" for what, n in counts.items() if n]
    return f"{counted(len(plan), 'deliverable')}: {', '.join(parts)}."
