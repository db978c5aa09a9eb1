"""How facts are put into words on pages: dates, counts, sizes, names."""

from __future__ import annotations

import re
from datetime import date, datetime
from unicodedata import bidirectional

Date = dict[str, str]
"""`iso` for machines and `text` for readers, as precise as the record is."""

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

_PAGES = re.compile(r"(?<![\w-])(\w+)\s*(?:--?|[\u2010\u2012\u2014])\s*(\w+)(?![\w-])")
_DASH = re.compile("[-\u2010\u2012\u2014]")
_PARAGRAPH = re.compile(r"\n\s*\n")


def date_in_words(
    year: int | None, month: int | None = None, day: int | None = None
) -> Date | None:
    """Return a date of the precision that is known, or None where not even the year is."""
    if not year:
        return None
    if not month:
        return {"iso": f"{year:04d}", "text": str(year)}
    if not day:
        return {"iso": f"{year:04d}-{month:02d}", "text": f"{MONTHS[month - 1]} {year}"}
    return {
        "iso": f"{year:04d}-{month:02d}-{day:02d}",
        "text": f"{day} {MONTHS[month - 1]} {year}",
    }


def iso_in_words(value: str | None) -> Date | None:
    """Return the day that an ISO date or date-time names."""
    if not value:
        return None
    day = date.fromisoformat(value[:10])
    return date_in_words(day.year, day.month, day.day)


def short_date(value: str | None) -> Date | None:
    """Return the day that an ISO date names as `12 Oct 2026`, for tables."""
    day = iso_in_words(value)
    if not day:
        return None
    number, month, year = day["text"].split()
    return {"iso": day["iso"], "text": f"{number} {month[:3]} {year}"}


def month_in_words(value: str | None) -> Date | None:
    """Return the month that an ISO date names."""
    if not value:
        return None
    return date_in_words(int(value[:4]), int(value[5:7]))


def time_in_words(value: str | None) -> str:
    """Return the clock time of an ISO date-time as `14:30`, or nothing for a bare date."""
    return value[11:16] if value and len(value) > 10 else ""


def span_in_words(starts: str | None, ends: str | None) -> str:
    """Return one text for a first and a last day: `15 to 17 September 2026`."""
    first, last = iso_in_words(starts), iso_in_words(ends)
    if not first or not last:
        return (first or last or {"text": ""})["text"]
    if first["iso"] == last["iso"]:
        return first["text"]
    day, month, _ = first["text"].split()
    if first["iso"][:7] == last["iso"][:7]:
        return f"{day} to {last['text']}"
    if first["iso"][:4] == last["iso"][:4]:
        return f"{day} {month} to {last['text']}"
    return f"{first['text']} to {last['text']}"


def moment_in_words(value: str | None) -> str:
    """Return `8 January 2027, 18:00` for an ISO date-time."""
    day, clock = iso_in_words(value), time_in_words(value)
    if not day:
        return ""
    return f"{day['text']}, {clock}" if clock else day["text"]


def weekday_in_words(iso_day: str) -> str:
    """Return `Tuesday 19 January 2027` for an ISO date."""
    day = datetime.fromisoformat(iso_day[:10])
    return f"{day:%A} {day.day} {MONTHS[day.month - 1]} {day.year}"


def counted(n: int, one: str, many: str = "") -> str:
    """Return `1 work` or `1,204 works`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def pages_in_words(text: str | None) -> str:
    """Return page numbers as they are printed, ranges with a dash: `1–12` for `1-12` or `1--12`.

    A hyphen that is part of a number, as in `S1-1-S1-9`, stays.
    """
    if not text or not _DASH.search(text):
        return text or ""
    return _PAGES.sub(r"\1–\2", text)


def listed(names: list[str], most: int = 10) -> str:
    """Return the first names and how many more there are.

    A name in a script that runs from right to left is isolated, so that two of them in a
    row do not change places.
    """
    names = [_isolated(name) for name in names[: most + 1]] + names[most + 1 :]
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def _isolated(name: str) -> str:
    if name.isascii() or not any(bidirectional(char) in ("R", "AL") for char in name):
        return name
    return f"\u2068{name}\u2069"


def paragraphs(text: str | None) -> list[str]:
    """Return the paragraphs of a plain text, which blank lines separate."""
    if not text:
        return []
    parts = _PARAGRAPH.split(text) if "\n" in text else [text]
    return [p for part in parts if (p := in_one_line(part))]


def in_one_line(text: str) -> str:
    """Return a text with single spaces between its words."""
    # Nearly every text is so already, and what is no space is printable.
    if "  " not in text and text[:1] != " " and text[-1:] != " " and text.isprintable():
        return text
    return " ".join(text.split())


def summary(text: str | None, length: int = 160) -> str:
    """Return the beginning of a text, cut at a word, for descriptions of pages."""
    text = text or ""
    flat = in_one_line(text[: length + 20])
    if len(flat) <= length:
        flat = in_one_line(text)
    if len(flat) <= length:
        return flat
    return flat[: flat.rfind(" ", 0, length) if " " in flat[:length] else length] + " …"


def size_in_words(size: int) -> str:
    """Return a file size in kB or MB of a thousand bytes each, as file managers do."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} kB"
    return f"{size / 1_000_000:.1f} MB"


def title_length(title: str) -> str:
    """Return the class that gives a long title a smaller size."""
    if len(title) > 180:
        return "long"
    return "mid" if len(title) > 90 else ""
