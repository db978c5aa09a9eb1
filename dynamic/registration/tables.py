"""Registrations as a table for spreadsheet programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from dynamic.registration.definition import LISTING, Event
from dynamic.registration.forms import shown_answers
from dynamic.registration.models import Registration
from dynamic.registration.words import instant_in_words

_FORMULA = tuple("=+-@\t\r\n|%＝＋－＠")
"""What a spreadsheet program may take for the beginning of a formula."""


def participants_csv(event: Event, registrations: Iterable[Registration]) -> bytes:
    """Return all registrations of an event as CSV in UTF-8, in order of arrival.

    Addresses are left out: organisers write to participants through the service. A cell
    that a spreadsheet program would run as a formula begins with an apostrophe.
    """
    rows = list(registrations)
    answers = [dict(shown_answers(event, r)) for r in rows]
    labels = list(dict.fromkeys(label for known in answers for label in known))
    consents = [c for c in event.consents if c.name != LISTING]
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(
        [
            *("Number", "Name", "Organisation", "State", "Registered", "Listed"),
            *map(_cell, labels),
            *(_cell(c.label) for c in consents),
        ]
    )
    for registration, known in zip(rows, answers, strict=True):
        given = registration.facts()["consents"]
        table.writerow(
            [
                registration.arrived,
                _cell(registration.name),
                _cell(registration.affiliation),
                registration.state,
                instant_in_words(registration.made, event.zone),
                "yes" if registration.listed else "no",
                *(_cell(known.get(label, "")) for label in labels),
                *("yes" if given.get(c.name, {}).get("given") else "no" for c in consents),
            ]
        )
    # The mark at the beginning makes spreadsheet programs read UTF-8.
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: str) -> str:
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value
