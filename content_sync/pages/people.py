"""What a person's page shows, and the lists of people by letter."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from heapq import nsmallest

import orjson

from content_sync.citations.lists import export_files, export_links
from content_sync.machines.feeds import LEAST_WORKS, feed_url
from content_sync.pages.access import AUDIENCES, ROOT, visible
from content_sync.pages.listings import (
    NEWEST_FIRST,
    WORK_COLUMNS,
    by_year,
    members_see_more,
    pager,
    works_for,
)
from content_sync.pages.model import Context, File, Made, Page
from content_sync.pages.reader import Reader, Row
from content_sync.pages.timeline import timeline
from content_sync.pages.wording import counted, month_in_words, title_length
from content_sync.urls import record_url, slug

NAMES_PER_PAGE = 240
NAMES_FOLDER = "people/names"
NAME_INDEX = f"{NAMES_FOLDER}/_index.json"
COAUTHORS = 12
"""People named as those whom a person writes with."""

_PEOPLE = """
SELECT p.*, i.id AS known_institution, i.name AS institution_name
FROM people p LEFT JOIN institutions i ON i.id = p.institution_id
WHERE p.id IN :ids ORDER BY p.id"""

_NAMES = "SELECT person_id, name FROM person_names WHERE person_id IN :ids ORDER BY name"

_OF_PEOPLE = "SELECT publication_id, person_id FROM publication_people WHERE person_id IN :ids"

_WORKS = f"""
SELECT {WORK_COLUMNS} FROM cache.works w
WHERE w.id IN :ids AND w.visible > 0 ORDER BY {NEWEST_FIRST}"""  # noqa: S608

_PROJECTS = """
SELECT pp.person_id, p.id, p.title, p.access, p.starts_on, p.ends_on,
       group_concat(pp.role, ', ') AS role
FROM (SELECT person_id, project_id, role FROM project_people WHERE person_id IN :ids
      ORDER BY role) pp
JOIN projects p ON p.id = pp.project_id
GROUP BY pp.person_id, p.id ORDER BY p.starts_on DESC, p.title, p.id"""

_LED = """
SELECT p.lead_person_id, p.id, p.title, p.access, p.starts_on, p.ends_on, 'lead' AS role
FROM projects p WHERE p.lead_person_id IN :ids ORDER BY p.starts_on DESC, p.title, p.id"""

_WORKED_WITH = """
SELECT pp.publication_id AS work, p.id, p.given_name, p.family_name, p.sort_name
FROM publication_people pp JOIN people p ON p.id = pp.person_id
WHERE pp.publication_id IN :ids
GROUP BY pp.publication_id, p.id"""

_LETTER = """
SELECT p.id, p.given_name, p.family_name, p.sort_name
FROM people p WHERE p.letter = ? ORDER BY p.sort_name, p.id"""


def full_name(row: Row) -> str:
    """Return given and family name in reading order."""
    return " ".join(part for part in (row["given_name"], row["family_name"]) if part)


def make_people(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield, for each person that exists, the pages and the document."""
    names = reader.grouped(_NAMES, ids)
    works = _works_of(reader, ids)
    projects = reader.grouped(_PROJECTS, ids)
    led = reader.grouped(_LED, ids)
    coauthors = _Coauthors(reader, works if reader.makes("coauthors") else {})
    for row in reader.rows(_PEOPLE, ids):
        record_id = row["id"]
        seen = {p["id"] for p in led[record_id]}
        in_projects = led[record_id] + [p for p in projects[record_id] if p["id"] not in seen]
        yield (
            record_id,
            _make(
                reader,
                row,
                [n["name"] for n in names[record_id]],
                works[record_id],
                in_projects,
                coauthors,
            ),
        )


def _works_of(reader: Reader, ids: list[str]) -> dict[str, list[Row]]:
    """Return the works of each person, the newest first.

    A work is read and sorted once, however many of these people it has; its list item is long.
    """
    people: dict[str, dict[str, None]] = {}
    for work_id, person_id in reader.tuples(_OF_PEOPLE, ids):
        # Who is author and editor of a work has it once.
        people.setdefault(work_id, {})[person_id] = None
    works: dict[str, list[Row]] = {one: [] for one in ids}
    for work in reader.rows(_WORKS, list(people)):
        for one in people[work["id"]]:
            works[one].append(work)
    return works


def _make(
    reader: Reader,
    row: Row,
    names: list[str],
    works: list[Row],
    projects: list[Row],
    coauthors: _Coauthors,
) -> Made:
    made = Made()
    exports = f"people/{slug(row['id'])}"
    made.files = export_files(reader, works, exports, f"person:{row['id']}")
    url = record_url("person", row["id"])
    name = full_name(row)
    for audience in AUDIENCES:
        if audience == "members" and not (
            members_see_more(works) or any(p["access"] != "public" for p in projects)
        ):
            continue
        made.pages.append(
            _page(
                reader,
                row,
                url,
                names,
                audience,
                works_for(works, audience),
                [p for p in projects if visible(p["access"], audience)],
                coauthors,
            )
        )
    document = {
        "id": f"person:{row['id']}",
        "type": "person",
        "url": url,
        "title": name,
        "names": [n for n in names if n != name],
        "institutions": [row["institution_name"]] if row["known_institution"] else [],
        "access": "public",
        "status": "current",
    }
    made.documents.append(("public", {k: v for k, v in document.items() if v}))
    return made


def _page(
    reader: Reader,
    row: Row,
    url: str,
    names: list[str],
    audience: str,
    works: list[Row],
    projects: list[Row],
    coauthors: _Coauthors,
) -> Page:
    root = ROOT[audience]
    name = full_name(row)
    others = [n for n in names if n != name]
    institution = None
    if row["known_institution"]:
        institution = {
            "name": row["institution_name"],
            "href": root + record_url("institution", row["known_institution"]),
        }
    years = [w["year"] for w in works if w["year"]]
    span = ""
    if years:
        first, last = min(years), max(years)
        span = f"in {first}" if first == last else f"from {first} to {last}"
    person: Context = {
        "id": row["id"],
        "name": name,
        "long": title_length(name),
        "native": [n for n in others if not _is_latin(n)],
        "variants": [n for n in others if _is_latin(n)],
        "role_line": "Student" if row["is_student"] else "",
        "institution": institution,
        "orcid": row["orcid"],
        "orcid_url": f"https://orcid.org/{row['orcid']}" if row["orcid"] else None,
        "home_page": row["home_page"],
        "is_student": bool(row["is_student"]),
        "counts": {"works": len(works), "projects": len(projects)},
        "span": span,
        "timeline": timeline(works) if reader.makes("charts") else None,
        "groups": by_year(works, audience),
        "exports": export_links(reader, works, audience, f"people/{slug(row['id'])}"),
        "coauthors": coauthors.of(row["id"], works, root),
        "projects": [
            {
                "title": p["title"],
                "href": root + record_url("project", p["id"]),
                "role": p["role"],
                "when": when(p),
            }
            for p in projects
        ],
    }
    return Page(
        url=url,
        audience=audience,
        template="person.html",
        context={
            "section": "people",
            "title": name,
            "description": f"{name}: {counted(len(works), 'work')}",
            "noindex": False,
            "feed": feed_url("person", row["id"])
            if audience == "public" and len(works) >= LEAST_WORKS["person"]
            else "",
            "person": person,
        },
        records=tuple(
            [f"person:{row['id']}"]
            + [f"publication:{w['id']}" for w in works]
            + [f"project:{p['id']}" for p in projects]
            + ([f"institution:{row['known_institution']}"] if institution else [])
        ),
    )


class _Coauthors:
    """Who the people of a batch wrote with."""

    def __init__(self, reader: Reader, works: dict[str, list[Row]]) -> None:
        all_works = {work["id"] for some in works.values() for work in some}
        self._people: dict[str, list[str]] = {}
        self._named: dict[str, Row] = {}
        for row in reader.rows(_WORKED_WITH, sorted(all_works)):
            self._people.setdefault(row["work"], []).append(row["id"])
            self._named[row["id"]] = row

    def of(self, person: str, works: list[Row], root: str) -> Context | None:
        """Return those whom a person wrote most with in these works, and how many there are."""
        if not self._people:
            return None
        counts: Counter[str] = Counter()
        for work in works:
            counts.update(self._people.get(work["id"], ()))
        del counts[person]
        if not counts:
            return None
        often = nsmallest(COAUTHORS, counts.items(), key=lambda pair: (-pair[1], pair[0]))
        named = self._named
        often.sort(key=lambda pair: (-pair[1], named[pair[0]]["sort_name"], pair[0]))
        return {
            "n": len(counts),
            "people": [
                {
                    "name": full_name(named[one]),
                    "href": root + record_url("person", one),
                    "n": n,
                }
                for one, n in often
            ],
        }


def _is_latin(name: str) -> bool:
    return name.isascii() or all(
        not char.isalpha() or unicodedata.name(char, "").startswith("LATIN") for char in name
    )


def when(project: Row) -> str:
    """Return the months in which a project ran: `April 2024 to March 2027`."""
    starts, ends = month_in_words(project["starts_on"]), month_in_words(project["ends_on"])
    if starts and ends:
        return f"{starts['text']} to {ends['text']}"
    if starts:
        return f"since {starts['text']}"
    return f"until {ends['text']}" if ends else ""


def make_letters(reader: Reader, letters: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the pages that list the people whose names sort under a letter."""
    for letter in letters:
        made = Made()
        people = reader.connection.execute(_LETTER, (letter,)).fetchall()
        pages = -(-len(people) // NAMES_PER_PAGE)
        url = f"/people/a-z/{letter}/"
        heading = f"People: {letter.upper() if letter != '0' else 'other letters'}"
        for number in range(1, pages + 1):
            shown = people[(number - 1) * NAMES_PER_PAGE : number * NAMES_PER_PAGE]
            made.pages.append(
                Page(
                    url=url if number == 1 else f"{url}{number}/",
                    audience="public",
                    template="entries.html",
                    context={
                        "section": "people",
                        "title": heading if number == 1 else f"{heading}, page {number}",
                        "description": "",
                        "noindex": False,
                        "kind": "People",
                        "heading": heading,
                        "names": names_field(reader),
                        "lead": f"{counted(len(people), 'person', 'people')}"
                        + (
                            f", here {_sorting(shown[0])} to {_sorting(shown[-1])}"
                            if pages > 1
                            else ""
                        ),
                        "tools": [
                            {
                                "label": "",
                                "links": [
                                    {"text": "All letters", "href": "/people/", "current": False}
                                ],
                            }
                        ],
                        "groups": [
                            {
                                "heading": "",
                                "n": len(shown),
                                "id": "names",
                                "entries": [_entry(row) for row in shown],
                            }
                        ],
                        "pager": pager(url, number, pages),
                        "columns": 3,
                    },
                    records=tuple(f"person:{row['id']}" for row in shown),
                )
            )
        if reader.makes("names"):
            made.files = _name_files(people)
        yield letter, made


def names_field(reader: Reader) -> str:
    """Return where the field that finds people as one types has its names from."""
    return f"/{NAMES_FOLDER}/" if reader.makes("names") else ""


def _name_files(people: list[Row]) -> list[File]:
    """Return the names of a letter's people for the field that finds them as one types.

    A file holds those whose names sort under the same two letters: as shown, the part of the
    address that stands for the person, and as folded for sorting.
    """
    files: dict[str, list[tuple[str, str, str]]] = {}
    for row in people:
        files.setdefault(names_file(row["sort_name"]), []).append(
            (_sorting(row), slug(row["id"]), row["sort_name"])
        )
    return [
        File("public", f"{NAMES_FOLDER}/{name}.json", orjson.dumps(names), "")
        for name, names in files.items()
    ]


def name_index(reader: Reader) -> list[File]:
    """Return the file that says which files of names there are."""
    if not reader.makes("names"):
        return []
    rows = reader.rows("SELECT DISTINCT substr(sort_name, 1, 2) AS start FROM people")
    names = sorted({names_file(row["start"]) for row in rows})
    return [File("public", NAME_INDEX, orjson.dumps(names), "")] if names else []


def names_file(sort_name: str) -> str:
    """Return the name of the file that a name stands in, as `names.js` works it out too."""
    first, second = sort_name[:1], sort_name[1:2]
    if not "a" <= first <= "z":
        return "0"
    return first + (second if "a" <= second <= "z" else "_")


def _entry(row: Row) -> Context:
    return {"text": _sorting(row), "href": record_url("person", row["id"])}


def _sorting(row: Row) -> str:
    if row["family_name"] and row["given_name"]:
        return f"{row['family_name']}, {row['given_name']}"
    return str(row["family_name"] or row["given_name"] or row["id"])
