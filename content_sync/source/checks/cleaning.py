"""What the rules share: text made clean, cut to length, shown short."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from content_sync.source.checks.findings import Mended

LONGEST_WORD = 2_000


def clean_text(value: Any) -> Mended:
    """Text is Unicode: bytes that are none are replaced, control characters removed."""
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        value = bytes(value).decode("utf-8", "surrogateescape")
    text = value if isinstance(value, str) else _as_text(value)
    if text.isprintable():
        return text
    text, undecoded = _UNDECODED.subn("\ufffd", text)
    if undecoded:
        yield "holds bytes that are no UTF-8; they were replaced"
    text, removed = _CONTROL.subn("", text)
    if removed:
        yield "holds control characters; they were removed"
    return text


def clean_word(value: Any) -> Mended:
    """Return short text without blanks around it."""
    text = yield from clean_text(value)
    if text is None:
        return None
    text = text.strip()
    if len(text) > LONGEST_WORD:
        yield f"longer than {LONGEST_WORD} characters"
        return None
    return text or None


def without_code(text: str) -> Mended:
    if "<" not in text:
        return text
    text, removed = _until_stable(_CODE, text)
    if removed:
        yield "holds script or style; it was removed"
    return text


def without_tags(text: str) -> Mended:
    text, comments = _until_stable(_COMMENT, text)
    text, tags = _until_stable(_TAG, text)
    if comments or tags:
        yield "holds HTML; the tags were removed"
    return text


def cut(text: str, longest: int) -> Mended:
    if len(text) <= longest:
        return text
    yield f"longer than {longest} characters; it was cut"
    return text[: longest - 1].rstrip() + "…"


def shown(value: Any) -> str:
    """Return `value` short and in one line, to stand in a reason."""
    text = ascii(value) if isinstance(value, bytes | bytearray) else repr(str(value))
    return text if len(text) <= 60 else text[:59] + "…"


_UNDECODED = re.compile("[\udc80-\udcff]+")


_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")


_CODE = re.compile(r"<(script|style)\b[^>]*>.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)


_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)


_ELEMENTS = (
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big "
    "blink blockquote body br button canvas caption center cite code col colgroup data datalist "
    "dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form "
    "frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe image img input ins "
    "isindex kbd keygen label legend li link listing main map mark marquee math menu menuitem "
    "meta meter mi mml mn mo mrow ms msub msup nav nobr noembed noframes noscript object ol "
    "optgroup option output p param picture plaintext portal pre progress q rb rp rt rtc ruby s "
    "samp script search section select slot small source spacer span strike strong style sub "
    "summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul "
    "var video wbr xmp"
)


_ATTRIBUTE = r"[^\s<>=\"'/]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>]+)"


# A tag is a known element's name and then attributes with values or nothing, so that
# "a <b and c> d" of a formula stays.
_TAG = re.compile(
    r"</?(?:" + "|".join(_ELEMENTS.split()) + r")"
    rf"(?:[\s/]+{_ATTRIBUTE}(?:\s+{_ATTRIBUTE})*)?\s*/?>",
    re.IGNORECASE,
)


def _as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value.adjusted() < 40:
        whole = value.to_integral_value()
        return str(int(whole)) if whole == value else str(value)
    return str(value)


def _until_stable(pattern: re.Pattern[str], text: str) -> tuple[str, int]:
    """Remove what `pattern` finds, and what its removal has put together."""
    removed = 0
    while True:
        text, count = pattern.subn("", text)
        removed += count
        if not count:
            return text, removed
