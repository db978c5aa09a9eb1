"""The record types: what a row of each view of the source contract becomes.

Records are plain facts. They know nothing of SQL, HTML or citation formats, and every
value has been checked at the border: text is clean Unicode, dates exist, enums are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """What sort of work a publication is."""

    JOURNAL_ARTICLE = "journal article"
    CONFERENCE_PAPER = "conference paper"
    REPORT = "report"
    THESIS = "thesis"
    PRESENTATION = "presentation"
    PATENT = "patent"
    DATASET = "dataset"
    SOFTWARE = "software"
    BOOK = "book"
    BOOK_CHAPTER = "book chapter"
    PROCEEDINGS = "proceedings"
    OTHER = "other"


class Access(StrEnum):
    """Who may see a record: everyone, everyone but not the full text, or members."""

    PUBLIC = "public"
    ABSTRACT = "abstract"
    MEMBERS = "members"


class Status(StrEnum):
    """What became of a publication after it appeared."""

    CURRENT = "current"
    CORRECTED = "corrected"
    RETRACTED = "retracted"
    WITHDRAWN = "withdrawn"


class Role(StrEnum):
    """What a person did for a publication."""

    AUTHOR = "author"
    EDITOR = "editor"


class ProjectStatus(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    ENDED = "ended"
    STOPPED = "stopped"


class DeliverableStatus(StrEnum):
    PLANNED = "planned"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DROPPED = "dropped"


class EventStatus(StrEnum):
    PLANNED = "planned"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One published work. `year` is missing only where the source has no usable year."""

    id: str
    title: str
    abstract: str | None = None
    kind: Kind = Kind.OTHER
    year: int | None = None
    month: int | None = None
    day: int | None = None
    venue_id: str | None = None
    published_in: str | None = None
    volume: str | None = None
    issue: str | None = None
    pages: str | None = None
    publisher: str | None = None
    doi: str | None = None
    url: str | None = None
    file_path: str | None = None
    language: str | None = None
    licence: str | None = None
    access: Access = Access.MEMBERS
    public_on: date | None = None
    status: Status = Status.CURRENT
    status_reason: str | None = None
    status_date: date | None = None
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationPerson:
    """One person in one role on one publication; `name` is what was printed."""

    publication_id: str
    role: Role = Role.AUTHOR
    position: int
    person_id: str | None = None
    name: str
    affiliation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationTopic:
    publication_id: str
    topic_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One identity. At least one of the two names is present."""

    id: str
    given_name: str | None = None
    family_name: str | None = None
    orcid: str | None = None
    institution_id: str | None = None
    home_page: str | None = None
    is_student: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """A further form of a person's name, in any script."""

    person_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAccount:
    """A confirmed e-mail address of a person: ties an account to them, never published."""

    person_id: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    id: str
    name: str
    ror: str | None = None
    city: str | None = None
    country: str | None = None
    is_member_company: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """Where works are published: a journal, a conference series, a report series."""

    id: str
    name: str
    short_name: str | None = None
    issn: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    id: str
    name: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    id: str
    title: str
    summary: str | None = None
    programme: str | None = None
    theme: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    status: ProjectStatus | None = None
    budget: Decimal | None = None
    currency: str | None = None
    lead_person_id: str | None = None
    institution_id: str | None = None
    url: str | None = None
    access: Access = Access.MEMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPerson:
    project_id: str
    person_id: str
    role: str = "member"
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPublication:
    project_id: str
    publication_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverable:
    """A result that a project owes, with its plan and what came of it."""

    id: str
    project_id: str
    title: str
    due_on: date | None = None
    submitted_on: date | None = None
    accepted_on: date | None = None
    status: DeliverableStatus | None = None
    access: Access = Access.MEMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverablePublication:
    """One publication in which a deliverable was handed in or made known."""

    deliverable_id: str
    publication_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that people attend. Times are local to `timezone` (an IANA name)."""

    id: str
    title: str
    description: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    timezone: str | None = None
    place: str | None = None
    status: EventStatus = EventStatus.PLANNED
    capacity: int | None = None
    registration_opens_at: datetime | None = None
    registration_closes_at: datetime | None = None
    form: str | None = None
    answers_kept_days: int | None = None
    access: Access = Access.MEMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOrganiser:
    event_id: str
    person_id: str
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSession:
    id: str
    event_id: str
    title: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place: str | None = None
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpeaker:
    session_id: str
    position: int
    person_id: str | None = None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPublication:
    session_id: str
    publication_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A path of an older website and where it leads: a path of this site or `type:id`."""

    old_path: str
    target: str


@dataclass(frozen=True, slots=True)
class View:
    """One view of the contract: its name, its record type and the columns of its key."""

    name: str
    record: type
    key: tuple[str, ...] = ("id",)


# In the order in which records refer to each other: a row's references stand above it.
VIEWS: tuple[View, ...] = (
    View("institutions", Institution),
    View("people", Person),
    View("person_names", PersonName, ("person_id", "name")),
    View("people_accounts", PersonAccount, ("person_id", "address")),
    View("venues", Venue),
    View("topics", Topic),
    View("publications", Publication),
    View("publication_people", PublicationPerson, ("publication_id", "role", "position")),
    View("publication_topics", PublicationTopic, ("publication_id", "topic_id")),
    View("projects", Project),
    View("project_people", ProjectPerson, ("project_id", "person_id", "role")),
    View("project_publications", ProjectPublication, ("project_id", "publication_id")),
    View("deliverables", Deliverable),
    View("deliverable_publications", DeliverablePublication, ("deliverable_id", "publication_id")),
    View("events", Event),
    View("event_organisers", EventOrganiser, ("event_id", "person_id")),
    View("event_sessions", EventSession),
    View("session_speakers", SessionSpeaker, ("session_id", "position")),
    View("session_publications", SessionPublication, ("session_id", "publication_id")),
    View("redirects", Redirect, ("old_path",)),
)
