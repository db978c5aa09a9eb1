"""Records that break a rule, so that the report on the quality of the data has something to say."""

from __future__ import annotations

from typing import Any

from content_sync.demo.database import Database

_EVERY = 200
_AT = 120


def is_broken(number: int, publications: int) -> bool:
    """Whether the publication of this number is one of the few dirty ones (0.5 %)."""
    return publications >= _EVERY and number % _EVERY == _AT


def break_rule(number: int, row: list[Any], database: Database) -> None:
    """Break one rule in a row of `publications` or beside it; which one follows the number."""
    key = row[0]
    match number // _EVERY % 12:
        case 0:
            row[5:7] = [2, 31]  # the 31st of February
        case 1:
            row[7] = "no-such-venue"
        case 2:
            row[1] = f"{row[1]} <script>alert(1)</script>"
        case 3:
            row[5] = 13
        case 4:
            row[3] = "conf. paper"
        case 5:
            row[1] = "   "
        case 6:
            row[13] = "doi:unknown"
        case 7:
            row[23] = "EL-1066-0001"
        case 8:
            row[19] = "soon"
        case 9:
            row[4] = 20266
        case 10:
            database.add("publication_topics", (key, "no-such-topic"))
        case 11:
            row[2] = "Text\x0bwith\x01control\x7fcharacters, as old systems left them. " + (
                row[2] or ""
            )


def add_broken_records(database: Database) -> None:
    """Add the few dirty records that are no publications."""
    database.add("redirects", ("/show.asp?id=0", "publication:EL-1066-0001"))
    database.add("person_names", ("no-such-person", "Nobody"))
    database.add(
        "deliverables",
        (
            *("P-0000-D01", "P-0000", "Deliverable of a project that is gone"),
            *("2019-02-30", None, None, "planned", "members"),
        ),
    )
