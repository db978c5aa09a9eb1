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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex
from whoosh.reading import IndexReader

from search.codec import Codec, Gathered
from search.documents import bucket_file, parse_document
from search.encoding import posting_key
from search.ranking import Averages
from search.schema import STEMS, Analysis, analyse, make_schema

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
    counts: Counter[str] = Counter()
    job.index.mkdir(parents=True)
    whoosh_index: Any = FileIndex.create(FileStorage(str(job.index)), make_schema())
    gathered: dict[str, dict[str, list[Any]]] = {}
    with _writing(whoosh_index, gathered) as writer:
        for number, line in enumerate(lines):
            analysis = analyse(parse_document(line), job.averages)
            writer.add_document(document=line)
            counts.update(analysis.forms)
            _gather(gathered, number, analysis)
        if job.postings:
            _write_postings(job.postings, job.first, gathered, counts)
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


def _gather(gathered: dict[str, dict[str, list[Any]]], number: int, analysis: Analysis) -> None:
    for field, entries in analysis.words.items():
        terms = gathered.setdefault(field, {})
        for term, impact, places in entries:
            if term in terms:
                terms[term] += (number, impact, places)
            else:
                terms[term] = [number, impact, places]
    for field, keys in analysis.keys.items():
        terms = gathered.setdefault(field, {})
        for key in keys:
            terms.setdefault(key, []).append(number)


Postings = tuple[str, bytes, bytes]
"""Term, posting keys (64 bits each, rising), and the positions in each document, joined."""


def read_postings(path: Path) -> tuple[dict[str, str], Iterator[Postings]]:
    """Return word → stem of a partition, and its postings in order: of text (`a` and the
    stem), of names (`b` and the word), of spellings (`c` and the spelling, with numbers as keys).
    """
    file = path.open("rb")
    stems: dict[str, str]
    stems, terms = marshal.load(file)  # noqa: S302 - a file of our own run

    def postings() -> Iterator[Postings]:
        with file:
            for _ in range(terms):
                yield marshal.load(file)  # noqa: S302

    return stems, postings()


def _write_postings(path: Path, first: int, gathered: Gathered, counts: Mapping[str, int]) -> None:
    fields = [("a", gathered["text"]), ("b", gathered["names"]), ("c", gathered["spelling"])]
    terms = sum(len(found) for _, found in fields)
    with path.open("wb") as file:
        marshal.dump(({form: STEMS[form] for form in counts}, terms), file, 2)
        for prefix, lists in fields:
            for term, found in sorted(lists.items()):
                if prefix == "c":
                    keys, places = [first + number for number in found], b""
                elif len(found) == 3:
                    keys, places = [posting_key(first + found[0], found[1])], found[2]
                else:
                    numbers, impacts = found[::3], found[1::3]
                    keyed = sorted(
                        zip(
                            map(posting_key, [first + n for n in numbers], impacts),
                            found[2::3],
                            strict=True,
                        )
                    )
                    keys, places = [key for key, _ in keyed], b"".join([at for _, at in keyed])
                marshal.dump((prefix + term, array("Q", keys).tobytes(), places), file, 2)


@contextmanager
def _writing(whoosh_index: FileIndex, gathered: Gathered) -> Iterator[Any]:
    """A writer that commits at the end of the block, or takes everything back."""
    writer = whoosh_index.writer(codec=Codec(gathered), compound=False)
    try:
        yield writer
    except BaseException:
        writer.cancel()
        raise
    writer.commit()
