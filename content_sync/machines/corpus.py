"""The citations of the whole corpus for download: one compressed file for a year and format.

Programs that keep references take some thousands of them at once and no more, so a large year
is cut. Each file is many gzip members behind each other, of some works each: only the members of
works that changed are read and compressed again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from content_sync.citations.lists import AROUND, FORMATS, join_members
from content_sync.citations.lists import FOLDER as CITATIONS
from content_sync.machines.files import Files
from content_sync.pages.reader import Reader
from content_sync.release.gzipped import gzipped
from content_sync.release.manifest import Entry
from content_sync.release.stage import Stage
from content_sync.urls import slug

FOLDER = "public/data/citations"
_MEMBERS = "catalogue/citations"
MOST = 5000
"""Works in one file."""
_FEW = 64
"""Works in one member, at most a few more."""


class Shard(NamedTuple):
    """One file of citations."""

    year: str
    part: int
    """From 1; 0 where the year has one file alone."""
    works: int
    ending: str
    name: str
    """Below `/data/`."""


class _Member(NamedTuple):
    """The citations of some works, compressed."""

    works: int
    path: str
    sha256: bytes


def write_corpus(files: Files, stage: Stage, reader: Reader) -> list[Shard]:
    """Write the files that changed, and return what there is, the latest year first."""
    years = {
        slug(row["id"]): str(row["year"] or "undated")
        for row in reader.rows("SELECT id, year FROM cache.works WHERE visible = 2")
    }
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in stage.entries(f"public/{CITATIONS}/"):
        name, _, ending = entry.path.removeprefix(f"public/{CITATIONS}/").rpartition(".")
        if name in years and ending in FORMATS:
            found[years[name], ending].append(entry)
    shards = []
    for (year, ending), entries in sorted(found.items(), key=lambda item: item[0], reverse=True):
        parts = _cut(_members(files, stage, year, ending, entries))
        for number, part in enumerate(parts, 1):
            cut = number if len(parts) > 1 else 0
            works = sum(member.works for member in part)
            shard = Shard(year, cut, works, ending, _name(year, cut, ending))
            files.put(
                f"public/data/{shard.name}",
                [member.sha256 for member in part],
                lambda part=part, ending=ending: _put_together(files, part, ending),  # type: ignore[misc]
            )
            shards.append(shard)
    files.finish(f"{FOLDER}/", f"{_MEMBERS}/")
    return shards


def _members(
    files: Files, stage: Stage, year: str, ending: str, entries: list[Entry]
) -> Iterator[_Member]:
    """Make the members that changed, and yield all of a year and format."""
    digits = 0
    while len(entries) > _FEW * 16**digits:
        digits += 1
    buckets: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        name = entry.path.rpartition("/")[2].rpartition(".")[0]
        buckets[hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:digits]].append(
            entry
        )
    for bucket, some in sorted(buckets.items()):
        member = files.put(
            f"{_MEMBERS}/{year}{f'-{bucket}' if bucket else ''}.{ending}.gz",
            [entry.sha256 for entry in some],
            lambda some=some: gzipped(
                join_members(  # type: ignore[misc]
                    [(stage.root / entry.path).read_bytes() for entry in some], ending
                )
            ),
        )
        yield _Member(len(some), member.path, member.sha256)


def _cut(members: Iterable[_Member]) -> list[list[_Member]]:
    """Return the members of each file of a year."""
    parts: list[list[_Member]] = []
    works = MOST
    for member in members:
        if works + member.works > MOST:
            parts.append([])
            works = 0
        parts[-1].append(member)
        works += member.works
    return parts


def _put_together(files: Files, part: list[_Member], ending: str) -> bytes:
    before, between, after = AROUND[ending]
    content = gzipped(between).join(files.read(member.path) for member in part)
    return (gzipped(before) if before else b"") + content + (gzipped(after) if after else b"")


def citation_years(shards: list[Shard]) -> list[dict[str, Any]]:
    """Return each year, cut or not, the latest first, with the names of its files by format."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for shard in shards:
        row = rows.setdefault(
            (shard.year, shard.part),
            {
                "year": shard.year if shard.year != "undated" else "No date",
                "part": shard.part,
                "works": shard.works,
                "files": {},
            },
        )
        row["files"][shard.ending] = shard.name
    for row in rows.values():
        row["files"] = {said: row["files"][ending] for ending, (said, _) in FORMATS.items()}
    return [rows[key] for key in sorted(rows, key=_latest_first)]


def _latest_first(key: tuple[str, int]) -> tuple[int, int]:
    year, part = key
    return -int(year) if year.isdecimal() else 0, part


def _name(year: str, part: int, ending: str) -> str:
    return f"citations/{year}{f'-{part}' if part else ''}.{ending}.gz"
