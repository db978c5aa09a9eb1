"""Rules over the whole snapshot: references to nothing, topics in a circle, long lists.

References stay in the snapshot as the source gives them, so that a reference heals when
the record appears without the referring row having changed. Here they are only reported.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from content_sync.records import VIEWS

MANY_PEOPLE = 1_000


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that names a record of another view by its id."""

    view: str
    column: str
    target: str


REFERENCES: tuple[Reference, ...] = (
    Reference("people", "institution_id", "institutions"),
    Reference("person_names", "person_id", "people"),
    Reference("people_accounts", "person_id", "people"),
    Reference("topics", "given_parent_id", "topics"),
    Reference("publications", "venue_id", "venues"),
    Reference("publications", "replaced_by", "publications"),
    Reference("publication_people", "publication_id", "publications"),
    Reference("publication_people", "person_id", "people"),
    Reference("publication_topics", "publication_id", "publications"),
    Reference("publication_topics", "topic_id", "topics"),
    Reference("projects", "lead_person_id", "people"),
    Reference("projects", "institution_id", "institutions"),
    Reference("project_people", "project_id", "projects"),
    Reference("project_people", "person_id", "people"),
    Reference("project_publications", "project_id", "projects"),
    Reference("project_publications", "publication_id", "publications"),
    Reference("deliverables", "project_id", "projects"),
    Reference("deliverable_publications", "deliverable_id", "deliverables"),
    Reference("deliverable_publications", "publication_id", "publications"),
    Reference("event_organisers", "event_id", "events"),
    Reference("event_organisers", "person_id", "people"),
    Reference("event_sessions", "event_id", "events"),
    Reference("session_speakers", "session_id", "event_sessions"),
    Reference("session_speakers", "person_id", "people"),
    Reference("session_publications", "session_id", "event_sessions"),
    Reference("session_publications", "publication_id", "publications"),
)

_TARGETS = {
    "publication": "publications",
    "person": "people",
    "venue": "venues",
    "topic": "topics",
    "project": "projects",
    "institution": "institutions",
    "event": "events",
}
_KEYS = {view.name: " || '/' || ".join(f"r.{column}" for column in view.key) for view in VIEWS}


def find_problems(
    connection: sqlite3.Connection, into: str, present: Collection[str], changed: Collection[str]
) -> list[tuple[str, str, str]]:
    """Write what breaks a rule over several rows into the table `into` of problems.

    Only rules over views in `changed` are looked at; they are returned as view, column and
    rule. A view that the source does not have (is not in `present`) is missed by nobody, and
    a record that a rule left out is told already.
    """
    looked_at = []
    for reference in REFERENCES:
        if {reference.view, reference.target}.isdisjoint(changed):
            continue
        looked_at.append((reference.view, _shown(reference.column), "reference"))
        if reference.target in present:
            _find_dangling(connection, into, reference)
    if "publication_people" in changed:
        looked_at.append(("publication_people", "publication_id", "many_people"))
        _find_long_lists(connection, into)
    looked_at.append(("redirects", "target", "reference"))
    for record_type, target in _TARGETS.items():
        if target in present:
            _find_lost_redirects(connection, into, record_type, target)
    return looked_at


def plant_topics(connection: sqlite3.Connection, into: str) -> set[str]:
    """Make the topics a forest again: set `parent_id`, cutting circles at their least id.

    Reports the circles into the table `into` of problems and returns the topics that
    stand in another place than before.
    """
    given: dict[str, str | None] = {}
    planted: dict[str, str | None] = {}
    rows = connection.execute("SELECT id, given_parent_id, parent_id FROM main.topics ORDER BY id")
    for topic, given_parent, parent in rows:
        given[topic], planted[topic] = given_parent, parent
    circles = set(_least_of_circles(given))
    wanted = {
        topic: parent if parent in given and topic not in circles else None
        for topic, parent in given.items()
    }
    moved = {topic for topic, parent in wanted.items() if planted[topic] != parent}
    connection.executemany(
        "UPDATE main.topics SET parent_id = ? WHERE id = ?",
        ((wanted[topic], topic) for topic in moved),
    )
    connection.executemany(
        f"INSERT OR IGNORE INTO {into} VALUES ('topics', ?, 'parent_id', 'circle', ?, 0)",
        ((topic, "stands below itself; it was put at the top") for topic in sorted(circles)),
    )
    return moved


def _least_of_circles(parents: dict[str, str | None]) -> list[str]:
    """Return the least topic of each circle in `parents`."""
    least = []
    done: set[str] = set()
    for start in parents:
        path: dict[str, None] = {}  # in the order of the walk
        topic: str | None = start
        while topic is not None and topic in parents and topic not in done and topic not in path:
            path[topic] = None
            topic = parents[topic]
        if topic in path:
            walk = list(path)
            least.append(min(walk[walk.index(topic) :]))
        done.update(path)
    return least


def _shown(column: str) -> str:
    return "parent_id" if column == "given_parent_id" else column


def _find_dangling(connection: sqlite3.Connection, into: str, reference: Reference) -> None:
    view, column, target = reference.view, reference.column, reference.target
    connection.execute(
        f"""
        INSERT OR IGNORE INTO {into}
        SELECT '{view}', {_KEYS[view]}, '{_shown(column)}', 'reference',
               'there is no ''' || r.{column} || ''' in {target}', 0
        FROM main.{view} AS r
        WHERE r.{column} IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM main.{target} AS t WHERE t.id = r.{column})
          AND NOT EXISTS (SELECT 1 FROM main.left_out AS o
                          WHERE o.view = '{target}' AND o.key = r.{column})
        """
    )


def _find_long_lists(connection: sqlite3.Connection, into: str) -> None:
    connection.execute(
        f"""
        INSERT OR IGNORE INTO {into}
        SELECT 'publication_people', publication_id, 'publication_id', 'many_people',
               count(*) || ' people on one publication', 0
        FROM main.publication_people
        GROUP BY publication_id
        HAVING count(*) > {MANY_PEOPLE}
        """
    )


def _find_lost_redirects(
    connection: sqlite3.Connection, into: str, record_type: str, target: str
) -> None:
    start = len(record_type) + 2
    connection.execute(
        f"""
        INSERT OR IGNORE INTO {into}
        SELECT 'redirects', r.old_path, 'target', 'reference',
               'there is no ''' || substr(r.target, {start}) || ''' in {target}', 0
        FROM main.redirects AS r
        WHERE r.target LIKE '{record_type}:%'
          AND NOT EXISTS (SELECT 1 FROM main.{target} AS t WHERE t.id = substr(r.target, {start}))
          AND NOT EXISTS (SELECT 1 FROM main.left_out AS o
                          WHERE o.view = '{target}' AND o.key = substr(r.target, {start}))
        """
    )
