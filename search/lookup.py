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
ORDINARY = 10
"""A word is an ordinary one if texts have it more often than names by more than this."""
IN_PASSING = 16
"""The impact of a word that a document has in its abstract only, if not often."""


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
    others: list[tuple[Known, float, int]] = field(default_factory=list)
    """Other words, what each counts, and how frequent it is taken to be at least: of words that
    go on, or may have been meant, a rare one tells no more than the usual.
    """
    is_pair: bool = False
    """Whether it is two words that make a name."""
    share: float = 1.0
    """What the word itself counts."""

    def lists(self, documents: int) -> Iterator[tuple[str, str, int, float]]:
        """Yield field, term, rarity and share of each posting list."""
        for known, share, at_least in [(self.known, self.share, 0), *self.others]:
            rare = rarity(documents, max(known.frequency, at_least))
            if known.in_text:
                yield "text", STEMS[known.form], rare, share
            if known.in_names:
                yield "names", known.form, rare, share

    def written(self) -> frozenset[str]:
        """Return the word as the query writes it; an unknown one as it was probably meant."""
        if self.known.frequency:
            return frozenset({self.word})
        return frozenset(known.form for known, *_ in self.others)

    def forms(self) -> Iterator[str]:
        """Yield the words to mark."""
        if not self.is_pair:
            yield self.word
            for known, *_ in self.others:
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
        counts = Counter(query.words)
        found = [
            self._meaning(
                word, repeats, begins=prefix and word == query.last, alone=len(counts) < 3
            )
            for word, repeats in counts.items()
        ]
        return found + self._pairs(query.words, found)

    def _meaning(self, word: str, repeats: int, *, begins: bool, alone: bool) -> Meaning:
        known = self._know(word)
        others: list[tuple[Known, float, int]] = []
        longer: list[Known] = []
        if begins and len(word) >= SHORTEST_BEGINNING:
            longer = self._longer(word)
            share = LONGER_WORD if known.frequency else BEGUN_WORD
            most = max((other.frequency for other in longer), default=0)
            others = [
                (other, share, most)
                for other in longer
                if other.form != word and not (known.frequency and STEMS[other.form] == STEMS[word])
            ]
        inflected = [] if known.frequency else self._inflected(word)
        others += [(other, INFLECTED, 0) for other in inflected]
        if inflected:
            return Meaning(word, repeats, known, others)
        if self._is_slip(known, alone=alone) or (not known.frequency and not longer):
            near = self._meant(word)
            usual = near[0].frequency if near else 0
            others += [(other, TYPO, usual) for other in near]
        return Meaning(word, repeats, known, others)

    def _is_slip(self, known: Known, *, alone: bool) -> bool:
        """Return whether the one document with a word may have it by a slip of the pen: not in
        a name, nor, if there are more words to go by, in its title.
        """
        if len(known.form) < SHORTEST_RARE or known.in_names or known.in_text != 1:
            return False
        if alone:
            return True
        stem = STEMS[known.form]
        found = (impact for leaf in self._leaves for impact in leaf.impacts("text", stem))
        return all(impact <= IN_PASSING for impact in found)

    def _pairs(self, words: tuple[str, ...], meanings: list[Meaning]) -> list[Meaning]:
        known_as = {meaning.word: meaning.known for meaning in meanings}
        if len(set(words)) > LONGEST_COORDINATED:
            return []
        pairs: dict[str, float] = {}
        for one, other in pairwise(words):
            first, last = known_as[one], known_as[other]
            if one == other or not first.in_names or not last.in_names:
                continue
            if _is_ordinary(first) and _is_ordinary(last):
                continue
            pairs[f"{one} {other}"] = 1.0
            if not _is_ordinary(last):  # names seldom begin with an ordinary word
                pairs.setdefault(f"{other} {one}", REVERSED_NAME)
        found = [(self._know(pair), share) for pair, share in pairs.items()]
        return [
            Meaning(k.form, 1, k, is_pair=True, share=share) for k, share in found if k.frequency
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


def _is_ordinary(known: Known) -> bool:
    """Return whether a word is in texts much more often than in names."""
    return known.in_names * ORDINARY < known.in_text


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
