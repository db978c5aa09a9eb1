"""The files from which browsers answer, of one segment: see docs/search.md for the format.

    t/  words: surface forms, front-coded, with their posting lists; cut to about 6 KB
    h/  the most frequent words, a file each, longer lists in blocks by falling impact
    p/  q/  positions of the words in t/ and h/, for phrases and fields
    d/  what a list shows of a document, some documents in each
    a/  abstracts, each compressed by itself (`search.primed`)
    c/  columns for facets and filters
    k/  ids and DOIs
    v/  w/  the vocabulary for slips of the pen, sorted by beginnings and by ends

A segment never changes. Its folder is named by its content, so the files in it need no
names of their own, and every address can be computed from a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from search.columns import Columns
from search.dictionary import write_words
from search.documents import Document, parse_document
from search.encoding import Reader, number, seal, steps
from search.partitions import Place, iter_lines
from search.primed import pack_abstract
from search.schema import PEOPLE_SHOWN, handle, handles

FORMAT = 7
"""Raised when the client of before could not read the files."""

IDS = "ids.txt"
"""The documents' ids, a line each, in order of their numbers."""
GROUPS = "groups.txt"
"""Words and their forms."""

PACK_BYTES = 64_000
KEYS_BYTES = 4_000
_FILES_PER_PAPER = 0.1
"""Files for results that a publication may cost, …"""
_FILES_PER_OTHER = 0.02
"""… and anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardsJob:
    """What a worker needs to write a segment's files."""

    documents: Path
    places: tuple[Place, ...]
    lines: tuple[bytes, ...] = ()
    postings: tuple[Path, ...]
    """The files of the segment's partitions."""
    publications: int
    """The first so many documents are publications."""
    target: Path
    """The segment's folder; it must not exist."""
    own: Path
    """The folder for what only the program reads."""
    older: tuple[Path, ...] = ()
    """The files of word forms of older segments, the oldest first."""


def write_shards(job: ShardsJob) -> dict[str, Any]:
    """Write a segment's files and return its directory, for the manifest. Runs in a worker."""
    return _Writer(job).write()


class _Writer:
    def __init__(self, job: ShardsJob) -> None:
        self.job = job
        self.made: set[str] = set()

    def write(self) -> dict[str, Any]:
        self.job.target.mkdir(parents=True)
        self.job.own.mkdir(parents=True, exist_ok=True)
        directory = self._write_documents()
        groups = self.job.own / GROUPS
        return directory | write_words(self.job.postings, groups, self.job.older, self._save)

    def _write_documents(self) -> dict[str, Any]:
        columns = Columns()
        ids: list[str] = []
        keys: dict[int, list[int]] = {}
        abstracts = _Packs(self)
        rows: list[list[Any]] = []
        chunks: list[list[int]] = []
        done = 0
        total = len(self.job.places) or len(self.job.lines)
        sizes = self._chunk_sizes(total)
        written = 0
        for count, line in enumerate(iter_lines(self.job), 1):
            document = parse_document(line)
            columns.add(document)
            ids.append(document.id)
            for key in keys_of(document):
                keys.setdefault(key, []).append(count - 1)
            place = abstracts.add(document)
            rows.append(_row(document, place))
            boundary = count == self.job.publications or count == total
            size = sizes[0] if count <= self.job.publications else sizes[1]
            if len(rows) == size or boundary:
                self._save(f"d/{written}.bin", orjson.dumps(transposed(rows)))
                written += 1
                done = count
                rows = []
        assert done == total
        (self.job.own / IDS).write_text("\n".join(ids), encoding="utf-8")
        abstracts.finish()
        if self.job.publications:
            chunks.append([0, sizes[0]])
        if total > self.job.publications:
            chunks.append([self.job.publications, sizes[1]])
        for name, content in columns.encoded():
            self._save(f"c/{name}.bin", content)
        return {
            "documents": total,
            "chunks": chunks,
            "keys": self._write_keys(keys),
            "columns": columns.names(),
        }

    def _chunk_sizes(self, total: int) -> tuple[int, int]:
        """Return how many publications and how many others share a file of results."""
        papers = max(self.job.publications, 1)
        others = total - self.job.publications
        # As small as the number of files allows: readers fetch one of these for each hit.
        size = 8
        most = _FILES_PER_PAPER * papers + _FILES_PER_OTHER * others
        while size < 32 and papers / size + others / (4 * size) > most:
            size += 1
        return size, 4 * size

    def _write_keys(self, keys: dict[int, list[int]]) -> int:
        bits = 0
        while len(keys) * 7 > KEYS_BYTES << bits:
            bits += 1
        shards: list[list[bytes]] = [[] for _ in range(1 << bits)]
        for key, numbers in sorted(keys.items()):
            shards[key >> (32 - bits)].append(encode_key(key, numbers))
        for i, shard in enumerate(shards):
            self._save(f"k/{i}.bin", b"".join(shard))
        return bits

    def _save(self, path: str, content: bytes) -> None:
        folder, _, _ = path.partition("/")
        if folder not in self.made:
            (self.job.target / folder).mkdir()
            self.made.add(folder)
        sealed = content if folder == "a" else seal(path, content)
        (self.job.target / path).write_bytes(sealed)


class _Packs:
    """Abstracts, each compressed by itself, in files that browsers read parts of."""

    def __init__(self, writer: _Writer) -> None:
        self.writer = writer
        self.pack = bytearray()
        self.number = 0

    def add(self, document: Document) -> list[int] | int:
        """Return pack, start and length; 0 for no abstract."""
        if not document.abstract.strip():
            return 0
        content = pack_abstract(document.title, document.abstract)
        if len(self.pack) + len(content) > PACK_BYTES and self.pack:
            self._save()
        start = len(self.pack)
        self.pack += content
        return [self.number, start, len(content)]

    def finish(self) -> None:
        if self.pack:
            self._save()

    def _save(self) -> None:
        self.writer._save(f"a/{self.number}.bin", bytes(self.pack))
        self.number += 1
        self.pack = bytearray()


def encode_key(key: int, numbers: list[int]) -> bytes:
    """Return the bytes of a key and the documents that have it."""
    return key.to_bytes(4, "little") + number(len(numbers)) + steps(numbers)


def decode_keys(reader: Reader) -> dict[int, list[int]]:
    """Return the keys of a file and the documents that have each."""
    keys: dict[int, list[int]] = {}
    while not reader.done:
        key = int.from_bytes(reader.part(4), "little")
        keys[key] = reader.steps()
    return keys


def key_hash(key: str) -> int:
    """Return the 32-bit FNV-1a hash of an id or DOI."""
    value = 0x811C9DC5
    for byte in key.encode(errors="replace"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def keys_of(document: Document) -> set[int]:
    forms = {*handles(document)} - {handle(document.id)} | {handle(document.record_id)}
    return {key_hash(form) for form in forms}


def _row(document: Document, abstract: list[int] | int) -> list[Any]:
    """Return what a result shows, in the order that `client/results.js` expects."""
    record_id = document.record_id
    usual = _URLS.get(document.type, "") + record_id + "/"
    return [
        record_id if document.id == f"{document.type}:{record_id}" else [document.id],
        document.type,
        0 if document.url == usual else document.url,
        document.title,
        list(document.people[:PEOPLE_SHOWN]),
        len(document.people),
        document.venue,
        document.venue_short,
        document.year or 0,
        document.kind,
        document.doi,
        document.status,
        document.access,
        abstract,
    ]


NOTHING = ["", "", 0, "", [], 0, "", "", 0, "", "", "", "", 0]
"""The row of a document that is gone."""

_URLS = {
    "publication": "/publications/",
    "person": "/people/",
    "project": "/projects/",
    "event": "/events/",
    "venue": "/venues/",
    "topic": "/topics/",
    "institution": "/institutions/",
}


def transposed(rows: list[list[Any]]) -> list[Any]:
    """Return columns instead of rows, a column of one value as {"all": value}."""
    columns: list[Any] = []
    for column in zip(*rows, strict=True):
        same = all(value == column[0] for value in column)
        columns.append({"all": column[0]} if same else list(column))
    return [len(rows), *columns]
