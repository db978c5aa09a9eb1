"""What a change of a record touches: every page that may show it or counts it.

The rules lean to too much rather than too little: whether a touched page really comes out
different is for the build to find. They look one way only, from a changed record to all
that its relations name, and see the relations that the snapshot holds at that moment; a
sync therefore asks twice, before and after it applies the changes.

Joins are cross joins, because SQLite keeps their order: from the few records that changed to
what they name. Left to itself it begins with whole tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

Record = tuple[str, str]


def neighbours(connection: sqlite3.Connection, records: Iterable[Record]) -> set[Record]:
    """Return `records`, each a type and an id, and all that they touch.

    Types are those of the table `touched`. Records that are not in the snapshot are
    returned as they are. Works on a snapshot that is open for reading only.
    """
    start(connection)
    connection.executemany("INSERT OR IGNORE INTO temp.seed VALUES (?, ?)", records)
    spread(connection)
    return {(near, one) for near, one in connection.execute("SELECT type, id FROM temp.near")}


def start(connection: sqlite3.Connection) -> None:
    """Make the empty tables `temp.seed` (changed records) and `temp.near` (touched ones)."""
    for table in ("seed", "near", "shown"):
        connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
    connection.execute(
        "CREATE TABLE temp.seed (type TEXT, id TEXT, PRIMARY KEY (type, id)) WITHOUT ROWID"
    )
    connection.execute(
        "CREATE TABLE temp.near (type TEXT, id TEXT, PRIMARY KEY (type, id)) WITHOUT ROWID"
    )


def spread(connection: sqlite3.Connection) -> None:
    """Add to `temp.near` all that `temp.seed` touches by the relations of this moment."""
    connection.execute("DROP TABLE IF EXISTS temp.shown")
    connection.execute("CREATE TABLE temp.shown (id TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("INSERT OR IGNORE INTO temp.near SELECT type, id FROM temp.seed")
    for query in _SHOWN:
        connection.execute(f"INSERT OR IGNORE INTO temp.shown {query}")
    for record_type, query in _FROM_PUBLICATIONS + _FROM_OTHERS:
        connection.execute(
            f"INSERT OR IGNORE INTO temp.near SELECT '{record_type}', id FROM ({query}) "
            "WHERE id IS NOT NULL"
        )
    connection.execute("DROP TABLE temp.shown")


def sow(connection: sqlite3.Connection, view: str, differences: str) -> None:
    """Add to `temp.seed` the records whose rows of `view` the table `differences` names.

    A row that belongs to a record (a topic of a publication, a session of an event)
    stands for it. Rows of sessions find their event through the sessions of this moment.
    """
    record_type, query = _OWNERS[view]
    connection.execute(
        f"INSERT OR IGNORE INTO temp.seed SELECT '{record_type}', id "
        f"FROM ({query.format(differences=differences)}) WHERE id IS NOT NULL"
    )


RECORD_TYPES: dict[str, str] = {
    "institutions": "institution",
    "people": "person",
    "venues": "venue",
    "topics": "topic",
    "publications": "publication",
    "projects": "project",
    "events": "event",
    "redirects": "redirect",
}
"""The views whose rows are records of their own, and their type in `changes`."""

_OF_SESSION = """
    SELECT s.event_id AS id FROM {differences} AS d
    CROSS JOIN event_sessions AS s ON s.id = d.session_id
"""
_OWNERS: dict[str, tuple[str, str]] = {
    "institutions": ("institution", "SELECT id FROM {differences}"),
    "people": ("person", "SELECT id FROM {differences}"),
    "person_names": ("person", "SELECT person_id AS id FROM {differences}"),
    "people_accounts": ("account", "SELECT person_id AS id FROM {differences}"),
    "venues": ("venue", "SELECT id FROM {differences}"),
    "topics": ("topic", "SELECT id FROM {differences}"),
    "publications": ("publication", "SELECT id FROM {differences}"),
    "publication_people": ("publication", "SELECT publication_id AS id FROM {differences}"),
    "publication_topics": ("publication", "SELECT publication_id AS id FROM {differences}"),
    "projects": ("project", "SELECT id FROM {differences}"),
    "project_people": ("project", "SELECT project_id AS id FROM {differences}"),
    "project_publications": ("project", "SELECT project_id AS id FROM {differences}"),
    "deliverables": (
        "project",
        "SELECT r.project_id AS id FROM {differences} AS d "
        "CROSS JOIN deliverables AS r ON r.id = d.id",
    ),
    "deliverable_publications": (
        "project",
        "SELECT r.project_id AS id FROM {differences} AS d "
        "CROSS JOIN deliverables AS r ON r.id = d.deliverable_id",
    ),
    "events": ("event", "SELECT id FROM {differences}"),
    "event_organisers": ("event", "SELECT event_id AS id FROM {differences}"),
    "event_sessions": (
        "event",
        "SELECT s.event_id AS id FROM {differences} AS d "
        "CROSS JOIN event_sessions AS s ON s.id = d.id",
    ),
    "session_speakers": ("event", _OF_SESSION),
    "session_publications": ("event", _OF_SESSION),
    "redirects": ("redirect", "SELECT old_path AS id FROM {differences}"),
}

# Publications whose entry in a list changes: its own, or those that carry a venue's name.
_SHOWN = (
    "SELECT id FROM temp.seed WHERE type = 'publication'",
    """
    SELECT p.id FROM temp.seed AS s CROSS JOIN publications AS p ON p.venue_id = s.id
    WHERE s.type = 'venue'
    """,
)

_AUTHORS = """
    SELECT DISTINCT a.person_id AS id FROM temp.shown AS s
    CROSS JOIN publication_people AS a ON a.publication_id = s.id
"""

_THEIR_PROJECTS = """
    CROSS JOIN project_publications AS r ON r.publication_id = s.id
    CROSS JOIN projects AS p ON p.id = r.project_id
"""

# What lists, links to or counts a publication. Lists of people by letter count their works.
_FROM_PUBLICATIONS: tuple[tuple[str, str], ...] = (
    ("publication", "SELECT id FROM temp.shown"),
    ("person", _AUTHORS),
    (
        "letter",
        f"SELECT p.letter AS id FROM ({_AUTHORS}) AS a CROSS JOIN people AS p ON p.id = a.id",
    ),
    (
        "institution",
        f"SELECT p.institution_id AS id FROM ({_AUTHORS}) AS a "
        "CROSS JOIN people AS p ON p.id = a.id",
    ),
    (
        "venue",
        "SELECT p.venue_id AS id FROM temp.shown AS s CROSS JOIN publications AS p ON p.id = s.id",
    ),
    (
        "year",
        "SELECT coalesce(CAST(p.year AS TEXT), 'undated') AS id "
        "FROM temp.shown AS s CROSS JOIN publications AS p ON p.id = s.id",
    ),
    (
        "venue_year",
        "SELECT p.venue_id || '/' || coalesce(CAST(p.year AS TEXT), 'undated') AS id "
        "FROM temp.shown AS s CROSS JOIN publications AS p ON p.id = s.id",
    ),
    (
        "topic",
        """
        WITH RECURSIVE above (id) AS (
            SELECT t.topic_id FROM temp.shown AS s
            CROSS JOIN publication_topics AS t ON t.publication_id = s.id
            UNION
            SELECT t.parent_id FROM above CROSS JOIN topics AS t ON t.id = above.id
            WHERE t.parent_id IS NOT NULL
        )
        SELECT id FROM above
        """,
    ),
    (
        "project",
        "SELECT r.project_id AS id FROM temp.shown AS s "
        "CROSS JOIN project_publications AS r ON r.publication_id = s.id",
    ),
    (
        "project",
        "SELECT d.project_id AS id FROM temp.shown AS s "
        "CROSS JOIN deliverable_publications AS r ON r.publication_id = s.id "
        "CROSS JOIN deliverables AS d ON d.id = r.deliverable_id",
    ),
    *(
        (group, f"SELECT p.{group} AS id FROM temp.shown AS s {_THEIR_PROJECTS}")
        for group in ("theme", "programme")
    ),
    (
        "event",
        "SELECT e.event_id AS id FROM temp.shown AS s "
        "CROSS JOIN session_publications AS r ON r.publication_id = s.id "
        "CROSS JOIN event_sessions AS e ON e.id = r.session_id",
    ),
    (
        "publication",
        "SELECT p.replaced_by AS id FROM temp.shown AS s "
        "CROSS JOIN publications AS p ON p.id = s.id",
    ),
    (
        "publication",
        "SELECT p.id FROM temp.shown AS s CROSS JOIN publications AS p ON p.replaced_by = s.id",
    ),
)


def _from(record_type: str, selected: str, joins: str) -> str:
    return f"SELECT {selected} AS id FROM temp.seed AS s {joins} WHERE s.type = '{record_type}'"


_WORKS = "CROSS JOIN publication_people AS a ON a.person_id = s.id"
_IN_SESSIONS = "CROSS JOIN event_sessions AS e ON e.event_id = s.id"

_FROM_OTHERS: tuple[tuple[str, str], ...] = (
    # A person: works, the people of the same works, projects, events, institution, letter.
    ("publication", _from("person", "a.publication_id", _WORKS)),
    (
        "person",
        _from(
            "person",
            "b.person_id",
            f"{_WORKS} CROSS JOIN publication_people AS b ON b.publication_id = a.publication_id",
        ),
    ),
    # The citations of a venue's year and of a project take names apart as their records do.
    (
        "venue_year",
        _from(
            "person",
            "p.venue_id || '/' || coalesce(CAST(p.year AS TEXT), 'undated')",
            f"{_WORKS} CROSS JOIN publications AS p ON p.id = a.publication_id",
        ),
    ),
    (
        "project",
        _from(
            "person",
            "r.project_id",
            f"{_WORKS} CROSS JOIN project_publications AS r ON r.publication_id = a.publication_id",
        ),
    ),
    (
        "project",
        _from("person", "r.project_id", "CROSS JOIN project_people AS r ON r.person_id = s.id"),
    ),
    ("project", _from("person", "r.id", "CROSS JOIN projects AS r ON r.lead_person_id = s.id")),
    (
        "event",
        _from("person", "r.event_id", "CROSS JOIN event_organisers AS r ON r.person_id = s.id"),
    ),
    (
        "event",
        _from(
            "person",
            "e.event_id",
            "CROSS JOIN session_speakers AS r ON r.person_id = s.id "
            "CROSS JOIN event_sessions AS e ON e.id = r.session_id",
        ),
    ),
    ("institution", _from("person", "p.institution_id", "CROSS JOIN people AS p ON p.id = s.id")),
    ("letter", _from("person", "p.letter", "CROSS JOIN people AS p ON p.id = s.id")),
    # A topic: those above (they count its works) and below (they show the path), its works.
    (
        "topic",
        """
        WITH RECURSIVE above (id) AS (
            SELECT id FROM temp.seed WHERE type = 'topic'
            UNION
            SELECT t.parent_id FROM above CROSS JOIN topics AS t ON t.id = above.id
            WHERE t.parent_id IS NOT NULL
        )
        SELECT id FROM above
        """,
    ),
    (
        "topic",
        """
        WITH RECURSIVE below (id) AS (
            SELECT id FROM temp.seed WHERE type = 'topic'
            UNION
            SELECT t.id FROM below CROSS JOIN topics AS t ON t.parent_id = below.id
        )
        SELECT id FROM below
        """,
    ),
    (
        "publication",
        _from(
            "topic", "t.publication_id", "CROSS JOIN publication_topics AS t ON t.topic_id = s.id"
        ),
    ),
    # A project: its people and lead, its works, its institution.
    (
        "person",
        _from("project", "r.person_id", "CROSS JOIN project_people AS r ON r.project_id = s.id"),
    ),
    ("person", _from("project", "r.lead_person_id", "CROSS JOIN projects AS r ON r.id = s.id")),
    (
        "institution",
        _from("project", "r.institution_id", "CROSS JOIN projects AS r ON r.id = s.id"),
    ),
    (
        "publication",
        _from(
            "project",
            "r.publication_id",
            "CROSS JOIN project_publications AS r ON r.project_id = s.id",
        ),
    ),
    (
        "publication",
        _from(
            "project",
            "r.publication_id",
            "CROSS JOIN deliverables AS d ON d.project_id = s.id "
            "CROSS JOIN deliverable_publications AS r ON r.deliverable_id = d.id",
        ),
    ),
    ("theme", _from("project", "p.theme", "CROSS JOIN projects AS p ON p.id = s.id")),
    ("programme", _from("project", "p.programme", "CROSS JOIN projects AS p ON p.id = s.id")),
    # Themes and programmes name who leads a project.
    ("theme", _from("person", "p.theme", "CROSS JOIN projects AS p ON p.lead_person_id = s.id")),
    (
        "programme",
        _from("person", "p.programme", "CROSS JOIN projects AS p ON p.lead_person_id = s.id"),
    ),
    # An institution: its people, what their works' pages say of them, and its projects.
    ("person", _from("institution", "p.id", "CROSS JOIN people AS p ON p.institution_id = s.id")),
    (
        "publication",
        _from(
            "institution",
            "a.publication_id",
            "CROSS JOIN people AS p ON p.institution_id = s.id "
            "CROSS JOIN publication_people AS a ON a.person_id = p.id",
        ),
    ),
    (
        "project",
        _from("institution", "r.id", "CROSS JOIN projects AS r ON r.institution_id = s.id"),
    ),
    # An event: organisers, speakers, the works of its sessions and the projects they are from.
    (
        "project",
        _from(
            "event",
            "w.project_id",
            f"{_IN_SESSIONS} CROSS JOIN session_publications AS r ON r.session_id = e.id "
            "CROSS JOIN project_publications AS w ON w.publication_id = r.publication_id",
        ),
    ),
    (
        "person",
        _from("event", "r.person_id", "CROSS JOIN event_organisers AS r ON r.event_id = s.id"),
    ),
    (
        "person",
        _from(
            "event",
            "r.person_id",
            f"{_IN_SESSIONS} CROSS JOIN session_speakers AS r ON r.session_id = e.id",
        ),
    ),
    (
        "publication",
        _from(
            "event",
            "r.publication_id",
            f"{_IN_SESSIONS} CROSS JOIN session_publications AS r ON r.session_id = e.id",
        ),
    ),
)
