"""The files from which browsers answer, of one segment: see docs/search.md for the format.

    t/  words: surface forms, front-coded, with their posting lists; cut to about 6 KB
    h/  the most frequent words, a file each, longer lists in blocks by falling impact
    p/  q/  positions of the words in t/ and h/, for phrases and fields
    d/  what a list shows of a document, some documents in each
    a/  abstracts, each compressed by itself
    c/  columns for facets and filters
    k/  ids and DOIs
    v/  w/  the vocabulary for slips of the pen, sorted by beginnings and by ends

A segment never changes. Its folder is named by its content, so the files in it need no
names of their own, and every address can be computed from a number.
"""

from __future__ import annotations

import heapq
import zlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from search import encoding
from search.columns import Columns
from search.documents import Document, parse_document
from search.encoding import POSITIONS, front_coded, number, order, postings, seal, steps
from search.partitions import Place, Postings, iter_lines, read_postings
from search.schema import PEOPLE_SHOWN, handle, handles
from search.words import index_words

FORMAT = 3
"""Raised when the client of before could not read the files."""

SHARD_BYTES = 6_000
"""About how large a file of words is."""
LIST_BYTES = 2_000
"""The least that a word's lists take to get a file of their own, …"""
MOST_HEADS = 400
"""… which so many words have, …"""
LONGEST_INLINE = 8_000
"""… and more words if their lists take more than so many bytes."""
POSITIONS_TOGETHER = 4
"""Files of words whose positions share a file."""
_BLOCK_POSTINGS = 28_000
"""About 32 KB: most steps take a byte."""
PACK_BYTES = 256_000
VOCABULARY_BYTES = 12_000
KEYS_BYTES = 4_000
_FILES_PER_PAPER = 0.1
"""Files for results that a publication may cost."""


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


def write_shards(job: ShardsJob) -> dict[str, Any]:
    """Write a segment's files and return its directory, for the manifest. Runs in a worker."""
    return _Writer(job).write()


@dataclass(slots=True)
class _List:
    frequency: int
    keys: list[int]
    content: bytes
    positions: bytes


class _Writer:
    def __init__(self, job: ShardsJob) -> None:
        self.job = job
        self.made: set[str] = set()

    def write(self) -> dict[str, Any]:
        self.job.target.mkdir(parents=True)
        directory = self._write_documents()
        directory |= self._write_words()
        return directory

    # Documents

    def _write_documents(self) -> dict[str, Any]:
        columns = Columns()
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
            for key in _keys(document):
                keys.setdefault(key, []).append(count - 1)
            place = abstracts.add(document.abstract)
            rows.append(_row(document, place))
            boundary = count == self.job.publications or count == total
            size = sizes[0] if count <= self.job.publications else sizes[1]
            if len(rows) == size or boundary:
                self._save(f"d/{written}.bin", orjson.dumps(_transposed(rows)))
                written += 1
                done = count
                rows = []
        assert done == total
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
        while size < 32 and papers / size + others / (4 * size) > _FILES_PER_PAPER * papers:
            size += 1
        return size, 4 * size

    def _write_keys(self, keys: dict[int, list[int]]) -> int:
        bits = 0
        while len(keys) * 7 > KEYS_BYTES << bits:
            bits += 1
        shards: list[list[bytes]] = [[] for _ in range(1 << bits)]
        for key, numbers in sorted(keys.items()):
            shards[key >> (32 - bits)].append(
                key.to_bytes(4, "little") + number(len(numbers)) + steps(numbers)
            )
        for i, shard in enumerate(shards):
            self._save(f"k/{i}.bin", b"".join(shard))
        return bits

    # Words

    def _write_words(self) -> dict[str, Any]:
        groups, names, texts, spellings = self._read_postings()
        sizes = sorted(
            ((self._group_size(stem, forms, texts, names), stem) for stem, forms in groups.items()),
            key=lambda item: (-item[0], item[1]),
        )
        heads = [
            stem
            for i, (size, stem) in enumerate(sizes)
            if " " not in stem and (size > LONGEST_INLINE or (size > LIST_BYTES and i < MOST_HEADS))
        ]
        # In order of the alphabet, because that compresses best in the manifest.
        heads.sort(key=lambda stem: order(groups[stem][0]))
        size_of = {stem: size for size, stem in sizes}
        head_forms = []
        for i, stem in enumerate(heads):
            self._write_head(i, texts.get(stem), groups[stem], names, spellings)
            head_forms.append(" ".join(groups[stem]))
        in_heads = set(heads)
        entries: list[tuple[str, str]] = sorted(
            (
                (form, stem)
                for stem, forms in groups.items()
                if stem not in in_heads
                for form in forms
            ),
            key=lambda item: order(item[0]),
        )
        firsts = self._write_terms(entries, groups, texts, names, spellings)
        vocabulary = self._write_vocabulary(groups, texts, names)
        return {
            "heads": head_forms,
            "levels": "".join(chr(97 + min(size_of[s].bit_length(), 25)) for s in heads),
            "firsts": front_coded(firsts),
            **vocabulary,
        }

    def _read_postings(
        self,
    ) -> tuple[
        dict[str, list[str]],
        dict[str, _List],
        dict[str, _List],
        dict[str, dict[str, list[int]]],
    ]:
        stems: dict[str, str] = {}
        streams: list[Iterator[Postings]] = []
        for path in self.job.postings:
            head, stream = read_postings(path)
            stems.update(head["forms"])
            stems.update(head["names"])
            streams.append(stream)
        groups: dict[str, list[str]] = {}
        for form, stem in stems.items():
            groups.setdefault(stem, []).append(form)
        for forms in groups.values():
            forms.sort(key=order)
        texts: dict[str, _List] = {}
        names: dict[str, _List] = {}
        spellings: dict[str, dict[str, list[int]]] = {}
        for term, parts in _merged(streams):
            kind, word = term[0], term[1:]
            if kind == "c":
                spellings.setdefault(index_words(word)[0], {})[word] = sorted(
                    document for part in parts for document in _numbers(part)
                )
            else:
                (texts if kind == "a" else names)[word] = _make_list(parts)
        return groups, names, texts, spellings

    @staticmethod
    def _group_size(
        stem: str, forms: list[str], texts: dict[str, _List], names: dict[str, _List]
    ) -> int:
        size = len(texts[stem].content) if stem in texts else 0
        return size + sum(len(names[form].content) for form in forms if form in names)

    def _write_head(
        self,
        i: int,
        texts: _List | None,
        forms: list[str],
        names: dict[str, _List],
        spellings: dict[str, dict[str, list[int]]],
    ) -> None:
        pieces: list[bytes] = []
        positions: list[bytes] = []
        blocks = _blocks(texts) if texts else []
        pieces += (number(texts.frequency if texts else 0), number(len(blocks)))
        for block in blocks[1:]:
            pieces += (number(block[0]), number(block[1]))
        if texts:
            pieces += (number(len(blocks[0][2])), blocks[0][2])
            positions += (number(len(texts.positions)), texts.positions)
        for k, (_, _, content) in enumerate(blocks[1:], 1):
            self._save(f"h/{i}-{k}.bin", content)
        for form in forms:
            flags, entry, at = _entry(form, names, spellings)
            pieces += (bytes([flags]), *entry)
            positions += at
        self._save(f"h/{i}.bin", b"".join(pieces))
        self._save(f"q/{i}.bin", b"".join(positions))

    def _write_terms(
        self,
        entries: list[tuple[str, str]],
        groups: dict[str, list[str]],
        texts: dict[str, _List],
        names: dict[str, _List],
        spellings: dict[str, dict[str, list[int]]],
    ) -> list[str]:
        firsts: list[str] = []
        shard: list[str] = []
        pieces: list[bytes] = []
        positions: list[bytes] = []
        here: dict[str, int] = {}
        sections: list[bytes] = []
        size = 0
        before = ""

        def save_positions() -> None:
            self._save(f"p/{(len(firsts) - 1) // POSITIONS_TOGETHER}.bin", b"".join(sections))
            sections.clear()

        def finish() -> None:
            nonlocal size
            lines = front_coded(shard).encode()
            content = number(len(shard)) + number(len(lines)) + lines + b"".join(pieces)
            self._save(f"t/{len(firsts) - 1}.bin", content)
            sections.append(_sized(b"".join(positions)))
            if len(sections) == POSITIONS_TOGETHER:
                save_positions()
            shard.clear()
            pieces.clear()
            positions.clear()
            here.clear()
            size = 0

        for form, stem in entries:
            flags, entry, at = _entry(form, names, spellings)
            owner = groups[stem][0]
            own: list[bytes] = []
            if stem in texts:
                if form == owner:
                    flags |= 1
                    own = [number(texts[stem].frequency), _sized(texts[stem].content)]
                    at = [_sized(texts[stem].positions), *at]
                elif owner in here:
                    flags |= 4
                    own = [number(len(shard) - here[owner])]
                else:
                    flags |= 8
                    own = [encoding.text(owner)]
            length = 3 + sum(map(len, own)) + sum(map(len, entry))
            # Between words that differ early: the manifest has to tell one from the other.
            letters = len(_separator(before, form))
            cut = size > SHARD_BYTES * (0.3 + 0.2 * letters)
            if shard and (size + length > SHARD_BYTES * 1.5 or cut):
                finish()
                if flags & 4:
                    flags = flags & ~4 | 8
                    own = [encoding.text(owner)]
            if not shard:
                firsts.append(_separator(before, form))
            here[form] = len(shard)
            shard.append(form)
            pieces += (bytes([flags]), *own, *entry)
            positions += at
            size += length
            before = form
        if shard:
            finish()
        if sections:
            save_positions()
        return firsts

    def _write_vocabulary(
        self, groups: dict[str, list[str]], texts: dict[str, _List], names: dict[str, _List]
    ) -> dict[str, Any]:
        known = []
        for stem, forms in groups.items():
            in_texts = texts[stem].frequency if stem in texts else 0
            for form in forms:
                frequency = in_texts + (names[form].frequency if form in names else 0)
                if frequency > 1 and 3 < len(form) < 30 and " " not in form:
                    known.append((form, min(frequency.bit_length(), 25)))
        found: dict[str, Any] = {}
        for folder, backwards in (("v", False), ("w", True)):
            words = sorted(
                ((w[::-1] if backwards else w, level) for w, level in known),
                key=lambda item: order(item[0]),
            )
            firsts: list[str] = []
            part: list[tuple[str, int]] = []
            size = 0
            before = ""
            for word, level in words:
                if size > VOCABULARY_BYTES:
                    self._save_words(f"{folder}/{len(firsts) - 1}.bin", part)
                    part, size = [], 0
                if not part:
                    firsts.append(_separator(before, word))
                part.append((word, level))
                size += len(word)
                before = word
            if part:
                self._save_words(f"{folder}/{len(firsts) - 1}.bin", part)
            found[folder] = front_coded(firsts)
        return found

    def _save_words(self, path: str, words: list[tuple[str, int]]) -> None:
        levels = "".join(chr(97 + level) for _, level in words)
        self._save(path, f"{levels}\n{front_coded([w for w, _ in words])}".encode())

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

    def add(self, abstract: str) -> list[int] | int:
        """Return pack, start and length; 0 for no abstract."""
        if not abstract.strip():
            return 0
        content = zlib.compress(abstract.encode(errors="replace"), 9)
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


def key_hash(key: str) -> int:
    """Return the 32-bit FNV-1a hash of an id or DOI."""
    value = 0x811C9DC5
    for byte in key.encode(errors="replace"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def _keys(document: Document) -> set[int]:
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


_URLS = {
    "publication": "/publications/",
    "person": "/people/",
    "project": "/projects/",
    "event": "/events/",
    "venue": "/venues/",
    "topic": "/topics/",
    "institution": "/institutions/",
}


def _transposed(rows: list[list[Any]]) -> list[Any]:
    """Return columns instead of rows, a column of one value as {"all": value}."""
    columns: list[Any] = []
    for column in zip(*rows, strict=True):
        same = all(value == column[0] for value in column)
        columns.append({"all": column[0]} if same else list(column))
    return [len(rows), *columns]


def _merged(streams: Iterable[Iterator[Postings]]) -> Iterator[tuple[str, list[Postings]]]:
    """Yield each term with its postings in all partitions."""
    term, parts = "", list[Postings]()
    for postings_of_part in heapq.merge(*streams, key=lambda p: p[0].encode()):
        if postings_of_part[0] != term:
            if parts:
                yield term, parts
            term, parts = postings_of_part[0], []
        parts.append(postings_of_part)
    if parts:
        yield term, parts


def _numbers(part: Postings) -> array[int]:
    numbers = array("I")
    numbers.frombytes(part[1])
    return numbers


def _make_list(parts: list[Postings]) -> _List:
    keyed: list[tuple[int, bytes]] = []
    for part in parts:
        _, _, impacts, values, more = part
        numbers = _numbers(part)
        width = len(values) // len(numbers)
        keyed += [
            (
                (32 - impacts[i]) << 32 | document,
                encoding.positions(more[document])
                if document in more
                else POSITIONS[values[i * width : (i + 1) * width]],
            )
            for i, document in enumerate(numbers)
        ]
    if len(keyed) > 1:
        keyed.sort()
    keys = [key for key, _ in keyed]
    return _List(
        frequency=len(keys),
        keys=keys if len(keys) > _BLOCK_POSTINGS else [],
        content=postings(keys),
        positions=b"".join([at for _, at in keyed]),
    )


def _blocks(postings_of_stem: _List) -> list[tuple[int, int, bytes]]:
    """Return postings in blocks of about 32 KB: highest impact, length and bytes.

    By falling impact: what has the word in its title or among its people comes first.
    """
    keys = postings_of_stem.keys
    if not keys:
        return [(32, len(postings_of_stem.content), postings_of_stem.content)]
    found = []
    for i in range(0, len(keys), _BLOCK_POSTINGS):
        part = keys[i : i + _BLOCK_POSTINGS]
        content = postings(part)
        found.append((32 - (part[0] >> encoding.IMPACT_SHIFT), len(content), content))
    return found


def _entry(
    form: str, names: dict[str, _List], spellings: dict[str, dict[str, list[int]]]
) -> tuple[int, list[bytes], list[bytes]]:
    """Return flags, bytes and positions of a form's names and spellings."""
    flags, entry, positions = 0, list[bytes](), list[bytes]()
    if form in names:
        flags |= 2
        entry += (number(names[form].frequency), _sized(names[form].content))
        positions.append(_sized(names[form].positions))
    if form in spellings:
        flags |= 16
        entry.append(number(len(spellings[form])))
        for spelling, documents in sorted(spellings[form].items()):
            content = number(len(documents)) + steps(documents)
            entry += (encoding.text(spelling), content)
    return flags, entry, positions


def _sized(content: bytes) -> bytes:
    return number(len(content)) + content


def _separator(before: str, word: str) -> str:
    """Return the shortest beginning of `word` that comes after `before`."""
    for length in range(1, len(word) + 1):
        if order(word[:length]) > order(before) and not 0xD800 <= ord(word[length - 1]) < 0xE000:
            return word[:length]
    return word
