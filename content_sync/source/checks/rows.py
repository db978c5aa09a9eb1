"""Rules over a row as a whole.

A rule is given the row as a dict, yields findings, and changes the dict.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from content_sync.records import Role
from content_sync.source.checks.cleaning import shown
from content_sync.source.checks.findings import Finding


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
        yield Finding("role", f"{shown(row['role'])} is no known role", leaves_out=True)


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


_ROLES = frozenset(role.value for role in Role)
