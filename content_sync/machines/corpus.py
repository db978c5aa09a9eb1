"""The citations of the whole corpus for download: one compressed file for a year and format.

Programs that keep references take some thousands of them at once and no more, so a large year
is cut. Each file is many gzip members behind each other, of some works each: only the members of
works that changed are made again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from content_sync.citations.lists import AROUND, FORMATS, digest_of, join_members, split_members
from content_sync.citations.lists import FOLDER as CITATIONS
from content_sync.machines.files import Files
from content_sync.pages.reader import Reader
from content_sync.release.gzipped import gunzipped, gzipped
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


_Citation = tuple[str, bytes]
"""Name of a work's files of citations, and the SHA-256 of one of them."""


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
    found: dict[tuple[str, str], list[_Citation]] = defaultdict(list)
    for file, sha256 in stage.digests_in(f"public/{CITATIONS}/"):
        name, _, ending = file.rpartition(".")
        if name in years and ending in FORMATS:
            found[years[name], ending].append((name, sha256))
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
    files: Files, stage: Stage, year: str, ending: str, citations: list[_Citation]
) -> Iterator[_Member]:
    """Make the members that changed, and yield all of a year and format."""
    digits = 0
    while len(citations) > _FEW * 16**digits:
        digits += 1
    buckets: dict[str, list[_Citation]] = defaultdict(list)
    for citation in citations:
        name = hashlib.sha1(citation[0].encode(), usedforsecurity=False).hexdigest()
        buckets[name[:digits]].append(citation)
    for bucket, some in sorted(buckets.items()):
        path = f"{_MEMBERS}/{year}{f'-{bucket}' if bucket else ''}.{ending}.gz"
        member = files.put(
            path,
            [digest_of(sha256 for _, sha256 in some)],
            partial(_compressed, files, stage, path, some, ending),
        )
        yield _Member(len(some), member.path, member.sha256)


def _compressed(
    files: Files, stage: Stage, path: str, citations: list[_Citation], ending: str
) -> bytes:
    """Make a member: of what it held in the last release, and of what is new."""
    held = files.before(path)
    pieces = split_members(gunzipped(held), ending) if held else {}
    return gzipped(
        join_members(
            [
                pieces.get(sha256)
                or (stage.root / f"public/{CITATIONS}/{name}.{ending}").read_bytes()
                for name, sha256 in citations
            ],
            ending,
        )
    )


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
