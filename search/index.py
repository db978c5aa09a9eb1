"""The Whoosh index of a documents folder, built in parallel and updated in place of rebuilt.

The index is a fixed number of partitions, each an ordinary Whoosh index of the documents
of its buckets; `search.query` reads them together. Files of a previous index are never
changed: unchanged ones are hard links, and Whoosh itself only adds and unlinks files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex

from search.documents import (
    Document,
    bucket_file,
    changed_buckets,
    changed_lines,
    count_buckets,
    parse_document,
    read_lines,
)
from search.errors import SearchError
from search.schema import SCHEMA_VERSION, TEXT_FIELDS, Codec, index_fields, make_schema

DOCUMENTS_PER_PARTITION = 8_000
"""What a partition grows to; more cost memory in its worker, fewer cost time in queries."""

_REBUILT_ABOVE_DELETED = 0.2
_POOL_MB = 96
"""Postings that a worker sorts in memory; more go through temporary files."""

_MOST_AT_ONCE = 6
"""Workers of about 150 MB each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What became of an index."""

    documents: int
    """Documents in the index now."""
    added: int
    changed: int
    gone: int
    partitions: int
    rebuilt: int
    """Partitions made from nothing."""
    updated: int
    """Partitions that kept their files and got some more."""
    size: int
    """Bytes of all files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`layout.json` of an index."""

    schema: int
    buckets: int
    partitions: tuple[PartitionFacts, ...]

    @property
    def documents(self) -> int:
        return sum(p.documents for p in self.partitions)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionFacts:
    """How many documents a partition holds, and their words in each of TEXT_FIELDS."""

    documents: int
    lengths: tuple[int, ...]


def update_index(
    documents: Path,
    index: Path,
    *,
    previous_documents: Path | None = None,
    previous_index: Path | None = None,
    executor: Executor,
    partitions: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> IndexReport:
    """Build in the folder `index`, which must not exist yet, the index of `documents`.

    With a previous index and the documents folder that it was built from, only what
    differs is indexed. A previous index of another schema or layout is not used.
    `progress` is told partitions done and in all. Raises SearchError if the documents
    folder is damaged or `index` exists; then no index is left behind.
    """
    if index.exists():
        raise SearchError(f"{index} exists already.", hint="Name a folder that does not.")
    buckets = count_buckets(documents)
    previous = _usable_layout(previous_index, previous_documents, buckets)
    if previous and partitions in (None, len(previous.partitions)):
        count = len(previous.partitions)
    else:
        previous = None
        count = partitions or _choose_partitions(documents, buckets)
    touched = set(range(count))
    if previous and previous_documents:
        touched = {b % count for b in changed_buckets(documents, previous_documents)}
    index.mkdir(parents=True)
    try:
        jobs: dict[int, _Job] = {}
        for number in range(count):
            earlier = _folder(previous_index, number) if previous and previous_index else None
            job = _Job(
                documents=documents,
                index=_folder(index, number),
                buckets=tuple(range(number, buckets, count)),
                previous_documents=previous_documents if previous else None,
                previous_index=earlier,
                previous_facts=previous.partitions[number] if previous else None,
            )
            if number in touched:
                jobs[number] = job
            elif earlier:
                _link_files(earlier, job.index)
        outcomes = _run(jobs, executor, progress)
    except BaseException:
        shutil.rmtree(index, ignore_errors=True)
        raise
    facts = [
        outcomes[number].facts if number in outcomes else previous.partitions[number]  # type: ignore[union-attr]
        for number in range(count)
    ]
    layout = Layout(schema=SCHEMA_VERSION, buckets=buckets, partitions=tuple(facts))
    _write_layout(index, layout)
    return IndexReport(
        documents=layout.documents,
        added=sum(o.added for o in outcomes.values()),
        changed=sum(o.changed for o in outcomes.values()),
        gone=sum(o.gone for o in outcomes.values()),
        partitions=count,
        rebuilt=sum(o.rebuilt for o in outcomes.values()),
        updated=sum(not o.rebuilt for o in outcomes.values()),
        size=sum(f.stat().st_size for f in index.rglob("*") if f.is_file()),
    )


def read_layout(index: Path) -> Layout:
    """Return the layout of the index in folder `index`.

    Raises SearchError if there is none, or one of another schema version.
    """
    try:
        row: dict[str, Any] = orjson.loads((index / "layout.json").read_bytes())
        layout = Layout(
            schema=row["schema"],
            buckets=row["buckets"],
            partitions=tuple(
                PartitionFacts(documents=p["documents"], lengths=tuple(p["lengths"]))
                for p in row["partitions"]
            ),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SearchError(
            f"{index} holds no search index: {error}.", hint="Run 'nightpress index'."
        ) from error
    if layout.schema != SCHEMA_VERSION:
        raise SearchError(
            f"{index} has schema version {layout.schema}, this program reads {SCHEMA_VERSION}.",
            hint="Run 'nightpress index'.",
        )
    return layout


def partition_folders(index: Path, layout: Layout) -> list[Path]:
    """Return the folders of the partitions, each an ordinary Whoosh index."""
    return [_folder(index, number) for number in range(len(layout.partitions))]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    documents: Path
    index: Path
    buckets: tuple[int, ...]
    previous_documents: Path | None
    previous_index: Path | None
    previous_facts: PartitionFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    facts: PartitionFacts
    added: int
    changed: int
    gone: int
    rebuilt: bool


def _build_partition(job: _Job) -> _Outcome:
    """Build or update one partition; runs in a worker."""
    if job.previous_index and job.previous_documents and job.previous_facts:
        outcome = _update_partition(
            job, job.previous_index, job.previous_documents, job.previous_facts
        )
        if outcome:
            return outcome
    return _fill_partition(job)


def _fill_partition(job: _Job) -> _Outcome:
    count = 0
    totals = [0] * len(TEXT_FIELDS)
    with _writing(_create(job.index)) as writer:
        for bucket in job.buckets:
            for line in read_lines(bucket_file(job.documents, bucket)):
                _add(writer, parse_document(line), line, totals)
                count += 1
    _tidy(job.index)
    facts = PartitionFacts(documents=count, lengths=tuple(totals))
    return _Outcome(facts=facts, added=count, changed=0, gone=0, rebuilt=True)


def _update_partition(
    job: _Job, previous_index: Path, previous_documents: Path, previous: PartitionFacts
) -> _Outcome | None:
    """Return None if so much changed that making the partition anew is better."""
    new: list[bytes] = []
    old: list[bytes] = []
    for bucket in job.buckets:
        new_lines, old_lines = changed_lines(
            bucket_file(job.documents, bucket), bucket_file(previous_documents, bucket)
        )
        new += new_lines
        old += old_lines
    _link_files(previous_index, job.index)
    totals = list(previous.lengths)
    before: set[str] = set()
    now: set[str] = set()
    # Whoosh's own policy merges small segments, so that their number stays logarithmic.
    with _writing(FileIndex(FileStorage(str(job.index)))) as writer:
        stale = writer.deleted_count() + len(old)
        too_many = stale > _REBUILT_ABOVE_DELETED * (previous.documents + stale)
        with writer.searcher() as searcher:
            for line in () if too_many else old:
                document = parse_document(line)
                before.add(document.id)
                writer.delete_by_term("id", document.id, searcher=searcher)
                _, lengths = index_fields(document, line)
                for i, length in enumerate(lengths):
                    totals[i] -= length
        for line in () if too_many else new:
            document = parse_document(line)
            now.add(document.id)
            _add(writer, document, line, totals)
    if too_many:
        shutil.rmtree(job.index)
        return None
    _tidy(job.index)
    return _Outcome(
        facts=PartitionFacts(
            documents=previous.documents + len(new) - len(old), lengths=tuple(totals)
        ),
        added=len(now - before),
        changed=len(now & before),
        gone=len(before - now),
        rebuilt=False,
    )


@contextmanager
def _writing(whoosh_index: FileIndex) -> Iterator[Any]:
    """A writer that commits at the end of the block, or takes everything back."""
    writer = whoosh_index.writer(limitmb=_POOL_MB, codec=Codec(), compound=False)
    try:
        yield writer
    except BaseException:
        writer.cancel()
        raise
    writer.commit()


def _add(writer: Any, document: Document, line: bytes, totals: list[int]) -> None:
    values, lengths = index_fields(document, line)
    writer.add_document(**values)
    for i, length in enumerate(lengths):
        totals[i] += length


def _create(folder: Path) -> FileIndex:
    folder.mkdir()
    created: FileIndex = FileIndex.create(FileStorage(str(folder)), make_schema())
    return created


def _tidy(folder: Path) -> None:
    """Remove what a writer leaves beside the index: its lock."""
    for lock in folder.glob("*LOCK"):
        lock.unlink()


def _run(
    jobs: dict[int, _Job], executor: Executor, progress: Callable[[int, int], None] | None
) -> dict[int, _Outcome]:
    """Run jobs, _MOST_AT_ONCE at a time, so that memory does not grow with the cores."""
    outcomes: dict[int, _Outcome] = {}
    waiting = iter(jobs.items())
    running: dict[Future[_Outcome], int] = {}
    try:
        while True:
            for number, job in islice(waiting, _MOST_AT_ONCE - len(running)):
                running[executor.submit(_build_partition, job)] = number
            if not running:
                return outcomes
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                outcomes[running.pop(future)] = future.result()
                if progress:
                    progress(len(outcomes), len(jobs))
    finally:
        for future in running:
            future.cancel()
        wait(running)  # a worker must not write into a folder that is being removed


def _usable_layout(
    previous_index: Path | None, previous_documents: Path | None, buckets: int
) -> Layout | None:
    if not previous_index or not previous_documents:
        return None
    try:
        layout = read_layout(previous_index)
        same = layout.buckets == buckets == count_buckets(previous_documents)
    except SearchError:
        return None
    return layout if same else None


def _choose_partitions(documents: Path, buckets: int) -> int:
    lines = sum(len(read_lines(bucket_file(documents, bucket))) for bucket in range(buckets))
    count = 1
    while count * DOCUMENTS_PER_PARTITION < lines and count < buckets:
        count *= 2
    return min(count, buckets)


def _folder(index: Path | None, number: int) -> Path:
    assert index is not None
    return index / f"{number:02}"


def _link_files(source: Path, target: Path) -> None:
    target.mkdir()
    for file in _files(source):
        try:
            os.link(file, target / file.name)
        except OSError:  # another file system, or one without hard links
            shutil.copyfile(file, target / file.name)


def _files(folder: Path) -> Iterable[Path]:
    return (f for f in folder.iterdir() if f.is_file() and not f.name.endswith("LOCK"))


def _write_layout(index: Path, layout: Layout) -> None:
    row = {
        "schema": layout.schema,
        "buckets": layout.buckets,
        "partitions": [
            {"documents": p.documents, "lengths": list(p.lengths)} for p in layout.partitions
        ],
    }
    (index / "layout.json").write_bytes(orjson.dumps(row) + b"\n")
