"""The keys and versions of a view as the source has them, read once and not kept if they agree.

Where the snapshot knows the very same rows there is nothing to compare, and so nothing to
write down first. A sum of hashes tells: it does not depend on the order of the rows, and
Python's hashes differ from process to process, so nobody can make a row for a sum.
"""

from __future__ import annotations

import hashlib
import operator
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from content_sync.records import View
from content_sync.source.catalogue import SourceView
from content_sync.source.connect import Source
from content_sync.source.convert import CONVERTERS
from content_sync.source.read import stream_versions
from content_sync.sync.run import Count

_AT_ONCE = 2000
_MOST_HELD = 250_000
"""Rows that are held in memory until it is known whether they agree."""


class Keys(NamedTuple):
    """Some rows of a view: their keys, checked, and their versions."""

    columns: list[list[Any]]
    raws: list[Any] | None
    """The first key as the source spells it, where that differs; None where none does."""
    versions: Sequence[Any]
    is_askable: bool
    """Whether the source can be asked for these keys."""

    @property
    def is_plain(self) -> bool:
        """Whether each row has a key, spelled as in the snapshot, and a version."""
        return self.raws is None and not any(
            None in values for values in (*self.columns, self.versions)
        )

    def lines(self) -> Iterator[tuple[Any, ...]]:
        """Yield each row's key and version."""
        return zip(*self.columns, self.versions, strict=True)


class Staged(NamedTuple):
    """What `stage_keys` found."""

    keyless: int
    """Rows without a usable key."""
    is_askable: bool
    """Whether all keys can be asked for as they are."""
    agreed: bool
    """Whether the snapshot has the very same rows, and nothing was staged."""


class Agreement(NamedTuple):
    """The rows of a view that the snapshot knows."""

    known: int
    left_out: int
    total: int
    """The sum of all rows' hashes, those that are left out included."""
    digest: str
    """Of all keys and versions known, in the order of the keys."""


def read_keys(source: Source, found: SourceView) -> Iterator[Keys]:
    """Yield every key and version of a view, piece by piece."""
    converter = CONVERTERS[found.view.name]
    for rows, versions in stream_versions(source, found):
        given = list(zip(*rows, strict=True))
        checked = converter.keys(given)
        raws, is_askable = None, True
        if not all(map(operator.is_, checked[0], given[0])):
            raws, is_askable = _raw_keys(checked[0], given[0])
        yield Keys(checked, raws, versions, is_askable)


def stage_keys(
    connection: sqlite3.Connection,
    source: Source,
    found: SourceView,
    count: Count,
    *,
    may_agree: bool = False,
) -> Staged:
    """Write every key and version of a view into `keys_<view>`.

    A key that several rows have gets no version, so it is read every time. With `may_agree`
    nothing is written where the snapshot has the same rows.
    """
    view = found.view
    pieces = _counted(read_keys(source, found), count)
    if may_agree:
        held, agrees = _hold(connection, view, pieces)
        if agrees:
            return Staged(0, is_askable=True, agreed=True)
        pieces = chain(held, pieces)
    marks = ", ".join("?" * len(view.key))
    statement = (
        f"INSERT INTO staging.keys_{view.name} VALUES ({marks}, ?, ?, 1) "
        "ON CONFLICT DO UPDATE SET version = NULL, n = n + 1"
    )
    keyless = 0
    is_askable = True
    for piece in pieces:
        raws = piece.raws or [None] * len(piece.versions)
        is_askable = is_askable and piece.is_askable
        staged: Iterable[tuple[Any, ...]] = zip(*piece.columns, raws, piece.versions, strict=True)
        if any(None in values for values in piece.columns):
            whole = [row for row in staged if None not in row[: len(view.key)]]
            keyless += len(raws) - len(whole)
            staged = whole
        connection.executemany(statement, staged)
    return Staged(keyless, is_askable, agreed=False)


def is_known(connection: sqlite3.Connection, source: Source, found: SourceView) -> Agreement | None:
    """Return what the snapshot knows of a view, if the source has just that, and None otherwise.

    None comes also where only a closer look can tell: where a row has no key or no version, or
    spells its key otherwise, or several rows have one key.
    """
    rows = total = 0
    for piece in read_keys(source, found):
        if not piece.is_plain:
            return None
        rows += len(piece.versions)
        total += sum(map(hash, piece.lines()))
    ours = known_rows(connection, found.view)
    return ours if (rows, total) == (ours.known + ours.left_out, ours.total) else None


def known_rows(connection: sqlite3.Connection, view: View) -> Agreement:
    """Return what the snapshot knows of a view."""
    left_out = _left_out(connection, view)
    known, total, digest = _sum(connection, view, "main", view.name)
    return Agreement(known, len(left_out), total + sum(map(hash, left_out)), digest)


def digest_of_staged(connection: sqlite3.Connection, view: View) -> str:
    """Return the same digest of the keys that were staged."""
    return _sum(connection, view, "staging", f"keys_{view.name}")[2]


def _counted(pieces: Iterator[Keys], count: Count) -> Iterator[Keys]:
    for piece in pieces:
        yield piece
        count(len(piece.versions))


def _hold(
    connection: sqlite3.Connection, view: View, pieces: Iterator[Keys]
) -> tuple[list[Keys], bool]:
    """Return the pieces that were read, and whether they are all and what the snapshot has."""
    held: list[Keys] = []
    if _has_key_problems(connection, view):
        return held, False  # which may be gone now
    rows = total = 0
    for piece in pieces:
        held.append(piece)
        rows += len(piece.versions)
        if rows > _MOST_HELD or not piece.is_plain:
            return held, False
        total += sum(map(hash, piece.lines()))
    ours = known_rows(connection, view)
    return held, (rows, total) == (ours.known + ours.left_out, ours.total)


def _has_key_problems(connection: sqlite3.Connection, view: View) -> bool:
    query = (
        "SELECT 1 FROM main.problems WHERE view = ? AND rule IN ('no_key', 'duplicate_key') LIMIT 1"
    )
    return connection.execute(query, (view.name,)).fetchone() is not None


def _sum(
    connection: sqlite3.Connection, view: View, schema: str, table: str
) -> tuple[int, int, str]:
    """Return the number of a table's rows, the sum of their hashes, and a digest of them."""
    keys = ", ".join(view.key)
    digest = hashlib.blake2b(digest_size=16)
    rows = total = 0
    found = connection.execute(f"SELECT {keys}, version FROM {schema}.{table} ORDER BY {keys}")
    while some := found.fetchmany(_AT_ONCE):
        digest.update(repr(some).encode("utf-8", "surrogateescape"))
        rows += len(some)
        total += sum(map(hash, some))
    return rows, total, digest.hexdigest()


def _left_out(connection: sqlite3.Connection, view: View) -> list[tuple[object, ...]]:
    """Return keys and versions of the rows that are not shown."""
    rows = connection.execute(
        "SELECT key, version FROM main.left_out WHERE view = ?", (view.name,)
    ).fetchall()
    return [
        (
            *(
                int(part) if name == "position" else part
                for name, part in zip(view.key, key.split("\t"), strict=True)
            ),
            version,
        )
        for key, version in rows
    ]


def _raw_keys(checked: Sequence[Any], given: Sequence[Any]) -> tuple[list[Any], bool]:
    """Return keys as the source spells them where that differs, and if all can be asked for."""
    raws: list[Any] = []
    is_askable = True
    for clean, raw in zip(checked, given, strict=True):
        if clean is None or (isinstance(raw, str) and clean == raw):
            raws.append(None)
        elif isinstance(raw, int | bytes):
            raws.append(raw)
        else:
            text = str(raw)
            if not text.isascii() and _has_surrogates(text):
                is_askable = False
                raws.append(None)
            else:
                raws.append(text)
    return raws, is_askable


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
