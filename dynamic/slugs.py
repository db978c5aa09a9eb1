"""From a record's URL back to its id: the reverse of the rule in content_sync/urls.py."""

from __future__ import annotations

import re

_SLUG = re.compile(r"(?:[a-z0-9.-]|_[0-9a-f]{2})*(?:_u|_m[0-9a-f]+)?")
_HASHED = re.compile(r"_h[0-9a-f]{32}$")
_BYTES = re.compile(r"(?:_[0-9a-f]{2})+")
LONGEST = 200


def is_hashed(slug: str) -> bool:
    """Tell whether a slug is that of a long id, which cannot be read from it."""
    return len(slug) <= LONGEST and _HASHED.search(slug) is not None


def id_of_slug(slug: str) -> str | None:
    """Return the id whose URL carries `slug`, or None if no id's does."""
    if not slug or len(slug) > LONGEST or not _SLUG.fullmatch(slug):
        return None
    text, _, mask = slug.rpartition("_m")
    upper = False
    if not (text and re.fullmatch("[0-9a-f]+", mask)):
        text, mask = slug, ""
        if slug.endswith("_u"):
            text, upper = slug[:-2], True
    try:
        text = _BYTES.sub(lambda m: bytes.fromhex(m[0].replace("_", "")).decode("utf-8"), text)
    except UnicodeDecodeError:
        return None
    if upper:
        return "".join(c.upper() if c.isascii() else c for c in text)
    return _with_capitals(text, int(mask, 16)) if mask else text


def _with_capitals(text: str, mask: int) -> str:
    letters = 0
    chars = []
    for char in text:
        if char.isascii() and char.isalpha():
            char = char.upper() if mask >> letters & 1 else char
            letters += 1
        chars.append(char)
    return "".join(chars)
