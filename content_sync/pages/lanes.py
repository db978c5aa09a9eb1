"""Plan against actual: where each date of a project's deliverables stands on one line of time.

The line is a column of the table that holds the dates, one small SVG for each row. Its
places are shares of the width, so that it fits every screen and sheet without being drawn
twice, and its colours are the page's own. Nothing on it depends on today but what has
tipped: a day that is over does not make a page anew.
"""

from __future__ import annotations

from datetime import date

from content_sync.pages.model import Context
from content_sync.pages.reader import Row

_MARGIN = 1.5
"""Share of the width, in per cent, kept free on both sides for the marks."""
_MOST_TICKS = 5
_LABEL = 18
"""Share of the narrowest column that a year takes: nearer to the end it would run into the next."""


def time_scale(project: Row, deliverables: list[Row]) -> Context | None:
    """Return first and last day and the years between, None where no two days are known."""
    days = [project["starts_on"], project["ends_on"]]
    for row in deliverables:
        days += [row["due_on"], row["submitted_on"], row["accepted_on"]]
    known = sorted(day for day in days if day)
    if not known or known[0] == known[-1] or not any(r["due_on"] for r in deliverables):
        return None
    scale = {"first": known[0], "last": known[-1]}
    years = range(int(known[0][:4]) + 1, int(known[-1][:4]) + 1)
    step = -(-len(years) // _MOST_TICKS) or 1
    ticks = []
    for year in years[::step]:
        at = _place(scale, f"{year}-01-01")
        has_room = float(at.removesuffix("%")) <= 100 - _LABEL
        ticks.append({"at": at, "year": str(year) if has_room else ""})
    return scale | {"ticks": ticks}


def lane(scale: Context, row: Row, state: str) -> Context:
    """Return the marks of one deliverable; what has no place is left out."""
    marks: Context = {}
    for name in ("due", "submitted", "accepted"):
        if row[f"{name}_on"]:
            marks[name] = _place(scale, row[f"{name}_on"])
    if state == "late":
        marks["open"] = True
    return marks


def _place(scale: Context, day: str) -> str:
    first, last, at = (date.fromisoformat(d).toordinal() for d in (*_ends(scale), day))
    share = _MARGIN + (100 - 2 * _MARGIN) * (at - first) / (last - first)
    return f"{share:.1f}%"


def _ends(scale: Context) -> tuple[str, str]:
    return scale["first"], scale["last"]
