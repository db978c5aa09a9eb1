"""The words of a segment, for browsers: `t/` `h/` `p/` `q/` `v/` `w/`, from the postings of
its partitions.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from search import encoding
from search.encoding import front_coded, order, postings, split_positions
from search.partitions import Postings, read_postings
from search.terms import (
    BLOCK_POSTINGS,
    Head,
    PostingList,
    Term,
    cost_of,
    encode_head,
    encode_terms,
    split_blocks,
)
from search.words import index_words

SHARD_BYTES = 6_000
"""About how large a file of words is, …"""
MANY_WORDS = 100_000
"""… and a third of that in a segment of fewer words: readers ask every segment for each word, and
only a large one has so many files that the manifest would grow with smaller ones."""
FEW_WORDS = 1_000
"""Fewer words stay together: a request more costs as much as what it would spare."""
LIST_BYTES = 2_000
"""The least that a word's lists take to get a file of their own, …"""
MOST_HEADS = 400
"""… which so many words have, …"""
LONGEST_INLINE = 8_000
"""… and more words if their lists take more than so many bytes."""
POSITIONS_TOGETHER = 4
"""Files of words whose positions share a file."""
VOCABULARY_BYTES = 12_000

Save = Callable[[str, bytes], None]


def write_words(
    paths: Iterable[Path], groups_file: Path, older: Iterable[Path], save: Save
) -> dict[str, Any]:
    """Write the files of words of a segment, and return their part of the directory.

    `groups_file` gets, for the program alone, which forms belong to one word; `older` are
    those of older segments. Of a word that these have, too, this segment gets to know the
    first form in the oldest: by it a browser, which has no stemmer, finds from one to the other.
    """
    writer = _Words(paths, save)
    writer.know_first_forms(older)
    directory = writer.write()
    write_groups(groups_file, writer.groups)
    return directory


def write_groups(path: Path, groups: dict[str, list[str]]) -> None:
    """Write stem → forms, in order."""
    lines = ("\t".join((stem, *forms)) for stem, forms in groups.items())
    path.write_text("\n".join(sorted(lines)), encoding="utf-8")


def read_groups(path: Path, stems: Collection[str]) -> dict[str, list[str]]:
    """Return some stems and their forms, of what `write_groups` wrote: in order of the lines."""
    found = {}
    lines = path.read_text(encoding="utf-8").split("\n")
    for stem in sorted(stems):
        begins = f"{stem}\t"
        place = bisect_left(lines, begins)
        if place < len(lines) and lines[place].startswith(begins):
            found[stem] = lines[place][len(begins) :].split("\t")
    return found


def change_groups(path: Path, groups: dict[str, list[str]]) -> None:
    """Give some stems other forms, or none; the file is a new one then."""
    lines = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        stem = line.partition("\t")[0]
        if stem not in groups:
            lines.append(line)
        elif groups[stem]:
            lines.append("\t".join((stem, *groups[stem])))
    path.unlink()
    path.write_text("\n".join(lines), encoding="utf-8")


def worth_a_slip(form: str, frequency: int) -> bool:
    """Return whether a form may be what an unknown word was meant to be."""
    return frequency > 1 and 3 < len(form) < 30 and " " not in form


def level_of(frequency: int) -> int:
    """Return about how frequent a form is, as the vocabulary says it."""
    return min(frequency.bit_length(), 25)


def encode_vocabulary(words: list[tuple[str, int]]) -> bytes:
    """Return the bytes of a part of the vocabulary: words and their levels."""
    levels = "".join(chr(97 + level) for _, level in words)
    return f"{levels}\n{front_coded([w for w, _ in words])}".encode()


def decode_vocabulary(content: bytes) -> list[tuple[str, int]]:
    """Return what `encode_vocabulary` made bytes of."""
    levels, _, text = content.decode().partition("\n")
    words = encoding.from_front_coded(text)
    return [(word, ord(level) - 97) for word, level in zip(words, levels, strict=True)]


def separator(before: str, word: str) -> str:
    """Return the shortest beginning of `word` that comes after `before`, which it comes after."""
    for length, (one, other) in enumerate(zip(before, word, strict=False), 1):
        if one != other:
            return word[:length]
    return word[: len(before) + 1]


class _Words:
    def __init__(self, paths: Iterable[Path], save: Save) -> None:
        self.save = save
        self.groups: dict[str, list[str]] = {}
        self.texts: dict[str, PostingList] = {}
        self.names: dict[str, PostingList] = {}
        self.spellings: dict[str, dict[str, list[int]]] = {}
        self._read(paths)

    def _read(self, paths: Iterable[Path]) -> None:
        stems: dict[str, str] = {}
        streams: list[Iterator[Postings]] = []
        for path in paths:
            words, stream = read_postings(path)
            stems.update(words)
            streams.append(stream)
        for form, stem in stems.items():
            self.groups.setdefault(stem, []).append(form)
        for forms in self.groups.values():
            if len(forms) > 1:
                forms.sort(key=order)
        for term, parts in _merged(streams):
            kind, word = term[0], term[1:]
            if kind == "c":
                self.spellings.setdefault(index_words(word)[0], {})[word] = sorted(
                    document for part in parts for document in _keys(part)
                )
            else:
                (self.texts if kind == "a" else self.names)[word] = _make_list(parts)

    def know_first_forms(self, older: Iterable[Path]) -> None:
        wanted = set(self.texts)
        for path in older:
            for stem, (form, *_) in read_groups(path, wanted).items():
                wanted.remove(stem)
                if form not in self.groups[stem]:
                    self.groups[stem] = sorted((*self.groups[stem], form), key=order)

    def write(self) -> dict[str, Any]:
        size_of = {stem: self._size(stem) for stem in self.groups}
        sizes = sorted(size_of.items(), key=lambda item: (-item[1], item[0]))
        heads = [
            stem
            for i, (stem, size) in enumerate(sizes)
            if " " not in stem and (size > LONGEST_INLINE or (size > LIST_BYTES and i < MOST_HEADS))
        ]
        # In order of the alphabet, because that compresses best in the manifest.
        heads.sort(key=lambda stem: order(self.groups[stem][0]))
        for i, stem in enumerate(heads):
            self._write_head(i, stem)
        in_heads = set(heads)
        entries = sorted(
            (
                (form, stem)
                for stem, forms in self.groups.items()
                if stem not in in_heads
                for form in forms
            ),
            key=lambda item: order(item[0]),
        )
        return {
            "heads": [" ".join(self.groups[stem]) for stem in heads],
            "levels": "".join(chr(97 + min(size_of[s].bit_length(), 25)) for s in heads),
            "firsts": front_coded(self._write_terms(entries)),
            **self._write_vocabulary(),
        }

    def _size(self, stem: str) -> int:
        size = len(self.texts[stem].content) if stem in self.texts else 0
        return size + sum(
            len(self.names[form].content) for form in self.groups[stem] if form in self.names
        )

    def _term(self, form: str) -> Term:
        found = self.spellings.get(form, {})
        return Term(form, names=self.names.get(form), spellings=found)

    def _write_head(self, i: int, stem: str) -> None:
        texts = self.texts.get(stem)
        blocks = split_blocks(texts)
        head = Head(
            frequency=texts.frequency if texts else 0,
            blocks=blocks,
            positions=texts.positions if texts else b"",
            forms=[self._term(form) for form in self.groups[stem]],
        )
        content, positions = encode_head(head)
        for k, (_, block) in enumerate(blocks[1:], 1):
            self.save(f"h/{i}-{k}.bin", block)
        self.save(f"h/{i}.bin", content)
        self.save(f"q/{i}.bin", positions)

    def _write_terms(self, entries: Sequence[tuple[str, str]]) -> list[str]:
        firsts: list[str] = []
        terms: list[Term] = []
        sections: list[bytes] = []
        size = 0
        before = ""
        few = len(entries) < FEW_WORDS
        usual = SHARD_BYTES if few or len(entries) >= MANY_WORDS else SHARD_BYTES // 3

        def save_positions() -> None:
            self.save(f"p/{(len(firsts) - 1) // POSITIONS_TOGETHER}.bin", b"".join(sections))
            sections.clear()

        def finish() -> None:
            nonlocal size
            content, section = encode_terms(terms)
            self.save(f"t/{len(firsts) - 1}.bin", content)
            sections.append(section)
            if len(sections) == POSITIONS_TOGETHER:
                save_positions()
            terms.clear()
            size = 0

        for form, stem in entries:
            term = self._term(form)
            owner = self.groups[stem][0]
            if stem in self.texts:
                if form == owner:
                    term.text = self.texts[stem]
                else:
                    term.owner = owner
            length = cost_of(term)
            # Between words that differ early: the manifest has to tell one from the other.
            letters = len(separator(before, form))
            cut = not few and size > usual * (0.2 + 0.15 * letters)
            if terms and (size + length > usual * 1.5 or cut):
                finish()
            if not terms:
                firsts.append(separator(before, form))
            terms.append(term)
            size += length
            before = form
        if terms:
            finish()
        if sections:
            save_positions()
        return firsts

    def _write_vocabulary(self) -> dict[str, Any]:
        known = []
        for stem, forms in self.groups.items():
            in_texts = self.texts[stem].frequency if stem in self.texts else 0
            for form in forms:
                frequency = in_texts + (self.names[form].frequency if form in self.names else 0)
                if worth_a_slip(form, frequency):
                    known.append((form, level_of(frequency)))
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
                    self.save(f"{folder}/{len(firsts) - 1}.bin", encode_vocabulary(part))
                    part, size = [], 0
                if not part:
                    firsts.append(separator(before, word))
                part.append((word, level))
                size += len(word)
                before = word
            if part:
                self.save(f"{folder}/{len(firsts) - 1}.bin", encode_vocabulary(part))
            found[folder] = front_coded(firsts)
        return found


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


def _keys(part: Postings) -> array[int]:
    keys = array("Q")
    keys.frombytes(part[1])
    return keys


def _make_list(parts: list[Postings]) -> PostingList:
    if len(parts) == 1:
        keys, places = _keys(parts[0]).tolist(), parts[0][2]
    else:
        keyed = [
            item
            for part in parts
            for item in zip(_keys(part), split_positions(part[2]), strict=True)
        ]
        keyed.sort()
        keys, places = [key for key, _ in keyed], b"".join([at for _, at in keyed])
    return PostingList(
        frequency=len(keys),
        keys=keys if len(keys) > BLOCK_POSTINGS else [],
        content=postings(keys),
        positions=places,
    )
