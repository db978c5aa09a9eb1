"""The documents folder: what the build wrote for search, one JSON object per line.

`layout.json` names the number of buckets, `0000.jsonl` … hold the documents, sorted by id,
each in the bucket that its id hashes to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from search.errors import SearchError


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What search knows of one record: only what the record's own page shows."""

    id: str
    """`type:id`, such as publication:2020.acl-main.1"""
    type: str
    url: str
    title: str
    people: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Other forms of a person's name, or of a title: LaTeX that the title shows as characters."""
    venue: str = ""
    venue_short: str = ""
    year: int | None = None
    date: str = ""
    kind: str = ""
    topics: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()
    abstract: str = ""
    doi: str = ""
    access: str = "public"
    status: str = "current"

    @property
    def record_id(self) -> str:
        """The id without its type."""
        return self.id.partition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Ids of the documents that differ between two documents folders, sorted."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


_TUPLES = ("people", "names", "topics", "institutions")
_TEXTS = (
    "venue", "venue_short", "date", "kind", "abstract", "doi", "access", "status",
)  # fmt: skip


def parse_document(line: bytes) -> Document:
    """Return the document of one line; absent values are empty.

    Raises SearchError for a line that is no document.
    """
    try:
        row: dict[str, Any] = orjson.loads(line)
        values: dict[str, Any] = {name: tuple(row[name]) for name in _TUPLES if name in row}
        values |= {name: row[name] for name in _TEXTS if row.get(name)}
        return Document(
            id=row["id"],
            type=row["type"],
            url=row["url"],
            title=row["title"],
            year=row.get("year"),
            **values,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SearchError(f"This line is no document ({error!r}): {line[:200]!r}.") from error


def count_buckets(documents: Path) -> int:
    """Return the number of buckets of a documents folder.

    Raises SearchError if the folder is none.
    """
    try:
        return int(orjson.loads((documents / "layout.json").read_bytes())["buckets"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SearchError(
            f"{documents} is not a documents folder: {error}.", hint="Run 'nightpress build'."
        ) from error


def bucket_file(documents: Path, bucket: int) -> Path:
    """Return the file of one bucket; an empty bucket may have none."""
    return documents / _name(bucket)


def _name(bucket: int) -> str:
    return f"{bucket:04}.jsonl"


def read_lines(path: Path) -> list[bytes]:
    """Return the lines of one bucket, without their line ends."""
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []


def read_documents(documents: Path) -> Iterator[Document]:
    """Yield every document of a folder, bucket by bucket."""
    for bucket in range(count_buckets(documents)):
        for line in read_lines(bucket_file(documents, bucket)):
            yield parse_document(line)


def same_bytes(one: Path, other: Path) -> bool:
    """Return whether two bucket files hold the same bytes; hard links cost nothing."""
    try:
        a, b = one.stat(), other.stat()
    except FileNotFoundError:
        return not one.exists() and not other.exists()
    if os.path.samestat(a, b):
        return True
    return a.st_size == b.st_size and one.read_bytes() == other.read_bytes()


def changed_buckets(documents: Path, previous: Path) -> list[int]:
    """Return the buckets whose bytes differ, of two folders with as many buckets."""
    here, there = _inodes(documents), _inodes(previous)
    return [
        bucket
        for bucket in range(count_buckets(documents))
        if here.get(name := _name(bucket)) != there.get(name)
        and not same_bytes(documents / name, previous / name)
    ]


def _inodes(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what tells each file of a folder from every other; hard links are the same file."""
    device = folder.stat().st_dev
    with os.scandir(folder) as found:
        return {item.name: (device, item.inode()) for item in found}


def changed_lines(path: Path, previous: Path) -> tuple[list[bytes], list[bytes]]:
    """Return the lines that only the first and only the second of two buckets has."""
    now, before = read_lines(path), read_lines(previous)
    old, new = set(before), set(now)
    return [line for line in now if line not in old], [line for line in before if line not in new]


def diff_documents(documents: Path, previous: Path) -> Changes:
    """Return which documents are new, changed or gone since the folder `previous`.

    Only buckets whose bytes differ are read, and of these only the lines that differ are
    parsed. Folders with different numbers of buckets are compared whole.
    """
    now: set[str] = set()
    before: set[str] = set()
    for new_lines, old_lines in _differing_lines(documents, previous):
        now |= {orjson.loads(line)["id"] for line in new_lines}
        before |= {orjson.loads(line)["id"] for line in old_lines}
    return Changes(
        added=tuple(sorted(now - before)),
        changed=tuple(sorted(now & before)),
        gone=tuple(sorted(before - now)),
    )


def _differing_lines(documents: Path, previous: Path) -> Iterator[tuple[list[bytes], list[bytes]]]:
    if count_buckets(documents) == count_buckets(previous):
        for bucket in changed_buckets(documents, previous):
            yield changed_lines(bucket_file(documents, bucket), bucket_file(previous, bucket))
        return
    now, before = _all_lines(documents), _all_lines(previous)
    yield sorted(now - before), sorted(before - now)


def _all_lines(documents: Path) -> set[bytes]:
    return {
        line
        for bucket in range(count_buckets(documents))
        for line in read_lines(bucket_file(documents, bucket))
    }
