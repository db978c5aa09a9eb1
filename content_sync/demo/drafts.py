"""Publications in the making: what each is, who wrote it, where it appeared, who may read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from content_sync.demo.grammar import Draw
from content_sync.demo.people import People
from content_sync.demo.places import Outlet
from content_sync.demo.plan import FIRST_YEAR, REFERENCE_DATE
from content_sync.demo.prose import Prose
from content_sync.demo.research import ProjectBrief
from content_sync.demo.topics import Subject

SORTS = {
    "journal article": ("journal",),
    "conference paper": ("conference", "workshop"),
    "presentation": ("conference", "workshop"),
    "proceedings": ("conference",),
}
"""The sorts of venues in which works of a kind appear."""

# One hundred works by kind; drawing from the list keeps the shares.
_KINDS = (
    *("conference paper",) * 42,
    *("journal article",) * 25,
    *("report",) * 10,
    *("thesis",) * 5,
    *("presentation",) * 6,
    *("dataset",) * 4,
    *("software",) * 2,
    *("patent",) * 2,
    *("book", "book chapter", "proceedings", "other"),
)
# Kinds whose titles are those of another.
_TITLES = {
    "journal article": "paper",
    "conference paper": "paper",
    "book chapter": "chapter",
    "book": "chapter",
}
# One hundred team sizes.
_SIZES = (
    *((1,) * 12 + (2,) * 20 + (3,) * 22 + (4,) * 17 + (5,) * 11),
    *((6,) * 7 + (7,) * 4 + (8,) * 3),
    *(9, 10, 11, 12),
)
_DOI_KINDS = frozenset({"conference paper", "journal article", "report", "thesis", "dataset"})
_PREFACES = ("Preface", "Editorial", "Foreword", "Programme committee")


@dataclass(slots=True, kw_only=True)
class Draft:
    """A publication that can still be changed: its row, then its subject and relations."""

    id: str
    title: str
    abstract: str | None = None
    kind: str
    year: int
    month: int | None = None
    day: int | None = None
    venue_id: str | None = None
    published_in: str | None = None
    volume: str | None = None
    issue: str | None = None
    pages: str | None = None
    publisher: str | None = None
    doi: str | None = None
    url: str | None = None
    file_path: str | None = None
    language: str | None = "en"
    licence: str | None = None
    access: str = "public"
    public_on: str | None = None
    status: str = "current"
    status_reason: str | None = None
    status_date: str | None = None
    replaced_by: str | None = None

    subject: Subject
    authors: list[int] = field(default_factory=list)
    editors: list[int] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    projects: list[str] = field(default_factory=list)
    has_paper: bool = True

    def row(self) -> tuple[object, ...]:
        """Return the row of the view `publications`."""
        return (
            *(self.id, self.title, self.abstract, self.kind, self.year, self.month, self.day),
            *(self.venue_id, self.published_in, self.volume, self.issue, self.pages),
            *(self.publisher, self.doi, self.url, self.file_path, self.language, self.licence),
            *(self.access, self.public_on, self.status, self.status_reason, self.status_date),
            self.replaced_by,
        )


def demo_doi(year: int, sequence: int) -> str:
    """Return a DOI under the prefix that is kept for tests."""
    return f"10.5555/el.{year}.{sequence:04d}"


class Drafter:
    """Makes ordinary publications."""

    def __init__(
        self,
        *,
        draw: Draw,
        people: People,
        subjects: list[Subject],
        outlets: Mapping[str, Outlet],
        prose: Prose,
        projects: list[ProjectBrief],
    ) -> None:
        self._draw = draw
        self._people = people
        self._subjects = subjects
        self._outlets = outlets
        self._prose = prose
        self._by_sort: dict[tuple[str, str | None], list[Outlet]] = {}
        for outlet in outlets.values():
            for theme in dict.fromkeys((outlet.theme, None)):
                self._by_sort.setdefault((outlet.sort, theme), []).append(outlet)
        self._projects: dict[tuple[int, int | str], list[ProjectBrief]] = {}
        for brief in projects:
            for year in range(brief.starts_on.year, brief.ends_on.year + 2):
                for place in (brief.subject, subjects[brief.subject].theme):
                    self._projects.setdefault((year, place), []).append(brief)

    def make(self, key: str, on: date, sequence: int) -> Draft:
        """Return a publication of that day, the `sequence`th of its year."""
        draw = self._draw
        kind = _KINDS[int(draw() * 100)]
        group = self._draw_group(on.year)
        which = self._people.subject_of(group, draw)
        subject = self._subjects[which]
        draft = Draft(id=key, title="", kind=kind, year=on.year, subject=subject)
        size = 1 if kind == "thesis" else _SIZES[int(draw() * 100)]
        if draw() < 0.004:
            size = 13 + int(draw() ** 2 * 40)
        draft.authors = self._people.team(group, size, draw, students=on.year > 2021)
        outlet = self._draw_outlet(kind, subject.theme, on.year)
        self._name(draft, outlet)
        self._set_date(draft, on)
        self._set_place(draft, outlet, on)
        if kind in _DOI_KINDS and draw() < 0.88:
            draft.doi = demo_doi(on.year, sequence)
        if draw() < 0.07:
            draft.url = f"https://archive.ellmark.example/{key.lower()}"
        if draw() < 0.07:
            draft.language = None
        self._set_access(draft, on)
        draft.licence = self._draw_licence(draft)
        draft.topics = self._draw_topics(which)
        draft.projects = self._draw_projects(on.year, which)
        return draft

    def _draw_group(self, year: int) -> int:
        """Groups enter year by year, and old ones go on."""
        groups = self._people.groups
        share = (year - FIRST_YEAR) / (REFERENCE_DATE.year - FIRST_YEAR)
        entered = max(2, int(groups * (0.15 + 0.85 * share)))
        return int(min(entered, groups) * self._draw() ** 1.25)

    def _name(self, draft: Draft, outlet: Outlet | None) -> None:
        """Give the work its title and, unless it has none, its abstract."""
        draw = self._draw
        kind = draft.kind
        if kind == "proceedings":
            draft.title = self._proceedings_title(outlet, draft.year)
            draft.authors, draft.editors = [], draft.authors[:3]
            return
        if kind == "other" and draw() < 0.3:
            draft.title = _PREFACES[int(draw() * len(_PREFACES))]
            return
        draft.title, context = self._prose.title(draft.subject, _TITLES.get(kind, kind), draw)
        if draw() < (0.94 if draft.year > 2000 else 0.8) or kind == "thesis":
            draft.abstract = self._prose.abstract(draft.subject, kind, context, draw)

    def _proceedings_title(self, outlet: Outlet | None, year: int) -> str:
        name = outlet.name if outlet else "Ellmark Autumn School"
        title = f"Proceedings of the {name} {year}"
        volume = 2
        while self._prose.is_seen(title):
            title = f"Proceedings of the {name} {year}, volume {volume}"
            volume += 1
        return title

    def _set_date(self, draft: Draft, on: date) -> None:
        """Of old works often only the year is known."""
        precision = self._draw()
        is_old = on.year < 2000
        if precision >= (0.5 if is_old else 0.08):
            draft.month = on.month
            if precision >= (0.8 if is_old else 0.3):
                draft.day = on.day

    def _draw_outlet(self, kind: str, theme: str, year: int) -> Outlet | None:
        if kind == "report":
            return self._outlets.get("ectr")
        if kind == "thesis":
            return self._outlets.get("ellmark-theses")
        candidates: list[Outlet] = []
        for sort in SORTS.get(kind, ()):
            candidates += self._by_sort.get((sort, theme), ())
            if not candidates or self._draw() < 0.12:
                candidates += self._by_sort.get((sort, None), ())
        candidates = [outlet for outlet in candidates if outlet.first_year <= year]
        if not candidates:
            return None
        return candidates[int(self._draw() ** 1.5 * len(candidates))]

    def _set_place(self, draft: Draft, outlet: Outlet | None, on: date) -> None:
        draw = self._draw
        kind = draft.kind
        if kind in ("report", "thesis", "proceedings"):
            draft.publisher = "Ellmark Consortium"
        elif kind in ("book", "book chapter"):
            draft.publisher = "Ellmark Press"
        if kind == "book chapter":
            draft.published_in = "Handbook of Measured Devices"
        if outlet is None:
            return
        if draw() < 0.96:
            draft.venue_id = outlet.id
        else:
            draft.published_in = outlet.name
        if outlet.sort == "series":
            return
        if outlet.sort == "journal":
            draft.volume = str(on.year - outlet.first_year + 1)
            draft.issue = str(1 + on.month // 4)
        else:
            draft.published_in = f"{outlet.name} {on.year}"
        if kind not in ("presentation", "proceedings"):
            start = 1 + int(draw() * 480)
            draft.pages = f"{start}–{start + 3 + int(draw() * 18)}"

    def _set_access(self, draft: Draft, on: date) -> None:
        draw = self._draw
        chance = draw()
        if chance < 0.72:
            return
        draft.access = "abstract" if chance < 0.85 else "members"
        chance = draw()
        if chance < 0.12:
            draft.public_on = (on + timedelta(days=365 + int(draw() * 400))).isoformat()
        elif chance < 0.24:
            opens = REFERENCE_DATE + timedelta(days=5 + int(draw() * 500))
            draft.public_on = opens.isoformat()

    def _draw_licence(self, draft: Draft) -> str | None:
        chance = self._draw()
        if draft.access != "public" or draft.year < 2006:
            return None
        if draft.kind == "software":
            return ("MIT", "Apache-2.0", "GPL-3.0-or-later")[int(chance * 3)]
        if draft.kind == "dataset":
            return "CC0-1.0" if chance < 0.4 else "CC-BY-4.0"
        for limit, licence in ((0.55, "CC-BY-4.0"), (0.64, "CC-BY-SA-4.0"), (0.72, "CC-BY-NC-4.0")):
            if chance < limit:
                return licence
        return None

    def _draw_topics(self, which: int) -> list[str]:
        draw = self._draw
        subject = self._subjects[which]
        topics = [subject.id]
        if draw() < 0.8:
            topics = [subject.leaves[int(draw() * len(subject.leaves))][0]]
        if draw() < 0.35:
            other = self._subjects[(which + 1 + int(draw() * 5)) % len(self._subjects)]
            topics.append(other.leaves[0][0] if draw() < 0.7 else other.id)
        return topics

    def _draw_projects(self, year: int, which: int) -> list[str]:
        draw = self._draw
        running = self._projects.get((year, which))
        if running is None and draw() < 0.6:
            running = self._projects.get((year, self._subjects[which].theme))
        if running and draw() < 0.7:
            return [running[int(draw() * len(running))].id]
        return []
