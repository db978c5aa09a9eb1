"""Dates as volumes print them: `17-20 June`, `Aug 23–Aug 27`, `October/November`."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_ALONE = re.compile(r"\s*(1[0-2]|0?[1-9])\s*")


def month_and_day(text: str) -> tuple[int | None, int | None]:
    """Return the first month that `text` names, and its day if it is a single one."""
    if alone := _ALONE.fullmatch(text):
        return int(alone[1]), None
    months, days = _months_and_days(text)
    if not months:
        return None, None
    return months[0], days[0] if len(months) == len(days) == 1 else None


def span(text: str, year: int) -> tuple[date, date] | None:
    """Return the first and the last day that `text` names in `year`, if it names days."""
    months, days = _months_and_days(text)
    if len(months) == 1 and days:
        first, last = (months[0], days[0]), (months[0], days[-1])
    elif len(months) == len(days) == 2:
        first, last = zip(months, days, strict=True)
    else:
        return None
    try:
        start, end = date(year, *first), date(year, *last)
    except ValueError:
        return None
    return (start, end) if start <= end else None


def _months_and_days(text: str) -> tuple[list[int], list[int]]:
    months: list[int] = []
    days: list[int] = []
    for token in _TOKEN.findall(text):
        if token.isdigit():
            if 1 <= int(token) <= 31:  # a year is neither
                days.append(int(token))
        elif token[:3].casefold() in _MONTHS:
            months.append(_MONTHS.index(token[:3].casefold()) + 1)
    return months, days
