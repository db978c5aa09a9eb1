"""What a citation says of a work, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass

from content_sync.records import Kind


@dataclass(frozen=True, slots=True)
class Name:
    """A name as citations need it: in two parts, or whole where it has no parts."""

    family: str = ""
    given: str = ""
    suffix: str = ""
    literal: str = ""
    """A name without parts: an organisation, or a name whose order is not known."""


# Not frozen: that quadruples the time that making one takes, and a build makes two a work.
@dataclass(slots=True, kw_only=True)
class Reference:
    """One work. Text is as in the record, with LaTeX in the title; nothing is escaped."""

    key: str
    """Unique and stable: the part of the work's URL that stands for it."""
    kind: Kind
    title: str
    mark: str = ""
    """`Retracted` or `Withdrawn`: stands before the title, wherever it is shown."""
    note: str = ""
    """What became of the work, with day and reason."""
    authors: tuple[Name, ...] = ()
    editors: tuple[Name, ...] = ()
    year: int | None = None
    month: int | None = None
    day: int | None = None
    container: str = ""
    """The journal, proceedings or book that the work stands in."""
    volume: str = ""
    issue: str = ""
    first_page: str = ""
    last_page: str = ""
    publisher: str = ""
    doi: str = ""
    issn: str = ""
    language: str = ""
    url: str = ""
    """The work's canonical page."""
    pdf: str = ""
    """Its full text, where everyone may read it."""

    @property
    def pages(self) -> str:
        """The pages with an en dash, as printed."""
        return "–".join(page for page in (self.first_page, self.last_page) if page)
