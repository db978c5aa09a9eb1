"""Records that break a rule, so that the report on the quality of the data has something to say."""

from __future__ import annotations

from content_sync.demo.database import Database
from content_sync.demo.drafts import Draft

_EVERY = 200
_AT = 120


def is_broken(number: int, publications: int) -> bool:
    """Whether the publication of this number is one of the few dirty ones (0.5 %)."""
    return publications >= _EVERY and number % _EVERY == _AT


def break_rule(number: int, draft: Draft, database: Database) -> None:
    """Break one rule in a publication or beside it; which one follows the number."""
    match number // _EVERY % 12:
        case 0:
            draft.month, draft.day = 2, 31
        case 1:
            draft.venue_id = "no-such-venue"
        case 2:
            draft.title = f"{draft.title} <script>alert(1)</script>"
        case 3:
            draft.month = 13
        case 4:
            draft.kind = "conf. paper"
        case 5:
            draft.title = "   "
        case 6:
            draft.doi = "doi:unknown"
        case 7:
            draft.replaced_by = "EL-1066-0001"
        case 8:
            draft.public_on = "soon"
        case 9:
            draft.year = 20266
        case 10:
            database.add("publication_topics", (draft.id, "no-such-topic"))
        case 11:
            draft.abstract = "Text\x0bwith\x01control\x7fcharacters, as old systems left them."


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
