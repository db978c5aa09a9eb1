"""The rules that every value and every row of the source must keep.

A rule over a value is a generator: it yields a reason for each thing that is wrong and
returns the value that stands instead. A rule over a row is given the row as a dict, yields
findings, and changes the dict. What a rule cannot mend it drops, and a row that cannot be
shown without it is left out. Rules over several rows stand in `content_sync/references.py`.
"""

from __future__ import annotations

import json
import re
import zoneinfo
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from content_sync.records import (
    Access,
    DeliverableStatus,
    EventStatus,
    Kind,
    ProjectStatus,
    Role,
    Status,
)

Mended = Generator[str, None, Any]
Rule = Callable[[Any], Mended]

LONGEST_KEY = 400
LONGEST_TITLE = 2_000
LONGEST_LINE = 1_000
LONGEST_PROSE = 100_000
LONGEST_FORM = 200_000
LONGEST_WORD = 2_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that one row of the source breaks."""

    view: str
    key: str
    column: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule over a row found; `leaves_out` says that the row cannot be shown."""

    column: str
    reason: str
    leaves_out: bool = False


# Rules over values


def key(value: Any) -> Mended:
    """A key is text of at most 400 characters without control characters, or a number."""
    text = yield from _text(value)
    if text is None:
        return None
    text = _BREAKS.sub(" ", text).strip()
    if len(text) > LONGEST_KEY:
        yield f"longer than {LONGEST_KEY} characters"
        return None
    return text or None


def role(value: Any) -> Mended:
    """A role is a word; case and blanks around it do not matter."""
    text = yield from key(value)
    return text and text.casefold()


def title(value: Any) -> Mended:
    """A title is one line of plain text: no HTML, and at most 2,000 characters."""
    return (yield from _plain_line(value, LONGEST_TITLE))


def name(value: Any) -> Mended:
    """A name is one line of plain text: no HTML, and at most 1,000 characters."""
    return (yield from _plain_line(value, LONGEST_LINE))


def line(value: Any) -> Mended:
    """A short value is one line of text of at most 1,000 characters."""
    text = yield from _text(value)
    if text is None:
        return None
    return (yield from _cut(" ".join(text.split()), LONGEST_LINE)) or None


def prose(value: Any) -> Mended:
    """Running text keeps its line breaks, carries no script or style, and has an end."""
    text = yield from _text(value)
    if text is None:
        return None
    text = yield from _without_code(_LINE_ENDS.sub("\n", text))
    return (yield from _cut(text.strip(), LONGEST_PROSE)) or None


def year(value: Any) -> Mended:
    """A year is a whole number from 1000 to 2200; anything else is no year."""
    number = yield from integer(value)
    if number is not None and not 1000 <= number <= 2200:
        yield f"{number} is no plausible year"
        return None
    return number


def month(value: Any) -> Mended:
    """A month is a whole number from 1 to 12; anything else is no month."""
    number = yield from integer(value)
    if number is not None and not 1 <= number <= 12:
        yield f"there is no month {number}"
        return None
    return number


def day(value: Any) -> Mended:
    """A day of a month is a whole number from 1 to 31; anything else is no day."""
    number = yield from integer(value)
    if number is not None and not 1 <= number <= 31:
        yield f"there is no day {number}"
        return None
    return number


def integer(value: Any) -> Mended:
    """A whole number has no fraction and fits into 63 bits."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(int(value) if isinstance(value, bool) else value).strip())
        whole = int(number) if number.adjusted() < 40 else 1 << 62
    except (InvalidOperation, ValueError, OverflowError):
        yield f"{_shown(value)} is no whole number"
        return None
    if whole != number or abs(whole) >= 1 << 62:
        yield f"{_shown(value)} is no whole number"
        return None
    return whole


def amount(value: Any) -> Mended:
    """A number of things (places, days) is a whole number that is not negative."""
    number = yield from integer(value)
    if number is not None and number < 0:
        yield f"{number} is negative"
        return None
    return number


def money(value: Any) -> Mended:
    """Money is a decimal number; it is kept as text, so that no digit is lost."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > 30:
        yield f"{_shown(value)} is no amount of money"
        return None
    return format(number.normalize() if number else Decimal(0), "f")


def boolean(value: Any) -> Mended:
    """Yes or no: true, false, 1, 0, yes, no, t, f, y or n; anything else counts as no."""
    if isinstance(value, bytes | bytearray):
        value = int.from_bytes(value, "little")
    if value is None:
        return 0
    known = _BOOLEANS.get(str(value).strip().casefold())
    if known is None:
        yield f"{_shown(value)} is neither yes nor no"
        return 0
    return known


def iso_date(value: Any) -> Mended:
    """A date is a real day from the year 1000 to 2200, as a date or in ISO form."""
    if value is None or value == "":
        return None
    moment = _moment(value)
    if moment is None or not 1000 <= moment.year <= 2200:
        yield f"{_shown(value)} is no date"
        return None
    return moment.date().isoformat()


def iso_datetime(value: Any) -> Mended:
    """A time is a real one, in ISO form; an offset is dropped: times are local ones."""
    if value is None or value == "":
        return None
    moment = _moment(value)
    if moment is None or not 1000 <= moment.year <= 2200:
        yield f"{_shown(value)} is no time"
        return None
    return _iso(moment)


def kind(value: Any) -> Mended:
    """A kind is one of the known kinds; an unknown one becomes `other`."""
    return (yield from _one_of(value, Kind, missing=Kind.OTHER, unknown=Kind.OTHER))


def access(value: Any) -> Mended:
    """Access is public, abstract or members; anything else closes the door: members."""
    known = yield from _one_of(value, Access, missing=None, unknown=Access.MEMBERS)
    if known is None:
        yield "no access is given, so that only members see it"
        return Access.MEMBERS.value
    return known


def access_of_record(value: Any) -> Mended:
    """Access to what has no full text is public or members; all else means members."""
    known = yield from access(value)
    if known == Access.ABSTRACT:
        yield "'abstract' is for publications, so that only members see it"
        return Access.MEMBERS.value
    return known


def status(value: Any) -> Mended:
    """The status of a publication is a known one; with an unknown one it is left out."""
    return (yield from _one_of(value, Status, missing=Status.CURRENT, unknown=None))


def project_status(value: Any) -> Mended:
    """The status of a project is a known one; an unknown one is dropped."""
    return (yield from _one_of(value, ProjectStatus, missing=None, unknown=None))


def deliverable_status(value: Any) -> Mended:
    """The status of a deliverable is a known one; an unknown one is dropped."""
    return (yield from _one_of(value, DeliverableStatus, missing=None, unknown=None))


def event_status(value: Any) -> Mended:
    """The status of an event is a known one; an unknown one becomes `planned`."""
    if isinstance(value, str) and value.strip().casefold() == "canceled":
        value = EventStatus.CANCELLED.value
    planned = EventStatus.PLANNED
    return (yield from _one_of(value, EventStatus, missing=planned, unknown=planned))


def doi(value: Any) -> Mended:
    """A DOI is `10.prefix/suffix`, with or without a resolver before it."""
    text = yield from _word(value)
    if text is None:
        return None
    bare = _DOI_RESOLVER.sub("", text)
    if not _DOI.fullmatch(bare):
        yield f"{_shown(text)} is no DOI"
        return None
    return bare


def orcid(value: Any) -> Mended:
    """An ORCID is four groups of four with a right check digit; a bare one is kept."""
    text = yield from _word(value)
    if text is None:
        return None
    found = _ORCID.fullmatch(text.upper())
    if not found or not _orcid_sum("".join(found.groups())):
        yield f"{_shown(text)} is no ORCID"
        return None
    return "-".join(found.groups())


def ror(value: Any) -> Mended:
    """A ROR identifier is nine characters from 0, as an address or bare; it is kept bare."""
    text = yield from _word(value)
    if text is None:
        return None
    found = _ROR.fullmatch(text.casefold())
    if not found:
        yield f"{_shown(text)} is no ROR identifier"
        return None
    return found[1]


def issn(value: Any) -> Mended:
    """An ISSN is two groups of four digits; the last may be an X."""
    text = yield from _word(value)
    if text is None:
        return None
    found = _ISSN.fullmatch(text.upper())
    if not found:
        yield f"{_shown(text)} is no ISSN"
        return None
    return f"{found[1]}-{found[2]}"


def url(value: Any) -> Mended:
    """An address begins with http:// or https:// and names a host."""
    text = yield from _word(value)
    if text is None:
        return None
    if not _is_web_address(text):
        yield f"{_shown(text)} is no web address"
        return None
    return text


def licence(value: Any) -> Mended:
    """A licence is an SPDX identifier, a few words, or a web address."""
    text = yield from _word(value)
    if text is not None and _SCHEME.match(text) and not _is_web_address(text):
        yield f"{_shown(text)} is no web address"
        return None
    return text


def file_path(value: Any) -> Mended:
    """A file path stays below its root: relative, no drive, no `..`; `\\` counts as `/`."""
    text = yield from _text(value)
    if text is None or not text.strip():
        return None
    path = text.strip().replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or not parts or ":" in parts[0]:
        yield f"{_shown(text)} leads out of the folder of full texts"
        return None
    if len(path) > LONGEST_LINE:
        yield f"longer than {LONGEST_LINE} characters"
        return None
    return "/".join(parts)


def language(value: Any) -> Mended:
    """A language is a BCP 47 or ISO 639 tag, such as `en`, `deu` or `pt-BR`."""
    text = yield from _word(value)
    if text is None:
        return None
    head, *rest = text.replace("_", "-").split("-")
    tag = "-".join([head.lower(), *rest])
    if not _LANGUAGE.fullmatch(tag):
        yield f"{_shown(text)} is no language tag"
        return None
    return tag


def currency(value: Any) -> Mended:
    """A currency is three letters, as in ISO 4217."""
    text = yield from _word(value)
    if text is None:
        return None
    if not re.fullmatch("[A-Za-z]{3}", text):
        yield f"{_shown(text)} is no currency"
        return None
    return text.upper()


def timezone(value: Any) -> Mended:
    """A time zone is a name of the IANA database, such as Europe/Berlin."""
    text = yield from _word(value)
    if text is not None and not _is_zone(text):
        yield f"{_shown(text)} is no time zone"
        return None
    return text


def form(value: Any) -> Mended:
    """A form is JSON of at most 200,000 characters."""
    text = yield from _text(value)
    if text is None or not text.strip():
        return None
    if len(text) > LONGEST_FORM:
        yield f"longer than {LONGEST_FORM} characters"
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        yield f"no JSON: {error}"
        return None
    return text.strip()


def old_path(value: Any) -> Mended:
    """An old path begins with one slash and carries no blanks or control characters."""
    text = yield from _word(value)
    if text is None:
        return None
    if not text.startswith("/") or text.startswith("//"):
        yield f"{_shown(text)} is no path"
        return None
    if not text.isprintable() or " " in text:
        yield f"{_shown(text)} holds blanks or control characters"
        return None
    return text


def target(value: Any) -> Mended:
    """A redirect leads to a path of this site or to `type:id` of a record."""
    text = yield from _word(value)
    if text is None:
        return None
    is_path = text.startswith("/") and not text.startswith(("//", "/\\"))
    if not (is_path or _RECORD.fullmatch(text)) or not text.isprintable():
        yield f"{_shown(text)} is neither a path of this site nor type:id"
        return None
    return text


# Rules over rows


def has_a_day_of_its_month(row: dict[str, Any]) -> Iterator[Finding]:
    """A month needs a year, and a day a month that has it; otherwise it is dropped."""
    year, month, day = row["year"], row["month"], row["day"]
    if month is not None and year is None:
        yield Finding("month", "a month without a year")
        row["month"] = None
    if row["day"] is None:
        return
    if row["month"] is None:
        yield Finding("day", "a day without a month")
        row["day"] = None
        return
    try:
        date(year, month, day)
    except ValueError:
        yield Finding("day", f"{year}-{month:02}-{day:02} is no date")
        row["day"] = None


def has_a_known_status(row: dict[str, Any]) -> Iterator[Finding]:
    """A publication whose status is unknown may be withdrawn: it is left out."""
    if row["status"] is None:
        yield Finding("status", "without a known status it cannot be shown", leaves_out=True)


def is_not_replaced_by_itself(row: dict[str, Any]) -> Iterator[Finding]:
    """A publication is not its own replacement; if so, the link is dropped."""
    if row["replaced_by"] == row["id"]:
        yield Finding("replaced_by", "names the publication itself")
        row["replaced_by"] = None


def is_not_below_itself(row: dict[str, Any]) -> Iterator[Finding]:
    """A topic is not its own parent; if so, it stands at the top."""
    if row["parent_id"] == row["id"]:
        yield Finding("parent_id", "names the topic itself")
        row["parent_id"] = None


def has_a_known_role(row: dict[str, Any]) -> Iterator[Finding]:
    """People of a publication are authors or editors; others are left out."""
    if row["role"] not in _ROLES:
        yield Finding("role", f"{_shown(row['role'])} is no known role", leaves_out=True)


def has_a_name(row: dict[str, Any]) -> Iterator[Finding]:
    """A person has a given or a family name; one with neither is left out."""
    if row["given_name"] is None and row["family_name"] is None:
        yield Finding("family_name", "a person without any name", leaves_out=True)


def project_ends_after_its_start(row: dict[str, Any]) -> Iterator[Finding]:
    """A project does not end before it starts; if so, its end is dropped."""
    if row["starts_on"] and row["ends_on"] and row["ends_on"] < row["starts_on"]:
        yield Finding("ends_on", f"{row['ends_on']} is before the start, {row['starts_on']}")
        row["ends_on"] = None


def ends_after_its_start(row: dict[str, Any]) -> Iterator[Finding]:
    """An event or session does not end before it starts; if so, its end is dropped."""
    if row["starts_at"] and row["ends_at"] and row["ends_at"] < row["starts_at"]:
        yield Finding("ends_at", f"{row['ends_at']} is before the start, {row['starts_at']}")
        row["ends_at"] = None


def registration_closes_after_it_opens(row: dict[str, Any]) -> Iterator[Finding]:
    """Registration does not close before it opens; if so, its end is dropped."""
    opens, closes = row["registration_opens_at"], row["registration_closes_at"]
    if opens and closes and closes < opens:
        yield Finding("registration_closes_at", f"{closes} is before the opening, {opens}")
        row["registration_closes_at"] = None


# Helpers

_ROLES = frozenset(role.value for role in Role)
_BOOLEANS = {
    **dict.fromkeys(("1", "1.0", "-1", "true", "t", "yes", "y"), 1),
    **dict.fromkeys(("0", "0.0", "false", "f", "no", "n", ""), 0),
}
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
_RECORD = re.compile(r"(?:publication|person|venue|topic|project|institution|event):.+")

_BREAKS = re.compile("[\t-\r]+")
_LINE_ENDS = re.compile("\r\n?|\x0b|\x0c")
_UNDECODED = re.compile("[\udc80-\udcff]+")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_CODE = re.compile(r"<(script|style)\b[^>]*>.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
_ELEMENTS = (
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big "
    "blink blockquote body br button canvas caption center cite code col colgroup data datalist "
    "dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form "
    "frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe image img input ins "
    "isindex kbd keygen label legend li link listing main map mark marquee math menu menuitem "
    "meta meter mi mml mn mo mrow ms msub msup nav nobr noembed noframes noscript object ol "
    "optgroup option output p param picture plaintext portal pre progress q rb rp rt rtc ruby s "
    "samp script search section select slot small source spacer span strike strong style sub "
    "summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul "
    "var video wbr xmp"
)
_ATTRIBUTE = r"[^\s<>=\"'/]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>]+)"
# A tag is a known element's name and then attributes with values or nothing, so that
# "a <b and c> d" of a formula stays.
_TAG = re.compile(
    r"</?(?:" + "|".join(_ELEMENTS.split()) + r")"
    rf"(?:[\s/]+{_ATTRIBUTE}(?:\s+{_ATTRIBUTE})*)?\s*/?>",
    re.IGNORECASE,
)


def _text(value: Any) -> Mended:
    """Text is Unicode: bytes that are none are replaced, control characters removed."""
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        value = bytes(value).decode("utf-8", "surrogateescape")
    text = value if isinstance(value, str) else _as_text(value)
    if text.isprintable():
        return text
    text, undecoded = _UNDECODED.subn("\ufffd", text)
    if undecoded:
        yield "holds bytes that are no UTF-8; they were replaced"
    text, removed = _CONTROL.subn("", text)
    if removed:
        yield "holds control characters; they were removed"
    return text


def _as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value.adjusted() < 40:
        whole = value.to_integral_value()
        return str(int(whole)) if whole == value else str(value)
    return str(value)


def _word(value: Any) -> Mended:
    """Return short text without blanks around it."""
    text = yield from _text(value)
    if text is None:
        return None
    text = text.strip()
    if len(text) > LONGEST_WORD:
        yield f"longer than {LONGEST_WORD} characters"
        return None
    return text or None


def _plain_line(value: Any, longest: int) -> Mended:
    text = yield from _text(value)
    if text is None:
        return None
    if "<" in text:
        text = yield from _without_code(text)
        text = yield from _without_tags(text)
    return (yield from _cut(" ".join(text.split()), longest)) or None


def _without_code(text: str) -> Mended:
    if "<" not in text:
        return text
    text, removed = _until_stable(_CODE, text)
    if removed:
        yield "holds script or style; it was removed"
    return text


def _without_tags(text: str) -> Mended:
    text, comments = _until_stable(_COMMENT, text)
    text, tags = _until_stable(_TAG, text)
    if comments or tags:
        yield "holds HTML; the tags were removed"
    return text


def _until_stable(pattern: re.Pattern[str], text: str) -> tuple[str, int]:
    """Remove what `pattern` finds, and what its removal has put together."""
    removed = 0
    while True:
        text, count = pattern.subn("", text)
        removed += count
        if not count:
            return text, removed


def _cut(text: str, longest: int) -> Mended:
    if len(text) <= longest:
        return text
    yield f"longer than {longest} characters; it was cut"
    return text[: longest - 1].rstrip() + "…"


def _one_of(
    value: Any, words: type[StrEnum], *, missing: StrEnum | None, unknown: StrEnum | None
) -> Mended:
    text = yield from _word(value)
    if text is None:
        return missing and missing.value
    folded = text.casefold().replace("_", " ").replace("-", " ")
    try:
        return words(folded).value
    except ValueError:
        yield f"{_shown(text)} is none of: {', '.join(words)}"
        return unknown and unknown.value


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    try:
        return datetime.fromisoformat(str(value).strip()).replace(tzinfo=None)
    except ValueError:
        return None


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")


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


def _shown(value: Any) -> str:
    """Return `value` short and in one line, to stand in a reason."""
    text = ascii(value) if isinstance(value, bytes | bytearray) else repr(str(value))
    return text if len(text) <= 60 else text[:59] + "…"
