"""Who may see what: the one place where access and dates become audiences."""

from __future__ import annotations

from content_sync.records import Access

AUDIENCES = ("public", "members")

ROOT = {"public": "", "members": "/members"}
"""What the paths of an audience's own pages begin with."""


def effective(access: str, public_on: str | None, today: str) -> Access:
    """Return the access of a record on the day `today` (ISO dates).

    `public_on` opens a record on that day; until then a record that says `public` is for
    members, because the later date is the more careful reading of the two.
    """
    if not public_on:
        return _ACCESSES[access]
    if public_on <= today:
        return Access.PUBLIC
    return Access.MEMBERS if access == Access.PUBLIC else _ACCESSES[access]


_ACCESSES = {access.value: access for access in Access}


def visible(access: str, audience: str) -> bool:
    """Tell whether the page of a record with this effective access is for `audience`."""
    return audience == "members" or access != Access.MEMBERS
