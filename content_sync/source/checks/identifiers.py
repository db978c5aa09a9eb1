"""Rules over identifiers and codes that others have defined."""

from __future__ import annotations

import re
import zoneinfo
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from content_sync.source.checks.cleaning import clean_word, shown
from content_sync.source.checks.findings import Mended


def doi(value: Any) -> Mended:
    """A DOI is `10.prefix/suffix`, with or without a resolver before it."""
    text = yield from clean_word(value)
    if text is None:
        return None
    bare = _DOI_RESOLVER.sub("", text)
    if not _DOI.fullmatch(bare):
        yield f"{shown(text)} is no DOI"
        return None
    return bare


def orcid(value: Any) -> Mended:
    """An ORCID is four groups of four with a right check digit; a bare one is kept."""
    text = yield from clean_word(value)
    if text is None:
        return None
    found = _ORCID.fullmatch(text.upper())
    if not found or not _orcid_sum("".join(found.groups())):
        yield f"{shown(text)} is no ORCID"
        return None
    return "-".join(found.groups())


def ror(value: Any) -> Mended:
    """A ROR identifier is nine characters from 0, as an address or bare; it is kept bare."""
    text = yield from clean_word(value)
    if text is None:
        return None
    found = _ROR.fullmatch(text.casefold())
    if not found:
        yield f"{shown(text)} is no ROR identifier"
        return None
    return found[1]


def issn(value: Any) -> Mended:
    """An ISSN is two groups of four digits; the last may be an X."""
    text = yield from clean_word(value)
    if text is None:
        return None
    found = _ISSN.fullmatch(text.upper())
    if not found:
        yield f"{shown(text)} is no ISSN"
        return None
    return f"{found[1]}-{found[2]}"


def url(value: Any) -> Mended:
    """An address begins with http:// or https:// and names a host."""
    text = yield from clean_word(value)
    if text is None:
        return None
    if not _is_web_address(text):
        yield f"{shown(text)} is no web address"
        return None
    return text


def licence(value: Any) -> Mended:
    """A licence is an SPDX identifier, a few words, or a web address."""
    text = yield from clean_word(value)
    if text is not None and _SCHEME.match(text) and not _is_web_address(text):
        yield f"{shown(text)} is no web address"
        return None
    return text


def language(value: Any) -> Mended:
    """A language is a BCP 47 or ISO 639 tag, such as `en`, `deu` or `pt-BR`."""
    text = yield from clean_word(value)
    if text is None:
        return None
    head, *rest = text.replace("_", "-").split("-")
    tag = "-".join([head.lower(), *rest])
    if not _LANGUAGE.fullmatch(tag):
        yield f"{shown(text)} is no language tag"
        return None
    return tag


def currency(value: Any) -> Mended:
    """A currency is three letters, as in ISO 4217."""
    text = yield from clean_word(value)
    if text is None:
        return None
    if not re.fullmatch("[A-Za-z]{3}", text):
        yield f"{shown(text)} is no currency"
        return None
    return text.upper()


def timezone(value: Any) -> Mended:
    """A time zone is a name of the IANA database, such as Europe/Berlin."""
    text = yield from clean_word(value)
    if text is not None and not _is_zone(text):
        yield f"{shown(text)} is no time zone"
        return None
    return text


_DOI_RESOLVER = re.compile(
    r"^(?:https?://)?(?:(?:dx\.|www\.)?doi\.org/|doi:\s*(?:https?://(?:dx\.)?doi\.org/)?)",
    re.IGNORECASE,
)


_DOI = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]+)*/[^\s<>\"]+")


_ORCID = re.compile(
    r"(?:HTTPS?://(?:WWW\.)?ORCID\.ORG/)?([0-9]{4})-?([0-9]{4})-?([0-9]{4})-?([0-9]{3}[0-9X])/?"
)


_ROR = re.compile(r"(?:https?://(?:www\.)?ror\.org/)?(0[0-9a-hjkmnp-tv-z]{6}[0-9]{2})/?")


_ISSN = re.compile(r"(?:ISSN:?\s*)?([0-9]{4})[-\u2010-\u2013]?([0-9]{3}[0-9X])")


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


def _orcid_sum(digits: str) -> bool:
    """Tell whether the last of 16 characters is the check digit (ISO 7064, mod 11-2)."""
    total = 0
    for digit in digits[:15]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == digits[15]


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(host)
        and parts.username is None
        and not re.search(r"[\s\"<>\\]", text)
    )


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True
