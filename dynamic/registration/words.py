"""How days, hours and counts of events are put into words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

MONTHS = (
    "January February March April May June July August September October November December"
).split()


def day_in_words(day: date) -> str:
    """Return `8 January 2027`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def moment_in_words(local: str, zone: ZoneInfo) -> str:
    """Return `8 January 2027, 18:00 (Europe/Warsaw)` for a local time, or a day for a date."""
    if not local:
        return ""
    if len(local) <= 10:
        return day_in_words(date.fromisoformat(local))
    moment = datetime.fromisoformat(local)
    return f"{day_in_words(moment.date())}, {moment:%H:%M} ({zone.key})"


def instant_in_words(instant: datetime, zone: ZoneInfo) -> str:
    """Return an instant as clocks in `zone` show it."""
    local = instant.astimezone(zone)
    return moment_in_words(local.replace(tzinfo=None).isoformat(timespec="minutes"), zone)


def span_in_words(starts: str, ends: str, zone: ZoneInfo) -> str:
    """Return `19 January 2027, 09:00, to 20 January 2027, 15:00 (Europe/Warsaw)`."""
    if not starts:
        return "date to be announced"
    if not ends or ends == starts:
        return moment_in_words(starts, zone)
    if starts[:10] == ends[:10] and len(starts) > 10 and len(ends) > 10:
        day = day_in_words(date.fromisoformat(starts[:10]))
        return f"{day}, {starts[11:16]} to {ends[11:16]} ({zone.key})"
    if len(starts) <= 10 or len(ends) <= 10:
        first, last = (day_in_words(date.fromisoformat(t[:10])) for t in (starts, ends))
        return first if first == last else f"{first} to {last}"
    first = moment_in_words(starts, zone).rpartition(" (")[0]
    return f"{first}, to {moment_in_words(ends, zone)}"


def counted(n: int, one: str, many: str = "") -> str:
    """Return `1 place` or `1,204 places`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def iso_day(instant: datetime) -> str:
    """Return the day of an instant in UTC, as ISO text."""
    return instant.astimezone(UTC).date().isoformat()
