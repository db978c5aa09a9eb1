"""The search step: index the documents of a release, and search the live one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from content_sync.errors import ReleaseError
from content_sync.processes import processes
from content_sync.release.compress import compress_shards
from content_sync.release.stage import Release, Stage, live
from content_sync.settings import Settings

AUDIENCES = ("public", "members")


@dataclass(frozen=True, slots=True)
class IndexedRelease:
    """What became of a release's indexes."""

    documents: int
    indexed: int
    """Documents that were new or changed."""
    size: int
    """Bytes of the indexes that answer on the command line."""
    shards_size: int
    """Bytes of the files that answer in browsers."""


def index_release(settings: Settings, stage: Stage | None, progress: Any = None) -> IndexedRelease:
    """Build the indexes of a staged release, from those of the release before where it can.

    Public and members' documents are apart, in the index as in the files for browsers.
    Raises ReleaseError if no release is staged.
    """
    from search.index import update_index
    from search.shards import write_shards

    if stage is None:
        raise ReleaseError("No release is staged.", hint="Run 'nightpress build' first.")
    documents = indexed = size = 0
    with processes(settings) as executor:
        # One process is busy with the browsers' files while the others index.
        shards = [
            executor.submit(
                write_shards,
                stage.root / "documents" / audience,
                stage.root / audience / "search-index",
                previous=_shards(stage.base, audience),
            )
            for audience in AUDIENCES
        ]
        for audience in AUDIENCES:
            before = _before(stage.base, audience)
            report = update_index(
                stage.root / "documents" / audience,
                stage.root / "search" / audience,
                previous_documents=before[0] if before else None,
                previous_index=before[1] if before else None,
                executor=executor,
                progress=(lambda done, total: progress("index", done, total)) if progress else None,
            )
            documents += report.documents
            indexed += report.added + report.changed
            size += report.size
        shards_size = sum(written.result().size for written in shards)
        for folder in ("search", "public/search-index", "members/search-index"):
            stage.adopt(folder)
        compress_shards(settings, stage, executor)
    stage.finish()
    return IndexedRelease(documents, indexed, size, shards_size)


def search_release(settings: Settings, query: str, *, limit: int, members: bool) -> Any:
    """Return what the live release's index finds; with `members`, in their records too.

    Raises ReleaseError if nothing is live.
    """
    from search.query import open_index
    from search.query import search as run_query

    release = live(settings)
    if release is None:
        raise ReleaseError("Nothing is published yet.", hint="Run 'nightpress nightly' first.")
    folders = [release.root / "search" / a for a in (AUDIENCES if members else AUDIENCES[:1])]
    with open_index(folders) as index:
        return run_query(index, query, limit=limit)


def _before(base: Release | None, audience: str) -> tuple[Path, Path] | None:
    """Return the folders of documents and index of the release before."""
    if base is None:
        return None
    found = base.root / "documents" / audience, base.root / "search" / audience
    return found if all(folder.is_dir() for folder in found) else None


def _shards(base: Release | None, audience: str) -> Path | None:
    folder = base.root / audience / "search-index" if base else None
    return folder if folder and folder.is_dir() else None
