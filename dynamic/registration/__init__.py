"""Event registration: forms, places and waiting lists, calendars, organisers' pages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from dynamic.home import ENTRIES, Entry

blueprint = Blueprint("registration", __name__, url_prefix="/services")


@blueprint.app_template_filter("aria")
def aria(field: Any) -> dict[str, str]:
    """Return what ties a form's field to its help and its error, for those who hear the page."""
    described = [f"{field.id}-error"] if field.errors else []
    if field.description:
        described.append(f"{field.id}-help")
    attributes = {"aria-describedby": " ".join(described)} if described else {}
    return attributes | ({"aria-invalid": "true"} if field.errors else {})


# The modules that add their views to the blueprint, their links, tables and work.
from dynamic.registration import (  # noqa: E402
    by_link,
    for_build,
    organisers,
    personal,
    staff,
    ticks,
    views,
)

__all__ = [
    "blueprint",
    "by_link",
    "for_build",
    "organisers",
    "personal",
    "staff",
    "ticks",
    "views",
]

ENTRIES.append(
    Entry(
        title="Events",
        text="Register, see where you stand, change, withdraw; calendar of your events.",
        url="/services/events/",
        order=20,
    )
)
