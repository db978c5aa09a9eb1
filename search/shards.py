"""The index for browsers: small static text files, of which a query fetches a few.

    manifest.json    what there is, and under which names; the only file that changes
    terms/           word → where it occurs, sorted, cut into files of about 8 KB
    lists/           where very frequent words occur, a file each
    keys/            hash of a whole title, an id or a DOI → the documents
    names/           names of the files in results/, 64 in each
    results/         what a list shows of a document, about 14 documents in each

All files but the manifest are named by their content, and everything follows from the
documents alone: a document's number is the hash of its id, average lengths are constants,
files are cut where a word's hash says so. So one more document changes few files.
`client/shards.js` reads this format.
"""

from __future__ import annotations

import base64
import hashlib
import math
import os
import shutil
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from search.documents import Document, read_documents
from search.errors import SearchError
from search.query import LENGTH_SHARE, RETRACTED_FACTOR, SATURATION, WEIGHTS
from search.schema import STEMS, handles
from search.words import index_words, title_words

FORMAT = 1
"""Raised when `client/shards.js` of before could not read the files."""

SHARD_BYTES = 8_000
"""About how large a file of terms or keys is."""
LIST_BYTES = 2_000
"""A longer posting list gets a file of its own."""

_AVERAGE_TITLE = 9
_AVERAGE_PEOPLE = 8
_IMPACTS = 32
_SLOTS_PER_DOCUMENT = 16
_CHUNK_BITS = 8
_NAMES_BITS = 6
_NAME_LENGTH = 8
_PEOPLE_SHOWN = 10
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardsReport:
    """What was written for browsers."""

    documents: int
    files: int
    written: int
    """Files that the previous shards did not have."""
    size: int
    """Bytes of all files."""


def write_shards(documents: Path, target: Path, *, previous: Path | None = None) -> ShardsReport:
    """Write in the folder `target`, which must not exist yet, the shards of `documents`.

    Files that the folder `previous` has already become hard links to it. Raises
    SearchError if the documents folder is damaged or `target` exists.
    """
    if target.exists():
        raise SearchError(f"{target} exists already.", hint="Name a folder that does not.")
    target.mkdir(parents=True)
    try:
        # Abstracts are left out of these files, and most of what a document weighs.
        shown = [replace(document, abstract="") for document in read_documents(documents)]
        return _Writer(target, previous).write(shown)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def number_documents(ids: Iterable[str]) -> tuple[int, dict[str, int]]:
    """Return the number of bits of document numbers, and id → number.

    A number is the leading bits of the id's hash, or the next that is free; there are
    many more numbers than documents, so that another document seldom moves one.
    """
    hashes = sorted((hashlib.blake2b(i.encode(), digest_size=4).digest(), i) for i in ids)
    bits = max(_CHUNK_BITS, math.ceil(math.log2(max(len(hashes) * _SLOTS_PER_DOCUMENT, 1))))
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for digest, document_id in hashes:
        number = int.from_bytes(digest) >> (32 - bits)
        while number in taken:
            number = (number + 1) % (1 << bits)
        taken.add(number)
        numbers[document_id] = number
    return bits, numbers


def encode_postings(postings: Iterable[int]) -> str:
    """Return postings (number × 32 + impact) as text: by falling impact, numbers as steps."""
    levels: dict[int, list[int]] = {}
    for posting in sorted(postings):
        levels.setdefault(posting % _IMPACTS, []).append(posting // _IMPACTS)
    return "".join(
        _DIGITS[impact] + _encode_number(len(numbers)) + encode_numbers(numbers)
        for impact, numbers in sorted(levels.items(), reverse=True)
    )


def encode_numbers(numbers: Iterable[int]) -> str:
    """Return rising numbers as text, each as the step from the one before."""
    pieces: list[str] = []
    before = 0
    for number in numbers:
        pieces.append(_encode_number(number - before))
        before = number
    return "".join(pieces)


def hash_key(key: str) -> str:
    """Return the 32-bit FNV-1a hash of a key as eight hexadecimal digits."""
    value = 0x811C9DC5
    for byte in key.encode(errors="replace"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{value:08x}"


class _Writer:
    def __init__(self, target: Path, previous: Path | None) -> None:
        self.target = target
        self.previous = previous
        self.files = self.written = self.size = 0

    def write(self, documents: list[Document]) -> ShardsReport:
        for folder in ("terms", "lists", "keys", "names", "results"):
            (self.target / folder).mkdir()
        bits, numbers = number_documents(document.id for document in documents)
        documents.sort(key=lambda document: numbers[document.id])
        terms = self._write_terms(documents, numbers)
        keys = self._write_keys(documents, numbers)
        names = self._write_results(documents, numbers, bits)
        manifest = {
            "format": FORMAT,
            "documents": len(documents),
            "firsts": [first for first, _ in terms],
            "terms": "".join(name for _, name in terms),
            "keys": "".join(keys),
            "names": "".join(names),
        }
        self._save("manifest.json", orjson.dumps(manifest))
        return ShardsReport(
            documents=len(documents), files=self.files, written=self.written, size=self.size
        )

    def _write_terms(
        self, documents: list[Document], numbers: dict[str, int]
    ) -> list[tuple[str, str]]:
        stems, people = _collect_postings(documents, numbers)
        lines = []
        for form, texts in _lines(stems, people):
            cells = [
                cell if len(cell) <= LIST_BYTES else "#" + self._name("lists", cell.encode())
                for cell in texts
            ]
            lines.append((form, f"{form}\t" + "\t".join(cells) + "\n"))
        return [(first, self._name("terms", content.encode())) for first, content in _cut(lines)]

    def _write_keys(self, documents: list[Document], numbers: dict[str, int]) -> list[str]:
        found: dict[str, list[int]] = {}
        for document in documents:
            keys = {hash_key("id " + handle) for handle in handles(document)[1:]}
            keys.add(hash_key("title " + title_words(document.title)))
            for key in keys:
                found.setdefault(key, []).append(numbers[document.id])
        lines = {key: f"{key}\t{encode_numbers(n)}\n" for key, n in sorted(found.items())}
        bits = 0
        while sum(map(len, lines.values())) > SHARD_BYTES << bits:
            bits += 1
        shards: list[list[str]] = [[] for _ in range(1 << bits)]
        for key, line in lines.items():
            shards[int(key, 16) >> (32 - bits)].append(line)
        return [self._name("keys", "".join(shard).encode()) for shard in shards]

    def _write_results(
        self, documents: list[Document], numbers: dict[str, int], bits: int
    ) -> list[str]:
        chunks: list[list[Any]] = [[] for _ in range(1 << (bits - _CHUNK_BITS))]
        for document in documents:
            number = numbers[document.id]
            chunks[number >> _CHUNK_BITS].append([number, *_shown(document)])
        names = [
            self._name("results", orjson.dumps(chunk)) if chunk else "-" * _NAME_LENGTH
            for chunk in chunks
        ]
        width = 1 << _NAMES_BITS
        return [
            self._name("names", "".join(names[i : i + width]).encode())
            for i in range(0, len(names), width)
        ]

    def _name(self, folder: str, content: bytes) -> str:
        """Save content under the name that it has by its hash, and return the name."""
        digest = hashlib.blake2b(content, digest_size=5).digest()
        name = base64.b32encode(digest).decode().lower()
        path = f"{folder}/{name}.{'json' if folder == 'results' else 'txt'}"
        if not (self.target / path).exists():
            self._save(path, content)
        elif (self.target / path).read_bytes() != content:
            raise SearchError(f"Two files of the search index would both be named {path}.")
        return name

    def _save(self, path: str, content: bytes) -> None:
        self.files += 1
        self.size += len(content)
        if self.previous and path != "manifest.json":
            try:
                os.link(self.previous / path, self.target / path)
            except OSError:  # not there, or a file system without hard links
                pass
            else:
                if (self.target / path).stat().st_size == len(content):
                    return
                (self.target / path).unlink()
        (self.target / path).write_bytes(content)
        self.written += 1


def _shown(document: Document) -> list[Any]:
    """Return what a result shows, in the order that `client/shards.js` expects."""
    return [
        document.id,
        document.type,
        document.url,
        document.title,
        list(document.people[:_PEOPLE_SHOWN]),
        len(document.people),
        document.venue_short or document.venue,
        document.year or 0,
        document.kind,
        document.status,
        document.access,
    ]


def _collect_postings(
    documents: list[Document], numbers: dict[str, int]
) -> tuple[dict[str, tuple[set[str], array[int]]], dict[str, array[int]]]:
    """Return stem → its forms and postings, and name → postings."""
    stems: dict[str, tuple[set[str], array[int]]] = {}
    people: dict[str, array[int]] = {}
    for document in documents:
        number = numbers[document.id] * _IMPACTS
        factor = RETRACTED_FACTOR if document.status == "retracted" else 1.0
        for word, weight in _weigh_names(document).items():
            postings = people.setdefault(word, array("I"))
            postings.append(number + _impact(weight, factor))
        forms: dict[str, set[str]] = {}
        weights: dict[str, float] = {}
        for word, weight in _weigh_words(document):
            stem = STEMS[word]
            forms.setdefault(stem, set()).add(word)
            weights[stem] = weights.get(stem, 0.0) + weight
        for stem, weight in weights.items():
            known = stems.setdefault(stem, (set(), array("I")))
            known[0].update(forms[stem])
            known[1].append(number + _impact(weight, factor))
    return stems, people


def _weigh_words(document: Document) -> Iterator[tuple[str, float]]:
    title = index_words(document.title)
    weight = _weight("title", len(title), _AVERAGE_TITLE)
    for word in title:
        yield word, weight
    others = [document.venue_short or document.venue, *document.topics, *document.institutions]
    if document.year:
        others.append(str(document.year))
    for text in others:
        for word in index_words(text):
            yield word, 1.0


def _weigh_names(document: Document) -> dict[str, float]:
    words = [w for name in (*document.people, *document.names) for w in index_words(name)]
    weight = _weight("people", len(words), _AVERAGE_PEOPLE)
    weights: dict[str, float] = {}
    for word in words:
        weights[word] = weights.get(word, 0.0) + weight
    return weights


def _weight(field: str, length: int, average: int) -> float:
    return WEIGHTS[field] / (1 - LENGTH_SHARE + LENGTH_SHARE * length / average)


def _impact(weight: float, factor: float) -> int:
    return min(int(_IMPACTS * factor * weight / (SATURATION + weight)), _IMPACTS - 1)


def _lines(
    stems: dict[str, tuple[set[str], array[int]]], people: dict[str, array[int]]
) -> list[tuple[str, list[str]]]:
    """Return every form with its cells, in the order of JavaScript's strings.

    The first cell holds the postings of the form's stem, or `@` and the first form of the
    stem, which has them; the second the postings of the form as a name, if it is one.
    """
    cells: dict[str, list[str]] = {}
    for forms, postings in stems.values():
        first, *others = sorted(forms, key=_order)
        cells[first] = [encode_postings(postings)]
        for form in others:
            cells[form] = ["@" + first]
    for name, postings in people.items():
        cells.setdefault(name, [""]).append(encode_postings(postings))
    return sorted(cells.items(), key=lambda item: _order(item[0]))


def _order(form: str) -> bytes:
    return form.encode("utf-16-be")


def _cut(lines: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield first form and content of each file, cut where the hash of a form says so."""
    current: list[str] = []
    first, size = "", 0
    for form, line in lines:
        full = size > SHARD_BYTES * 1.5
        if current and (full or (size > SHARD_BYTES / 2 and int(hash_key(form), 16) % 32 == 0)):
            yield first, "".join(current)
            current, first, size = [], form, 0
        current.append(line)
        size += len(line)
    if current:
        yield first, "".join(current)


def _encode_number(number: int) -> str:
    """Return a number in digits of five bits each, the lowest first, all but the last + 32."""
    digits = ""
    while number >= 32:
        digits += _DIGITS[32 + number % 32]
        number //= 32
    return digits + _DIGITS[number]
