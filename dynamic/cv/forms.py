"""What a student fills in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    Field,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice  # type: ignore[attr-defined,unused-ignore]
from wtforms.validators import Length, ValidationError

from dynamic.cv.models import AVAILABILITY, DEGREES
from dynamic.cv.shelf import Entry
from dynamic.words import one_line, plain_text

_MONTH = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])")
MOST_TOPICS = 10
LONGEST_TOPIC = 60
MOST_LINKS = 5
LONGEST_LINK = 300


def _line(value: str | None) -> str:
    return one_line(value, 5000)


def _lines(value: str | None) -> str:
    return plain_text(value, 5000)


def _choices(words: Mapping[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in words.items()]


class CvForm(FlaskForm):
    """One CV. The file is asked for once; later it may stay empty."""

    name = StringField("Your name, as employers should read it", filters=[_line])
    degree = SelectField("Degree", choices=_choices({"": "Choose one", **DEGREES}))
    field = StringField("Field of study", filters=[_line])
    graduation = StringField("Month of graduation", filters=[_line])
    topics = TextAreaField("Topics", filters=[_lines])
    availability = SelectMultipleField("What are you looking for?", choices=_choices(AVAILABILITY))
    available_from = StringField("From which month?", filters=[_line])
    links = TextAreaField("Links", filters=[_lines])
    file = FileField("CV")
    hide = BooleanField("Take the file that is there out of the CV books at once")
    shown_to = RadioField(
        "Who may see it?",
        choices=_choices(
            {
                "all": "All member companies, also those that join later",
                "chosen": "Only the companies that I choose",
            }
        ),
    )
    chosen = SelectMultipleField("Companies that may see it")
    blocked = SelectMultipleField("Companies that may never see it")
    consent = BooleanField("I agree")

    def __init__(self, *args: Any, companies: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen.choices = _choices(companies)
        self.blocked.choices = _choices(companies)

    def validate_name(self, field: Field) -> None:
        _needs(field, "Write your name.")
        _at_most(field, 200)

    def validate_degree(self, field: Field) -> None:
        _needs(field, "Choose the degree that you have or are studying for.")

    def validate_field(self, field: Field) -> None:
        _needs(field, "Write what you study, such as Electrical engineering.")
        _at_most(field, 120)

    def validate_graduation(self, field: Field) -> None:
        _needs(field, "Write the month in which you graduate or did, such as 2027-09.")
        _is_month(field)

    def validate_available_from(self, field: Field) -> None:
        if field.data:
            _is_month(field)

    def validate_availability(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Choose at least one.")

    def validate_topics(self, field: Field) -> None:
        topics = _split(field.data, r"[,;\n]")
        if len(topics) > MOST_TOPICS:
            raise ValidationError(f"Name at most {MOST_TOPICS} topics; these are {len(topics)}.")
        for topic in topics:
            if len(topic) > LONGEST_TOPIC:
                raise ValidationError(
                    f"Write each topic in at most {LONGEST_TOPIC} characters, with commas between."
                )

    def validate_links(self, field: Field) -> None:
        links = _split(field.data, r"\s+")
        if len(links) > MOST_LINKS:
            raise ValidationError(f"Name at most {MOST_LINKS} links.")
        for link in links:
            if not _is_web(link) or len(link) > LONGEST_LINK:
                raise ValidationError("Write each link on a line of its own, with https:// first.")

    def validate_shown_to(self, field: Field) -> None:
        if field.data == "chosen" and not self.chosen.data:
            raise ValidationError("Choose at least one company below, or all of them.")

    def validate_blocked(self, field: Field) -> None:
        if self.shown_to.data == "chosen" and set(field.data or ()) & set(self.chosen.data or ()):
            raise ValidationError("A company stands in both lists. Take it out of one of them.")

    def validate_consent(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Without your consent the CV cannot be shown to anyone.")

    def entry(self, email: str) -> Entry:
        """Return what was entered, once it is valid."""
        data = self.data
        return Entry(
            name=data["name"],
            email=email,
            degree=data["degree"],
            field=data["field"],
            graduation=data["graduation"],
            topics=_split(data["topics"], r"[,;\n]"),
            availability=tuple(key for key in AVAILABILITY if key in data["availability"]),
            available_from=data["available_from"],
            links=_split(data["links"], r"\s+"),
            shown_to=data["shown_to"],
            chosen=tuple(data["chosen"] if data["shown_to"] == "chosen" else ()),
            blocked=tuple(data["blocked"] or ()),
        )


class ConfirmForm(FlaskForm):
    """Nothing but the token against cross-site posts."""


class RenewForm(FlaskForm):
    """For another year; a text that is newer than what was agreed to is agreed to anew."""

    consent = BooleanField("I agree")


class PersonForm(FlaskForm):
    """Staff tie an account to a person; an empty field unties it."""

    person = StringField("Person", filters=[_line], validators=[Length(max=500)])


def person_id_in(text: str) -> str:
    """Return the id in what staff wrote: an id, or person:id."""
    return text.removeprefix("person:").strip()


def _split(text: str | None, between: str) -> tuple[str, ...]:
    parts = (" ".join(part.split()) for part in re.split(between, text or ""))
    unique = {part.casefold(): part for part in reversed([part for part in parts if part])}
    return tuple(reversed(unique.values()))


def _needs(field: Field, words: str) -> None:
    if not field.data:
        raise ValidationError(words)


def _at_most(field: Field, length: int) -> None:
    if len(field.data) > length:
        raise ValidationError(f"Write it in at most {length} characters.")


def _is_month(field: Field) -> None:
    if not _MONTH.fullmatch(field.data):
        raise ValidationError("Write year and month as numbers, such as 2027-09.")


def _is_web(link: str) -> bool:
    try:
        parts = urlsplit(link)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
