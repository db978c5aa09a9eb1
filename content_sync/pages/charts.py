"""Bar charts as flat SVG: scaled by pygal, drawn with the theme's own classes.

A chart is drawn when its page is rendered, so a night on which its figures stay as they
were does not draw it again. What pygal would write into it, a sheet of style and scripts,
is left out: the policy of the pages forbids both, and colours follow the reader's scheme.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from content_sync.pages.model import Context
from content_sync.pages.progress import STATES, in_words
from content_sync.pages.wording import counted
from content_sync.plotting import load_pygal

_WIDTH, _HEIGHT = 400, 140
_LETTER = 7.5
_LEAST_BARS = 3
_MOVE = re.compile(r"M([\d.]+) ([\d.]+)")


def years_chart(counts: Sequence[tuple[int, int]], what: str = "work") -> Context | None:
    """Return the chart of how many works each year brought; None where there is little to see.

    Years between the first and the last that brought none are shown as such.
    """
    known = {year: n for year, n in counts if year}
    if len(known) < _LEAST_BARS:
        return None
    years = range(min(known), max(known) + 1)
    most = max(known.values())
    best = [year for year in years if known.get(year) == most]
    total = sum(known.values())
    says = f"{counted(total, what)} from {years[0]} to {years[-1]}; most in {best[-1]}, {most:,}."
    return {
        "title": f"{what.capitalize()}s per year",
        "says": says,
        "head": ("Year", f"{what.capitalize()}s"),
        "rows": [(str(year), known.get(year, 0)) for year in years],
    }


def states_chart(states: Counter[str]) -> Context | None:
    """Return the chart of how many deliverables are in each state; None where there are few."""
    if states.total() < _LEAST_BARS:
        return None
    return {
        "title": "Deliverables by state",
        "says": in_words(states),
        "head": ("State", "Deliverables"),
        "rows": [(state.capitalize(), states[state]) for state in STATES],
    }


def bar_chart(chart: Context) -> Markup:
    """Return the SVG of a chart: one bar for each row, upright and in the rows' order."""
    rows = tuple((label, n) for label, n in chart["rows"])
    return _drawn(f"{chart['title']}. {chart['says']}", rows)


@lru_cache(maxsize=256)
def _drawn(title: str, rows: tuple[tuple[str, int], ...]) -> Markup:
    """Draw a chart, once for the pages of all audiences."""
    drawn: Any = load_pygal().Bar(
        width=_WIDTH,
        height=_HEIGHT,
        margin=0,
        margin_top=8,
        spacing=0,
        js=[],
        show_legend=False,
        show_x_labels=False,
        min_scale=2,
        max_scale=3,
    )
    drawn.value_formatter = lambda value: f"{value:,.0f}"
    drawn.x_labels = [label for label, _ in rows]
    drawn.add("", [n for _, n in rows])
    return _redrawn(drawn.render_tree(), title, rows)


def _redrawn(tree: Any, title: str, rows: tuple[tuple[str, int], ...]) -> Markup:
    """Return what pygal placed, with nothing but lines, bars and words."""
    groups = [(e, e.get("class") or "") for e in tree.iter() if isinstance(e.tag, str)]
    left = max(
        [len(_text(e)) for g, c in groups if c == "guides" for e in g if _is(e, "text")], default=1
    )
    edge = round(left * _LETTER + 8)
    plot = next(e for e, c in groups if c == "plot")
    height = float(next(e for e in plot if _is(e, "rect")).get("height"))
    parts: list[str] = []
    for axis, cls in groups:
        if not cls.startswith("axis y"):
            continue
        for guide in axis:
            line = next((e for e in guide if _is(e, "path")), None)
            label = next((e for e in guide if _is(e, "text")), None)
            move = line is not None and _MOVE.match(line.get("d") or "")
            if not move or label is None:
                continue
            y = float(move[2])
            parts.append(f'<line x1="{edge}" x2="{edge + _WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(
                f'<text x="{edge - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(_text(label))}'
                "</text>"
            )
    scale = _WIDTH / float(next(e for e in plot if _is(e, "rect")).get("width"))
    bars = [e for e, c in groups if _is(e, "rect") and c.startswith("rect")]
    labels = [label for label, _ in rows]
    step = max(1, math.ceil((_LETTER * max(map(len, labels)) + 10) * len(labels) / _WIDTH))
    for i, (bar, (label, n)) in enumerate(zip(bars, rows, strict=True)):
        x, width = (float(bar.get(name)) * scale for name in ("x", "width"))
        y, tall = float(bar.get("y")), float(bar.get("height"))
        middle = f'x="{edge + x + width / 2:.1f}" text-anchor="middle"'
        if n:
            parts.append(
                f'<rect class="bar" x="{edge + x:.1f}" y="{y:.1f}" '
                f'width="{max(1.0, width):.1f}" height="{tall:.1f}"/>'
            )
        if (len(labels) - 1 - i) % step == 0:
            parts.append(f'<text {middle} y="{height + 17:.0f}">{escape(label)}</text>')
    return Markup(  # noqa: S704 - put together of numbers and escaped words
        f'<svg class="chart" viewBox="0 0 {edge + _WIDTH} {height + 22:.0f}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _is(element: Any, name: str) -> bool:
    return str(element.tag).rpartition("}")[2] == name


def _text(element: Any) -> str:
    return str(element.text or "")
