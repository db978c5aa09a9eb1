"""The citations of the whole corpus for download: one compressed file for a year and format.

Programs that keep references take some thousands of them at once and no more, so a large year
is cut. Each file is put together of those of the single works, and made again when one of
them changed.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from typing import Any, NamedTuple

from content_sync.citations.lists import FOLDER as CITATIONS
from content_sync.citations.lists import FORMATS, join
from content_sync.machines.files import Files
from content_sync.pages.reader import Reader
from content_sync.release.manifest import Entry
from content_sync.release.stage import Stage
from content_sync.urls import slug

FOLDER = "public/data/citations"
MOST = 5000
"""Works in one file."""


class Shard(NamedTuple):
    """One file of citations."""

    year: str
    part: int
    """From 1; 0 where the year has one file alone."""
    works: int
    ending: str
    name: str
    """Below `/data/`."""


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
        parts = [entries[i : i + MOST] for i in range(0, len(entries), MOST)]
        for number, part in enumerate(parts, 1):
            cut = number if len(parts) > 1 else 0
            shard = Shard(year, cut, len(part), ending, _name(year, cut, ending))
            files.put(
                f"public/data/{shard.name}",
                [entry.sha256 for entry in part],
                lambda part=part, ending=ending: _gzip(_read(stage, part, ending)),  # type: ignore[misc]
            )
            shards.append(shard)
    files.finish(f"{FOLDER}/")
    return shards


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


def _read(stage: Stage, entries: list[Entry], ending: str) -> bytes:
    return join([(stage.root / entry.path).read_bytes() for entry in entries], ending)


def _gzip(content: bytes) -> bytes:
    """Return it compressed lightly: level 6 would take four times as long for a fifth less."""
    squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
    return squeeze.compress(content) + squeeze.flush()
