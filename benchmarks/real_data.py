"""Real records for the benchmarks: the ACL Anthology's metadata and research projects.

    python -m benchmarks.real_data acl.sqlite                  all of it
    python -m benchmarks.real_data small.sqlite --limit 5000   whole volumes, about 5,000 works
    python -m benchmarks.real_data acl.sqlite --change 200 --new 50 --withdraw 5 --seed 1

The first two make a source database of the contract from the data folder (`--data`, else
`NIGHTPRESS_BENCH_DATA`, else `../shared/data` beside the repository). The third edits one
in place, as a day of work does. Same input and seed, same rows.

What the data do not tell apart stays as it is: control characters, repeated titles, a DOI
used twice, projects that end before they start. The sync's rules have to deal with them.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import re
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
from anyascii import anyascii

from benchmarks.edits import edit
from benchmarks.printed_dates import month_and_day, span

Row = dict[str, Any]
"""One object of a data file."""

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "content_sync/source/sql/contract.sqlite.sql"

_BREAKS = re.compile(r"\s*(?:<br\s*/?>\s*)+", re.IGNORECASE)
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_DIRECTORATES = {
    "BFA": "Budget, Finance and Award Management",
    "BIO": "Biological Sciences",
    "CSE": "Computer and Information Science and Engineering",
    "EHR": "Education and Human Resources",
    "ENG": "Engineering",
    "GEO": "Geosciences",
    "IRM": "Information and Resource Management",
    "MPS": "Mathematical and Physical Sciences",
    "NCO": "National Coordination Office",
    "O/D": "Office of the Director",
    "SBE": "Social, Behavioral and Economic Sciences",
}
_EU_STATUS = {
    "ONG": "running",
    "SIGNED": "running",
    "CLO": "ended",
    "CAN": "stopped",
    "SUSPENDED": "stopped",
    "TERMINATED": "stopped",
}


def data_folder(named: Path | None = None) -> Path:
    """Return the folder of the real data, or exit with what to do when it is not there."""
    folder = named or Path(os.environ.get("NIGHTPRESS_BENCH_DATA") or ROOT.parent / "shared/data")
    if not (folder / "publications.jsonl.gz").is_file():
        raise SystemExit(
            f"The data are not in {folder}: publications.jsonl.gz is missing. "
            "Name their folder with --data or NIGHTPRESS_BENCH_DATA."
        )
    return folder


def load(
    target: Path, data: Path, limit: int | None = None, *, first: Iterable[str] = ()
) -> dict[str, int]:
    """Make a source database at `target` from the folder `data`; return rows per table.

    With `limit`, whole volumes in a fixed random order up to about `limit` publications,
    and of everything else what belongs to them; projects in the same proportion. Volumes
    named in `first` are taken before the others.
    """
    unfinished = target.with_name(target.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    database = sqlite3.connect(unfinished, isolation_level=None)
    try:
        database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
        database.executescript(CONTRACT.read_text(encoding="utf-8"))
        _Loader(database, data, limit, first).run()
        counts = {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type='table'")
        }
    finally:
        database.close()
    unfinished.replace(target)
    return counts


def read(path: Path) -> Iterator[Row]:
    """Yield the objects of a gzip'd JSON Lines file; an absent file has none."""
    if not path.is_file():
        return
    with gzip.open(path, "rb") as lines:
        for line in lines:
            yield orjson.loads(line)


class _Loader:
    """One load: volumes first, for they decide which publications are taken."""

    def __init__(
        self, database: sqlite3.Connection, data: Path, limit: int | None, first: Iterable[str]
    ) -> None:
        self.database = database
        self.data = data
        self.volumes = {v["id"]: v for v in read(data / "volumes.jsonl.gz")}
        works = sum(v["n_papers"] + v["has_frontmatter"] for v in self.volumes.values())
        self.share = min(1.0, limit / works) if limit and works else 1.0
        if limit:
            self.volumes = _whole_volumes(self.volumes, limit, first)
        self.is_subset = limit is not None
        self.venue_names = {v["id"]: v["name"] for v in read(data / "venues.jsonl.gz")}
        self.institution_ids: dict[str, str] = {}  # casefolded name to id
        self.person_ids: set[str] = set()
        self.venue_ids: set[str] = set()
        self.used_institution_ids: set[str] = set()

    def run(self) -> None:
        for step in (
            self.publications,
            self.venues,
            self.topics,
            self.events,
            self.projects_and_institutions,
            self.people,
        ):
            started = time.perf_counter()
            self.database.execute("BEGIN")
            step()
            self.database.execute("COMMIT")
            seconds = time.perf_counter() - started
            say(f"{step.__name__.replace('_', ' ')}: {seconds:.1f} s")

    def insert(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        marks = ",".join("?" * (columns.count(",") + 1))
        self.database.executemany(
            f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608
            rows,
        )

    def publications(self) -> None:
        people: list[tuple[Any, ...]] = []

        def rows() -> Iterator[tuple[Any, ...]]:
            for number, work in enumerate(read(self.data / "publications.jsonl.gz"), 1):
                if number % 20_000 == 0:
                    say(f"  {number} publications read")
                volume = self.volumes.get(work["volume_id"])
                if volume is None:
                    continue
                self.venue_ids.update(work["venues"])
                for role in ("author", "editor"):
                    for position, name in enumerate(work.get(f"{role}s", ()), 1):
                        self.person_ids.add(name["id"])
                        people.append(
                            (
                                work["id"],
                                role,
                                position,
                                name["id"],
                                _printed(name),
                                name.get("affiliation"),
                            )
                        )
                yield self.publication(work, volume)

        self.insert("publications", _PUBLICATION_COLUMNS, rows())
        self.insert(
            "publication_people",
            "publication_id, role, position, person_id, name, affiliation",
            people,
        )

    def publication(self, work: Row, volume: Row) -> tuple[Any, ...]:
        is_journal = volume["type"] == "journal"
        venue_id = work["venues"][0] if work["venues"] else None
        month, day = month_and_day(work.get("month", ""))
        published_in = work["booktitle"]
        if is_journal:
            published_in = work.get("journal_title") or self.venue_names.get(venue_id or "")
        licence = work.get("abstract_license")
        return (
            work["id"],
            work["title"],
            work.get("abstract"),
            _kind(work["type"], is_journal),
            int(work["year"]),
            month,
            day,
            venue_id,
            published_in,
            work.get("journal_volume"),
            work.get("journal_issue"),
            work.get("pages"),
            work.get("publisher"),
            work.get("doi"),
            work.get("url"),
            work.get("language"),
            None if licence == "third-party" else licence,
            "public",
            *_status(work),
        )

    def venues(self) -> None:
        self.insert(
            "venues",
            "id, name, short_name, url",
            (
                (v["id"], v["name"], v["acronym"], v.get("url"))
                for v in read(self.data / "venues.jsonl.gz")
                if not self.is_subset or v["id"] in self.venue_ids
            ),
        )

    def topics(self) -> None:
        """Special interest groups are the topics: a work has those of its volume."""
        self.insert(
            "topics",
            "id, name",
            ((sig["id"], sig["name"]) for sig in read(self.data / "sigs.jsonl.gz")),
        )
        of_volume = {
            v["id"]: sorted(set(v["sigs"])) for v in self.volumes.values() if v.get("sigs")
        }
        self.insert(
            "publication_topics",
            "publication_id, topic_id",
            (
                (work["id"], sig)
                for work in read(self.data / "publications.jsonl.gz")
                for sig in of_volume.get(work["volume_id"], ())
            ),
        )

    def events(self) -> None:
        events: list[tuple[Any, ...]] = []
        sessions: list[tuple[Any, ...]] = []
        speakers: list[tuple[Any, ...]] = []
        for event in read(self.data / "events.jsonl.gz"):
            volumes = [
                self.volumes[i]
                for i in (*event.get("volume_ids", ()), *event.get("colocated_volume_ids", ()))
                if i in self.volumes
            ]
            if self.is_subset and not volumes:
                continue
            days = _days(event, volumes)
            events.append(
                (
                    event["id"],
                    event["title"],
                    "\n\n".join(dict.fromkeys(v["booktitle"] for v in volumes)) or None,
                    f"{days[0]}T00:00" if days else None,
                    f"{days[1]}T00:00" if days else None,
                    event.get("location"),
                    "planned",
                    "public",
                )
            )
            for position, talk in enumerate(event.get("talks", ()), 1):
                session = f"{event['id']}-{position}"
                sessions.append((session, event["id"], talk["title"], position))
                for place, speaker in enumerate(talk.get("speakers", ()), 1):
                    self.person_ids.add(speaker["id"])
                    speakers.append((session, place, speaker["id"], _printed(speaker)))
        self.insert(
            "events",
            "id, title, description, starts_at, ends_at, place, status, access",
            events,
        )
        self.insert("event_sessions", "id, event_id, title, position", sessions)
        self.insert("session_speakers", "session_id, position, person_id, name", speakers)

    def projects_and_institutions(self) -> None:
        institutions = list(self.nsf_institutions())
        eu = list(read(self.data / "eu_organizations.jsonl.gz"))
        institutions += [(f"eu-{o['id']}", o["name"], None, o["country"]) for o in eu]
        for identifier, name, _, _ in institutions:
            self.institution_ids.setdefault(name.casefold(), identifier)
        self.nsf_projects()
        self.eu_projects({o["id"]: o["name"] for o in eu})
        self.institutions = institutions

    def nsf_institutions(self) -> Iterator[tuple[Any, ...]]:
        """Yield one institution per name; its place is that of the first award."""
        seen: set[str] = set()
        for award in read(self.data / "research_projects.jsonl.gz"):
            at = award["institution"]
            if at["name"].casefold() not in seen:
                seen.add(at["name"].casefold())
                yield f"nsf-{_slug(at['name'])}", at["name"], at.get("city"), "US"

    def nsf_projects(self) -> None:
        projects: list[tuple[Any, ...]] = []
        team: list[tuple[Any, ...]] = []
        people: dict[str, tuple[Any, ...]] = {}
        for award in self.some("research_projects.jsonl.gz"):
            institution = self.institution_ids[award["institution"]["name"].casefold()]
            self.used_institution_ids.add(institution)
            names = [award["pi"]] if award.get("pi") else []
            lead = f"nsf-{_slug(names[0])}" if names else None
            names += award.get("co_pis", ())
            by_id: dict[str, str] = {}  # some name the lead again among the others
            for name in names:
                by_id.setdefault(f"nsf-{_slug(name)}", name)
            for position, (person, name) in enumerate(by_id.items(), 1):
                is_lead = person == lead and position == 1
                given, _, family = name.rpartition(" ")
                # The institution is the lead's: a co-investigator may sit elsewhere.
                if person not in people or (is_lead and people[person][3] is None):
                    people[person] = (person, given, family, institution if is_lead else None)
                role = "principal investigator" if is_lead else "co-investigator"
                team.append((award["id"], person, role, position))
            programs = award.get("programs") or [None]
            projects.append(
                (
                    award["id"],
                    award["title"],
                    _paragraphs(award.get("abstract")),
                    _DIRECTORATES.get(award.get("directorate", ""), award.get("directorate")),
                    programs[0],
                    award["start_date"],
                    award["end_date"],
                    None,
                    award["amount_usd"],
                    "USD",
                    lead,
                    institution,
                    award["url"],
                    "public",
                )
            )
        self.insert("people", "id, given_name, family_name, institution_id", people.values())
        self.insert("projects", _PROJECT_COLUMNS, projects)
        self.insert("project_people", "project_id, person_id, role, position", team)

    def eu_projects(self, organisations: dict[str, str]) -> None:
        def rows() -> Iterator[tuple[Any, ...]]:
            for project in self.some("eu_projects.jsonl.gz"):
                institution = next(
                    (
                        f"eu-{i}"
                        for i in project.get("participants", ())
                        if organisations.get(i) == project.get("coordinator")
                    ),
                    None,
                )
                if institution:
                    self.used_institution_ids.add(institution)
                cost = project.get("total_cost_eur")
                yield (
                    project["id"],
                    project.get("title") or project["acronym"],
                    None,
                    project["framework"],
                    project.get("programme_name") or project.get("programme"),
                    project.get("start_date"),
                    project.get("end_date"),
                    _EU_STATUS.get(project.get("status", "")),
                    cost,
                    None if cost is None else "EUR",
                    None,
                    institution,
                    project["url"],
                    "public",
                )

        self.insert("projects", _PROJECT_COLUMNS, rows())

    def people(self) -> None:
        people: list[tuple[Any, ...]] = []
        names: list[tuple[Any, ...]] = []
        for person in read(self.data / "people.jsonl.gz"):
            if self.is_subset and person["id"] not in self.person_ids:
                continue
            canonical = person["canonical"]
            institution = self.institution_of(person)
            people.append(
                (
                    person["id"],
                    canonical.get("first") or None,
                    canonical.get("last") or None,
                    next(iter(person.get("orcids", ())), None),
                    institution,
                )
            )
            forms = chain(
                person["names"],
                person.get("declared_variants", ()),
                person.get("other_scripts", ()),
            )
            variants = dict.fromkeys(_printed(form) for form in forms)
            variants.pop(_printed(canonical), None)
            names.extend((person["id"], variant) for variant in variants)
        self.insert("people", "id, given_name, family_name, orcid, institution_id", people)
        self.insert("person_names", "person_id, name", names)
        self.insert(
            "institutions",
            "id, name, city, country",
            (
                row
                for row in self.institutions
                if not self.is_subset or row[0] in self.used_institution_ids
            ),
        )

    def institution_of(self, person: Row) -> str | None:
        """Return the first institution whose name a person's affiliations spell out."""
        stated = [person["institution"]] if "institution" in person else []
        for name in (*stated, *(a["name"] for a in person.get("affiliations", ()))):
            if found := self.institution_ids.get(name.casefold()):
                self.used_institution_ids.add(found)
                return found
        return None

    def some(self, file: str) -> Iterator[Row]:
        """Yield the share of the file's records that goes with the publications taken."""
        chance = random.Random(7)  # noqa: S311
        for row in read(self.data / file):
            if self.share == 1.0 or chance.random() < self.share:
                yield row


_PUBLICATION_COLUMNS = (
    "id, title, abstract, kind, year, month, day, venue_id, published_in, volume, issue, pages, "
    "publisher, doi, url, language, licence, access, status, status_reason, status_date"
)
_PROJECT_COLUMNS = (
    "id, title, summary, programme, theme, starts_on, ends_on, status, budget, currency, "
    "lead_person_id, institution_id, url, access"
)


def _whole_volumes(volumes: dict[str, Row], limit: int, first: Iterable[str]) -> dict[str, Row]:
    order = sorted(volumes)
    random.Random(7).shuffle(order)  # noqa: S311
    order = list(dict.fromkeys((*first, *order)))
    taken: dict[str, Row] = {}
    works = 0
    for identifier in order:
        size = volumes[identifier]["n_papers"] + volumes[identifier]["has_frontmatter"]
        if works + size <= limit:
            taken[identifier] = volumes[identifier]
            works += size
    return taken


def _kind(printed: str, is_journal: bool) -> str:
    if printed == "paper":
        return "journal article" if is_journal else "conference paper"
    return "proceedings" if printed == "frontmatter" and not is_journal else "other"


def _status(work: Row) -> tuple[str, str | None, str | None]:
    """Return status, reason and date: errata and revisions that say so are corrections."""
    for key, status in (("removed", "withdrawn"), ("retracted", "retracted")):
        if key in work:
            return status, work[key]["reason"] or None, work[key]["date"]
    for change in reversed(work.get("revisions", ())):
        if "correct" in change.get("note", "").casefold():
            return "corrected", change["note"], change.get("date")
    if errata := work.get("errata"):
        return "corrected", "An erratum was published.", errata[-1].get("date")
    return "current", None, None


def _days(event: Row, volumes: list[Row]) -> tuple[Any, Any] | None:
    """Return an event's days: its own, else those printed in its first volume."""
    year = int(event["year"])
    if days := span(event.get("dates", ""), year):
        return days
    own = [v for v in volumes if v["id"] in event.get("volume_ids", ())]
    return span(own[0].get("month", ""), year) if own else None


def _printed(name: Row) -> str:
    if name.get("script") == "hani":
        return f"{name.get('last', '')}{name.get('first', '')}"
    return f"{name.get('first', '')} {name.get('last', '')}".strip()


def _paragraphs(text: str | None) -> str | None:
    return _BREAKS.sub("\n\n", text).strip() if text else None


def _slug(name: str) -> str:
    return _NOT_WORD.sub("-", anyascii(name).lower()).strip("-")


def say(line: str) -> None:
    """Tell a person who waits how far it is."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.real_data",
        description="Make a source database from the real data, or edit one as a day does.",
    )
    parser.add_argument("database", type=Path)
    parser.add_argument("--data", type=Path, help="folder of the data")
    parser.add_argument("--limit", type=int, help="about so many publications, whole volumes")
    parser.add_argument("--change", type=int, default=0, help="edit: publications to change")
    parser.add_argument("--new", type=int, default=0, help="edit: publications to add")
    parser.add_argument("--withdraw", type=int, default=0, help="edit: publications to withdraw")
    parser.add_argument("--seed", type=int, default=1, help="edit: which publications")
    given = parser.parse_args()
    if given.change or given.new or given.withdraw:
        counts = dict(
            edit(given.database, given.change, given.new, given.withdraw, seed=given.seed)
        )
    else:
        counts = load(given.database, data_folder(given.data), given.limit)
    for name, count in Counter(counts).items():
        print(f"{name:24}{count:>10,}")


if __name__ == "__main__":
    main()
