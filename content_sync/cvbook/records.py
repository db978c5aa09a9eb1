"""What the records know of the students whose CVs are shown: works and projects."""

from __future__ import annotations

from typing import Any

from content_sync.cvbook.exported import Cv
from content_sync.pages.access import ROOT
from content_sync.pages.listings import NEWEST_FIRST, WORK_COLUMNS, by_year, works_for
from content_sync.pages.people import full_name, when
from content_sync.pages.reader import Reader
from content_sync.urls import record_url

_AUDIENCE = "members"
"""Who reads a CV is a member, and sees what members see."""

_WORKS = f"""
SELECT {WORK_COLUMNS} FROM cache.works w
WHERE w.visible > 0 AND w.id IN (SELECT publication_id FROM publication_people WHERE person_id = ?)
ORDER BY {NEWEST_FIRST}"""  # noqa: S608

_PROJECTS = """
SELECT DISTINCT p.id, p.title, p.starts_on, p.ends_on FROM projects p
WHERE p.lead_person_id = ?1
   OR p.id IN (SELECT project_id FROM project_people WHERE person_id = ?1)
ORDER BY p.starts_on DESC, p.title, p.id"""

_BY_ADDRESS = """
SELECT a.person_id FROM people_accounts a JOIN people p ON p.id = a.person_id
WHERE a.address = ? ORDER BY a.person_id"""


def person_of(reader: Reader, cv: Cv) -> str | None:
    """Return the person that an account stands for, if that is beyond doubt.

    Staff said so, or the account's confirmed address is the confirmed address of exactly
    one person. A name is no proof.
    """
    if cv.person_id:
        known = reader.connection.execute("SELECT id FROM people WHERE id = ?", (cv.person_id,))
        return cv.person_id if known.fetchone() else None
    found = [row[0] for row in reader.connection.execute(_BY_ADDRESS, (cv.email.casefold(),))]
    return found[0] if len(found) == 1 else None


def facts_of(reader: Reader, cv: Cv) -> dict[str, Any]:
    """Return works and projects of a verified person, or the people who bear the name."""
    person_id = person_of(reader, cv)
    if person_id is None:
        return {"is_verified": False, "namesakes": _namesakes(reader, cv.name)}
    works = works_for(reader.connection.execute(_WORKS, (person_id,)).fetchall(), _AUDIENCE)
    projects = reader.connection.execute(_PROJECTS, (person_id,)).fetchall()
    return {
        "is_verified": True,
        "person": ROOT[_AUDIENCE] + record_url("person", person_id),
        "groups": by_year(works, _AUDIENCE),
        "projects": [
            {
                "title": row["title"],
                "href": ROOT[_AUDIENCE] + record_url("project", row["id"]),
                "when": when(row),
            }
            for row in projects
        ],
    }


def _namesakes(reader: Reader, name: str) -> list[dict[str, str]]:
    wanted = " ".join(name.casefold().split())
    rows = reader.connection.execute("SELECT id, given_name, family_name FROM people ORDER BY id")
    return [
        {"name": full_name(row), "href": ROOT[_AUDIENCE] + record_url("person", row["id"])}
        for row in rows
        if full_name(row).casefold() == wanted
    ][:5]
