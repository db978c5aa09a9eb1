"""Find people by name, however it is typed: without accents, in part, in any script."""

from __future__ import annotations

import unicodedata

from anyascii import anyascii


def matches(words: str, *texts: str) -> bool:
    """Tell whether every word begins a word of the texts, as written or in plain letters."""
    wanted = _fold(words).split()
    if not wanted:
        return True
    known = " ".join(texts)
    parts = f"{_fold(known)} {_fold(anyascii(known))}".split()
    return all(any(part.startswith(word) for part in parts) for word in wanted)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
