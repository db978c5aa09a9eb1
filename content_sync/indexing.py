"""The search step: index the documents of a release, and search the live one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from content_sync.errors import ReleaseError
from content_sync.processes import processes
from content_sync.release.compress import compress_shards
from content_sync.release.history import open_history
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
    from search.layout import read_layout

    if stage is None:
        raise ReleaseError("No release is staged.", hint="Run 'nightpress build' first.")
    reports = []
    averages = _frozen(settings, _count(stage.root / "documents" / AUDIENCES[0]))
    with processes(settings) as executor:
        for audience in AUDIENCES:
            index = stage.root / "search" / audience
            reports.append(
                update_index(
                    stage.root / "documents" / audience,
                    index,
                    stage.root / audience / "search-index",
                    # Without frozen lengths nothing of before can be used.
                    previous=_before(stage.base, audience) if averages else None,
                    averages=averages,
                    executor=executor,
                    progress=_report(progress),
                )
            )
            # Members' records are weighed as the public ones are, so that scores compare.
            averages = read_layout(index).averages
        for folder in ("search", "public/search-index", "members/search-index"):
            stage.adopt(folder)
        compress_shards(settings, stage, executor)
    if reports[0].documents:
        public = read_layout(stage.root / "search" / AUDIENCES[0])
        _freeze(settings, public.averages, public.documents)
    stage.finish()
    return IndexedRelease(
        documents=sum(report.documents for report in reports),
        indexed=sum(report.added + report.changed for report in reports),
        size=sum(report.size for report in reports),
        shards_size=sum(report.shards_size for report in reports),
    )


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


def _before(base: Release | None, audience: str) -> Any:
    """Return the folders of documents, index and shards of the release before."""
    from search.index import Previous

    if base is None:
        return None
    found = Previous(
        documents=base.root / "documents" / audience,
        index=base.root / "search" / audience,
        shards=base.root / audience / "search-index",
    )
    folders = (found.documents, found.index, found.shards)
    return found if all(folder.is_dir() for folder in folders) else None


def _report(progress: Any) -> Any:
    return (lambda done, total: progress("index", done, total)) if progress else None


def _count(documents: Path) -> int:
    """Return how many documents a folder of them holds."""
    return int(json.loads((documents / "layout.json").read_bytes())["documents"])


def _frozen(settings: Settings, documents: int) -> Any:
    """Return the average lengths that ranking was frozen with; None to find them anew.

    They were found when the first release was indexed; a site that has grown far beyond
    that needs others.
    """
    from search.ranking import Averages

    with open_history(settings.history) as history:
        row = history.execute("SELECT value FROM meta WHERE name = ?", (_AVERAGES,)).fetchone()
    if row is None:
        return None
    frozen = json.loads(row[0])
    if documents > _OUTGROWN * frozen.pop("documents"):
        return None
    return Averages(**frozen)


def _freeze(settings: Settings, averages: Any, documents: int) -> None:
    with open_history(settings.history) as history:
        row = history.execute("SELECT value FROM meta WHERE name = ?", (_AVERAGES,)).fetchone()
        frozen = json.loads(row[0]) if row else {}
        if {**asdict(averages), "documents": frozen.get("documents")} != frozen:
            value = json.dumps({**asdict(averages), "documents": documents}, sort_keys=True)
            history.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_AVERAGES, value))


_OUTGROWN = 4
"""So many times the documents of then, and average lengths are found anew."""

_AVERAGES = "search averages"
