"""What the words of a query stand for: themselves, longer words, words meant, names.

The same rules as in `client/lookup.js`, over the words of Whoosh's partitions.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from search.language import Query
from search.leaves import LeafWords
from search.ranking import (
    BEGUN_WORD,
    INFLECTED,
    LONGER_WORD,
    LONGEST_COORDINATED,
    REVERSED_NAME,
    TYPO,
    rarity,
)
from search.schema import STEMS

SHORTEST_BEGINNING = 2
MOST_FORMS = 60
SHORTEST_MEANT = 5
SHORTEST_RARE = 5
MOST_MEANT = 8


@dataclass(frozen=True, slots=True)
class Known:
    """A word as the index knows it."""

    form: str
    in_text: int
    """How many documents have it, or a form of the same word, in titles, abstracts and so on."""
    in_names: int

    @property
    def frequency(self) -> int:
        return self.in_text + self.in_names


@dataclass(frozen=True, slots=True)
class Meaning:
    """A word of the query and what it stands for."""

    word: str
    repeats: int
    known: Known
    others: list[tuple[Known, float]] = field(default_factory=list)
    """Other words, and what each counts."""
    at_least: int = 0
    """How frequent words that go on are taken to be: a rare one tells no more than the usual."""
    is_pair: bool = False
    """Whether it is two words that make a name."""
    share: float = 1.0
    """What the word itself counts."""

    def lists(self, documents: int) -> Iterator[tuple[str, str, int, float]]:
        """Yield field, term, rarity and share of each posting list."""
        for known, share in [(self.known, self.share), *self.others]:
            goes_on = share in (LONGER_WORD, BEGUN_WORD)
            rare = rarity(documents, max(known.frequency, self.at_least if goes_on else 0))
            if known.in_text:
                yield "text", STEMS[known.form], rare, share
            if known.in_names:
                yield "names", known.form, rare, share

    def written(self) -> frozenset[str]:
        """Return the word as the query writes it; an unknown one as it was probably meant."""
        if self.known.frequency:
            return frozenset({self.word})
        return frozenset(known.form for known, _ in self.others)

    def forms(self) -> Iterator[str]:
        """Yield the words to mark."""
        if not self.is_pair:
            yield self.word
            for known, _ in self.others:
                yield known.form


class Lookup:
    """The words of all partitions."""

    def __init__(self, segments: list[list[LeafWords]]) -> None:
        self._leaves = [leaf for segment in segments for leaf in segment]

    def is_known(self, word: str) -> bool:
        """Return whether a word, in this form, is in any document."""
        return any(word in leaf.forms for leaf in self._leaves)

    def spellings(self, word: str) -> set[str]:
        """Return the ways in which a word is written with accents."""
        return {s for leaf in self._leaves for s in leaf.spellings.get(word, ())}

    def meanings(self, query: Query, *, prefix: bool) -> list[Meaning]:
        """Return what each word of a query stands for; names of two words at the end."""
        found = [
            self._meaning(word, repeats, begins=prefix and word == query.last)
            for word, repeats in Counter(query.words).items()
        ]
        return found + self._pairs(query.words, found)

    def _meaning(self, word: str, repeats: int, *, begins: bool) -> Meaning:
        known = self._know(word)
        others: list[tuple[Known, float]] = []
        longer: list[Known] = []
        if begins and len(word) >= SHORTEST_BEGINNING:
            longer = self._longer(word)
            share = LONGER_WORD if known.frequency else BEGUN_WORD
            others = [
                (other, share)
                for other in longer
                if other.form != word and not (known.frequency and STEMS[other.form] == STEMS[word])
            ]
        most = max((other.frequency for other in longer), default=0)
        inflected = [] if known.frequency else self._inflected(word)
        others += [(other, INFLECTED) for other in inflected]
        if inflected:
            return Meaning(word, repeats, known, others, most)
        rare = known.frequency == 1 and len(word) >= SHORTEST_RARE
        if rare or (not known.frequency and not longer):
            others += [(other, TYPO) for other in self._meant(word)]
        return Meaning(word, repeats, known, others, most)

    def _pairs(self, words: tuple[str, ...], meanings: list[Meaning]) -> list[Meaning]:
        names = {meaning.word for meaning in meanings if meaning.known.in_names}
        if len(set(words)) > LONGEST_COORDINATED:
            return []
        pairs: dict[str, float] = {}
        for one, other in pairwise(words):
            if one in names and other in names and one != other:
                pairs[f"{one} {other}"] = 1.0
                pairs.setdefault(f"{other} {one}", REVERSED_NAME)
        known = [(self._know(pair), share) for pair, share in pairs.items()]
        return [
            Meaning(k.form, 1, k, is_pair=True, share=share) for k, share in known if k.frequency
        ]

    def _know(self, form: str) -> Known:
        if not self.is_known(form):
            return Known(form, 0, 0)
        stem = STEMS[form]
        return Known(
            form,
            sum(leaf.frequency("text", stem) for leaf in self._leaves),
            sum(leaf.frequency("names", form) for leaf in self._leaves),
        )

    def _longer(self, beginning: str) -> list[Known]:
        forms = {
            form
            for leaf in self._leaves
            for form in leaf.forms
            if form.startswith(beginning) and " " not in form
        }
        return _most_frequent(map(self._know, forms), MOST_FORMS)

    def _inflected(self, word: str) -> list[Known]:
        known = map(self._know, inflections(word))
        return _most_frequent((k for k in known if k.in_text), 1)

    def _meant(self, word: str) -> list[Known]:
        if not SHORTEST_MEANT <= len(word) <= 30:
            return []
        near = {
            form
            for leaf in self._leaves
            for form in leaf.forms
            if abs(len(form) - len(word)) <= 1
            and 3 < len(form) < 30
            and " " not in form
            and is_one_slip(word, form)
        }
        known = (self._know(form) for form in near)
        return _most_frequent((k for k in known if k.frequency > 1), MOST_MEANT)


def inflections(word: str) -> list[str]:
    """Return what an unknown word may be another ending of."""
    stems = [
        word[: len(word) - len(ending)]
        for ending in _ENDINGS
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM
    ]
    return list(dict.fromkeys(s + e for s in stems for e in _ENDINGS if s + e != word))


_ENDINGS = ("", "s", "es", "ed", "ing", "e", "y", "ies")
_SHORTEST_STEM = 4


def is_one_slip(one: str, other: str) -> bool:
    """Return whether one letter more, less, other, or two swapped make one of the other."""
    if one == other:
        return False
    start = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        start += 1
    end, other_end = len(one), len(other)
    while end > start and other_end > start and one[end - 1] == other[other_end - 1]:
        end -= 1
        other_end -= 1
    left, right = one[start:end], other[start:other_end]
    if len(left) <= 1 and len(right) <= 1:
        return True
    return len(left) == 2 and left == right[::-1]


def _most_frequent(known: Iterator[Known], most: int) -> list[Known]:
    return heapq.nsmallest(most, known, key=lambda k: (-k.frequency, k.form))
