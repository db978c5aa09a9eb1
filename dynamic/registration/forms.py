"""The registration form of an event, built from its definition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    Field,
    IntegerField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice  # type: ignore[attr-defined,unused-ignore]
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from dynamic.database import now
from dynamic.registration.acts import Answers
from dynamic.registration.definition import (
    AFFILIATION,
    LISTING,
    NAME,
    Consent,
    Event,
    Kind,
    Question,
)
from dynamic.registration.models import Registration
from dynamic.words import one_line, plain_text

LONGEST_NAME = 200
LONGEST_LINE = 500
LONGEST_TEXT = 5000
YES_OR_NO = {"yes": "Yes", "no": "No"}


class RegistrationForm(FlaskForm):
    """The fields that every event's form has; `build_form` adds the event's own."""

    event: Event

    def asked(self) -> Iterator[Field]:
        """Yield the fields in the order of the page, consents apart."""
        for field in self:
            if field.name != "csrf_token" and not field.name.startswith("c_"):
                yield field

    def consents(self) -> Iterator[Field]:
        for field in self:
            if field.name.startswith("c_"):
                yield field

    def answers(self) -> Answers:
        """Return what was written, once the form is valid."""
        answers: dict[str, Any] = {}
        takes_place = True
        for question in _own_questions(self.event):
            value = _plain(self[_q(question)].data)
            if value not in (None, "", []):
                answers[question.name] = value
            chosen = [c for c in question.choices if c.value == value]
            takes_place = takes_place and all(c.takes_place for c in chosen)
        at = now().isoformat()
        consents: dict[str, dict[str, Any]] = {
            consent.name: {"given": bool(self[_c(consent)].data), "at": at, "text": consent.label}
            for consent in self.event.consents
        }
        return Answers(
            name=self["name"].data,
            affiliation=self["affiliation"].data or "",
            listed=consents.get(LISTING, {}).get("given", False),
            takes_place=takes_place,
            answers=answers,
            consents=consents,
        )


def build_form(event: Event, known: Registration | None = None, name: str = "") -> Any:
    """Return the form of an event, filled with what is known of the person."""
    label = {q.name: q for q in event.questions if q.name in (NAME, AFFILIATION)}
    fields: dict[str, Any] = {
        "event": event,
        "name": StringField(
            label[NAME].label if NAME in label else "Name, as it should stand on your badge",
            [_Words(), _Required("Write your name."), Length(max=LONGEST_NAME)],
            render_kw={"autocomplete": "name"},
        ),
        "affiliation": StringField(
            label[AFFILIATION].label if AFFILIATION in label else "Organisation",
            [_Words(), Optional(), Length(max=LONGEST_NAME)],
            description="Optional. Shown beside your name.",
            render_kw={"autocomplete": "organization"},
        ),
    }
    for question in _own_questions(event):
        fields[_q(question)] = _field(question)
    for consent in event.consents:
        fields[_c(consent)] = _consent_field(consent)
    form_class = type("EventForm", (RegistrationForm,), fields)
    return form_class(data=_known(event, known, name))


def shown_answers(event: Event, registration: Registration) -> list[tuple[str, str]]:
    """Return label and answer of each question, in words, in the form's order."""
    answers = registration.facts()["answers"]
    found: list[tuple[str, str]] = []
    for question in _own_questions(event):
        if question.name in answers:
            found.append((question.label, _in_words(question, answers[question.name])))
    return found


def offer(choices: dict[str, str]) -> list[SelectChoice]:
    """Return value → label as the choices of a field."""
    return [SelectChoice(value=value, label=label) for value, label in choices.items()]


class _Words:
    """Makes a line of what was sent: no control characters, no space at its ends."""

    def __init__(self, *, lines: bool = False) -> None:
        self.lines = lines

    def __call__(self, form: Any, field: Field) -> None:
        if isinstance(field.data, str):
            field.data = plain_text(field.data) if self.lines else one_line(field.data)


class _Required(InputRequired):
    """A field that must be filled in, after it was made clean."""

    def __call__(self, form: Any, field: Field) -> None:
        if not field.data:
            raise ValidationError(str(self.message))


def _own_questions(event: Event) -> list[Question]:
    return [q for q in event.questions if q.name not in (NAME, AFFILIATION)]


def _q(question: Question) -> str:
    return f"q_{question.name}"


def _c(consent: Consent) -> str:
    return f"c_{consent.name}"


def _field(question: Question) -> Any:
    """Return the unbound field of a question."""
    choices = {c.value: c.label for c in question.choices}
    must: list[Any] = [_Required(_missing(question.kind))] if question.required else []
    lines = question.kind == Kind.LONG_TEXT
    written: list[Any] = [_Words(lines=lines), *(must or [Optional()])]
    say: dict[str, Any] = {"label": question.label, "description": _help(question)}
    match question.kind:
        case Kind.LONG_TEXT:
            return TextAreaField(validators=[*written, Length(max=LONGEST_TEXT)], **say)
        case Kind.CHOICE | Kind.YES_OR_NO:
            offered = choices or YES_OR_NO
            checks = [*must, _OneOf(offered)]
            return RadioField(
                choices=offer(offered), validators=checks, validate_choice=False, **say
            )
        case Kind.CHOICES:
            return _Several(choices=offer(choices), validators=[*must, _OneOf(choices)], **say)
        case Kind.NUMBER:
            limits = NumberRange(-(10**9), 10**9, "Write a number of at most nine digits.")
            return _Number(validators=[*(must or [Optional()]), limits], **say)
        case Kind.DATE:
            return _Day(validators=must or [Optional()], **say)
        case _:
            return StringField(validators=[*written, Length(max=LONGEST_LINE)], **say)


class _Several(SelectMultipleField):
    """Check boxes, any number of them."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()
    validate_choice = False

    def pre_validate(self, form: Any) -> None:
        """Leave it to _OneOf, which speaks in words."""


class _OneOf:
    """Only what was asked can be chosen."""

    def __init__(self, known: Iterable[str]) -> None:
        self.known = frozenset(known)

    def __call__(self, form: Any, field: Field) -> None:
        given = field.data if isinstance(field.data, list) else [field.data]
        if any(value and value not in self.known for value in given):
            raise ValidationError("Choose from the list: this choice is no longer offered.")


class _Number(IntegerField):
    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Write a whole number, such as 3.") from None


class _Day(DateField):
    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Write a date as 2027-01-19.") from None


def _consent_field(consent: Consent) -> Any:
    must = [_Required("Without this consent you cannot register.")] if consent.required else []
    text = consent.help
    if consent.name == LISTING:
        text = text or "It appears the morning after; take it back at any time."
    return BooleanField(consent.label, validators=must, description=text)


def _missing(kind: Kind) -> str:
    return "Choose one." if kind in (Kind.CHOICE, Kind.CHOICES, Kind.YES_OR_NO) else "Fill this in."


def _help(question: Question) -> str:
    if question.help or question.required:
        return question.help
    return "Optional."


def _known(event: Event, known: Registration | None, name: str) -> dict[str, Any]:
    if known is None:
        return {"name": name}
    facts = known.facts()
    filled: dict[str, Any] = {"name": known.name, "affiliation": known.affiliation}
    for question in _own_questions(event):
        value = facts["answers"].get(question.name)
        if question.kind == Kind.DATE and isinstance(value, str):
            value = _date(value)
        filled[_q(question)] = value
    for consent in event.consents:
        filled[_c(consent)] = facts["consents"].get(consent.name, {}).get("given", False)
    filled[f"c_{LISTING}"] = known.listed
    return filled


def _date(value: str) -> Any:
    from datetime import date

    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _in_words(question: Question, value: Any) -> str:
    labels: dict[Any, str] = {c.value: c.label for c in question.choices}
    if question.kind == Kind.YES_OR_NO:
        labels = dict(YES_OR_NO)
    if isinstance(value, list):
        return ", ".join(_label(labels, v) for v in value)
    return _label(labels, value)


def _label(labels: dict[Any, str], value: Any) -> str:
    return labels.get(value, str(value)) if isinstance(value, str | int) else str(value)
