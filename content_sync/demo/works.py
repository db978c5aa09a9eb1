"""The publications with their people, topics and projects, one year after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from content_sync.demo.database import Database
from content_sync.demo.faults import break_rule, is_broken
from content_sync.demo.grammar import Draw, fill
from content_sync.demo.papers import Papers
from content_sync.demo.people import People, Person
from content_sync.demo.places import Outlet
from content_sync.demo.plan import FIRST_YEAR, MOST_FILES, MOST_REDIRECTS, REFERENCE_DATE, Plan
from content_sync.demo.prose import Prose
from content_sync.demo.research import ProjectBrief
from content_sync.demo.topics import Subject
from content_sync.demo.words import read_json

SAMPLES_PER_YEAR = 60
NO_SUCH_FILE_AT = 7
"""This publication, counted from 0, names a full text that does not exist."""

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
    *("book", "book chapter"),
    *("proceedings",),
    *("other",),
)
_TITLES = {
    "journal article": "paper",
    "conference paper": "paper",
    "book chapter": "chapter",
    "book": "chapter",
}
_SORTS = {
    "journal article": ("journal",),
    "conference paper": ("conference", "workshop"),
    "presentation": ("conference", "workshop"),
    "proceedings": ("conference",),
}
# One hundred team sizes.
_SIZES = (
    *(1,) * 12,
    *(2,) * 20,
    *(3,) * 22,
    *(4,) * 17,
    *(5,) * 11,
    *(6,) * 7,
    *(7,) * 4,
    *(8,) * 3,
    *(9, 10, 11, 12),
)
_DOI_KINDS = frozenset({"conference paper", "journal article", "report", "thesis", "dataset"})
_WITHOUT_PAPER = frozenset({"dataset", "software", "proceedings"})
_REVISED_KINDS = frozenset({"conference paper", "journal article", "report", "dataset"})
_PREFACES = ("Preface", "Editorial", "Foreword", "Programme committee")


@dataclass(slots=True)
class Sample:
    """A publication that an event may put on its agenda."""

    id: str
    title: str
    authors: list[int]
    is_featured: bool


@dataclass(slots=True)
class _Draft:
    """A publication in the making: the row of its view, still to be changed, and its relations."""

    subject: Subject
    row: list[Any]
    authors: list[int]
    topics: list[str]
    projects: list[str]
    editors: list[int] = field(default_factory=list)
    has_file: bool = True


class Works:
    """Writes all publications of the plan."""

    def __init__(
        self,
        *,
        plan: Plan,
        draw: Draw,
        people: People,
        subjects: list[Subject],
        outlets: list[Outlet],
        prose: Prose,
        projects: list[ProjectBrief],
        database: Database,
        papers: Papers,
    ) -> None:
        self._plan = plan
        self._draw = draw
        self._people = people
        self._subjects = subjects
        self._prose = prose
        self._database = database
        self._papers = papers
        self.samples: dict[int, list[Sample]] = {}
        self._outlets = {outlet.id: outlet for outlet in outlets}
        self._by_sort = _group_outlets(outlets)
        self._projects: dict[tuple[int, int | str], list[ProjectBrief]] = {}
        for brief in projects:
            for year in range(brief.starts_on.year, brief.ends_on.year + 2):
                for place in (brief.subject, subjects[brief.subject].theme):
                    self._projects.setdefault((year, place), []).append(brief)
        self._featured_project = next((b.id for b in projects if b.is_featured), None)
        self._special = self._place_special_works()

    def write(self) -> Iterator[int]:
        """Write the publications; yields how many are done, after each."""
        digits = self._plan.id_digits
        step = max(1, self._plan.publications // (2 * MOST_REDIRECTS))
        revised: _Draft | None = None
        number = 0
        for year, count in self._plan.years:
            days = 364 if year < REFERENCE_DATE.year else REFERENCE_DATE.timetuple().tm_yday - 3
            for k in range(count):
                key = f"EL-{year}-{k + 1:0{digits}d}"
                on = date(year, 1, 1) + timedelta(days=days * k // count)
                special = self._special.get(number)
                if revised is not None:
                    draft = self._revision(revised, key, on)
                    revised = None
                elif special is not None:
                    draft = self._special_work(special, key, on, k + 1)
                else:
                    draft = self._ordinary(key, on, k + 1)
                    has_next = k + 1 < count and number + 1 not in self._special
                    has_next = has_next and not is_broken(number, self._plan.publications)
                    is_marked = self._set_status(draft, number, on)
                    if is_marked and has_next and draft.row[3] in _REVISED_KINDS:
                        draft.row[_REPLACED_BY] = f"EL-{year}-{k + 2:0{digits}d}"
                        revised = draft
                self._finish(draft, number)
                if number % step == 0 and year < 2015:
                    path = f"/show.asp?id={number + 1}" if year < 2009 else f"/pubs/{number + 1}"
                    self._database.add("redirects", (path, f"publication:{key}"))
                number += 1
                yield number

    def _ordinary(self, key: str, on: date, sequence: int) -> _Draft:
        draw = self._draw
        people = self._people
        year = on.year
        kind = _KINDS[int(draw() * 100)]
        # Groups enter year by year, and old ones go on.
        entered = max(2, int(people.groups * (0.15 + 0.85 * (year - FIRST_YEAR) / 32)))
        group = int(min(entered, people.groups) * draw() ** 1.25)
        which = people.subject_of(group, draw)
        subject = self._subjects[which]
        size = 1 if kind == "thesis" else _SIZES[int(draw() * 100)]
        if draw() < 0.004:
            size = 13 + int(draw() ** 2 * 40)
        authors = people.team(group, size, draw, students=year > 2021)
        title, context = (
            self._prose.title(subject, _TITLES.get(kind, kind), draw)
            if (kind != "proceedings")
            else ("", ())
        )
        outlet = self._outlet(kind, subject.theme, year)
        editors: list[int] = []
        abstract: str | None = None
        if kind == "proceedings":
            title = self._proceedings_title(outlet, year)
            authors, editors = [], authors[:3]
        elif kind == "other" and draw() < 0.3:
            title = _PREFACES[int(draw() * len(_PREFACES))]
        elif draw() < (0.94 if year > 2000 else 0.8) or kind == "thesis":
            abstract = self._prose.abstract(subject, kind, context, draw)
        row = self._row(key, title, kind, on, sequence, outlet)
        row[_ABSTRACT] = abstract
        topics = [subject.leaves[int(draw() * len(subject.leaves))][0]]
        if draw() < 0.2:
            topics = [subject.id]
        if draw() < 0.35:
            other = self._subjects[(which + 1 + int(draw() * 5)) % len(self._subjects)]
            topics.append(other.leaves[0][0] if draw() < 0.7 else other.id)
        projects: list[str] = []
        running = self._projects.get((year, which))
        if running is None and draw() < 0.6:
            running = self._projects.get((year, subject.theme))
        if running and draw() < 0.7:
            projects = [running[int(draw() * len(running))].id]
        return _Draft(subject, row, authors, topics, projects, editors)

    def _row(
        self, key: str, title: str, kind: str, on: date, sequence: int, outlet: Outlet | None
    ) -> list[Any]:
        """Return a row of `publications` without abstract, file and status."""
        draw = self._draw
        year = on.year
        month: int | None = on.month
        day: int | None = on.day
        precision = draw()
        if precision < (0.5 if year < 2000 else 0.08):
            month = day = None
        elif precision < (0.8 if year < 2000 else 0.3):
            day = None
        venue = published_in = volume = issue = pages = publisher = None
        if outlet is not None:
            if draw() < 0.96:
                venue = outlet.id
            else:
                published_in = outlet.name
            if outlet.sort == "journal":
                volume = str(year - outlet.first_year + 1)
                issue = str(1 + on.month // 4)
            elif outlet.sort != "series":
                published_in = f"{outlet.name} {year}"
            if outlet.sort != "series" and kind not in ("presentation", "proceedings"):
                start = 1 + int(draw() * 480)
                pages = f"{start}–{start + 3 + int(draw() * 18)}"
        elif kind == "book chapter":
            published_in = "Handbook of Measured Devices"
            publisher = "Ellmark Press"
        if kind == "book":
            publisher = "Ellmark Press"
        elif kind in ("report", "thesis", "proceedings"):
            publisher = "Ellmark Consortium"
        doi = None
        if kind in _DOI_KINDS and draw() < 0.88:
            doi = f"10.5555/el.{year}.{sequence:04d}"
        access, public_on = self._access(on)
        url = f"https://archive.ellmark.example/{key.lower()}" if draw() < 0.07 else None
        return [
            *(key, title, None, kind, year, month, day, venue, published_in),
            *(volume, issue, pages, publisher, doi, url, None),
            "en" if draw() < 0.93 else None,
            self._licence(kind, year, access),
            *(access, public_on, "current", None, None, None),
        ]

    def _access(self, on: date) -> tuple[str, str | None]:
        draw = self._draw
        chance = draw()
        if chance < 0.72:
            return "public", None
        access = "abstract" if chance < 0.85 else "members"
        chance = draw()
        if chance < 0.12:
            return access, (on + timedelta(days=365 + int(draw() * 400))).isoformat()
        if chance < 0.24:
            return access, (REFERENCE_DATE + timedelta(days=5 + int(draw() * 500))).isoformat()
        return access, None

    def _licence(self, kind: str, year: int, access: str) -> str | None:
        chance = self._draw()
        if access != "public" or year < 2006:
            return None
        if kind == "software":
            return ("MIT", "Apache-2.0", "GPL-3.0-or-later")[int(chance * 3)]
        if kind == "dataset":
            return "CC0-1.0" if chance < 0.4 else "CC-BY-4.0"
        for limit, licence in ((0.55, "CC-BY-4.0"), (0.64, "CC-BY-SA-4.0"), (0.72, "CC-BY-NC-4.0")):
            if chance < limit:
                return licence
        return None

    def _outlet(self, kind: str, theme: str, year: int) -> Outlet | None:
        if kind == "report":
            return self._outlets.get("ectr")
        if kind == "thesis":
            return self._outlets.get("ellmark-theses")
        candidates: list[Outlet] = []
        for sort in _SORTS.get(kind, ()):
            candidates += self._by_sort.get((sort, theme), ())
            if not candidates or self._draw() < 0.12:
                candidates = candidates + self._by_sort.get((sort, None), [])
        candidates = [outlet for outlet in candidates if outlet.first_year <= year]
        if not candidates:
            return None
        return candidates[int(self._draw() ** 1.5 * len(candidates))]

    def _proceedings_title(self, outlet: Outlet | None, year: int) -> str:
        name = outlet.name if outlet else "Ellmark Autumn School"
        title = f"Proceedings of the {name} {year}"
        volume = 2
        while self._prose.is_seen(title):
            title = f"Proceedings of the {name} {year}, volume {volume}"
            volume += 1
        return title

    def _set_status(self, draft: _Draft, number: int, on: date) -> bool:
        """Correct, retract or withdraw a few works; says whether this is one."""
        part = "reason"
        if number % 83 == 40:
            status = "corrected"
        elif number % 151 == 75:
            status, part = "retracted", "retraction"
        elif number % 199 == 99:
            status, part = "withdrawn", "withdrawal"
        else:
            return False
        draw = self._draw
        context = draft.subject.draw_context(draw)
        reasons = self._prose.projects[part]
        reason = fill(reasons[int(draw() * len(reasons))], context, draw)
        row = draft.row
        row[_STATUS] = status
        row[_STATUS_REASON] = f"Corrected: {reason}." if part == "reason" else reason
        changed = on + timedelta(days=20 + int(draw() * 400))
        row[_STATUS_DATE] = min(changed, REFERENCE_DATE - timedelta(days=4)).isoformat()
        return True

    def _revision(self, earlier: _Draft, key: str, on: date) -> _Draft:
        """Return the work that replaces the one before it."""
        row = list(earlier.row)
        row[0] = key
        row[1] = f"{row[1]} (second version)"
        row[5:7] = [on.month, on.day]
        row[_URL] = row[_FILE_PATH] = None
        row[_DOI] = row[_DOI] and f"10.5555/el.{on.year}.{int(key.rpartition('-')[2]):04d}"
        row[_STATUS:] = ["current", None, None, None]
        return _Draft(
            earlier.subject,
            row,
            earlier.authors,
            earlier.topics,
            earlier.projects,
            earlier.editors,
            True,
        )

    def _place_special_works(self) -> dict[int, dict[str, Any]]:
        """Return the hand-written works by their number."""
        placed: dict[int, dict[str, Any]] = {}
        total = self._plan.publications
        if total < 200:
            return placed
        languages = read_json("other-languages.json")
        for i, work in enumerate(languages):
            placed[(i + 1) * total // (len(languages) + 2)] = work
        featured = read_json("featured.json")
        last = self._plan.years[-1][1]
        if last >= len(featured):
            start = total - last + min(int(last * 0.78), last - len(featured))
            placed |= {start + i: work for i, work in enumerate(featured)}
        return placed

    def _special_work(self, work: dict[str, Any], key: str, on: date, sequence: int) -> _Draft:
        kind = work.get("kind", "journal article")
        names = {subject.name: subject for subject in self._subjects}
        subject = names[work.get("topic", "Accelerated test")]
        outlet = self._outlets.get(work.get("venue", ""))
        if "month" in work:
            on = date(on.year, work["month"], work["day"])
        row = self._row(key, work["title"], kind, on, sequence, outlet)
        row[_ABSTRACT] = work.get("abstract")
        if "month" not in work:
            row[_LANGUAGE] = work["language"]
            row[_ACCESS], row[_PUBLIC_ON] = "public", None
            authors = self._people.team(3 % self._people.groups, 2, self._draw, students=False)
            return _Draft(subject, row, authors, [subject.leaves[1][0]], [])
        row[5:7] = [on.month, on.day]
        row[7] = outlet and outlet.id
        row[_DOI] = f"10.5555/el.{on.year}.{sequence:04d}" if work.get("doi", True) else None
        row[_PAGES] = work.get("pages")
        row[_LICENCE] = work.get("licence")
        row[_ACCESS:] = [
            *(work["access"], work.get("public_on"), work.get("status", "current")),
            *(work.get("reason"), work.get("status_date"), None),
        ]
        authors = list(work["authors"])
        crowd = work.get("crowd", 0) if self._plan.publications >= 500 else 0
        authors += [n for n in range(crowd) if n not in authors][: max(0, crowd - len(authors))]
        project = self._featured_project if "project" in work else None
        projects = [project] if project else []
        topics = [leaf for leaf, _ in subject.leaves[:2]]
        return _Draft(subject, row, authors, topics, projects, [], work.get("file", True))

    def _finish(self, draft: _Draft, number: int) -> None:
        """Write the draft with its relations and, if it has one, its full text."""
        row = draft.row
        key = row[0]
        draw = self._draw
        people: list[Person] = []
        database = self._database
        for role, members in (("author", draft.authors), ("editor", draft.editors)):
            for position, member in enumerate(members, 1):
                person = self._people.person(member)
                people.append(person)
                known = member < self._people.count and draw() > 0.035
                place = self._people.place(member)
                database.add(
                    "publication_people",
                    (
                        *(key, role, position, person.id if known else None),
                        self._printed(person),
                        place.name if draw() < 0.72 else None,
                    ),
                )
        for topic in dict.fromkeys(draft.topics):
            database.add("publication_topics", (key, topic))
        for project in draft.projects:
            database.add("project_publications", (project, key))
        wants_file = draft.has_file and row[3] not in _WITHOUT_PAPER
        if number == NO_SUCH_FILE_AT:
            row[_FILE_PATH] = f"{row[4]}/{key}.pdf"
        elif wants_file and draw() < self._plan.file_share and self._papers.count < MOST_FILES:
            row[_FILE_PATH] = f"{row[4]}/{key}.pdf"
            self._papers.write(
                row[_FILE_PATH],
                title=row[1],
                authors=[person.printed for person in people],
                imprint=self._imprint(row),
                abstract=row[_ABSTRACT],
            )
        if row[_STATUS] in ("current", "corrected") and draft.authors:
            samples = self.samples.setdefault(row[4], [])
            if row[3] in _SORTS and (len(samples) < SAMPLES_PER_YEAR or number in self._special):
                is_featured = number in self._special
                samples.append(Sample(key, row[1], draft.authors[:3], is_featured))
        if is_broken(number, self._plan.publications):
            break_rule(number, row, database)
        database.add("publications", row)

    def _printed(self, person: Person) -> str:
        """Return the name as this work printed it: in full, mostly."""
        chance = self._draw()
        if chance < 0.86:
            return person.printed
        if chance < 0.97 or not person.other_names:
            return person.initials
        return person.other_names[0]

    def _imprint(self, row: list[Any]) -> str:
        outlet = self._outlets.get(row[7] or "")
        place = outlet.name if outlet else "Ellmark Consortium"
        doi = f", doi:{row[_DOI]}" if row[_DOI] else ""
        return f"{place}, {row[4]}. {row[0]}{doi}"


# Places in a row of `publications`, in the order of the record's fields.
_ABSTRACT = 2
_PAGES = 11
_DOI = 13
_URL = 14
_FILE_PATH = 15
_LANGUAGE = 16
_LICENCE = 17
_ACCESS = 18
_PUBLIC_ON = 19
_STATUS = 20
_STATUS_REASON = 21
_STATUS_DATE = 22
_REPLACED_BY = 23


def _group_outlets(outlets: list[Outlet]) -> dict[tuple[str, str | None], list[Outlet]]:
    groups: dict[tuple[str, str | None], list[Outlet]] = {}
    for outlet in outlets:
        groups.setdefault((outlet.sort, outlet.theme), []).append(outlet)
        if outlet.theme is not None:
            groups.setdefault((outlet.sort, None), []).append(outlet)
    return groups
