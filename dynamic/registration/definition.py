"""An event as its record defines it: when, where, how many, and what its form asks.

The records are other people's: whatever cannot be asked or counted is left out here, so
that nothing behind this module meets a strange value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ALL_GROUPS = frozenset({"member", "researcher", "student"})


class Kind(StrEnum):
    """How a question is answered."""

    TEXT = "text"
    LONG_TEXT = "long text"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_OR_NO = "yes or no"
    NUMBER = "number"
    DATE = "date"
    SESSIONS = "sessions"
    DIET = "diet"


DIETS = ("Vegetarian", "Vegan", "Halal", "Kosher", "No gluten", "No lactose", "No nuts")
LISTING = "listing"
"""Name of the consent to be listed among those who come."""
NAME, AFFILIATION = "badge_name", "affiliation"
"""Questions of these names ask what every form asks anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One possible answer."""

    value: str
    label: str
    takes_place: bool = True
    """False for an answer such as "Online", which capacity does not limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    name: str
    label: str
    kind: Kind = Kind.TEXT
    required: bool = False
    help: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    name: str
    label: str
    required: bool = False
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    id: str
    title: str
    starts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organiser:
    id: str
    name: str
    addresses: frozenset[str] = frozenset()
    """Confirmed addresses of the person's accounts, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What registration needs to know of an event. Local times as the record has them."""

    id: str
    slug: str
    title: str
    zone: ZoneInfo
    starts: str = ""
    ends: str = ""
    place: str = ""
    status: str = "planned"
    capacity: int | None = None
    """Places; None means that there is no limit."""
    registration_opens: str = ""
    registration_closes: str = ""
    access: str = "members"
    url: str = ""
    approval: bool = False
    """Whether an organiser says yes or no to each registration."""
    groups: frozenset[str] = ALL_GROUPS
    """Whom it is for."""
    offer_hours: int | None = None
    answers_kept_days: int | None = None
    organisers: tuple[Organiser, ...] = ()
    sessions: tuple[Session, ...] = ()
    questions: tuple[Question, ...] = ()
    consents: tuple[Consent, ...] = ()

    @property
    def starts_at(self) -> datetime | None:
        """The instant of the beginning, in UTC."""
        return instant(self.starts, self.zone)

    @property
    def ends_at(self) -> datetime | None:
        """The instant of the end, in UTC; the end of the last day if no hour is known."""
        return instant(self.ends or self.starts, self.zone, is_end=True)

    @property
    def opens_at(self) -> datetime | None:
        return instant(self.registration_opens, self.zone)

    @property
    def closes_at(self) -> datetime | None:
        return instant(self.registration_closes, self.zone, is_end=True)

    @property
    def takes_registrations(self) -> bool:
        return bool(self.registration_opens or self.registration_closes)


def read_event(facts: dict[str, Any], *, timezone: str) -> Event:
    """Return the event that the service file describes; `timezone` stands in for a bad one."""
    sessions = tuple(_sessions(facts.get("sessions")))
    access = "public" if facts.get("access") == "public" else "members"
    return Event(
        id=str(facts["id"]),
        slug=str(facts["slug"]),
        title=_words(facts.get("title")) or str(facts["id"]),
        zone=_zone(facts.get("timezone"), timezone),
        starts=_local(facts.get("starts")),
        ends=_local(facts.get("ends")),
        place=_words(facts.get("place")),
        status=str(facts.get("status") or "planned"),
        capacity=_amount(facts.get("capacity")),
        registration_opens=_local(facts.get("registration_opens")),
        registration_closes=_local(facts.get("registration_closes")),
        access=access,
        url=_words(facts.get("url")) or "/events/",
        approval=facts.get("approval") is True,
        groups=_groups(facts.get("groups"), access),
        offer_hours=_amount(facts.get("offer_hours")) or None,
        answers_kept_days=_amount(facts.get("answers_kept_days")),
        organisers=tuple(_organisers(facts.get("organisers"))),
        sessions=sessions,
        questions=tuple(_questions(facts.get("questions"), sessions)),
        consents=tuple(_consents(facts.get("consents"))),
    )


def instant(local: str, zone: ZoneInfo, *, is_end: bool = False) -> datetime | None:
    """Return the UTC instant of a local time (ISO, no offset), or None without one.

    A bare date means its first moment or, for an end, the first moment after it. Where the
    clock goes back and a time comes twice, a beginning is the first and an end the second;
    a time that the clock jumps over means as much later as the jump is long.
    """
    if not local:
        return None
    moment = datetime.fromisoformat(local)
    if len(local) <= 10 and is_end:
        moment += timedelta(days=1)
    early, late = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(early, late) if is_end else early


def _local(value: Any) -> str:
    """Return a local time or date in ISO form, or nothing if it is none."""
    if not isinstance(value, str) or not value:
        return ""
    try:
        if len(value) <= 10:
            return date.fromisoformat(value).isoformat()
        moment = datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        return ""
    # The calendar's edges have no UTC instant in every zone.
    return moment.isoformat(timespec="minutes") if 1000 <= moment.year <= 9000 else ""


def _zone(name: Any, otherwise: str) -> ZoneInfo:
    try:
        return ZoneInfo(str(name or otherwise))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(otherwise)


def _groups(given: Any, access: str) -> frozenset[str]:
    """Return whom an event is for: whoever may see its page, or fewer if the form says so."""
    allowed = ALL_GROUPS if access == "public" else frozenset({"member"})
    named = frozenset(g for g in given if isinstance(g, str)) if isinstance(given, list) else None
    return allowed & named if named else allowed


def _organisers(given: Any) -> Iterator[Organiser]:
    for one in given if isinstance(given, list) else []:
        if isinstance(one, dict) and one.get("id"):
            addresses = [a for a in one.get("addresses") or [] if isinstance(a, str)]
            yield Organiser(
                id=str(one["id"]),
                name=_words(one.get("name")) or str(one["id"]),
                addresses=frozenset(a.strip().casefold() for a in addresses if "@" in a),
            )


def _sessions(given: Any) -> Iterator[Session]:
    for one in given if isinstance(given, list) else []:
        if isinstance(one, dict) and one.get("id") and _words(one.get("title")):
            yield Session(
                id=str(one["id"]), title=_words(one["title"]), starts=_local(one.get("starts"))
            )


def _questions(given: Any, sessions: tuple[Session, ...]) -> Iterator[Question]:
    seen: set[str] = set()
    for one in given if isinstance(given, list) else []:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            continue
        try:
            kind = Kind(one.get("type", "text"))
        except ValueError:
            continue
        for question in _asked(one, kind, sessions):
            if question.name and question.label and question.name not in seen:
                seen.add(question.name)
                yield question


def _asked(one: dict[str, Any], kind: Kind, sessions: tuple[Session, ...]) -> Iterator[Question]:
    """Yield what one question of the record asks: sessions and diet are asked as choices."""
    name, label = one["name"][:60], _words(one.get("label"))
    required, help_text = one.get("required") is True, _words(one.get("help"))
    choices = tuple(_choices(one))
    if kind == Kind.SESSIONS:
        chosen = one.get("choices")
        wanted = set(chosen) if isinstance(chosen, list) and chosen else None
        kind = Kind.CHOICES
        choices = tuple(
            Choice(value=s.id, label=_session_label(s))
            for s in sessions
            if wanted is None or s.id in wanted
        )
    elif kind == Kind.DIET:
        label = label or "Food"
        choices = choices or tuple(Choice(value=d, label=d) for d in DIETS)
        more = Question(
            name=f"{name}_more",
            label="Anything else about food or access",
            kind=Kind.LONG_TEXT,
            help="Optional. The organisers see it.",
        )
        yield Question(name=name, label=label, kind=Kind.CHOICES, help=help_text, choices=choices)
        yield more
        return
    if kind in (Kind.CHOICE, Kind.CHOICES) and not choices:
        return
    yield Question(
        name=name, label=label, kind=kind, required=required, help=help_text, choices=choices
    )


def _choices(one: dict[str, Any]) -> Iterator[Choice]:
    without = one.get("without_place")
    free = set(filter(_is_text, without)) if isinstance(without, list) else set()
    given = one.get("choices")
    seen: set[str] = set()
    for text in given if isinstance(given, list) else []:
        label = _words(text)
        if label and label not in seen:
            seen.add(label)
            yield Choice(value=label, label=label, takes_place=label not in free)


def _session_label(session: Session) -> str:
    if len(session.starts) <= 10:
        return session.title
    clock = time.fromisoformat(session.starts[11:16])
    day = date.fromisoformat(session.starts[:10])
    return f"{day:%A}, {clock:%H:%M}: {session.title}"


def _consents(given: Any) -> Iterator[Consent]:
    seen: set[str] = set()
    for one in given if isinstance(given, list) else []:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            continue
        name, label = one["name"][:60], _words(one.get("label"))
        if name and label and name not in seen:
            seen.add(name)
            yield Consent(
                name=name,
                label=label,
                # Nobody can be made to agree to being listed.
                required=one.get("required") is True and name != LISTING,
                help=_words(one.get("help")),
            )
    if LISTING not in seen:
        yield Consent(name=LISTING, label="List my name among those who come.")


def _amount(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 10**9 else None


def _words(value: Any) -> str:
    return " ".join(value.split())[:2000] if isinstance(value, str) else ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
