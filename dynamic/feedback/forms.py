"""The forms of feedback: what readers send, and what staff decide."""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    IntegerField,
    RadioField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined, unused-ignore]
from wtforms.validators import Length, Optional, ValidationError

from dynamic.feedback.fields import FIELDS, shown_values
from dynamic.feedback.models import RATINGS, State, state_in_words
from dynamic.records import Record
from dynamic.words import one_line, plain_text, same_words

LONGEST_TEXT = 10_000
_SUBMISSION = re.compile(r"[A-Za-z0-9_-]{16,64}")


class FeedbackForm(FlaskForm):
    """What a reader may say of a record; fields for corrections are added for each record."""

    submission = HiddenField()
    rating = RadioField(
        "How useful is this to you?",
        filters=[one_line],
        choices=[SelectChoice(str(n), words) for n, words in RATINGS.items()],
        validators=[Optional()],
        validate_choice=False,
    )
    text = TextAreaField(
        "What would you like to tell us?",
        filters=[plain_text],
        validators=[Length(max=LONGEST_TEXT, message="Please keep to %(max)d characters.")],
    )
    wants_copy = BooleanField("Please send me a copy of the full text.")

    record: Record

    def validate_rating(self, field: Field) -> None:
        if field.data and field.data not in {str(number) for number in RATINGS}:
            raise ValidationError("Choose one of the answers.")

    def validate_text(self, field: Field) -> None:
        if not (field.data or self.rating.data or self.wants_copy.data or self.corrections()):
            raise ValidationError("Say something, rate the record or correct one of its fields.")

    @property
    def token(self) -> str:
        """The mark of this form; one that is none of ours is replaced."""
        given = self.submission.data or ""
        return given if _SUBMISSION.fullmatch(given) else secrets.token_urlsafe(24)

    def corrections(self) -> dict[str, tuple[str, str]]:
        """Return field → what the release shows, and what it should say instead.

        A field counts if the reader changed what the form had given them and the release
        does not say so already; it may be a newer one than the form was made from.
        """
        shown = shown_values(self.record)
        changed = {}
        for one in FIELDS[self.record.type]:
            proposed = self[f"field_{one.name}"].data or ""
            given = self[f"was_{one.name}"].data or ""
            if not same_words(proposed, given) and not same_words(proposed, shown[one.name]):
                changed[one.name] = (shown[one.name], proposed)
        return changed

    def correction_fields(self) -> list[tuple[Any, Field, Field]]:
        """Return, for each field of the record, what it is, its input and its hidden twin."""
        return [
            (one, self[f"field_{one.name}"], self[f"was_{one.name}"])
            for one in FIELDS[self.record.type]
        ]


def feedback_form(record: Record) -> FeedbackForm:
    """Return the form for a record: prefilled, or filled with what was sent."""
    inputs: dict[str, Any] = {}
    shown = shown_values(record)
    for one in FIELDS[record.type]:
        kind = TextAreaField if one.lines > 1 else StringField
        limit = Length(max=one.longest, message="Please keep to %(max)d characters.")
        inputs[f"field_{one.name}"] = kind(
            one.label, default=shown[one.name], filters=[plain_text], validators=[limit]
        )
        inputs[f"was_{one.name}"] = HiddenField(default=shown[one.name], filters=[plain_text])
    form: FeedbackForm = type("RecordForm", (FeedbackForm,), inputs)()
    form.record = record
    form.submission.data = form.token
    return form


class StateForm(FlaskForm):
    """What staff decide."""

    version = IntegerField(validators=[Optional()])
    state = RadioField(
        "State", choices=[SelectChoice(s.value, state_in_words(s).capitalize()) for s in State]
    )
    build = StringField("Number of the build that shows it", filters=[one_line])
    note = TextAreaField(
        "What the sender is told",
        filters=[plain_text],
        validators=[Length(max=LONGEST_TEXT, message="Please keep to %(max)d characters.")],
    )

    def validate_build(self, field: Field) -> None:
        if self.state.data == State.PUBLISHED and not field.data:
            raise ValidationError("Give the number of the build.")
        if field.data and self.build_number is None:
            raise ValidationError("Builds are numbered 1, 2, 3 and so on.")

    @property
    def build_number(self) -> int | None:
        """The build that was named, None if none was."""
        given = self.build.data or ""
        is_number = given.isascii() and given.isdecimal() and len(given) < 10
        return int(given) or None if is_number else None

    def validate_note(self, field: Field) -> None:
        if self.state.data == State.DECLINED and not field.data:
            raise ValidationError("Give the sender a reason.")
