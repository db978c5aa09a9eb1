"""Which pages a build looks at, and which files belong to a record or a listing."""

from __future__ import annotations

from collections.abc import Iterable

from content_sync.citations.lists import FOLDER, FORMATS
from content_sync.pages.calendars import ALL_EVENTS
from content_sync.pages.listings import BY_TITLE
from content_sync.pages.people import NAME_INDEX, NAMES_FOLDER
from content_sync.pages.reader import Reader
from content_sync.pages.sections import SECTIONS
from content_sync.release.stage import Stage
from content_sync.snapshot import touched_since
from content_sync.sync.touch import neighbours
from content_sync.urls import GROUPS, PLURALS, page_file, record_url, slug

_ALL = {
    "publication": "SELECT id FROM publications ORDER BY id",
    "person": "SELECT id FROM people ORDER BY id",
    "venue": "SELECT id FROM venues ORDER BY id",
    "venue_year": """
        SELECT DISTINCT venue_id || '/' || coalesce(nullif(year, 0), 'undated')
        FROM cache.works WHERE venue_id <> '' AND visible > 0 ORDER BY 1""",
    "year": """
        SELECT DISTINCT coalesce(nullif(year, 0), 'undated') || ''
        FROM cache.works WHERE visible > 0 ORDER BY 1""",
    "topic": "SELECT id FROM topics ORDER BY id",
    "project": "SELECT id FROM projects ORDER BY id",
    "theme": "SELECT DISTINCT theme FROM projects WHERE theme IS NOT NULL ORDER BY theme",
    "programme": """
        SELECT DISTINCT programme FROM projects WHERE programme IS NOT NULL ORDER BY programme""",
    "institution": "SELECT id FROM institutions ORDER BY id",
    "event": "SELECT id FROM events ORDER BY id",
    "letter": "SELECT DISTINCT letter FROM people ORDER BY letter",
}

_OPENED = """
SELECT id FROM publications WHERE public_on > ? AND public_on <= ? ORDER BY id"""

# What the words on a page say of today's date tips when a day has passed.
_TIPPED_EVENTS = """
SELECT id FROM events WHERE
    substr(starts_at, 1, 10) BETWEEN :since AND :today
    OR substr(ends_at, 1, 10) BETWEEN :since AND :today
    OR substr(registration_opens_at, 1, 10) BETWEEN :since AND :today
    OR substr(registration_closes_at, 1, 10) BETWEEN :since AND :today"""

_WITH_REGISTRATION = """
SELECT id FROM events
WHERE registration_opens_at IS NOT NULL OR registration_closes_at IS NOT NULL"""

_TIPPED_PROJECTS = """
SELECT DISTINCT d.project_id, p.theme, p.programme
FROM deliverables d LEFT JOIN projects p ON p.id = d.project_id
WHERE d.due_on BETWEEN :since AND :today"""


def everything(reader: Reader, kind: str) -> list[str]:
    """Return the ids of all that exists of a kind."""
    if kind == "section":
        return list(SECTIONS)
    return [row[0] for row in reader.connection.execute(_ALL[kind])]


def look_at(
    reader: Reader,
    *,
    since_sync: int,
    since_day: str,
    files_changed: Iterable[str],
    registrations_changed: bool = False,
) -> dict[str, list[str]] | None:
    """Return the ids of each kind whose pages may have changed since then.

    These are all that the syncs since have touched, what opened or tipped by date, what
    shows a full text that came or went, and events if registrations changed. None means
    that anything may have changed.
    """
    connection = reader.connection
    touched = touched_since(connection, since_sync)
    if touched is None:
        return None
    scope: dict[str, set[str]] = {kind: set() for kind in (*_ALL, "section")}
    scope["section"].update(SECTIONS)
    days = {"since": since_day, "today": reader.today}
    scope["event"].update(r[0] for r in connection.execute(_TIPPED_EVENTS, days))
    if registrations_changed:
        scope["event"].update(r[0] for r in connection.execute(_WITH_REGISTRATION))
    for tipped in connection.execute(_TIPPED_PROJECTS, days):
        for kind, one in zip(("project", "theme", "programme"), tipped, strict=True):
            if one:
                scope[kind].add(one)
    opened = [r[0] for r in connection.execute(_OPENED, (since_day, reader.today))]
    opened.extend(files_changed)
    if opened:
        touched |= neighbours(connection, [("publication", one) for one in opened])
    for touched_type, touched_id in touched:
        if touched_type in scope:
            scope[touched_type].add(touched_id)
    # The longest lists show nothing but the facts of their own records.
    for kind, section in (
        ("project", "projects"),
        ("project", "themes"),
        ("project", "programmes"),
        ("institution", "institutions"),
    ):
        if not scope[kind]:
            scope["section"].discard(section)
    return {kind: sorted(ids) for kind, ids in scope.items()}


def owned_paths(stage: Stage, kind: str, one: str) -> list[str]:
    """Return the files that the base release holds for one record or listing."""
    if kind == "full_text":
        name = slug(one)
        return [
            path
            for tree in ("public", "members")
            for path in stage.base_paths(f"{tree}/publications/{name}/")
        ]
    first, numbered = _files(kind, one)
    found: list[str] = []
    if kind == "letter":
        names = stage.base_paths(f"public/{NAMES_FOLDER}/{one}")
        found.extend(path for path in names if path.endswith(".json"))
    if (kind, one) == ("section", "people") and stage.base_has(f"public/{NAME_INDEX}"):
        found.append(f"public/{NAME_INDEX}")
    for tree in ("public", "members"):
        exports = exports_of(kind, one)
        beside = [f"{FOLDER}/{exports}.{ending}" for ending in FORMATS] if exports else []
        paths = [first, *beside]
        if kind == "event":
            paths.append(f"events/{slug(one)}.ics")
        elif (kind, one) == ("section", "events"):
            paths.append(ALL_EVENTS)
        found.extend(path for name in paths if stage.base_has(path := f"{tree}/{name}"))
        if numbered:
            prefix = f"{tree}/{numbered}"
            found.extend(p for p in stage.base_paths(prefix) if _is_page(p[len(prefix) :]))
    return found


def _is_page(name: str) -> bool:
    """Tell whether a file below a listing's folder is a further page of it, in either order."""
    name = name.removesuffix(".html")
    return name == BY_TITLE or name.removeprefix(f"{BY_TITLE}/").isdecimal()


def exports_of(kind: str, one: str) -> str:
    """Return where below `citations/` the citations of a record or listing stand, or nothing."""
    if kind == "publication":
        return slug(one)
    if kind == "venue_year":
        venue, _, year = one.rpartition("/")
        return f"venues/{slug(venue)}/{year}"
    return f"{PLURALS[kind]}/{slug(one)}" if kind in ("person", "project") else ""


def _files(kind: str, one: str) -> tuple[str, str]:
    """Return a listing's first file and the folder of its further pages, if it has any."""
    if kind == "section":
        if one == "home":
            return "index.html", ""
        return ("404.html", "") if one == "not_found" else (f"{one}/index.html", f"{one}/page/")
    if kind == "letter":
        base = f"people/a-z/{one}"
    elif kind == "year":
        base = f"years/{one}"
    elif kind == "venue_year":
        venue, _, year = one.rpartition("/")
        base = f"venues/{slug(venue)}/{year}"
    else:
        file = page_file(record_url(kind, one))
        has_more = kind == "topic" or kind in GROUPS
        return file, file.removesuffix(".html") + "/" if has_more else ""
    return f"{base}.html", f"{base}/"
