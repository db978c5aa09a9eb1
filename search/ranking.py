"""How much a word in a document counts: BM25F in whole numbers, the same in every engine.

The weight of a word in a document is worked out once, when the document is indexed, and kept
in five bits, its impact. A query adds impact times rarity over its words. All sums are of
whole numbers, so that the command line and the browser agree to the last digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from search.documents import Document

WEIGHTS = {"title": 8.0, "people": 8.0, "abstract": 1.0}
"""How much a word in a field counts; 1 in all others."""
SATURATION = 2.0
LENGTH_SHARE = {"title": 0.7, "people": 0.7, "abstract": 0.6}
"""How much the length of a field matters."""
LEVELS = 32
"""Impacts are 1 to 32."""
RETRACTED_FACTOR = 0.3

COORDINATION = 0.5
"""Exponent of the share of a query's words that a document has …"""
LONGEST_COORDINATED = 6
"""… for queries of at most so many words."""

LONGER_WORD = 0.3
"""What a word counts that goes on where the last word of a query stops, …"""
BEGUN_WORD = 0.8
"""… and if the last word is no word by itself."""
INFLECTED = 0.9
"""What a word counts that is the same as an unknown one with another ending."""
TYPO = 0.7
"""What a word counts that differs by one slip from an unknown word of the query."""

OTHER_SPELLING = 0.9
"""What a word counts that is written with other accents than in the query."""
PART_OF_NAME = 0.25
"""What two words of a longer name weigh that are not its first and last."""
REVERSED_NAME = 0.8
"""What two words count that are a name in the other order."""
SAME_FORM = 0.1
"""What one of the best documents gains whose title and names have all words as written, …"""
WHOLE_QUERY = 0.5
"""… and what more if the query is short."""

_RARITY_UNIT = 1000


@dataclass(frozen=True, slots=True)
class Averages:
    """Average lengths in words: frozen, so that a new document changes no old impact."""

    title: float = 9.0
    people: float = 8.0
    abstract: float = 150.0


def norms(averages: Averages, title: int, people: int, abstract: int) -> tuple[float, float, float]:
    """Return what one occurrence in title, people and abstract of so many words counts."""
    return (
        _norm("title", title, averages.title),
        _norm("people", people, averages.people),
        _norm("abstract", abstract, averages.abstract),
    )


def impact(weight: float, document: Document) -> int:
    """Return the impact of a weight, 1 to LEVELS; retracted works count less."""
    share = weight / (SATURATION + weight)
    if document.status == "retracted":
        share *= RETRACTED_FACTOR
    return min(int(LEVELS * share), LEVELS - 1) + 1


def rarity(documents: int, frequency: int) -> int:
    """Return how much a word tells that so many of the documents have, in thousandths."""
    frequency = min(frequency, documents)
    return round(_RARITY_UNIT * math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5)))


def coordinate(score: int, matched: int, words: int) -> int:
    """Return the score of a document that has so many of a short query's words."""
    if matched >= words or words > LONGEST_COORDINATED:
        return score
    share: float = (matched / words) ** COORDINATION
    return math.floor(score * share)


def in_this_form(score: int, same: int, words: int) -> int:
    """Return the score of a document that has so many of a query's words as written."""
    if not words:
        return score
    whole = WHOLE_QUERY if same == words <= LONGEST_COORDINATED else 0
    return math.floor(score * (1 + (SAME_FORM * same) / words + whole))


def _norm(field: str, length: int, average: float) -> float:
    share = LENGTH_SHARE[field]
    return WEIGHTS[field] / (1 - share + share * length / average)
