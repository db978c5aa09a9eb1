"""The publications, one year after the other, with their people, topics, projects and papers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from content_sync.demo.database import Database
from content_sync.demo.drafts import SORTS, Draft, Drafter
from content_sync.demo.faults import break_rule, is_broken
from content_sync.demo.grammar import Draw
from content_sync.demo.papers import Papers
from content_sync.demo.people import People, Person
from content_sync.demo.places import Outlet
from content_sync.demo.plan import MOST_FILES, MOST_REDIRECTS, REFERENCE_DATE, Plan
from content_sync.demo.prose import Prose
from content_sync.demo.research import HandedIn, ProjectBrief
from content_sync.demo.special import (
    change_status,
    make_revision,
    make_special_work,
    place_special_works,
)
from content_sync.demo.topics import Subject

SAMPLES_PER_YEAR = 60
NO_SUCH_FILE_AT = 7
"""This publication, counted from 0, names a full text that does not exist."""

_WITHOUT_PAPER = frozenset({"dataset", "software", "proceedings"})
# The older websites: one numbered its pages in queries, the next in paths.
_QUERIES_UNTIL, _PATHS_UNTIL = 2009, 2015


@dataclass(slots=True)
class Sample:
    """A publication that an event may put on its agenda."""

    id: str
    title: str
    authors: list[int]
    is_featured: bool


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
        handed_in: HandedIn,
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
        self._handed_in = handed_in
        self._outlets = {outlet.id: outlet for outlet in outlets}
        self._featured_project = next((b.id for b in projects if b.is_featured), None)
        self._special = place_special_works(plan)
        self._drafter = Drafter(
            draw=draw,
            people=people,
            subjects=subjects,
            outlets=self._outlets,
            prose=prose,
            projects=projects,
        )
        self.samples: dict[int, list[Sample]] = {}

    def write(self) -> Iterator[int]:
        """Write the publications; yields how many are done, after each."""
        replaced: Draft | None = None
        for number, (key, on, sequence, is_last) in enumerate(self._places()):
            if replaced is not None:
                draft = make_revision(replaced, key, on, sequence)
                replaced = None
            elif number in self._special:
                draft = self._special_work(number, key, on, sequence)
            else:
                draft = self._drafter.make(key, on, sequence)
                if change_status(draft, number, on, prose=self._prose, draw=self._draw) and (
                    not is_last and number + 1 not in self._special
                ):
                    draft.replaced_by = self._key(on.year, sequence + 1)
                    replaced = draft
            self._write_draft(draft, number)
            self._write_redirect(number, on.year, key)
            yield number + 1

    def _places(self) -> Iterator[tuple[str, date, int, bool]]:
        """Yield id, day, number within the year, and whether it is the year's last."""
        for year, count in self._plan.years:
            first = date(year, 1, 1)
            days = 364 if year < REFERENCE_DATE.year else (REFERENCE_DATE - first).days - 2
            for k in range(count):
                on = first + timedelta(days=days * k // count)
                yield self._key(year, k + 1), on, k + 1, k + 1 == count

    def _key(self, year: int, sequence: int) -> str:
        return f"EL-{year}-{sequence:0{self._plan.id_digits}d}"

    def _special_work(self, number: int, key: str, on: date, sequence: int) -> Draft:
        return make_special_work(
            self._special[number],
            key,
            on,
            sequence,
            plan=self._plan,
            draw=self._draw,
            people=self._people,
            subjects=self._subjects,
            outlets=self._outlets,
            featured_project=self._featured_project,
        )

    def _write_draft(self, draft: Draft, number: int) -> None:
        """Write the publication with its relations and, if it has one, its paper."""
        database = self._database
        people = self._write_people(draft)
        for topic in dict.fromkeys(draft.topics):
            database.add("publication_topics", (draft.id, topic))
        for project in draft.projects:
            database.add("project_publications", (project, draft.id))
            if deliverable := self._deliverable(project, draft):
                database.add("deliverable_publications", (deliverable, draft.id))
        self._write_paper(draft, number, people)
        self._keep_sample(draft, number)
        if is_broken(number, self._plan.publications):
            draft = replace(draft)  # what replaces this work must not inherit its fault
            break_rule(number, draft, database)
        database.add("publications", draft.row())

    def _deliverable(self, project: str, draft: Draft) -> str | None:
        """Return what a project had handed in within half a year before the work, if anything."""
        on = date(draft.year, draft.month or 6, draft.day or 15)
        before = [
            (submitted, one)
            for one, submitted in self._handed_in.get(project, ())
            if timedelta(0) <= on - submitted < timedelta(days=183)
        ]
        return max(before)[1] if before else None

    def _write_people(self, draft: Draft) -> list[Person]:
        draw = self._draw
        people: list[Person] = []
        for role, members in (("author", draft.authors), ("editor", draft.editors)):
            for position, member in enumerate(members, 1):
                person = self._people.person(member)
                people.append(person)
                is_known = member < self._people.count and draw() > 0.035
                place = self._people.place(member)
                self._database.add(
                    "publication_people",
                    (
                        *(draft.id, role, position, person.id if is_known else None),
                        self._printed(person),
                        place.name if draw() < 0.72 else None,
                    ),
                )
        return people

    def _printed(self, person: Person) -> str:
        """Return the name as this work printed it: in full, mostly."""
        chance = self._draw()
        if chance < 0.86:
            return person.printed
        if chance < 0.97 or not person.other_names:
            return person.initials
        return person.other_names[0]

    def _write_paper(self, draft: Draft, number: int, people: list[Person]) -> None:
        path = f"{draft.year}/{draft.id}.pdf"
        if number == NO_SUCH_FILE_AT:
            draft.file_path = path
            return
        if not draft.has_paper or draft.kind in _WITHOUT_PAPER:
            return
        if self._draw() < self._plan.file_share and self._papers.count < MOST_FILES:
            draft.file_path = path
            self._papers.write(
                path,
                title=draft.title,
                authors=[person.printed for person in people],
                imprint=self._imprint(draft),
                abstract=draft.abstract,
            )

    def _imprint(self, draft: Draft) -> str:
        outlet = self._outlets.get(draft.venue_id or "")
        place = outlet.name if outlet else "Ellmark Consortium"
        doi = f", doi:{draft.doi}" if draft.doi else ""
        return f"{place}, {draft.year}. {draft.id}{doi}"

    def _keep_sample(self, draft: Draft, number: int) -> None:
        if draft.kind not in SORTS or not draft.authors:
            return
        if draft.status not in ("current", "corrected"):
            return
        samples = self.samples.setdefault(draft.year, [])
        is_featured = number in self._special
        if is_featured or len(samples) < SAMPLES_PER_YEAR:
            samples.append(Sample(draft.id, draft.title, draft.authors[:3], is_featured))

    def _write_redirect(self, number: int, year: int, key: str) -> None:
        step = max(1, self._plan.publications // (2 * MOST_REDIRECTS))
        if number % step or year >= _PATHS_UNTIL:
            return
        old = f"/show.asp?id={number + 1}" if year < _QUERIES_UNTIL else f"/pubs/{number + 1}"
        self._database.add("redirects", (old, f"publication:{key}"))
