"""The site's own source: an SQLite database that keeps the contract, filled from files.

A work that was imported before is found again by its id and changed in place; what is the
same keeps its version, so that the night sees exactly what changed.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from anyascii import anyascii

from content_sync.errors import SourceError
from content_sync.importing.entries import Entry, Name

_CONTRACT = Path(__file__).parent.parent / "source" / "sql" / "contract.sqlite.sql"
_COLUMNS = {
    "venues": ("id", "name"),
    "topics": ("id", "name"),
    "people": ("id", "given_name", "family_name", "orcid"),
    "publications": (
        *("id", "title", "abstract", "kind", "year", "month", "day", "venue_id"),
        *("published_in", "volume", "issue", "pages", "publisher", "doi", "url"),
        *("file_path", "language", "licence", "access"),
    ),
}
_LISTS = {
    "publication_people": ("role", "position", "person_id", "name", "affiliation"),
    "publication_topics": ("topic_id",),
}


@dataclass(slots=True)
class ImportReport:
    """What an import did to the site's source."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    refused: list[str] = field(default_factory=list)
    """Entries that could not be taken: file, place and reason."""


class Store:
    """The site's own source, open for writing in one transaction."""

    def __init__(self, path: Path, access: str) -> None:
        self._access = access
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            if is_new:
                self._db.executescript(_CONTRACT.read_text(encoding="utf-8"))
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise SourceError(
                f"The site's own source {path} cannot be written: {error}.",
                hint="Check that its folder can be written, and that no sync runs.",
            ) from error

    def finish(self) -> None:
        """Make what was written last."""
        self._db.execute("COMMIT")
        self._db.close()

    def give_up(self) -> None:
        """Leave the source as it was."""
        self._db.close()

    def put(self, entry: Entry) -> str:
        """Write one work; return 'added', 'changed' or 'unchanged'."""
        venue_id = self._named("venues", entry.venue)
        facts = {
            **{name: getattr(entry, name) or None for name in _COLUMNS["publications"][1:7]},
            **{name: getattr(entry, name) or None for name in _COLUMNS["publications"][8:]},
            "id": entry.id,
            "venue_id": venue_id,
            "kind": str(entry.kind),
            "access": entry.access or self._access,
        }
        row = tuple(facts[name] for name in _COLUMNS["publications"])
        result = self._upsert("publications", row)
        people = [
            (role, position, self._person(name), name.printed, name.affiliation or None)
            for role, names in (("author", entry.authors), ("editor", entry.editors))
            for position, name in enumerate(names, 1)
        ]
        topics = [(self._named("topics", topic),) for topic in entry.topics]
        moved = self._set("publication_people", entry.id, people)
        moved |= self._set("publication_topics", entry.id, topics)
        return "changed" if result == "unchanged" and moved else result

    def remove_others(self, kept: Iterable[str]) -> int:
        """Remove all works but these, with what belongs to them; return how many went."""
        kept = set(kept)
        gone = [
            (record_id,)
            for (record_id,) in self._db.execute("SELECT id FROM publications")
            if record_id not in kept
        ]
        for table, column in (
            *((name, "publication_id") for name in _LISTS),
            ("publications", "id"),
        ):
            self._db.executemany(f"DELETE FROM {table} WHERE {column} = ?", gone)  # noqa: S608
        for table, used in (
            ("people", "SELECT person_id FROM publication_people"),
            ("topics", "SELECT topic_id FROM publication_topics"),
            ("venues", "SELECT venue_id FROM publications WHERE venue_id IS NOT NULL"),
        ):
            self._db.execute(f"DELETE FROM {table} WHERE id NOT IN ({used})")  # noqa: S608
        return len(gone)

    def _person(self, name: Name) -> str:
        record_id = _slug(name.printed)
        if name.orcid:
            found = self._db.execute("SELECT id FROM people WHERE orcid = ?", (name.orcid,))
            record_id = (found.fetchone() or (record_id,))[0]
        known = self._db.execute("SELECT orcid FROM people WHERE id = ?", (record_id,)).fetchone()
        if known and name.orcid and known[0] and known[0] != name.orcid:
            # Two people of one name, told apart by ORCID.
            record_id = f"{record_id}-{name.orcid[-4:].lower()}"
            known = None
        if known is None or (name.orcid and not known[0]):
            self._upsert("people", (record_id, name.given or None, name.family, name.orcid or None))
        return record_id

    def _named(self, table: str, name: str) -> str | None:
        if not name:
            return None
        record_id = _slug(name)
        known = self._db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (record_id,))  # noqa: S608
        if known.fetchone() is None:
            self._upsert(table, (record_id, name))
        return record_id

    def _upsert(self, table: str, row: tuple[object, ...]) -> str:
        columns = _COLUMNS[table]
        before = self._db.execute(
            f"SELECT {', '.join(columns)} FROM {table} WHERE id = ?",  # noqa: S608
            (row[0],),
        ).fetchone()
        if before == row:
            return "unchanged"
        changes = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
        self._db.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608
            f" ON CONFLICT (id) DO UPDATE SET {changes}, version = version + 1",
            row,
        )
        return "changed" if before else "added"

    def _set(self, table: str, record_id: str, rows: Sequence[tuple[object, ...]]) -> bool:
        """Replace the rows of one work if they differ; return whether they did."""
        columns = _LISTS[table]
        before = self._db.execute(
            f"SELECT {', '.join(columns)} FROM {table} WHERE publication_id = ?",  # noqa: S608
            (record_id,),
        ).fetchall()
        if sorted(before, key=repr) == sorted(rows, key=repr):
            return False
        newest = f"SELECT coalesce(max(version), 0) + 1 FROM {table}"  # noqa: S608
        version = self._db.execute(newest).fetchone()[0]
        self._db.execute(f"DELETE FROM {table} WHERE publication_id = ?", (record_id,))  # noqa: S608
        marks = ", ".join("?" * (len(columns) + 2))
        self._db.executemany(
            f"INSERT INTO {table} (publication_id, {', '.join(columns)}, version)"  # noqa: S608
            f" VALUES ({marks})",
            [(record_id, *row, version) for row in rows],
        )
        return True


def _slug(name: str) -> str:
    """Return a readable id for a name; two names that differ in marks alone share one."""
    word = re.sub(r"[^a-z0-9]+", "-", anyascii(name).lower()).strip("-")
    return word[:100].strip("-") or "unnamed"
