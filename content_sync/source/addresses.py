"""The rule over e-mail addresses, which tie an account to a person and are never published."""

from __future__ import annotations

import re

from content_sync.source import checks
from content_sync.source.checks import Mended

LONGEST_ADDRESS = 250
_ADDRESS = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")


def address(value: object) -> Mended:
    """An address is name@host, in lower case, of at most 250 characters."""
    text = yield from checks.line(value)
    if text is None:
        return None
    text = text.casefold()
    if len(text) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(text):
        yield "no e-mail address"
        return None
    return text
