"""Where the words of a query stand in a text, and the part of an abstract to show."""

from __future__ import annotations

import re

from search.schema import STEMS
from search.words import index_words

Span = tuple[int, int]
"""Start and end, in characters."""

SNIPPET_LENGTH = 220

_CHUNK = re.compile(r"[^\W_]+(?:[\u0300-\u036f\u0900-\u0fff]+[^\W_]*)*")


def highlight(text: str, stems: frozenset[str]) -> tuple[Span, ...]:
    """Return where words with one of the stems stand in `text`."""
    return tuple(
        match.span()
        for match in _CHUNK.finditer(text)
        if any(STEMS[word] in stems for word in index_words(match[0]))
    )


def snippet(text: str, stems: frozenset[str]) -> tuple[str, tuple[Span, ...]]:
    """Return about SNIPPET_LENGTH characters of `text` with most different words, and marks.

    A part that does not begin or end with the text begins or ends with an ellipsis.
    """
    text = " ".join(text.split())
    marks = highlight(text, stems)
    start = _best_start(text, marks)
    if start:
        start = text.find(" ", start) + 1 or start
    end = start + SNIPPET_LENGTH
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + SNIPPET_LENGTH // 2)
    before = "… " if start else ""
    after = " …" if end < len(text) else ""
    shift = len(before) - start
    inside = tuple((a + shift, b + shift) for a, b in marks if a >= start and b <= end)
    return before + text[start:end] + after, inside


def _best_start(text: str, marks: tuple[Span, ...]) -> int:
    """Return where a snippet begins so that it shows most different words early."""
    best, most = 0, 0
    for i, (first, _) in enumerate(marks):
        start = max(first - 40, 0) if first > SNIPPET_LENGTH - 60 else 0
        seen = set()
        for a, b in marks[i:]:
            if b > start + SNIPPET_LENGTH:
                break
            seen.add(text[a:b].lower())
        if len(seen) > most:
            best, most = start, len(seen)
    return best
