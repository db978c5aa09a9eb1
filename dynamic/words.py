"""Text that people typed, made fit to be kept, shown, mailed and searched."""

from __future__ import annotations

import unicodedata

_ALLOWED = frozenset("\n\t")


def plain_text(text: str | None, longest: int = 100_000) -> str:
    """Return text of several lines: composed, without control characters, trimmed.

    Control characters, which no database need accept and which break mails and tables, are
    taken out; so are marks that turn the direction of what follows. Line ends become one
    kind.
    """
    text = (text or "").replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    text = unicodedata.normalize("NFC", _with_few_marks(text))
    kept = "".join(c for c in text if c in _ALLOWED or not _is_control(c))
    return kept.strip()[:longest].rstrip()


def _with_few_marks(text: str) -> str:
    """Return text in which no letter carries more marks than any script puts on one.

    Sorting the marks of a letter takes as long as the square of their number: a form full of
    them would stop the whole service for minutes.
    """
    if len(text) <= _MOST_MARKS or text.isascii():
        return text
    kept = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


_MOST_MARKS = 30
"""As in the stream-safe format of Unicode's normal forms (UAX 15)."""


def one_line(text: str | None, longest: int = 1_000) -> str:
    """Return text as one line, blanks run together."""
    return " ".join(plain_text(text, longest * 4).split())[:longest].rstrip()


def same_words(one: str, other: str) -> bool:
    """Tell whether two texts say the same but for blanks and the way letters are composed."""
    return " ".join(plain_text(one).split()) == " ".join(plain_text(other).split())


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs"} or char in _TURNING


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
