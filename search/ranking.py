"""How much a word in a document counts: BM25F in whole numbers, the same in every engine.

The weight of a word in a document is worked out once, when the document is indexed, and kept
in five bits, its impact. A query adds impact times rarity over its words. All sums are of
whole numbers, so that the command line and the browser agree to the last digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from search.documents import Document

WEIGHTS = {"title": 8.0, "people": 2.0, "abstract": 1.0}
"""How much a word in a field counts; 1 in all others."""
SATURATION = 2.0
LENGTH_SHARE = 0.7
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
TYPO = 0.7
"""What a word counts that differs by one slip from an unknown word of the query."""

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
    return math.floor(score * (matched / words) ** COORDINATION)


def _norm(field: str, length: int, average: float) -> float:
    return WEIGHTS[field] / (1 - LENGTH_SHARE + LENGTH_SHARE * length / average)
