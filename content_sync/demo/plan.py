"""How large each part of the demo source is, from the number of its publications."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

REFERENCE_DATE = date(2026, 11, 22)
"""The day that the demo's records call today. Fixed, so that the same seed gives the same bytes."""

FIRST_YEAR = 1994
MOST_PUBLICATIONS = 1_000_000
MOST_FILES = 2_000
FILE_SHARE = 0.6
MOST_REDIRECTS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Numbers of records. `years` holds (year, publications) in ascending order."""

    publications: int
    people: int
    institutions: int
    venues: int
    topics: int
    projects: int
    events: int
    years: tuple[tuple[int, int], ...]

    @property
    def id_digits(self) -> int:
        """Digits of the running number in an id, so that ids sort as they are numbered."""
        return max(4, len(str(max(count for _, count in self.years))))

    @property
    def file_share(self) -> float:
        """Share of publications with a full text, low enough to stay under MOST_FILES."""
        return min(FILE_SHARE, 0.97 * MOST_FILES / self.publications)


def make_plan(publications: int) -> Plan:
    """Return the sizes that suit `publications`: people grow with it, the rest more slowly."""
    scale = publications / 600
    return Plan(
        publications=publications,
        people=max(24, publications // 2),
        institutions=_grow(40, scale, 0.35, least=8),
        venues=_grow(20, scale, 0.25, least=6),
        topics=_grow(80, scale, 0.18, least=80),
        projects=_grow(60, scale, 0.5 if scale > 1 else 1.0, least=2),
        events=_grow(12, scale, 0.4 if scale > 1 else 0.5, least=3),
        years=_spread(publications),
    )


def _grow(base: int, scale: float, exponent: float, *, least: int) -> int:
    return max(least, round(base * math.pow(scale, exponent)))


def _spread(publications: int) -> tuple[tuple[int, int], ...]:
    """Divide the publications among the years: more each year, and a current year not over."""
    years = range(FIRST_YEAR, REFERENCE_DATE.year + 1)
    weights = [3 + (year - FIRST_YEAR) ** 1.15 for year in years]
    weights[-1] *= 0.9
    total = sum(weights)
    counts = []
    reached = 0.0
    given = 0
    for weight in weights:
        reached += weight
        upto = round(publications * reached / total)
        counts.append(upto - given)
        given = upto
    return tuple(zip(years, counts, strict=True))
