"""Take documents that are gone out of a segment's files, so that nothing of them is left.

Their words, positions, names, keys, values, abstracts and rows go; the other documents keep
their numbers, and files that say nothing of those that go stay as they are. What changes
comes into a new folder, a patch, because browsers keep what they have once read.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from search.columns import column_file, without_documents
from search.documents import Document, parse_document
from search.encoding import Reader, seal, unseal
from search.layout import Patch, Segment, partition_folders
from search.partitions import blank_line, read_counts, read_words, write_gone, write_words
from search.ranking import Averages
from search.schema import analyse
from search.shards import GROUPS, NOTHING, decode_keys, encode_key, keys_of, transposed
from search.word_removal import Lost, remove_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Documents to take out of a segment."""

    segment: Segment
    index: Path
    """The folder of the new index, in which the segment's files are links."""
    shards: Path
    """The folder of its files for browsers, likewise."""
    averages: Averages
    lines: dict[int, bytes]
    """Number → line of those that go."""
    unused: set[str]
    """Words that older segments have no more; those of this segment are added."""


def remove_documents(job: Removal) -> Segment:
    """Take documents out and return the segment as it is then.

    Raises ValueError where the files do not say of them what they should.
    """
    files = SegmentFiles(job.shards, job.segment)
    documents = {number: parse_document(line) for number, line in sorted(job.lines.items())}
    lost = _forget_in_partitions(job, documents)
    own = job.index / job.segment.name
    job.unused.update(lost.unused)
    directory = remove_words(files, job.segment.directory, own / GROUPS, lost)
    _remove_rows(files, job.segment, documents)
    patches = files.finish()
    return replace(job.segment, directory=directory, patches=patches)


class SegmentFiles:
    """The files of a segment for browsers, by their paths without the patch they are in."""

    def __init__(self, shards: Path, segment: Segment) -> None:
        self.shards = shards
        self.segment = segment
        self._folders = {path: patch.name for patch in segment.patches for path in patch.files}
        self._changed: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        """Return a file's content as it is by now."""
        if path in self._changed:
            return self._changed[path]
        content = self._file(path).read_bytes()
        return content if path.startswith("a/") else unseal(f"{path}.bin", content)

    def write(self, path: str, content: bytes) -> None:
        """Have a file say something else from `finish` on."""
        self._changed[path] = content

    def finish(self) -> tuple[Patch, ...]:
        """Write what changed as a patch; return all of the segment, without what is outdated."""
        if not self._changed:
            return self.segment.patches
        digest = hashlib.blake2b(self.segment.name.encode(), digest_size=6)
        sealed = {}
        for path, content in sorted(self._changed.items()):
            sealed[path] = content if path.startswith("a/") else seal(f"{path}.bin", content)
            digest.update(path.encode() + b"\n" + sealed[path])
        name = digest.hexdigest()
        for path, content in sealed.items():
            self._file(path).unlink()
            target = self.shards / name / f"{path}.bin"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        patches = [
            replace(patch, files=tuple(f for f in patch.files if f not in sealed))
            for patch in self.segment.patches
        ]
        kept = tuple(patch for patch in patches if patch.files)
        return (*kept, Patch(name=name, files=tuple(sealed)))

    def _file(self, path: str) -> Path:
        return self.shards / self._folders.get(path, self.segment.name) / f"{path}.bin"


def _forget_in_partitions(job: Removal, documents: dict[int, Document]) -> Lost:
    """Tell Whoosh's partitions what went, and return what the segment loses by it."""
    lost = Lost()
    folders = partition_folders(job.index, job.segment)
    candidates: set[str] = set()
    for i, folder in enumerate(folders):
        first = job.segment.firsts[i]
        end = (*job.segment.firsts[1:], job.segment.documents)[i]
        here = [number for number in documents if first <= number < end]
        if not here:
            continue
        counts = read_counts(folder)
        terms: dict[str, Counter[str]] = {name: Counter() for name in ("text", "names", "spelling")}
        for number in here:
            found = analyse(documents[number], job.averages)
            for form in found.forms:
                counts[form] -= 1
                if not counts[form]:
                    del counts[form]
                    candidates.add(form)
            for field, lists in (("text", lost.texts), ("names", lost.names)):
                words = [term for term, *_ in found.words[field]]
                terms[field].update(words)
                for word in words:
                    lists.setdefault(word, []).append(number)
            for spelling in found.keys["spelling"]:
                terms["spelling"][spelling] += 1
                lost.spellings.setdefault(spelling, []).append(number)
            blank_line(folder, job.lines[number])
        write_words(folder, counts)
        write_gone(folder, terms)
    # What older segments lost may be here as the first form of a word, and in no document.
    candidates |= job.unused
    for folder in folders if candidates else ():
        candidates -= read_words(folder)
    lost.unused = candidates
    return lost


def _remove_rows(files: SegmentFiles, segment: Segment, documents: dict[int, Document]) -> None:
    directory = segment.directory
    chunks: dict[int, list[int]] = {}
    for number in documents:
        chunk, place = _address(directory["chunks"], number)
        chunks.setdefault(chunk, []).append(place)
    for chunk, places in chunks.items():
        path = f"d/{chunk}"
        count, *columns = orjson.loads(files.read(path))
        rows = list(zip(*(_column(column, count) for column in columns), strict=True))
        for place in places:
            _blank_abstract(files, rows[place][-1])
            rows[place] = tuple(NOTHING)
        files.write(path, orjson.dumps(transposed([list(row) for row in rows])))
    for name in sorted({column_file(name) for name in directory["columns"]}):
        path = f"c/{name}"
        files.write(path, without_documents(files.read(path), documents))
    bits = directory["keys"]
    for number, document in documents.items():
        for key in keys_of(document):
            path = f"k/{key >> (32 - bits)}"
            keys = decode_keys(Reader(files.read(path)))
            keys[key].remove(number)
            files.write(path, b"".join(encode_key(k, n) for k, n in keys.items() if n))


def _column(column: Any, count: int) -> Iterable[Any]:
    return column if isinstance(column, list) else [column["all"]] * count


def _address(chunks: list[list[int]], number: int) -> tuple[int, int]:
    """Return which file of results a document is in, and where."""
    before = 0
    for i, (start, size) in enumerate(chunks):
        end = chunks[i + 1][0] if i + 1 < len(chunks) else None
        if end is None or number < end:
            return before + (number - start) // size, (number - start) % size
        before += -(-(end - start) // size)
    raise ValueError(f"document {number} is in no file of results")


def _blank_abstract(files: SegmentFiles, place: Any) -> None:
    if place:
        pack, start, length = place
        content = files.read(f"a/{pack}")
        files.write(f"a/{pack}", content[:start] + bytes(length) + content[start + length :])
