"""One partition, opened to answer queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from whoosh.reading import IndexReader, TermNotFound

from search.encoding import decode_positions
from search.partitions import read_gone, read_words
from search.words import index_words


@dataclass(frozen=True, slots=True)
class LeafWords:
    """The words of a partition."""

    forms: frozenset[str]
    """Folded words of texts and names, before stemming."""
    spellings: dict[str, list[str]]
    """Folded word → the ways in which it is written with accents."""
    frequency: Callable[[str, str], int]
    """How many documents have a term of `text` or `names`."""
    impacts: Callable[[str, str], list[int]]
    """How much a term counts in each document that has it."""


class Leaf:
    """A partition's reader. Numbers of documents are those in the segment."""

    def __init__(self, reader: IndexReader, first: int, folder: Path) -> None:
        self.reader: Any = reader
        self.first = first
        self.folder = folder

    def close(self) -> None:
        """Close all files."""
        self.reader.close()

    @cached_property
    def _gone(self) -> dict[str, dict[str, int]]:
        return read_gone(self.folder)

    @cached_property
    def words(self) -> LeafWords:
        """The partition's words, read when they are first needed."""
        spellings: dict[str, list[str]] = {}
        for spelling in self.keys("spelling"):
            if self._gone and not self.frequency("spelling", spelling):
                continue
            for word in index_words(spelling)[:1]:
                spellings.setdefault(word, []).append(spelling)
        words = read_words(self.folder)
        return LeafWords(words, spellings, self.frequency, self._impacts)

    def _impacts(self, field: str, term: str) -> list[int]:
        return [impact for _, impact in self.impacts(field, term)]

    def frequency(self, field: str, term: str) -> int:
        """Return how many documents have a term, without those that are gone."""
        count: int = self.reader.doc_frequency(field, term)
        return count - self._gone.get(field, {}).get(term, 0)

    def impacts(self, field: str, term: str) -> Iterator[tuple[int, int]]:
        """Yield number and impact of each document that has a term."""
        matcher = self._postings(field, term)
        while matcher and matcher.is_active():
            yield self.first + matcher.id(), int(matcher.weight())
            matcher.next()

    def positions(self, field: str, term: str) -> dict[int, list[int]]:
        """Return where a term stands in each document that has it."""
        found: dict[int, list[int]] = {}
        matcher = self._postings(field, term)
        while matcher and matcher.is_active():
            found[self.first + matcher.id()] = decode_positions(matcher.value())
            matcher.next()
        return found

    def numbers(self, field: str, key: str) -> Iterator[int]:
        """Yield the documents with a whole value in a field."""
        matcher = self._postings(field, key)
        if matcher:
            for number in matcher.all_ids():
                yield self.first + number

    def keys(self, field: str) -> Iterator[str]:
        """Yield the whole values of a field."""
        return (key.decode() for key in self.reader.lexicon(field))

    def all_numbers(self) -> Iterator[int]:
        """Yield every document."""
        return (self.first + number for number in self.reader.all_doc_ids())

    def stored(self, number: int) -> bytes:
        """Return a document's own line."""
        line: bytes = self.reader.stored_fields(number - self.first)["document"]
        return line

    def _postings(self, field: str, term: str) -> Any:
        try:
            return self.reader.postings(field, term)
        except TermNotFound:
            return None


def find_phrase(words: list[dict[int, list[int]]], allowed: Callable[[int], bool]) -> set[int]:
    """Return the documents in which words stand side by side, beginning where it is allowed."""
    found: set[int] = set()
    for number in set.intersection(*(set(word) for word in words)):
        first, *others = [word[number] for word in words]
        for start in first:
            if allowed(start) and all(start + i in place for i, place in enumerate(others, 1)):
                found.add(number)
                break
    return found
