"""Research projects, their teams and their deliverables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from content_sync.demo.database import Database
from content_sync.demo.grammar import Context, Draw, capitalise, fill
from content_sync.demo.people import People
from content_sync.demo.plan import FIRST_YEAR, REFERENCE_DATE
from content_sync.demo.prose import Prose
from content_sync.demo.topics import Subject

_ROLES = ("co-lead", "researcher", "researcher", "researcher", "student", "liaison")
_FEATURED_TITLE = "Faults that announce themselves: early indicators of interconnect failure"
_FEATURED_SUMMARY = (
    "Interconnect seldom fails without warning: resistance drifts, noise rises, temperature "
    "shifts. This project finds out which of these signs come early enough, and are clear "
    "enough, to replace weeks of accelerated test and to warn of failure in the field. It "
    "builds a shared stress station, measures copper and ruthenium lines from two lots, and "
    "turns the result into a monitor that fits in a standard cell row.\n\nIf it succeeds, a "
    "lifetime test of 600 hours takes twelve, and a module in service can say when to replace it."
)


HandedIn = dict[str, list[tuple[str, date]]]
"""The id of each deliverable that a project has handed in, with the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectBrief:
    """A project as the publications need it; `subject` is a number."""

    id: str
    subject: int
    group: int
    starts_on: date
    ends_on: date
    is_featured: bool


def plan_projects(count: int, people: People, draw: Draw) -> list[ProjectBrief]:
    """Return `count` projects, oldest first; a good part of them still runs."""
    starts: list[date] = []
    months = (REFERENCE_DATE.year - FIRST_YEAR) * 12
    for _ in range(count - 1):
        # The root puts more of them into recent years.
        month = int(draw() ** 0.32 * (months + 5)) + 1
        starts.append(date(FIRST_YEAR + month // 12, month % 12 + 1, 1))
    starts.append(date(2024, 4, 1))
    if count > 4:
        starts[0] = date(REFERENCE_DATE.year + 1, 2, 1)  # one at least is still to come
    starts.sort()
    featured = len(starts) - 1 - starts[::-1].index(date(2024, 4, 1))
    briefs: list[ProjectBrief] = []
    numbers: dict[int, int] = {}
    digits = 2 if count < 1_000 else 3
    for i, start in enumerate(starts):
        group = 0 if i == featured else int(people.groups * draw() ** 1.3)
        numbers[start.year] = numbers.get(start.year, 0) + 1
        length = 36 if i == featured else (24, 30, 36, 36, 36, 48, 60)[int(draw() * 7)]
        month = start.year * 12 + start.month - 1 + length
        briefs.append(
            ProjectBrief(
                id=f"P-{start.year % 100:02d}{numbers[start.year]:0{digits}d}",
                subject=0 if i == featured else people.subject_of(group, draw),
                group=group,
                starts_on=start,
                ends_on=date(month // 12, month % 12 + 1, 1) - timedelta(days=1),
                is_featured=i == featured,
            )
        )
    return briefs


def write_projects(
    briefs: list[ProjectBrief],
    *,
    subjects: list[Subject],
    people: People,
    prose: Prose,
    database: Database,
    draw: Draw,
) -> HandedIn:
    """Write the projects with their teams and deliverables; return what was handed in."""
    handed_in: HandedIn = {}
    for brief in briefs:
        subject = subjects[brief.subject]
        context = subject.draw_context(draw)
        title, summary = _FEATURED_TITLE, _FEATURED_SUMMARY
        if not brief.is_featured:
            titles = prose.projects["title"]
            for _ in range(6):
                title = capitalise(fill(titles[int(draw() * len(titles))], context, draw))
                if not prose.is_seen(title):
                    break
            summary = _summary(prose, context, draw)
        team = people.team(
            brief.group, 4 + int(draw() * 8), draw, students=brief.ends_on.year > 2022
        )
        lead = brief.group * 8 if brief.group * 8 < people.count else team[0]
        team = [lead, *(member for member in team if member != lead)]
        status = _status(brief, draw)
        database.add(
            "projects",
            (
                *(brief.id, title, summary, subject.programme, subject.theme),
                *(brief.starts_on.isoformat(), brief.ends_on.isoformat(), status),
                *(5_000 * int(12 + draw() * draw() * 340), _currency(draw)),
                *(people.person(lead).id, people.place(lead).id),
                f"https://{brief.id.lower()}.ellmark.example/" if draw() < 0.15 else None,
                "public" if brief.is_featured or draw() < 0.85 else "members",
            ),
        )
        for position, member in enumerate(team):
            role = "lead" if position == 0 else _ROLES[int(draw() * len(_ROLES))]
            if people.is_student(member):
                role = "student"
            database.add("project_people", (brief.id, people.person(member).id, role, position))
        handed_in[brief.id] = _write_deliverables(brief, status, prose, context, database, draw)
    return handed_in


def _summary(prose: Prose, context: Context, draw: Draw) -> str:
    need, plan, aim = (
        fill(lines[int(draw() * len(lines))], context, draw)
        for lines in (prose.projects["need"], prose.projects["plan"], prose.projects["aim"])
    )
    gaps = prose.sentences["gap"]
    gap = fill(gaps[int(draw() * len(gaps))], context, draw)
    return f"{need} {gap} {plan}\n\n{aim}"


def _status(brief: ProjectBrief, draw: Draw) -> str:
    if brief.starts_on > REFERENCE_DATE:
        return "planned"
    if draw() < 0.04 and not brief.is_featured:
        return "stopped"
    return "ended" if brief.ends_on < REFERENCE_DATE else "running"


def _currency(draw: Draw) -> str:
    chance = draw()
    return "EUR" if chance < 0.7 else "USD" if chance < 0.85 else "GBP" if chance < 0.93 else "JPY"


def _write_deliverables(
    brief: ProjectBrief,
    status: str,
    prose: Prose,
    context: Context,
    database: Database,
    draw: Draw,
) -> list[tuple[str, date]]:
    """Write four to twelve deliverables, spread over the project's time, titles in order."""
    handed_in: list[tuple[str, date]] = []
    templates = prose.projects["deliverable"]
    count = 4 + int(draw() * 9)
    titles = sorted({int(k * len(templates) / count) for k in range(count)})
    length = (brief.ends_on - brief.starts_on).days
    for k, i in enumerate(titles):
        due = brief.starts_on + timedelta(days=int(length * (k + 1) / len(titles)) - 1)
        submitted, accepted, state = _fate(due, status, draw)
        if submitted:
            handed_in.append((f"{brief.id}-D{k + 1:02d}", submitted))
        database.add(
            "deliverables",
            (
                *(f"{brief.id}-D{k + 1:02d}", brief.id),
                capitalise(fill(templates[i], context, draw)),
                due.isoformat(),
                submitted and submitted.isoformat(),
                accepted and accepted.isoformat(),
                state,
                "public" if draw() < 0.35 else "members",
            ),
        )
    return handed_in


def _fate(due: date, status: str, draw: Draw) -> tuple[date | None, date | None, str]:
    """Return when a deliverable was submitted and accepted, and its status today."""
    chance = draw()
    if chance < 0.3:
        slip = -int(draw() * 22)
    elif chance < 0.42:
        slip = 0
    else:
        slip = int(draw() ** 2.2 * 120) + 1
    submitted = due + timedelta(days=slip)
    accepted = submitted + timedelta(days=12 + int(draw() * 35))
    fate = draw()
    if status == "stopped" and due > REFERENCE_DATE - timedelta(days=500):
        return None, None, "dropped"
    if submitted > REFERENCE_DATE:
        return None, None, "planned"
    if fate < 0.03:
        return None, None, "dropped"
    if due > REFERENCE_DATE - timedelta(days=150) and fate < 0.25:
        return None, None, "planned"
    if accepted > REFERENCE_DATE or fate < 0.05:
        return submitted, None, "submitted"
    return submitted, accepted, "accepted"
