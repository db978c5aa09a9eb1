"""`/data/`: the whole corpus as JSON lines and as SQLite, what each day changed, checksums.

The compressed corpus is many gzip members behind each other, as RFC 1952 allows: those of
records that did not change are taken from the last release and not compressed again.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from content_sync.machines.catalogue import Catalogue, Stamp
from content_sync.machines.files import Files
from content_sync.machines.oai import bucket_digits, bucket_of
from content_sync.machines.records import read_records
from content_sync.pages.reader import Reader, in_batches
from content_sync.release.addresses import COMPRESSED
from content_sync.release.stage import Stage

FOLDER = "public/data"
_MEMBERS = "catalogue/members"
DAYS_KEPT = 30
"""How many days with changes have a file of their own."""

_SCHEMA = """
CREATE TABLE publications (
    id TEXT PRIMARY KEY, url TEXT NOT NULL, title TEXT NOT NULL, kind TEXT NOT NULL, year INTEGER,
    date TEXT, venue TEXT, published_in TEXT, doi TEXT, status TEXT NOT NULL, abstract TEXT,
    record TEXT NOT NULL  -- all of it, as JSON
) WITHOUT ROWID;
CREATE TABLE authors (
    publication TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, affiliation TEXT,
    orcid TEXT, url TEXT, PRIMARY KEY (publication, position)
) WITHOUT ROWID;
CREATE TABLE topics (
    publication TEXT NOT NULL, topic TEXT NOT NULL, PRIMARY KEY (publication, topic)
) WITHOUT ROWID;
"""
_COLUMNS = (
    *("id", "url", "title", "kind", "year", "date", "venue", "published_in", "doi", "status"),
    "abstract",
)


class Dump(NamedTuple):
    """One file for download."""

    name: str
    size: int
    sha256: str
    day: str
    """For a file of one day's changes: which day."""


def write_dumps(files: Files, stage: Stage, reader: Reader, catalogue: Catalogue) -> list[Dump]:
    """Write the dumps that changed and return what there is."""
    alive = [s for s in catalogue.stamps.values() if not s.deleted]
    digits = bucket_digits(len(alive))
    buckets: dict[str, list[Stamp]] = defaultdict(list)
    for stamp in alive:
        buckets[bucket_of(stamp.id, digits)].append(stamp)
    parts = []
    for bucket, stamps in sorted(buckets.items()):
        entry = files.put(
            f"{_MEMBERS}/{bucket}.gz",
            [part for s in stamps for part in (s.id, s.digest)],
            lambda stamps=stamps: _gzip(_lines(reader, stamps)),  # type: ignore[misc]
        )
        parts.append((entry.path, entry.sha256))
    digests = [digest for _, digest in parts]
    dumps = [
        (f"{FOLDER}/publications.jsonl.gz", ""),
        (f"{FOLDER}/publications.sqlite.gz", ""),
    ]

    def members() -> Iterator[bytes]:
        for path, _ in parts:
            file = stage.root / path
            if not file.exists() and stage.base is not None:
                file = stage.base.root / path
            yield file.read_bytes()

    files.put(dumps[0][0], digests, lambda: b"".join(members()))
    files.put(dumps[1][0], digests, lambda: _gzip_file(_sqlite(members())))
    for day, stamps in sorted(_days(catalogue).items(), reverse=True)[:DAYS_KEPT]:
        path = f"{FOLDER}/changes/{day}.jsonl.gz"
        files.put(
            path,
            [part for s in stamps for part in (s.id, s.digest)],
            lambda stamps=stamps: _gzip(_lines(reader, stamps)),  # type: ignore[misc]
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


def _lines(reader: Reader, stamps: list[Stamp]) -> bytes:
    lines = []
    for some in in_batches([s.id for s in stamps if not s.deleted], 2000):
        records = read_records(reader, some)
        lines += [orjson.dumps(records[one]) + b"\n" for one in some]
    gone = [{"id": s.id, "deleted": True} for s in stamps if s.deleted]
    return b"".join(lines) + b"".join(orjson.dumps(one) + b"\n" for one in gone)


def _gzip(content: bytes, level: int = 6) -> bytes:
    squeeze = zlib.compressobj(level, zlib.DEFLATED, 31)
    return squeeze.compress(content) + squeeze.flush()


def _gzip_file(content: bytes) -> bytes:
    return _gzip(content, 1)


def _sqlite(members: Iterator[bytes]) -> bytes:
    """Return the bytes of a database of all records: the same for the same records."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "publications.sqlite"
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            database.executescript(_SCHEMA)
            database.execute("BEGIN")
            records: list[tuple[dict[str, Any], bytes]] = []
            for member in members:
                for line in zlib.decompress(member, 31).splitlines():
                    records.append((orjson.loads(line), line))
            records.sort(key=lambda pair: str(pair[0]["id"]))
            database.executemany(
                "INSERT INTO publications VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((*(r.get(c) for c in _COLUMNS), line.decode()) for r, line in records),
            )
            database.executemany(
                "INSERT INTO authors VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (r["id"], n, a["name"], a.get("affiliation"), a.get("orcid"), a.get("url"))
                    for r, _ in records
                    for n, a in enumerate(r.get("authors", ()), 1)
                ),
            )
            database.executemany(
                "INSERT OR IGNORE INTO topics VALUES (?, ?)",
                ((r["id"], topic) for r, _ in records for topic in r.get("topics", ())),
            )
            database.execute("COMMIT")
        return file.read_bytes()
