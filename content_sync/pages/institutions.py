"""What an institution's page shows: its people, its projects, its people's newest works."""

from __future__ import annotations

from collections.abc import Iterator

from content_sync.pages.access import AUDIENCES, ROOT, visible
from content_sync.pages.listings import (
    NEWEST,
    NEWEST_FIRST,
    WORK_COLUMNS,
    by_year,
    members_see_more,
    works_for,
)
from content_sync.pages.model import Made, Page
from content_sync.pages.people import full_name, when
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import counted, title_length
from content_sync.urls import record_url

_INSTITUTIONS = "SELECT * FROM institutions i WHERE i.id IN :ids ORDER BY i.id"

_PEOPLE = """
SELECT institution_id, id, given_name, family_name, is_student, sort_name
FROM people WHERE institution_id IN :ids ORDER BY sort_name, id"""

_PROJECTS = """
SELECT institution_id, id, title, access, starts_on, ends_on
FROM projects WHERE institution_id IN :ids ORDER BY starts_on DESC, title, id"""

_WORKS = f"""
SELECT {WORK_COLUMNS} FROM cache.works w
WHERE w.visible > 0 AND w.id IN (
    SELECT pp.publication_id FROM people p JOIN publication_people pp ON pp.person_id = p.id
    WHERE p.institution_id = ?
) ORDER BY {NEWEST_FIRST}"""  # noqa: S608


def make_institutions(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the pages and the document of each institution."""
    people = reader.grouped(_PEOPLE, ids)
    projects = reader.grouped(_PROJECTS, ids)
    for row in reader.rows(_INSTITUTIONS, ids):
        works = reader.connection.execute(_WORKS, (row["id"],)).fetchall()
        made = Made()
        url = record_url("institution", row["id"])
        for audience in AUDIENCES:
            if audience == "members" and not (
                members_see_more(works) or any(p["access"] != "public" for p in projects[row["id"]])
            ):
                continue
            made.pages.append(
                _page(
                    row,
                    url,
                    audience,
                    people[row["id"]],
                    [p for p in projects[row["id"]] if visible(p["access"], audience)],
                    works_for(works, audience),
                )
            )
        document = {
            "id": f"institution:{row['id']}",
            "type": "institution",
            "url": url,
            "title": row["name"],
            "abstract": place(row),
            "access": "public",
            "status": "current",
        }
        made.documents.append(("public", {k: v for k, v in document.items() if v}))
        yield row["id"], made


def place(row: Row) -> str:
    """Return city and country."""
    return ", ".join(part for part in (row["city"], row["country"]) if part)


def _page(
    row: Row, url: str, audience: str, people: list[Row], projects: list[Row], works: list[Row]
) -> Page:
    root = ROOT[audience]
    shown = works[:NEWEST]
    lead = (
        f"{counted(len(people), 'person', 'people')}, {counted(len(projects), 'project')}, "
        f"{counted(len(works), 'work')}"
    )
    if len(shown) < len(works):
        lead += f", here the newest {len(shown)}"
    return Page(
        url=url,
        audience=audience,
        template="institution.html",
        context={
            "section": "people",
            "title": row["name"],
            "description": f"{row['name']}: {lead}",
            "noindex": False,
            "institution": {
                "name": row["name"],
                "long": title_length(row["name"]),
                "ror": row["ror"],
                "ror_url": f"https://ror.org/{row['ror']}" if row["ror"] else None,
                "place": place(row),
                "is_member_company": bool(row["is_member_company"]),
            },
            "people": [
                {
                    "name": full_name(p),
                    "href": root + record_url("person", p["id"]),
                    "note": "student" if p["is_student"] else "",
                }
                for p in people
            ],
            "projects": [
                {
                    "title": p["title"],
                    "href": root + record_url("project", p["id"]),
                    "when": when(p),
                }
                for p in projects
            ],
            "lead": lead,
            "groups": by_year(shown, audience),
        },
        records=tuple(
            [f"institution:{row['id']}"]
            + [f"person:{p['id']}" for p in people]
            + [f"project:{p['id']}" for p in projects]
            + [f"publication:{w['id']}" for w in shown]
        ),
    )
