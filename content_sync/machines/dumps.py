"""`/data/`: the whole corpus as JSON lines and as SQLite, what each day changed, checksums.

The compressed corpus is many gzip members behind each other, as RFC 1952 allows: those of
records that did not change are taken from the last release and not compressed again.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import orjson
from isal import isal_zlib

from content_sync.machines.catalogue import Catalogue, Stamp
from content_sync.machines.files import Files
from content_sync.machines.oai import in_buckets
from content_sync.machines.records import read_records
from content_sync.pages.reader import Reader, in_batches
from content_sync.release.addresses import COMPRESSED
from content_sync.release.gzipped import gunzipped, gzipped, gzipped_chunks
from content_sync.release.stage import Stage

FOLDER = "public/data"
_MEMBERS = "catalogue/members"
DAYS_KEPT = 30
"""How many days with changes have a file of their own."""

# What a record holds stands there once, as JSON; all else is read out of it. So the file is half as
# large, and made in a third of the time.
_SCHEMA = """
CREATE TABLE publications (
    id TEXT PRIMARY KEY,
    record TEXT NOT NULL,  -- all of it, as JSON
    {columns}
);
CREATE VIEW authors (publication, position, name, affiliation, orcid, url) AS
SELECT p.id, a.key + 1, json_extract(a.value, '$.name'), json_extract(a.value, '$.affiliation'),
       json_extract(a.value, '$.orcid'), json_extract(a.value, '$.url')
FROM publications AS p, json_each(p.record, '$.authors') AS a;
CREATE VIEW topics (publication, topic) AS
SELECT DISTINCT p.id, t.value FROM publications AS p, json_each(p.record, '$.topics') AS t;
"""
_COLUMNS = {
    **dict.fromkeys(("url", "title", "kind"), "TEXT"),
    "year": "INTEGER",
    **dict.fromkeys(("date", "venue", "published_in", "doi", "status", "abstract"), "TEXT"),
}


class Dump(NamedTuple):
    """One file for download."""

    name: str
    size: int
    sha256: str
    day: str
    """For a file of one day's changes: which day."""


def write_dumps(files: Files, stage: Stage, reader: Reader, catalogue: Catalogue) -> list[Dump]:
    """Write the dumps that changed and return what there is."""
    parts = []
    ids = []
    was = _AsItWas(files, catalogue)
    for bucket, stamps in sorted(_in_buckets(catalogue).items()):
        entry = files.put(
            f"{_MEMBERS}/{bucket}.gz",
            _made_of(stamps),
            lambda bucket=bucket, stamps=stamps: gzipped(  # type: ignore[misc]
                _lines(reader, stamps, was.member(bucket))
            ),
        )
        parts.append((entry.path, entry.sha256))
        ids.append([stamp.id for stamp in stamps])
    digests = [digest for _, digest in parts]
    dumps = [
        (f"{FOLDER}/publications.jsonl.gz", ""),
        (f"{FOLDER}/publications.sqlite.gz", ""),
    ]

    def members() -> Iterator[bytes]:
        return (files.read(path) for path, _ in parts)

    files.put(dumps[0][0], digests, lambda: b"".join(members()))
    files.put(dumps[1][0], [*digests, _SCHEMA], lambda: _sqlite(zip(ids, members(), strict=True)))
    for day, stamps in sorted(_days(catalogue).items(), reverse=True)[:DAYS_KEPT]:
        path = f"{FOLDER}/changes/{day}.jsonl.gz"
        files.put(
            path,
            _made_of(stamps),
            lambda stamps=stamps: gzipped(_lines(reader, stamps, {})),  # type: ignore[misc]
        )
        dumps.append((path, day))
    files.finish(f"{FOLDER}/changes/", f"{_MEMBERS}/")
    entries = {entry.path: entry for entry in stage.entries(f"{FOLDER}/")}
    own = {path for path, _ in dumps}
    for path in sorted(entries.keys() - own):
        # What other parts of the build offer for download.
        if path.endswith(".gz") and entries[path].records != COMPRESSED:
            dumps.append((path, ""))
    return [
        Dump(path[len(FOLDER) + 1 :], entries[path].size, entries[path].sha256.hex(), day)
        for path, day in dumps
    ]


def checksums(dumps: list[Dump]) -> str:
    """Return what `sha256sum --check` reads."""
    return "".join(f"{dump.sha256}  {dump.name}\n" for dump in dumps)


def _days(catalogue: Catalogue) -> dict[str, list[Stamp]]:
    """The records of each day but the first, which is the whole corpus."""
    days: dict[str, list[Stamp]] = defaultdict(list)
    for stamp in catalogue.stamps.values():
        days[stamp.day].append(stamp)
    first = min(days, default="")
    return {day: stamps for day, stamps in days.items() if day != first}


def _in_buckets(catalogue: Catalogue) -> dict[str, list[Stamp]]:
    return in_buckets([s for s in catalogue.stamps.values() if not s.deleted])


def _made_of(stamps: list[Stamp]) -> list[object]:
    return [part for s in stamps for part in (s.id, s.digest)]


class _AsItWas:
    """The records as the last release's members hold them."""

    def __init__(self, files: Files, catalogue: Catalogue) -> None:
        self._files = files
        self._catalogue = catalogue

    def member(self, bucket: str) -> dict[Stamp, bytes]:
        """Return a member's lines, each with its end."""
        stamps = self._buckets.get(bucket, [])
        content = self._files.before(f"{_MEMBERS}/{bucket}.gz", _made_of(stamps))
        if content is None:
            return {}
        return dict(zip(stamps, gunzipped(content).splitlines(keepends=True), strict=True))

    @cached_property
    def _buckets(self) -> dict[str, list[Stamp]]:
        return _in_buckets(self._catalogue.as_it_was())


def _lines(reader: Reader, stamps: list[Stamp], held: dict[Stamp, bytes]) -> bytes:
    lines = []
    for some in in_batches([s for s in stamps if not s.deleted], 2000):
        records = read_records(reader, [s.id for s in some if s not in held])
        lines += [held.get(s) or orjson.dumps(records[s.id]) + b"\n" for s in some]
    gone = [{"id": s.id, "deleted": True} for s in stamps if s.deleted]
    return b"".join(lines) + b"".join(orjson.dumps(one) + b"\n" for one in gone)


def _sqlite(members: Iterable[tuple[list[str], bytes]]) -> bytes:
    """Return a compressed database of all records: the same bytes for the same records.

    A member comes with the ids of its records.
    """
    columns = ",\n    ".join(
        f"{name} {kind} AS (json_extract(record, '$.{name}'))" for name, kind in _COLUMNS.items()
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "publications.sqlite"
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute("PRAGMA page_size = 16384")  # a fifth smaller than with 4096
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            database.executescript(_SCHEMA.format(columns=columns))
            database.execute("BEGIN")
            for ids, member in members:
                # JSON has no line ends in it, but may have characters that `str` splits at.
                lines = isal_zlib.decompress(member, 31).removesuffix(b"\n").split(b"\n")
                database.executemany(
                    "INSERT INTO publications VALUES (?, ?)",
                    zip(ids, (line.decode() for line in lines), strict=True),
                )
            database.execute("COMMIT")
        with file.open("rb") as content:
            return gzipped_chunks(iter(lambda: content.read(1 << 20), b""))
