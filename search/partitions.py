"""One partition of a segment: an ordinary Whoosh index of documents with adjacent numbers.

A document's number in its segment is the partition's first number plus Whoosh's own. What
Whoosh is given goes into a second file, too, term by term, from which `search.shards` writes the
segment's files for browsers: both hold the same postings.
"""

from __future__ import annotations

import marshal
import pickle
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex
from whoosh.reading import IndexReader

from search.documents import bucket_file, parse_document
from search.ranking import Averages
from search.schema import STEMS, Analysis, Codec, analyse, make_schema

_POOL_MB = 32
"""Postings that a worker sorts in memory; more go through temporary files."""

_WORDS = "words.txt"
_COUNTS = "counts.bin"
_GONE = "gone.json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document's line stands in a documents folder."""

    bucket: int
    start: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionJob:
    """What a worker needs to build a partition."""

    documents: Path
    places: tuple[Place, ...]
    """In order of the documents' numbers."""
    lines: tuple[bytes, ...] = ()
    """The documents themselves, instead of their places."""
    first: int
    """The number of the first document."""
    averages: Averages
    index: Path
    postings: Path | None
    """The file for the postings read back."""


def build_partition(job: PartitionJob) -> int:
    """Build one partition; return how many documents it holds. Runs in a worker."""
    lines = list(iter_lines(job))
    forms: set[str] = set()
    words: set[str] = set()
    counts: Counter[str] = Counter()
    job.index.mkdir(parents=True)
    whoosh_index: Any = FileIndex.create(FileStorage(str(job.index)), make_schema())
    gathered = _Gathered()
    with _writing(whoosh_index) as writer:
        for number, line in enumerate(lines, job.first):
            analysis = analyse(parse_document(line), line, job.averages)
            writer.add_document(**analysis.values)
            forms |= analysis.forms
            words |= analysis.words
            counts.update(analysis.forms | analysis.words)
            if job.postings:
                gathered.add(number, analysis)
        if job.postings:
            gathered.write(job.postings, forms, words)
        del gathered
    for lock in job.index.glob("*LOCK"):
        lock.unlink()
    write_words(job.index, counts)
    return len(lines)


def write_words(folder: Path, counts: Mapping[str, int]) -> None:
    """Write the folded words of a partition and how many documents have each."""
    known = sorted(counts)
    _replace(folder / _WORDS, "\n".join(known).encode())
    _replace(folder / _COUNTS, array("I", map(counts.__getitem__, known)).tobytes())


def read_counts(folder: Path) -> dict[str, int]:
    """Return how many documents of a partition have each of its words."""
    counts = array("I")
    counts.frombytes((folder / _COUNTS).read_bytes())
    text = (folder / _WORDS).read_text(encoding="utf-8")
    return dict(zip(text.split("\n"), counts, strict=True)) if text else {}


def read_words(folder: Path) -> frozenset[str]:
    """Return the folded words of a partition, before stemming, and its names of two words."""
    text = (folder / _WORDS).read_text(encoding="utf-8")
    return frozenset(text.split("\n")) if text else frozenset()


def read_gone(folder: Path) -> dict[str, dict[str, int]]:
    """Return how many documents that are gone Whoosh still counts, by field and term."""
    try:
        found: dict[str, dict[str, int]] = orjson.loads((folder / _GONE).read_bytes())
    except FileNotFoundError:
        return {}
    return found


def write_gone(folder: Path, terms: Mapping[str, Mapping[str, int]]) -> None:
    """Count the terms of documents that go, by field, beside those that went before."""
    before = read_gone(folder)
    counts = {name: Counter(before.get(name, {})) + Counter(terms[name]) for name in terms}
    _replace(folder / _GONE, orjson.dumps(counts))


def read_line(reader: Any, number: int) -> bytes | None:
    """Return the line of a document of a partition; None if it was blanked."""
    try:
        line: bytes = reader.stored_fields(number)["document"]
    except zlib.error:
        return None
    return line


def blank_line(folder: Path, line: bytes) -> None:
    """Leave nothing of the line that a partition keeps of a document.

    Raises ValueError if the partition does not have it.
    """
    stored = zlib.compress(pickle.dumps({"document": line}, 2), 3)  # as Whoosh does
    for path in folder.glob("*_stored.col"):
        content = path.read_bytes()
        if stored in content:
            _replace(path, content.replace(stored, bytes(len(stored)), 1))
            return
    raise ValueError(f"{folder} keeps no such line")


def _replace(path: Path, content: bytes) -> None:
    """Write a file anew: what was there may be that of another release, too."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


class HasDocuments(Protocol):
    """Documents by their places in a documents folder, or as they are."""

    @property
    def documents(self) -> Path: ...
    @property
    def places(self) -> tuple[Place, ...]: ...
    @property
    def lines(self) -> tuple[bytes, ...]: ...


def iter_lines(job: HasDocuments, at_once: int = 4_000) -> Iterator[bytes]:
    """Yield the documents' lines in order; each bucket is read once for so many of them."""
    yield from job.lines
    for begin in range(0, len(job.places), at_once):
        places = job.places[begin : begin + at_once]
        lines: list[bytes] = [b""] * len(places)
        by_bucket: dict[int, list[int]] = {}
        for i, place in enumerate(places):
            by_bucket.setdefault(place.bucket, []).append(i)
        for bucket, numbers in by_bucket.items():
            content = bucket_file(job.documents, bucket).read_bytes()
            for i in numbers:
                lines[i] = content[places[i].start : places[i].start + places[i].length]
        yield from lines


def open_partition(folder: Path) -> IndexReader:
    """Return Whoosh's reader of a partition."""
    reader: IndexReader = FileIndex(FileStorage(str(folder))).reader()
    return reader


Postings = tuple[str, bytes, bytes, bytes, dict[int, list[int]]]
"""Term, numbers (32 bits each), impacts (8 bits each), position values, and the positions in
documents that have the word too often for these."""


def read_postings(path: Path) -> tuple[dict[str, Any], Iterator[Postings]]:
    """Return what a partition says of its words, and its postings in order: of
    text (`a` and the stem), of names (`b` and the word), of spellings (`c` and the spelling).
    """
    file = path.open("rb")
    head: dict[str, Any] = marshal.load(file)  # noqa: S302 - a file of our own run

    def postings() -> Iterator[Postings]:
        with file:
            for _ in range(head["terms"]):
                yield marshal.load(file)  # noqa: S302

    return head, postings()


class _Gathered:
    """The postings of a partition, as its documents come."""

    def __init__(self) -> None:
        self._words: dict[str, dict[bytes, list[Any]]] = {"text": {}, "names": {}}
        """Field → term → number, impact and positions of each document, one after the other."""
        self._spellings: dict[str, list[int]] = {}
        self._crowded: dict[str, dict[int, list[int]]] = {}

    def add(self, number: int, analysis: Analysis) -> None:
        for field, terms in self._words.items():
            for term, _, weight, value in analysis.values.get(field, ()):
                if term in terms:
                    terms[term] += (number, weight, value)
                else:
                    terms[term] = [number, weight, value]
        for spelling in analysis.values.get("spelling", ()):
            self._spellings.setdefault(spelling, []).append(number)
        for stem, positions in analysis.crowded.items():
            self._crowded.setdefault(stem, {})[number] = positions

    def write(self, path: Path, forms: Iterable[str], words: Iterable[str]) -> None:
        head = {
            "terms": sum(map(len, self._words.values())) + len(self._spellings),
            "forms": {form: STEMS[form] for form in forms},
            "names": {word: STEMS[word] for word in words},
        }
        with path.open("wb") as file:
            marshal.dump(head, file)
            for field, prefix in (("text", "a"), ("names", "b")):
                for term, found in sorted(self._words[field].items()):
                    name = term.decode()
                    marshal.dump(
                        (
                            prefix + name,
                            array("I", found[::3]).tobytes(),
                            bytes(map(int, found[1::3])),
                            b"".join(found[2::3]),
                            self._crowded.get(name, {}) if field == "text" else {},
                        ),
                        file,
                    )
            for name, numbers in sorted(self._spellings.items(), key=lambda s: s[0].encode()):
                marshal.dump(("c" + name, array("I", numbers).tobytes(), b"", b"", {}), file)


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
