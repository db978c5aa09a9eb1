"""Since when each public record is as it is: the days that harvesters and sitemaps go by.

The days cannot be made again from the source, so they stand in the history
(`var/history.sqlite`). A build compares what it exports with what the history remembers; what
differs is of today, and what is no longer there is deleted today. The release carries the
differences, which the history takes over when the release goes live.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import orjson

from content_sync.machines.records import (
    PUBLIC_IDS,
    Record,
    keep_records,
    make_records,
    remember_records,
)
from content_sync.pages.reader import Reader, in_batches
from content_sync.release import history
from content_sync.settings import Settings

PER_PAGE = 100
"""Records that one answer to a harvester holds at most."""
_BATCH = 2000


class Stamp(NamedTuple):
    """One publication that is, or was, open to everyone."""

    id: str
    digest: bytes
    """Of its whole export; empty for one that is deleted."""
    day: str
    """UTC date on which it came to be so."""
    kind: str
    page: int
    """Which page of the records of that day and kind lists it, from 1."""
    deleted: bool


class Catalogue(NamedTuple):
    """All stamps, and those that differ from the history."""

    stamps: dict[str, Stamp]
    changed: list[Stamp]
    before: dict[str, Stamp]
    """What the history knew of those that differ."""

    def as_it_was(self) -> Catalogue:
        """Return the catalogue of the live release, as the history knows it."""
        changed = {stamp.id for stamp in self.changed}
        stamps = {one: stamp for one, stamp in self.stamps.items() if one not in changed}
        return Catalogue(dict(sorted((stamps | self.before).items())), [], {})


def bring_up_to_date(
    settings: Settings, reader: Reader, looked_at: Iterable[str] | None, day: str
) -> Catalogue:
    """Return the catalogue of a build on `day`.

    `looked_at` names the publications that may have changed since the live release; None, or
    a history that does not know them all, means to compare every one.
    """
    with history.open_history(settings.history) as connection:
        known = {row[0]: Stamp(*row[:5], bool(row[5])) for row in history.stamps(connection)}
    there = [row[0] for row in reader.connection.execute(PUBLIC_IDS)]
    if looked_at is None:
        wanted = there
    else:
        asked = set(looked_at)
        wanted = [i for i in there if i in asked or i not in known or known[i].deleted]
    changed: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
    remember_records(reader)
    for ids in in_batches(wanted, _BATCH):
        records = make_records(reader, ids)
        keep_records(reader, records.values())
        for record in records.values():
            digest = digest_of(record)
            before = known.get(record["id"])
            if before is None or before.deleted or before.digest != digest:
                changed[record["kind"]].append((record["id"], digest))
    public = set(there)
    gone = [s for s in known.values() if not s.deleted and s.id not in public]
    return _stamped(known, changed, gone, day)


def digest_of(record: Record) -> bytes:
    """Return the digest of all that is exported of a record."""
    return hashlib.blake2b(
        orjson.dumps(record, option=orjson.OPT_SORT_KEYS), digest_size=16
    ).digest()


def _stamped(
    known: dict[str, Stamp],
    changed: dict[str, list[tuple[str, bytes]]],
    gone: list[Stamp],
    day: str,
) -> Catalogue:
    """Give today's changes their pages, behind those that other builds of the day gave."""
    new: dict[str, list[tuple[str, bytes, bool]]] = defaultdict(list)
    for kind, pairs in changed.items():
        new[kind] += [(one, digest, False) for one, digest in pairs]
    for stamp in gone:
        new[stamp.kind].append((stamp.id, b"", True))
    last: dict[str, int] = {}
    for stamp in known.values():
        if stamp.day == day:
            last[stamp.kind] = max(last.get(stamp.kind, 0), stamp.page)
    stamps: list[Stamp] = []
    for kind in sorted(new):
        for place, (one, digest, deleted) in enumerate(sorted(new[kind])):
            page = last.get(kind, 0) + 1 + place // PER_PAGE
            stamps.append(Stamp(one, digest, day, kind, page, deleted))
    merged = known | {stamp.id: stamp for stamp in stamps}
    before = {stamp.id: known[stamp.id] for stamp in stamps if stamp.id in known}
    return Catalogue(dict(sorted(merged.items())), stamps, before)
