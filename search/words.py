"""How text becomes words: folding and splitting, the same here and in the browser.

`client/words.js` says the same in JavaScript; a test compares the two over a table.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_WORD = 64
"""A longer word is cut: nobody searches for it, and an index key has to end somewhere."""

# Letters that Unicode does not decompose but readers type without their stroke or ligature.
_PLAIN_LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th",
    "ħ": "h", "ı": "i", "ŧ": "t", "ŋ": "n", "ĸ": "k", "ς": "σ",
}  # fmt: skip

# Accents and vowel points: words are found with and without them. Other marks (the vowel
# signs of Indic scripts, say) are part of the word.
_DROPPED_MARKS = (
    (0x0300, 0x036F), (0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2), (0x05C4, 0x05C5),
    (0x05C7, 0x05C7), (0x064B, 0x065F), (0x0670, 0x0670), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F),
)  # fmt: skip

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_CJK = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_CJK_RUNS = re.compile(f"[{_CJK}]+|[^{_CJK}]+")
_HAS_CJK = re.compile(f"[{_CJK}]")


class _Folding(dict[int, str]):
    """What each character of decomposed text folds to; filled as characters turn up."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Cf" or any(low <= code <= high for low, high in _DROPPED_MARKS):
            folded = ""
        elif category[0] in "LNM":
            lower = char.lower()
            folded = _PLAIN_LETTERS.get(lower, lower)
        else:
            folded = " "
        self[code] = folded
        return folded


_FOLDING = _Folding()


def split_words(text: str) -> list[str]:
    """Return the words of `text`, lower case and without accents, in order.

    A word is a run of letters, digits and their marks. Soft hyphens and other invisible
    characters vanish; everything else separates.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    folded = unicodedata.normalize("NFKD", text).translate(_FOLDING)
    return unicodedata.normalize("NFC", folded).split()


def index_words(text: str) -> list[str]:
    """Return the words to index: those of `split_words`, Chinese and Japanese as pairs.

    Scripts without spaces become overlapping pairs of characters, so that a part of a
    sentence is found; words longer than LONGEST_WORD are cut.
    """
    words = split_words(text)
    if text.isascii():
        if len(text) <= LONGEST_WORD:
            return words
        return [word[:LONGEST_WORD] for word in words]
    pieces: list[str] = []
    for word in words:
        if word.isascii() or not _HAS_CJK.search(word):
            pieces.append(word[:LONGEST_WORD])
            continue
        for run in _CJK_RUNS.findall(word):
            if len(run) < 2 or not _HAS_CJK.match(run):
                pieces.append(run[:LONGEST_WORD])
            else:
                pieces += [run[i : i + 2] for i in range(len(run) - 1)]
    return pieces


def title_words(text: str) -> str:
    """Return what makes two titles the same: their words, joined by single spaces.

    Text without any letter or digit (a title such as "???") stands for itself without
    its white space, so that the result is empty only for blank text.
    """
    words = split_words(text)
    if words:
        return " ".join(words)
    return squeeze(text)


def squeeze(text: str) -> str:
    """Return `text` without white space and invisible characters, in compatible form."""
    if text.isascii():
        return text.translate(_ASCII_BLANKS)
    return "".join(c for c in unicodedata.normalize("NFKC", text) if not _is_blank(c))


_ASCII_BLANKS = dict.fromkeys((*range(33), 127))


def _is_blank(char: str) -> bool:
    category = unicodedata.category(char)
    return category in ("Cc", "Cf") or category[0] == "Z"


def spellings(text: str) -> list[tuple[str, str]]:
    """Return (word, spelling) for the words that are written with accents or the like.

    A spelling is the word in lower case as it is written; `müller` is one of `muller`.
    """
    if text.isascii():
        return []
    found: dict[tuple[str, str], None] = {}
    for chunk in _SPELT.findall(unicodedata.normalize("NFC", text).lower()):
        if chunk.isascii():
            continue
        words = index_words(chunk)
        if len(words) == 1 and words[0] != chunk and len(chunk) <= LONGEST_WORD:
            found[words[0], chunk] = None
    return list(found)


_SPELT = re.compile(r"[^\W_]+")
