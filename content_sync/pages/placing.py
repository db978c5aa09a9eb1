"""Put each full text into the tree of those who may read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from content_sync.pages.access import effective
from content_sync.pages.full_texts import link, stored_file
from content_sync.pages.reader import Reader
from content_sync.pages.scope import owned_paths
from content_sync.records import Access, Status
from content_sync.release.manifest import Entry
from content_sync.release.stage import Stage
from content_sync.settings import Settings
from content_sync.urls import slug

_FULL_TEXTS = """
SELECT p.id, p.access, p.public_on, p.status, f.ending, f.size, f.sha256
FROM publications p LEFT JOIN cache.full_texts f ON f.publication_id = p.id"""


def place_full_texts(
    settings: Settings,
    reader: Reader,
    trees: Mapping[str, Path],
    stage: Stage | None,
    ids: Iterable[str] | None,
) -> None:
    """Link the full texts of publications, None for all, and take away what is none any more."""
    if ids is None:
        rows = reader.rows(f"{_FULL_TEXTS} WHERE f.size IS NOT NULL ORDER BY p.id")
    else:
        rows = reader.rows(f"{_FULL_TEXTS} WHERE p.id IN :ids ORDER BY p.id", list(ids))
    entries: list[Entry] = []
    for row in rows:
        if row["size"] is None or row["status"] == Status.WITHDRAWN:
            continue
        access = effective(row["access"], row["public_on"], reader.today)
        audience = "public" if access == Access.PUBLIC else "members"
        name = slug(row["id"])
        file = f"publications/{name}/{name}{row['ending']}"
        link(stored_file(settings, row["sha256"]), trees[audience] / file)
        record = f"publication:{row['id']}"
        entries.append(
            Entry(f"{audience}/{file}", row["size"], row["sha256"], row["sha256"], record)
        )
    if stage is None:
        return
    stage.add(entries)
    if ids is not None:
        shown = {entry.path for entry in entries}
        stage.remove(
            path
            for one in ids
            for path in owned_paths(stage, "full_text", one)
            if path not in shown
        )
