"""Rules over dates and times."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from content_sync.source.checks.cleaning import shown
from content_sync.source.checks.findings import Mended


def iso_date(value: Any) -> Mended:
    """A date is a real day from the year 1000 to 2200, as a date or in ISO form."""
    if value is None or value == "":
        return None
    moment = _moment(value)
    if moment is None or not 1000 <= moment.year <= 2200:
        yield f"{shown(value)} is no date"
        return None
    return moment.date().isoformat()


def iso_datetime(value: Any) -> Mended:
    """A time is a real one, in ISO form; an offset is dropped: times are local ones."""
    if value is None or value == "":
        return None
    moment = _moment(value)
    if moment is None or not 1000 <= moment.year <= 2200:
        yield f"{shown(value)} is no time"
        return None
    return _iso(moment)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    try:
        return datetime.fromisoformat(str(value).strip()).replace(tzinfo=None)
    except ValueError:
        return None


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")
