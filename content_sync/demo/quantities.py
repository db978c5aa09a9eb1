"""Numbers as a paper prints them: with units, thousands separators and powers of ten."""

from __future__ import annotations

import math
import re
from random import Random
from typing import NamedTuple

_RANGE = re.compile(
    r"(?P<better>\+?)(?P<name>.+?) \[(?P<low>[-\d.e]+)\.\.(?P<high>[-\d.e]+)(?: (?P<unit>.+))?\]"
)
_WORDS = (
    *("two", "three", "four", "five", "six", "seven"),
    *("eight", "nine", "ten", "eleven", "twelve"),
)


class Quantity(NamedTuple):
    """A measured quantity with its usual range, and whether more of it is better."""

    name: str
    low: float
    high: float
    unit: str
    decimals: int
    more_is_better: bool


def parse_quantity(text: str) -> Quantity:
    """Read `activation energy [0.72..1.25 eV]`; a plus in front says that more is better."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a quantity with its range: {text!r}")
    low, high = match["low"], match["high"]
    decimals = max(len(n.partition(".")[2]) if "e" not in n else 0 for n in (low, high))
    return Quantity(
        match["name"], float(low), float(high), match["unit"] or "", decimals, bool(match["better"])
    )


def value_pairs(
    rng: Random, quantity: Quantity, count: int = 64
) -> tuple[tuple[str, str, str, str], ...]:
    """Return values within the range, as printed: smaller, larger, the worse, the better."""
    _, low, high, unit, decimals, more_is_better = quantity
    pairs: list[tuple[str, str, str, str]] = []
    while len(pairs) < count:
        values = sorted((_within(rng, low, high), _within(rng, low, high)))
        small, large = (print_value(v, unit, decimals) for v in values)
        if values[1] - values[0] > 0.08 * abs(values[1]) and small != large:
            worse, better = (small, large) if more_is_better else (large, small)
            pairs.append((small, large, worse, better))
    return tuple(pairs)


def print_value(value: float, unit: str, decimals: int) -> str:
    """Return the value with its unit: `1,240 h`, `0.84 eV`, `$3\\times10^{-9}$`."""
    size = abs(value)
    if size >= 1e5 or size < 1e-3:
        exponent = math.floor(math.log10(size))
        number = f"${round(value / 10**exponent) or 1}\\times10^{{{exponent}}}$"
    else:
        places = 0 if size >= 100 else min(decimals, 1) if size >= 10 else decimals
        number = f"{value:,.{places}f}".replace("-", "−")
    return f"{number} {unit}" if unit else number


def number_lists(rng: Random) -> dict[str, tuple[str, ...]]:
    """Return the lists that the `n.` slots of templates draw from."""

    def log(low: float, high: float, count: int = 600) -> tuple[str, ...]:
        return tuple(f"{round(_within(rng, low, high)):,}" for _ in range(count))

    def flat(low: float, high: float, places: int, tail: str = "") -> tuple[str, ...]:
        return tuple(f"{rng.uniform(low, high):.{places}f}{tail}" for _ in range(200))

    return {
        "n.small": _WORDS[1:],
        "n.num": _WORDS,
        "n.few": ("two", "three", "four"),
        "n.more": tuple(str(n) for n in range(13, 25)),
        "n.years": ("five", "six", "eight", "ten", "twelve", "fifteen", "twenty", "thirty"),
        "n.count": log(24, 24_000, 2_000),
        "n.tens": tuple(str(n) for n in range(20, 95)),
        "n.hours": log(40, 900),
        "n.minutes": tuple(str(n) for n in range(13, 90)),
        "n.months": tuple(str(n) for n in range(13, 44)),
        "n.pct": flat(6, 78, 0, " %"),
        "n.third": flat(5, 36, 0, " %"),
        "n.pct_small": flat(0.2, 5.5, 1, " %"),
        "n.factor": flat(1.3, 9.8, 1),
        "n.corr": flat(0.71, 0.97, 2),
        "n.expo": flat(0.31, 2.9, 2),
        "n.err": flat(0.02, 0.14, 2),
        "n.gb": log(13, 940),
        "n.threshold": flat(20, 85, 0, " % of the rated value"),
        "n.range_temp": tuple(
            f"temperatures from {low} to {high} °C"
            for low in ("−40", "−25", "0", "25", "60")
            for high in ("85", "105", "125", "150", "175")
        ),
        "n.tex": tuple(
            f"${lead}10^{{-{n}}}$"
            for lead in ("", r"2\times", r"3\times", r"5\times")
            for n in range(5, 16)
        ),
    }


def _within(rng: Random, low: float, high: float) -> float:
    if low > 0 and high / low > 20:
        return math.exp(rng.uniform(math.log(low), math.log(high)))
    return rng.uniform(low, high)
