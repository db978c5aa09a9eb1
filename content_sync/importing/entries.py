"""What every format is read into: one work, as a bibliography knows it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from content_sync.records import Kind

_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One person as an entry names them; an organisation has a family name only."""

    family: str
    given: str = ""
    orcid: str = ""
    affiliation: str = ""

    @property
    def printed(self) -> str:
        return f"{self.given} {self.family}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One work. Empty text means that the file does not say."""

    id: str
    title: str
    kind: Kind = Kind.OTHER
    abstract: str = ""
    year: int | None = None
    month: int | None = None
    day: int | None = None
    venue: str = ""
    published_in: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    publisher: str = ""
    doi: str = ""
    url: str = ""
    file_path: str = ""
    language: str = ""
    licence: str = ""
    access: str = ""
    authors: tuple[Name, ...] = ()
    editors: tuple[Name, ...] = ()
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An entry that cannot be taken, where it stands, and why."""

    place: str
    reason: str


def plain_doi(text: str) -> str:
    """Return the DOI in a text that may be an address or carry a prefix; empty if none."""
    found = _DOI.search(text.strip())
    return found[1].rstrip(".,;") if found else ""


def made_id(title: str, year: int | None, doi: str) -> str:
    """Return a lasting id for an entry that brings none: of its DOI, else title and year."""
    if doi:
        return f"doi-{re.sub(r'[^a-z0-9]+', '-', doi.lower()).strip('-')}"
    digest = hashlib.sha256(f"{' '.join(title.lower().split())}\0{year or ''}".encode())
    return f"w-{digest.hexdigest()[:12]}"


def name_of(text: str) -> Name:
    """Return a name from one string: 'Family, Given' or 'Given Family'."""
    text = " ".join(text.split())
    family, comma, given = text.partition(",")
    if comma:
        return Name(family=family.strip(), given=given.strip())
    given, _, family = text.rpartition(" ")
    return Name(family=family, given=given)


def parts_of_date(text: str) -> tuple[int | None, int | None, int | None]:
    """Return year, month and day of an ISO date that may stop early."""
    found = re.match(r"\s*(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", text)
    if not found:
        return None, None, None
    year, month, day = (int(part) if part else None for part in found.groups())
    if month is not None and not 1 <= month <= 12:
        return year, None, None
    return year, month, day if day is not None and 1 <= day <= 31 else None
