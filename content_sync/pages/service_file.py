"""The service file: what the service behind Apache is told of a release.

It lies outside every web tree. It holds events with all that registration needs, titles of
deliverables, and the frame of a page, so that the service's pages look like the site's.
Fields of publications, projects and people are not repeated: the service reads them from
the release's documents (`content_sync/pages/documents.py`).

Version 1, one JSON object:

    version, release, sitename, siteurl, timezone, language, is_demo
    assets         name in the theme → path, such as {"css/press.css": "/assets/css/…"}
    nav            [{section, title, url}]
    footer_links   [{title, url}]
    events         [{id, slug, title, starts, ends, timezone, place, status, capacity,
                     registration_opens, registration_closes, answers_kept_days, access, url,
                     organisers: [{id, name, addresses}],
                     sessions: [{id, title, starts, ends, place}],
                     questions: [{name, label, type, required, help, choices, without_place}],
                     consents: [{name, label, required, help}],
                     approval, groups, offer_hours}]
    companies      [{slug, id, name}]: the member companies, who read CVs
    deliverables   [{id, slug, project_id, title, due, submitted, accepted, status, access, url}]

Times are local to the event's `timezone`, without an offset: 2027-01-19T09:00. What the
source does not know is null. `type` of a question is one of QUESTION_TYPES; `without_place`
names the choices that capacity does not limit, such as "Online". `approval`, `groups` (whom the
event is for, null for all who see it) and `offer_hours` are as the event's form has them.
`url` is a path as members open it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from content_sync.pages.access import ROOT
from content_sync.pages.people import full_name
from content_sync.pages.reader import Reader, Row
from content_sync.records import Access
from content_sync.settings import Settings
from content_sync.urls import record_url, slug

SERVICE_FILE = "service/records.json"
VERSION = 1

QUESTION_TYPES = (
    "text",
    "long text",
    "choice",
    "choices",
    "yes or no",
    "number",
    "date",
    "sessions",
    "diet",
)
_CHOSEN = ("choice", "choices")
_LONGEST_LABEL = 500
_MOST_QUESTIONS = 60
_MOST_CHOICES = 200
_MOST_HOURS = 24 * 60

_ORGANISERS = """
SELECT o.event_id, p.id, p.given_name, p.family_name
FROM event_organisers o JOIN people p ON p.id = o.person_id
ORDER BY o.event_id, o.position, p.sort_name, p.id"""

_ADDRESSES = """
SELECT a.person_id, a.address FROM people_accounts a
WHERE a.person_id IN (SELECT person_id FROM event_organisers)
ORDER BY a.person_id, a.address"""

_SESSIONS = """
SELECT event_id, id, title, starts_at, ends_at, place FROM event_sessions
ORDER BY event_id, starts_at IS NULL, starts_at, position, id"""

_COMPANIES = "SELECT id, name FROM institutions WHERE is_member_company = 1 ORDER BY name, id"

_DELIVERABLES = """
SELECT d.*, p.access AS project_access
FROM deliverables d JOIN projects p ON p.id = d.project_id ORDER BY d.id"""


def service_file(settings: Settings, reader: Reader, shown: dict[str, Any], release: int) -> bytes:
    """Return the service file of a release; `shown` is what every page of it shows."""
    facts = {
        "version": VERSION,
        "release": release,
        "sitename": settings.sitename,
        "siteurl": settings.siteurl,
        "timezone": settings.timezone,
        "language": str(shown.get("DEFAULT_LANG", "en")),
        "is_demo": bool(shown["is_demo"]),
        "assets": shown["assets"],
        "nav": shown["nav"],
        "footer_links": shown["footer_links"],
        "events": list(_events(settings, reader)),
        "companies": [
            {"slug": slug(row["id"]), "id": row["id"], "name": row["name"]}
            for row in reader.rows(_COMPANIES)
        ],
        "deliverables": list(_deliverables(reader)),
    }
    text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
    return text.encode() + b"\n"


def _events(settings: Settings, reader: Reader) -> Iterator[dict[str, Any]]:
    addresses: dict[str, list[str]] = {}
    for row in reader.rows(_ADDRESSES):
        addresses.setdefault(row["person_id"], []).append(row["address"])
    organisers = _by_event(reader, _ORGANISERS)
    sessions = _by_event(reader, _SESSIONS)
    for row in reader.rows("SELECT * FROM events ORDER BY id"):
        form = json.loads(row["form"]) if row["form"] else {}
        form = form if isinstance(form, dict) else {}
        yield {
            "id": row["id"],
            "slug": slug(row["id"]),
            "title": row["title"],
            "starts": row["starts_at"],
            "ends": row["ends_at"],
            "timezone": row["timezone"] or settings.timezone,
            "place": row["place"],
            "status": row["status"],
            "capacity": row["capacity"],
            "registration_opens": row["registration_opens_at"],
            "registration_closes": row["registration_closes_at"],
            "answers_kept_days": row["answers_kept_days"],
            "access": row["access"],
            "url": _root(row["access"]) + record_url("event", row["id"]),
            "organisers": [
                {"id": p["id"], "name": full_name(p), "addresses": addresses.get(p["id"], [])}
                for p in organisers.get(row["id"], [])
            ],
            "sessions": [
                {
                    "id": s["id"],
                    "title": s["title"],
                    "starts": s["starts_at"],
                    "ends": s["ends_at"],
                    "place": s["place"],
                }
                for s in sessions.get(row["id"], [])
            ],
            "questions": list(_questions(form.get("questions"))),
            "consents": list(_consents(form.get("consents"))),
            "approval": form.get("approval") is True,
            "groups": _list_of_words(form.get("groups")) or None,
            "offer_hours": _hours(form.get("offer_hours")),
        }


def _by_event(reader: Reader, sql: str) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in reader.rows(sql):
        groups.setdefault(row["event_id"], []).append(row)
    return groups


def _questions(given: Any) -> Iterator[dict[str, Any]]:
    """Yield the questions of a form that can be asked; the source's JSON may hold anything."""
    for one in _fields(given):
        kind = one.get("type", "text")
        choices = _list_of_words(one.get("choices"))
        if kind not in QUESTION_TYPES or (kind in _CHOSEN and not choices):
            continue
        without_place = _list_of_words(one.get("without_place"))
        yield _field(one) | {"type": kind, "choices": choices, "without_place": without_place}


def _consents(given: Any) -> Iterator[dict[str, Any]]:
    for one in _fields(given):
        yield _field(one)


def _fields(given: Any) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for one in (given if isinstance(given, list) else [])[:_MOST_QUESTIONS]:
        if not isinstance(one, dict) or not _words(one.get("label")):
            continue
        name = one.get("name")
        if isinstance(name, str) and name.isidentifier() and len(name) <= 60 and name not in seen:
            seen.add(name)
            yield one


def _field(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": one["name"],
        "label": _words(one["label"]),
        "required": one.get("required") is True,
        "help": _words(one.get("help")),
    }


def _list_of_words(value: Any) -> list[str]:
    words = map(_words, value) if isinstance(value, list) else ()
    return [w for w in words if w][:_MOST_CHOICES]


def _hours(value: Any) -> int | None:
    return value if type(value) is int and 0 < value <= _MOST_HOURS else None


def _words(value: Any) -> str:
    return " ".join(value.split())[:_LONGEST_LABEL] if isinstance(value, str) else ""


def _deliverables(reader: Reader) -> Iterator[dict[str, Any]]:
    for row in reader.rows(_DELIVERABLES):
        is_public = row["access"] == row["project_access"] == Access.PUBLIC
        access = Access.PUBLIC if is_public else Access.MEMBERS
        yield {
            "id": row["id"],
            "slug": slug(row["id"]),
            "project_id": row["project_id"],
            "title": row["title"],
            "due": row["due_on"],
            "submitted": row["submitted_on"],
            "accepted": row["accepted_on"],
            "status": row["status"],
            "access": access.value,
            "url": f"{_root(access)}{record_url('project', row['project_id'])}#deliverables",
        }


def _root(access: str) -> str:
    return ROOT["public" if access == Access.PUBLIC else "members"]
