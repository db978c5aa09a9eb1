r"""LaTeX in titles and abstracts: MathML for browsers, plain characters for everything else.

Mathematics is what stands between dollar signs, under pandoc's rule (a space inside or a
digit behind a dollar sign means money), or between `\(` and `\)`. What cannot be converted
stays as it was written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MATHS = re.compile(r"\$(?=\S)((?:[^$\\]|\\.)+?)(?<=\S)\$(?!\d)|\\\((.+?)\\\)", re.DOTALL)

# MathML Core without the attributes that carry links, styles or names.
_ELEMENTS = frozenset(
    "math mrow mi mn mo ms mtext mspace msub msup msubsup mover munder munderover mfrac"
    " msqrt mroot mtable mtr mtd mstyle mpadded mphantom menclose".split()
)
_ATTRIBUTES = frozenset(
    "display mathvariant stretchy form fence separator accent accentunder linethickness"
    " displaystyle scriptlevel width height depth columnalign rowspacing notation".split()
)
_PLAIN_VALUE = re.compile(r"[a-zA-Z0-9 .+-]*")
_LONGEST = 2000

_UP = str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
_DOWN = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


def has_maths(text: str) -> bool:
    """Tell whether a text has anything to convert; nearly all have not."""
    return ("$" in text or "\\(" in text) and _MATHS.search(text) is not None


def with_mathml(text: str) -> str:
    """Return the text for a page: with MathML as trusted Markup, or as it is."""
    if not has_maths(text):
        return text
    return Markup("").join(_pieces(text, _mathml, escape))


def without_latex(text: str) -> str:
    """Return the text in plain characters, for search, tags and feeds."""
    if not has_maths(text):
        return text
    return "".join(_pieces(text, _plain, str))


def formulas(text: str) -> list[tuple[str, bool]]:
    """Return the text in pieces: (words, False), and (LaTeX, True) for what can be shown."""
    if not has_maths(text):
        return [(text, False)]
    pieces: list[tuple[str, bool]] = []
    end = 0
    for match in _MATHS.finditer(text):
        latex = match[1] or match[2]
        if _mathml(latex) is None or _plain(latex) is None:
            continue
        pieces += [(text[end : match.start()], False), (latex, True)]
        end = match.end()
    return [*pieces, (text[end:], False)]


def _pieces(
    text: str, maths: Callable[[str], str | None], words: Callable[[str], str]
) -> list[str]:
    pieces: list[str] = []
    end = 0
    for match in _MATHS.finditer(text):
        converted = maths(match[1] or match[2])
        if converted is None:
            continue
        pieces += [words(text[end : match.start()]), converted]
        end = match.end()
    return [*pieces, words(text[end:])]


@lru_cache(maxsize=1024)
def _mathml(latex: str) -> Markup | None:
    element = _parse(latex)
    written = _write(element) if element is not None else None
    return Markup(written) if written else None  # noqa: S704 - written element by element below


@lru_cache(maxsize=1024)
def _plain(latex: str) -> str | None:
    element = _parse(latex)
    if element is None:
        return None
    # Unknown commands stay commands, which no reader wants to see in half.
    text = _characters(element).strip()
    return None if "\\" in text else text


def _parse(latex: str) -> Element | None:
    from latex2mathml.converter import convert_to_element

    if len(latex) > _LONGEST:
        return None
    try:
        return convert_to_element(latex)
    except Exception:
        # The converter raises whatever the input leads it to; the source is shown instead.
        return None


def _write(element: Element) -> str | None:
    """Return the element as MathML, or None if anything in it is not."""
    if element.tag not in _ELEMENTS:
        return None
    attributes = "".join(
        f' {name}="{value}"'
        for name, value in element.attrib.items()
        if name in _ATTRIBUTES and _PLAIN_VALUE.fullmatch(value)
    )
    content = html.escape(html.unescape(element.text or ""))
    for child in element:
        written = _write(child)
        if written is None:
            return None
        content += written
    return f"<{element.tag}{attributes}>{content}</{element.tag}>"


def _characters(element: Element) -> str:
    parts = [_characters(child) for child in element]
    if element.tag in ("msup", "msub", "msubsup") and len(parts) == len(element) > 1:
        base, *scripts = parts
        tables = {"msup": [_UP], "msub": [_DOWN], "msubsup": [_DOWN, _UP]}[element.tag]
        marks = {id(_UP): "^", id(_DOWN): "_"}
        for script, table in zip(scripts, tables, strict=True):
            raised = script.translate(table)
            known = all(ord(char) in table for char in script)
            base += raised if known else f"{marks[id(table)]}{script}"
        return base
    if element.tag == "mfrac" and len(parts) == 2:
        return "/".join(p if len(p) == 1 or p.isalnum() else f"({p})" for p in parts)
    if element.tag == "msqrt":
        return f"√({''.join(parts)})" if len("".join(parts)) > 1 else f"√{''.join(parts)}"
    if element.tag == "mspace":
        return " "
    return html.unescape(element.text or "") + "".join(parts)
