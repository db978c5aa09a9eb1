"""Take a printed name apart into given and family name."""

from __future__ import annotations

import re
from functools import lru_cache

from content_sync.citations.reference import Name

_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|I{2,3}|IV")
_BODY = re.compile(
    r"\b(?:academy|agency|alliance|association|board|cent(?:er|re)|collaboration|college"
    r"|committee|company|consortium|corporation|council|department|foundation|gmbh|group|inc"
    r"|institute?|laborator(?:y|ies)|ltd|ministry|network|office|organi[sz]ation|project"
    r"|school|secretariat|society|team|union|university|working party)\b",
    re.IGNORECASE,
)
# Scripts whose names are written in one piece, or family name first.
_IN_ONE_PIECE = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@lru_cache(maxsize=65536)
def take_apart(name: str, given: str | None = None, family: str | None = None) -> Name:
    """Return the parts of a printed name.

    `given` and `family` are what the person's record says; they decide where the printed
    name ends in that family name. Otherwise the last word is the family name, together with
    the particles before it (`van der`).
    """
    name = " ".join(name.split())
    if family and name.casefold() == family.casefold():
        return Name(literal=name)
    if family and name.casefold().endswith(f" {family}".casefold()):
        return Name(family=name[-len(family) :], given=name[: -len(family) - 1].rstrip(" ,"))
    if given and family and name.casefold() == f"{family} {given}".casefold():
        return Name(family=name[: len(family)], given=name[len(family) + 1 :])
    if given is None and family is None and _BODY.search(name):
        return Name(literal=name)
    if "," in name:
        return _with_commas(name)
    words = name.split()
    if len(words) < 2 or _IN_ONE_PIECE.search(name):
        return Name(literal=name)
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    start = next((i for i, word in enumerate(words[1:-1], 1) if word[:1].islower()), len(words) - 1)
    return Name(family=" ".join(words[start:]), given=" ".join(words[:start]), suffix=suffix)


def _with_commas(name: str) -> Name:
    parts = [part.strip() for part in name.split(",")]
    if len(parts) == 2 and all(parts):
        first, second = parts
        if _SUFFIX.fullmatch(second):
            plain = take_apart(first)
            if plain.family:
                return Name(family=plain.family, given=plain.given, suffix=second)
        return Name(family=first, given=second)
    return Name(literal=name)
