r"""Text for BibTeX: what LaTeX would read as a command is written as a character.

Formulas that the site shows as MathML stay formulas; any other backslash or dollar sign
becomes a character. Braces come in pairs in all that is returned, because BibTeX counts
them even behind a backslash.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from unicodedata import normalize

from content_sync.pages.maths import formulas

_BY_HAND = {
    "\\": r"{\textbackslash}",
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}",
    "<": r"{\textless}",
    ">": r"{\textgreater}",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "$": r"\$",
    "\u00a0": "~",
    "\u2013": "--",
    "\u2014": "---",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
    "\u2026": r"{\ldots}",
}
# Letters of Europe, which LaTeX composes; other scripts need fonts, not commands.
_COMPOSED = re.compile(r"[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f\u0218-\u021b]")
_FORBIDDEN = re.compile(r"[%#&~]|\\(?![,;:!{}|])[^a-zA-Z]")
# Words that a style must not turn to lower case: BERT, mBERT, GPT-4, iOS; and in a title
# that is written like a sentence, every word with a capital letter is a name.
_CAPITALS = re.compile(r"\w+(?<=\w[A-Z])\w*(?:-\w+)*|[A-Z]-?\d\w*")
_CAPITALS_AND_NAMES = re.compile(
    r"\w+(?<=\w[A-Z])\w*(?:-\w+)*|[A-Z]-?\d\w*|(?<=\S[ -])[A-ZÀ-ÖØ-Þ]\w*"
)
_LONG_WORD = re.compile(r"(?<=\S )[^\W\d_]{4,}")


def in_latex(text: str) -> str:
    """Return the text as LaTeX that shows it."""
    if text.isascii() and text.isalnum():
        return text
    return "".join(
        _formula(piece) if is_formula else _words(piece) for piece, is_formula in formulas(text)
    )


def title_in_latex(text: str) -> str:
    """Return a title as LaTeX, with words in capitals kept as they are."""
    words = _LONG_WORD.findall(text)
    is_sentence = sum(word[0].islower() for word in words) >= len(words) / 2
    kept = _CAPITALS_AND_NAMES if is_sentence else _CAPITALS
    return "".join(
        _formula(piece) if is_formula else _kept(kept, piece)
        for piece, is_formula in formulas(text)
    )


def _kept(kept: re.Pattern[str], text: str) -> str:
    pieces: list[str] = []
    end = 0
    for match in kept.finditer(text):
        pieces += [
            _words(text[end : match.start()]),
            "{",
            _words(match[0]),
            "}",
        ]
        end = match.end()
    pieces.append(_words(text[end:]))
    return "".join(pieces)


def _formula(latex: str) -> str:
    if not _in_pairs(latex) or _FORBIDDEN.search(latex) or not latex.isascii():
        return _words(f"${latex}$")
    return "$" + " ".join(latex.split()) + "$"


def _words(text: str) -> str:
    written = text.translate(_TABLE)
    if "{" in text and _in_pairs(text):
        # In pairs the shorter commands do no harm, and pandoc knows no others.
        return written.replace(_BY_HAND["{"], r"\{").replace(_BY_HAND["}"], r"\}")
    return written


def _in_pairs(text: str) -> bool:
    """Return whether BibTeX, which counts nothing but braces, finds them in pairs."""
    depth = 0
    for char in text:
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return False
    return depth == 0


class _Table(dict[int, str]):
    """What each character becomes, found when it is first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if not _COMPOSED.match(char):
            written = char if char.isprintable() else " "
        else:
            written = _encoder().unicode_to_latex(char)
            # The table of commands has mistakes (ű): what does not come back stays as it is.
            if normalize("NFC", _decoder().latex_to_text(written)) != char:
                written = char
        self[code] = written
        return written


@cache
def _encoder():  # type: ignore[no-untyped-def]
    from pylatexenc.latexencode import UnicodeToLatexEncoder  # type: ignore[attr-defined]

    logging.getLogger("pylatexenc.latexencode").setLevel(logging.ERROR)
    return UnicodeToLatexEncoder(
        unknown_char_policy="keep", replacement_latex_protection="braces-all"
    )


@cache
def _decoder():  # type: ignore[no-untyped-def]
    from pylatexenc.latex2text import LatexNodes2Text

    return LatexNodes2Text()


_TABLE = _Table({ord(char): latex for char, latex in _BY_HAND.items()})
