"""A day's edits in a source database, for the second night of a benchmark."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path


def edit(database: Path, change: int, new: int, withdraw: int, *, seed: int = 1) -> dict[str, int]:
    """Change, add and withdraw so many publications in place; return rows per sort of edit.

    Versions rise with each edit. Of ten changes five are in the abstract, two in the title,
    one in DOI and pages, one in the order of the authors, and one gives an affiliation.
    """
    chance = random.Random(f"edits {seed}")  # noqa: S311
    connection = sqlite3.connect(database)
    try:
        ids = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM publications WHERE status <> 'withdrawn' ORDER BY id"
            )
        ]
        chosen = chance.sample(ids, change + new + withdraw)
        changed, models = chosen[:change], chosen[change : change + new]
        withdrawn = chosen[change + new :]
        with connection:
            for number, identifier in enumerate(changed):
                _change(connection, identifier, number % 10, seed)
            for number, model in enumerate(models, 1):
                _add(connection, model, f"new-{seed}-{number}")
            for identifier in withdrawn:
                _withdraw(connection, identifier)
    finally:
        connection.close()
    return {"changed": len(changed), "new": len(models), "withdrawn": len(withdrawn)}


def edit_one(database: Path) -> str:
    """Give the publication in the middle another title and return its id."""
    connection = sqlite3.connect(database)
    try:
        with connection:
            (identifier,) = connection.execute(
                "SELECT id FROM publications WHERE status <> 'withdrawn' ORDER BY id LIMIT 1"
                " OFFSET (SELECT count(*) / 2 FROM publications)"
            ).fetchone()
            connection.execute(
                "UPDATE publications SET title = title || ' (again)', version = version + 1"
                " WHERE id = ?",
                (identifier,),
            )
    finally:
        connection.close()
    return str(identifier)


def _change(connection: sqlite3.Connection, identifier: str, sort: int, seed: int) -> None:
    if sort < 5:
        sets = "abstract = coalesce(abstract || char(10), '') || ?"
        value = f"Revision {seed} of this abstract adds one sentence."
    elif sort < 7:
        sets, value = "title = title || ?", f" (revised, {seed})"
    elif sort < 8:
        sets, value = "pages = coalesce(pages, '1–10'), doi = ?", f"10.5555/{identifier}.{seed}"
    else:
        _change_people(connection, identifier, reverse=sort == 8, seed=seed)
        return
    connection.execute(
        f"UPDATE publications SET {sets}, version = version + 1 WHERE id = ?",  # noqa: S608
        (value, identifier),
    )


def _change_people(
    connection: sqlite3.Connection, identifier: str, *, reverse: bool, seed: int
) -> None:
    authors = connection.execute(
        "SELECT position, person_id, name, affiliation FROM publication_people"
        " WHERE publication_id = ? AND role = 'author' ORDER BY position",
        (identifier,),
    ).fetchall()
    if len(authors) > 1 and reverse:
        update = [
            (person, name, affiliation, identifier, place[0])
            for place, (_, person, name, affiliation) in zip(
                authors, reversed(authors), strict=True
            )
        ]
    elif authors:
        position, person, name, _ = authors[0]
        update = [(person, name, f"Institute of Revision {seed}", identifier, position)]
    else:  # nobody to change: the abstract then
        _change(connection, identifier, 0, seed)
        return
    connection.executemany(
        "UPDATE publication_people SET person_id = ?, name = ?, affiliation = ?,"
        " version = version + 1 WHERE publication_id = ? AND role = 'author' AND position = ?",
        update,
    )


def _add(connection: sqlite3.Connection, model: str, identifier: str) -> None:
    """Add a work of the newest year by the authors of another, in its venue."""
    connection.execute(
        """
        INSERT INTO publications (id, title, abstract, kind, year, month, venue_id, published_in,
                                  publisher, language, licence, access)
        SELECT ?, 'Further results on ' || title, abstract, kind,
               (SELECT max(year) FROM publications), month, venue_id, published_in,
               publisher, language, licence, access
        FROM publications WHERE id = ?
        """,
        (identifier, model),
    )
    for table, columns in (
        ("publication_people", "role, position, person_id, name, affiliation"),
        ("publication_topics", "topic_id"),
    ):
        connection.execute(
            f"INSERT INTO {table} (publication_id, {columns})"  # noqa: S608
            f" SELECT ?, {columns} FROM {table} WHERE publication_id = ?",
            (identifier, model),
        )


def _withdraw(connection: sqlite3.Connection, identifier: str) -> None:
    connection.execute(
        "UPDATE publications SET status = 'withdrawn', status_reason = ?, status_date = ?,"
        " version = version + 1 WHERE id = ?",
        ("Withdrawn by the authors.", "2026-01-15", identifier),
    )
