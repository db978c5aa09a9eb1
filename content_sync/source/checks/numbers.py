"""Rules over numbers, amounts, money, and yes or no."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from content_sync.source.checks.cleaning import shown
from content_sync.source.checks.findings import Mended


def year(value: Any) -> Mended:
    """A year is a whole number from 1000 to 2200; anything else is no year."""
    number = yield from integer(value)
    if number is not None and not 1000 <= number <= 2200:
        yield f"{number} is no plausible year"
        return None
    return number


def month(value: Any) -> Mended:
    """A month is a whole number from 1 to 12; anything else is no month."""
    number = yield from integer(value)
    if number is not None and not 1 <= number <= 12:
        yield f"there is no month {number}"
        return None
    return number


def day(value: Any) -> Mended:
    """A day of a month is a whole number from 1 to 31; anything else is no day."""
    number = yield from integer(value)
    if number is not None and not 1 <= number <= 31:
        yield f"there is no day {number}"
        return None
    return number


def integer(value: Any) -> Mended:
    """A whole number has no fraction and fits into 63 bits."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(int(value) if isinstance(value, bool) else value).strip())
        whole = int(number) if number.adjusted() < 40 else 1 << 62
    except (InvalidOperation, ValueError, OverflowError):
        yield f"{shown(value)} is no whole number"
        return None
    if whole != number or abs(whole) >= 1 << 62:
        yield f"{shown(value)} is no whole number"
        return None
    return whole


def amount(value: Any) -> Mended:
    """A number of things (places, days) is a whole number that is not negative."""
    number = yield from integer(value)
    if number is not None and number < 0:
        yield f"{number} is negative"
        return None
    return number


def money(value: Any) -> Mended:
    """Money is a decimal number; it is kept as text, so that no digit is lost."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > 30:
        yield f"{shown(value)} is no amount of money"
        return None
    return format(number.normalize() if number else Decimal(0), "f")


def boolean(value: Any) -> Mended:
    """Yes or no: true, false, 1, 0, yes, no, t, f, y or n; anything else counts as no."""
    if isinstance(value, bytes | bytearray):
        value = int.from_bytes(value, "little")
    if value is None:
        return 0
    known = _BOOLEANS.get(str(value).strip().casefold())
    if known is None:
        yield f"{shown(value)} is neither yes nor no"
        return 0
    return known


_BOOLEANS = {
    **dict.fromkeys(("1", "1.0", "-1", "true", "t", "yes", "y"), 1),
    **dict.fromkeys(("0", "0.0", "false", "f", "no", "n", ""), 0),
}
