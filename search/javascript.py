"""JavaScript without comments and indentation: enough for the code of `search/client/`."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<space>\s+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<word>[\w$#\u0080-\uffff]+)
    |(?P<sign>=>|[+]{2}|--|.)""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
# After these a slash begins a regular expression and does not divide.
_BEFORE_REGEX = frozenset("( , = : [ ! & | ? { } ; + - * % ~ ^ < > =>".split())
_WORDS_BEFORE_REGEX = frozenset(
    "return typeof case in of delete void throw new instanceof else do await yield".split()
)
# A line may end after, or begin with, these without ending a statement.
_OPEN = frozenset("{ ; , ( [ = : ? & | => .".split())
_CLOSING = frozenset(") ] . , ; : ? & | =".split())


def squeeze(source: str) -> str:
    """Return a script that means the same, without comments and needless space.

    Line ends stay wherever they might end a statement.
    """
    parts: list[str] = []
    at, before, gap = 0, "", ""
    braces: list[int] = []
    depth = 0
    while at < len(source):
        if source[at] == "`" or (source[at] == "}" and braces and braces[-1] == depth):
            if source[at] == "}":
                braces.pop()
            at, piece, opens = _template(source, at)
            if opens:
                braces.append(depth)
        elif source[at] == "/" and source[at + 1 : at + 2] not in ("/", "*") and _may_match(before):
            piece = _matched(_REGEX, source, at)
            at += len(piece)
        else:
            found = _PIECE.match(source, at)
            assert found is not None
            at, piece = found.end(), found[0]
            if found.lastgroup in ("comment", "space"):
                gap = "\n" if "\n" in piece or "\n" in gap else " "
                continue
            depth += (piece == "{") - (piece == "}")
        parts.append(_between(before, gap, piece) + piece)
        before, gap = piece, ""
    return "".join(parts) + "\n"


def _matched(pattern: re.Pattern[str], source: str, at: int) -> str:
    found = pattern.match(source, at)
    return found[0] if found else source[at]


def _may_match(before: str) -> bool:
    return not before or before in _BEFORE_REGEX or before in _WORDS_BEFORE_REGEX


def _between(before: str, gap: str, piece: str) -> str:
    """Return what must stand between two tokens that white space stood between."""
    if not gap or not before:
        return ""
    if gap == "\n" and before not in _OPEN and piece not in _CLOSING:
        return "\n"
    both_words = _is_word(before[-1]) and _is_word(piece[0])
    both_signs = before[-1] in "+-/" and piece[0] in "+-/"
    return " " if both_words or both_signs else ""


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign in "_$#" or sign > "\x7f"


def _template(source: str, at: int) -> tuple[int, str, bool]:
    """Return the end of a piece of a template literal, the piece, and if an expression follows."""
    start = at
    at += 1
    while at < len(source):
        if source[at] == "\\":
            at += 2
        elif source[at] == "`":
            return at + 1, source[start : at + 1], False
        elif source.startswith("${", at):
            return at + 2, source[start : at + 2], True
        else:
            at += 1
    return at, source[start:], False
