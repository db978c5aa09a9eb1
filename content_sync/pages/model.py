"""What the page makers hand to the renderer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Context = dict[str, Any]


@dataclass(slots=True)
class Page:
    """One page for one audience: everything that its template shows is in `context`."""

    url: str
    """Path without the audience's prefix."""
    audience: str
    template: str
    context: Context
    records: tuple[str, ...]
    """`type:id` of what is shown, the page's own record first."""


@dataclass(slots=True)
class File:
    """A file beside the pages, for one audience: its content is all that it is made from.

    Where it is made from less, or costs more than a look, `key` is the digest of what decides it
    and `content` is a function, called only when that has changed.
    """

    audience: str
    path: str
    """In the audience's tree."""
    content: bytes | Callable[[], bytes]
    record: str
    key: bytes = b""


@dataclass(slots=True)
class Work:
    """One publication as listings know it: where it stands, who sees it, its list items."""

    id: str
    year: int
    """0 where the source has none."""
    date: str
    venue_id: str
    in_print: tuple[str, ...]
    """Volume, issue and first page, to order the works of one venue and year."""
    visible: int
    """0 for nobody (withdrawn), 1 for members, 2 for everyone."""
    item: Context
    members_item: Context | None
    """The list item on members' pages, where it is another than everyone's."""
    sort_title: str
    """What lists by title go by."""
    features: list[str]
    """What it may have in common with others; nothing where it is not to be named as related."""


@dataclass(slots=True)
class Made:
    """What one record or one listing amounts to."""

    pages: list[Page] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    work: Work | None = None
    related: list[tuple[str, int]] | None = None
    """Ids and scores of related works, the nearest first."""
    documents: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """(audience, document) pairs for the search index."""
