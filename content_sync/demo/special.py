"""Works that are not ordinary: written by hand, corrected, retracted, withdrawn, replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from content_sync.demo.drafts import Draft, demo_doi
from content_sync.demo.grammar import Draw, fill
from content_sync.demo.people import People
from content_sync.demo.places import Outlet
from content_sync.demo.plan import REFERENCE_DATE, Plan
from content_sync.demo.prose import Prose
from content_sync.demo.topics import Subject
from content_sync.demo.words import read_json

_LEAST_PUBLICATIONS = 200
_LEAST_FOR_CROWD = 500
_FEATURED_FROM = 0.78  # share of the last year's works that stand before the featured ones
_REPLACED_KINDS = frozenset({"conference paper", "journal article", "report", "dataset"})


def place_special_works(plan: Plan) -> dict[int, dict[str, Any]]:
    """Return the hand-written works by the number of the publication that they become."""
    total = plan.publications
    if total < _LEAST_PUBLICATIONS:
        return {}
    languages = read_json("other-languages.json")
    placed = {(i + 1) * total // (len(languages) + 2): work for i, work in enumerate(languages)}
    featured = read_json("featured.json")
    last = plan.years[-1][1]
    if last >= len(featured):
        start = total - last + min(int(last * _FEATURED_FROM), last - len(featured))
        placed |= {start + i: work for i, work in enumerate(featured)}
    return placed


def make_special_work(
    work: dict[str, Any],
    key: str,
    on: date,
    sequence: int,
    *,
    plan: Plan,
    draw: Draw,
    people: People,
    subjects: list[Subject],
    outlets: Mapping[str, Outlet],
    featured_project: str | None,
) -> Draft:
    """Return a hand-written work; what it does not say of itself follows its place."""
    names = {subject.name: subject for subject in subjects}
    subject = names[work.get("topic", "Accelerated test")]
    outlet = outlets.get(work.get("venue", ""))
    on = date(on.year, work.get("month", on.month), work.get("day", on.day))
    draft = Draft(
        id=key,
        title=work["title"],
        abstract=work.get("abstract"),
        kind=work.get("kind", "journal article"),
        year=on.year,
        month=on.month,
        day=on.day,
        venue_id=outlet.id if outlet else None,
        volume=work.get("volume"),
        pages=work.get("pages"),
        doi=demo_doi(on.year, sequence) if work.get("doi", True) else None,
        language=work.get("language", "en"),
        licence=work.get("licence"),
        access=work.get("access", "public"),
        public_on=work.get("public_on"),
        status=work.get("status", "current"),
        status_reason=work.get("reason"),
        status_date=work.get("status_date"),
        subject=subject,
        topics=[leaf for leaf, _ in subject.leaves[:2]],
        has_paper=work.get("file", True),
    )
    if outlet and outlet.sort == "conference":
        draft.published_in = f"{outlet.name} {on.year}"
    if "authors" not in work:
        draft.authors = people.team(3 % people.groups, 2, draw, students=False)
        return draft
    draft.authors = list(work["authors"])
    if plan.publications >= _LEAST_FOR_CROWD:
        more = work.get("crowd", 0) - len(draft.authors)
        others = (number for number in range(10_000) if number not in work["authors"])
        draft.authors += [next(others) for _ in range(more)]
    if "project" in work and featured_project:
        draft.projects = [featured_project]
    return draft


def change_status(draft: Draft, number: int, on: date, *, prose: Prose, draw: Draw) -> bool:
    """Correct, retract or withdraw a few works.

    Says whether the work may be replaced by the next.
    """
    if number % 83 == 40:
        draft.status, reasons = "corrected", prose.projects["reason"]
    elif number % 151 == 75:
        draft.status, reasons = "retracted", prose.projects["retraction"]
    elif number % 199 == 99:
        draft.status, reasons = "withdrawn", prose.projects["withdrawal"]
    else:
        return False
    context = draft.subject.draw_context(draw)
    draft.status_reason = fill(reasons[int(draw() * len(reasons))], context, draw)
    changed = on + timedelta(days=20 + int(draw() * 400))
    draft.status_date = min(changed, REFERENCE_DATE).isoformat()
    return draft.kind in _REPLACED_KINDS


def make_revision(earlier: Draft, key: str, on: date, sequence: int) -> Draft:
    """Return the work that replaces the one before it."""
    return replace(
        earlier,
        id=key,
        title=f"{earlier.title} (second version)",
        month=on.month,
        day=on.day,
        doi=demo_doi(on.year, sequence) if earlier.doi else None,
        url=None,
        file_path=None,
        status="current",
        status_reason=None,
        status_date=None,
        replaced_by=None,
    )
