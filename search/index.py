"""Both halves of an index: Whoosh's for the command line, and the files for browsers.

An index is made of up to four segments. The base holds what was there when it was made; what
is new or changed since comes into a small segment of tonight, which is made anew every night
until it is big enough to stay, or to become part of larger ones (`search.growth`). A document
that changed is dead in its old segment and lives in the new one. Nothing of a document that is
gone may stay: it is taken out of every file that says something of it (`search.removal`). All
other files are hard links. When too much is dead, everything becomes a new base.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from search.documents import (
    Document,
    bucket_file,
    changed_buckets,
    changed_lines,
    count_buckets,
    parse_document,
)
from search.encoding import front_coded
from search.errors import SearchError
from search.growth import Growth, Outgrown
from search.layout import Layout, Patch, Segment, read_layout, write_layout
from search.partitions import PartitionJob, Place, build_partition, iter_lines
from search.ranking import Averages
from search.removal import Removal, remove_documents
from search.schema import SCHEMA_VERSION, names_of
from search.shards import FORMAT, GROUPS, ShardsJob, write_shards
from search.words import index_words

DOCUMENTS_PER_PARTITION = 4_000
"""What a partition grows to; more cost memory in its worker, fewer cost time in queries."""

SMALL = 1_000
"""So many documents are indexed at once, without other processes."""

_MOST_AT_ONCE = 4
"""Workers of about 80 MB each."""
_SAMPLE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What became of an index."""

    documents: int
    """Documents in the index now."""
    added: int
    changed: int
    gone: int
    segments: int
    rebuilt: bool
    """Whether everything was made anew."""
    size: int
    """Bytes of Whoosh's files."""
    shards_size: int
    """Bytes of the files for browsers."""
    shards_written: int
    """Bytes of these that the previous ones did not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """An index and the documents folder that it was made from."""

    documents: Path
    index: Path
    shards: Path


def update_index(
    documents: Path,
    index: Path,
    shards: Path,
    *,
    previous: Previous | None = None,
    averages: Averages | None = None,
    executor: Executor,
    progress: Callable[[int, int], None] | None = None,
) -> IndexReport:
    """Build in the folders `index` and `shards`, which must not exist, those of `documents`.

    With a previous index only what differs is indexed, if it can be. `averages` are the
    lengths that ranking is to be frozen with; without them those of the previous index, or
    of a sample of the documents. `progress` is told partitions done and in all. Raises
    SearchError if the documents folder is damaged or a folder exists; then none is left.
    """
    for folder in (index, shards):
        if folder.exists():
            raise SearchError(f"{folder} exists already.", hint="Name a folder that does not.")
    index.mkdir(parents=True)
    shards.mkdir(parents=True)
    try:
        build = _Build(documents, index, shards, executor, progress)
        report = build.update(previous, averages) if previous else None
        if report is None:
            report = build.anew(averages or _frozen(previous))
        return report
    except BaseException:
        shutil.rmtree(index, ignore_errors=True)
        shutil.rmtree(shards, ignore_errors=True)
        raise


class _Build:
    def __init__(
        self,
        documents: Path,
        index: Path,
        shards: Path,
        executor: Executor,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.documents = documents
        self.index = index
        self.shards = shards
        self.executor = executor
        self.progress = progress
        self.buckets = count_buckets(documents)

    def anew(self, averages: Averages | None) -> IndexReport:
        """Make everything one base."""
        found, name = self._scan()
        found.sort(key=lambda item: item[0])
        places = tuple(place for _, place in found)
        publications = sum(key[0] == 0 for key, _ in found)
        del found
        averages = averages or self._sample(places[:publications])
        name.update(repr((FORMAT, SCHEMA_VERSION, averages)).encode())
        segments = []
        if places:
            segments = [self._make(name.hexdigest(), places, (), publications, averages)]
        return self._finish(segments, averages, None, added=len(places))

    def update(self, previous: Previous, averages: Averages | None) -> IndexReport | None:
        """Index what differs; None if everything has to be made anew."""
        try:
            layout = read_layout(previous.index)
            if layout.buckets != self.buckets or count_buckets(previous.documents) != self.buckets:
                return None
        except SearchError:
            return None
        if averages not in (None, layout.averages) or not previous.shards.is_dir():
            return None
        new, old = self._differences(previous.documents)
        if not layout.segments:
            return None if old or new or not self._is_empty() else self._empty(layout)
        try:
            growth = Growth(previous.index, layout, old, new, small=SMALL)
            kept: list[Segment] = []
            unused: set[str] = set()
            for segment in growth.kept:
                kept.append(self._keep(previous, growth, segment, layout, unused))
        except Outgrown:
            return None
        except (ValueError, LookupError, OSError):  # its files are not what they should be
            for folder in (self.index, self.shards):
                shutil.rmtree(folder)
                folder.mkdir()
            return None
        if growth.lines:
            kept.append(self._make_small(growth.lines, layout.averages, kept))
        return self._finish(
            kept,
            layout.averages,
            previous,
            added=len(new.keys() - old.keys()),
            changed=len(new.keys() & old.keys()),
            gone=len(growth.gone),
            rebuilt=False,
        )

    def _keep(
        self,
        previous: Previous,
        growth: Growth,
        segment: Segment,
        layout: Layout,
        unused: set[str],
    ) -> Segment:
        """Link the files of a segment, without what is gone from it.

        `unused` are the words that older segments have no more, and then this one.
        """
        _link_tree(previous.index / segment.name, self.index / segment.name)
        for name in (segment.name, *(patch.name for patch in segment.patches)):
            _link_tree(previous.shards / name, self.shards / name)
        lines = growth.lines_gone(segment)
        if not lines and not unused:
            return segment
        return remove_documents(
            Removal(
                segment=segment,
                index=self.index,
                shards=self.shards,
                averages=layout.averages,
                lines=lines,
                unused=unused,
            )
        )

    def _empty(self, layout: Layout) -> IndexReport:
        return self._finish([], layout.averages, None)

    def _is_empty(self) -> bool:
        files = (bucket_file(self.documents, b) for b in range(self.buckets))
        return not any(file.exists() and file.stat().st_size for file in files)

    def _scan(self) -> tuple[list[tuple[tuple[int, int, str], Place]], Any]:
        """Return order and place of every document, and a digest of all."""
        found = []
        digest = hashlib.blake2b(digest_size=6)
        for bucket in range(self.buckets):
            try:
                content = bucket_file(self.documents, bucket).read_bytes()
            except FileNotFoundError:
                continue
            digest.update(content)
            start = 0
            for line in content.splitlines(keepends=True):
                found.append((_order(parse_document(line)), Place(bucket, start, len(line))))
                start += len(line)
        return found, digest

    def _sample(self, places: tuple[Place, ...]) -> Averages:
        """Return the average lengths of a sample, of the documents that have the field."""
        step = max(len(places) // _SAMPLE, 1)
        lengths: dict[str, list[int]] = {"title": [], "people": [], "abstract": []}
        job = PartitionJob(
            documents=self.documents, places=places[::step], first=0, averages=Averages(),
            index=self.index, postings=None,
        )  # fmt: skip
        for line in iter_lines(job):
            document = parse_document(line)
            lengths["title"].append(len(index_words(document.title)))
            lengths["people"].append(sum(len(index_words(n)) for n in names_of(document)))
            lengths["abstract"].append(len(index_words(document.abstract)))
        default = Averages()
        return Averages(
            **{
                name: round(sum(values) / sum(v > 0 for v in values), 1)
                if any(values)
                else getattr(default, name)
                for name, values in lengths.items()
            }
        )

    def _make(
        self,
        name: str,
        places: tuple[Place, ...],
        lines: tuple[bytes, ...],
        publications: int,
        averages: Averages,
        older: tuple[Path, ...] = (),
    ) -> Segment:
        total = len(places) or len(lines)
        count = max(-(-total // DOCUMENTS_PER_PARTITION), 1)
        firsts = tuple(total * i // count for i in range(count))
        with tempfile.TemporaryDirectory(dir=self.index) as temporary:
            jobs = [
                PartitionJob(
                    documents=self.documents,
                    places=places[first:end],
                    lines=lines[first:end],
                    first=first,
                    averages=averages,
                    index=self.index / name / f"{i:02}",
                    postings=Path(temporary) / str(i),
                )
                for i, (first, end) in enumerate(zip(firsts, (*firsts[1:], total), strict=True))
            ]
            export = ShardsJob(
                documents=self.documents,
                places=places,
                lines=lines,
                postings=tuple(job.postings for job in jobs if job.postings),
                publications=publications,
                target=self.shards / name,
                own=self.index / name,
                older=older,
            )
            if total <= SMALL:
                for job in jobs:
                    build_partition(job)
                directory = write_shards(export)
            else:
                self._run(jobs)
                directory = self.executor.submit(write_shards, export).result()
        return Segment(name=name, documents=total, firsts=firsts, dead=(), directory=directory)

    def _make_small(self, lines: list[bytes], averages: Averages, older: list[Segment]) -> Segment:
        documents = sorted((_order(parse_document(line)), line) for line in lines)
        ordered = tuple(line for _, line in documents)
        digest = hashlib.blake2b(b"".join(ordered), digest_size=6)
        digest.update(repr((FORMAT, SCHEMA_VERSION, averages)).encode())
        # The forms of words that older segments have are in its files, too.
        digest.update(repr([(s.name, [p.name for p in s.patches]) for s in older]).encode())
        publications = sum(key[0] == 0 for key, _ in documents)
        groups = tuple(self.index / segment.name / GROUPS for segment in older)
        return self._make(digest.hexdigest(), (), ordered, publications, averages, groups)

    def _run(self, jobs: list[PartitionJob]) -> None:
        """Run jobs, _MOST_AT_ONCE at a time, so that memory does not grow with the cores."""
        waiting = list(reversed(jobs))
        running: set[Future[int]] = set()
        done = 0
        try:
            while waiting or running:
                while waiting and len(running) < _MOST_AT_ONCE:
                    running.add(self.executor.submit(build_partition, waiting.pop()))
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done += 1
                    if self.progress:
                        self.progress(done, len(jobs))
        finally:
            for future in running:
                future.cancel()
            wait(running)  # a worker must not write into a folder that is being removed

    def _differences(self, previous: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Return id → line of the documents that are new or other, and as they were."""
        new: dict[str, bytes] = {}
        old: dict[str, bytes] = {}
        for bucket in changed_buckets(self.documents, previous):
            now, before = changed_lines(
                bucket_file(self.documents, bucket), bucket_file(previous, bucket)
            )
            new |= {parse_document(line).id: line for line in now}
            old |= {parse_document(line).id: line for line in before}
        return new, old

    def _finish(
        self,
        segments: list[Segment],
        averages: Averages,
        previous: Previous | None,
        *,
        added: int = 0,
        changed: int = 0,
        gone: int = 0,
        rebuilt: bool = True,
    ) -> IndexReport:
        layout = Layout(
            schema=SCHEMA_VERSION,
            buckets=self.buckets,
            averages=averages,
            segments=tuple(segments),
        )
        write_layout(self.index, layout)
        _write_manifest(self.shards, layout)
        size, _ = _weigh(self.index, None)
        shards_size, written = _weigh(self.shards, previous.shards if previous else None)
        return IndexReport(
            documents=layout.documents,
            added=added,
            changed=changed,
            gone=gone,
            segments=len(segments),
            rebuilt=rebuilt,
            size=size,
            shards_size=shards_size,
            shards_written=written,
        )


def _order(document: Document) -> tuple[int, int, str]:
    """Return what orders documents: publications first, the newest first."""
    return (document.type != "publication", -(document.year or 0), document.id)


def _frozen(previous: Previous | None) -> Averages | None:
    if previous is None:
        return None
    try:
        return read_layout(previous.index).averages
    except SearchError:
        return None


def _write_manifest(shards: Path, layout: Layout) -> None:
    manifest = {
        "format": FORMAT,
        "documents": layout.documents,
        "segments": [
            {
                "name": segment.name,
                "dead": _steps(segment.dead),
                "patches": [[patch.name, _listed(patch)] for patch in segment.patches],
                **segment.directory,
                # Forms of one word share their beginnings.
                "heads": "\n\n".join(
                    front_coded(forms.split()) for forms in segment.directory["heads"]
                ),
            }
            for segment in layout.segments
        ],
    }
    (shards / "manifest.json").write_bytes(orjson.dumps(manifest) + b"\n")


def _listed(patch: Patch) -> dict[str, list[int | str]]:
    """Return the files of a patch, by folder: numbers as steps, other names as they are."""
    numbers: dict[str, list[int]] = {}
    names: dict[str, list[str]] = {}
    for path in patch.files:
        folder, _, name = path.partition("/")
        if name.isdecimal():
            numbers.setdefault(folder, []).append(int(name))
        else:
            names.setdefault(folder, []).append(name)
    return {
        folder: [*_steps(sorted(numbers.get(folder, []))), *names.get(folder, [])]
        for folder in sorted(numbers.keys() | names.keys())
    }


def _steps(numbers: Iterable[int]) -> list[int]:
    steps, before = [], 0
    for number in numbers:
        steps.append(number - before)
        before = number
    return steps


def _link_tree(source: str | Path, target: str | Path) -> None:
    Path(target).mkdir()
    for entry in os.scandir(source):
        path = f"{target}/{entry.name}"  # there are thousands: no Path for each
        if entry.is_dir():
            _link_tree(entry.path, path)
        elif not entry.name.endswith(("LOCK", ".br", ".gz")):  # siblings are the release's own
            try:
                os.link(entry.path, path)
            except OSError:  # another file system, or one without hard links
                shutil.copyfile(entry.path, path)


def _weigh(folder: Path, previous: Path | None) -> tuple[int, int]:
    """Return the bytes of all files, and of those that a previous folder does not have."""
    kept = {entry.name for entry in os.scandir(previous)} if previous else set()
    size = new = 0
    for entry in os.scandir(folder):
        if entry.is_dir():
            inside, _ = _weigh(Path(entry.path), None)
        else:
            inside = entry.stat().st_size
        size += inside
        if entry.name not in kept or not entry.is_dir():
            new += inside
    return size, new
