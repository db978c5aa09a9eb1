"""Works per year as bars: what a person's page draws above the list of years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from content_sync.pages.model import Context
from content_sync.pages.reader import Row
from content_sync.pages.wording import counted

_LEAST_YEARS = 3
_HEIGHT = 40
_WIDTH = 320
_WIDEST = 24


def timeline(works: Sequence[Row]) -> Context | None:
    """Return a bar for each year from the first to the last, None for too few of them.

    Heights and places are in the units of the drawing, whose size is given; `says` is what
    it shows, in words.
    """
    counts = Counter(work["year"] for work in works if work["year"])
    if len(counts) < _LEAST_YEARS:
        return None
    first, last = min(counts), max(counts)
    most = max(counts.values())
    step = min(_WIDTH / (last - first + 1), _WIDEST)
    best = max(year for year, n in counts.items() if n == most)
    return {
        "width": round(step * (last - first + 1), 1),
        "height": _HEIGHT,
        "first": str(first),
        "last": str(last),
        "says": f"Works per year from {first} to {last}: {counted(most, 'work')} in {best} at most",
        "bars": [
            {
                "x": round((year - first) * step, 1),
                "y": _HEIGHT - (tall := max(2, round(n / most * _HEIGHT))),
                "width": round(max(step - 1.5, 0.75), 2),
                "height": tall,
                "says": f"{year}: {counted(n, 'work')}",
            }
            for year, n in sorted(counts.items())
        ],
    }
