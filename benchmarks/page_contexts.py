"""What each page of the site shows, worked out from a source database for Hugo's content.

Written apart from the pages code, from the same description of the templates, so that the
comparison does not measure our code with itself. All that can be worked out beforehand is:
dates, lists, counts, citations and page numbers reach Hugo as finished text and cost it
nothing. Public records only.
"""

from __future__ import annotations

import calendar
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from anyascii import anyascii

from content_sync.urls import page_file, record_url

Facts = dict[str, Any]

PER_PAGE = 100
"""Items on one page of a listing."""
NAMES_IN_CARD = 10
COAUTHORS = 20
NEWEST = 50


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its path, the template that shows it, and what it shows."""

    url: str
    layout: str
    title: str
    section: str
    params: Facts = field(default_factory=dict)
    description: str = ""

    @property
    def file(self) -> str:
        return page_file(self.url)


class Contexts:
    """The public pages of a source database."""

    def __init__(self, source: Path) -> None:
        database = sqlite3.connect(source)
        database.row_factory = sqlite3.Row

        def rows(query: str) -> list[Facts]:
            return [dict(row) for row in database.execute(query)]

        self._read(rows)
        database.close()

    def pages(self) -> Iterator[Page]:
        """Yield every page of the site but the prose."""
        yield self.home()
        for work in self.works.values():
            yield self.publication(work)
        yield self.publications()
        yield from self.years()
        yield from self.venues()
        yield from self.people()
        yield from self.topics()
        yield from self.projects()
        yield from self.institutions()
        yield from self.events()

    # Reading ---------------------------------------------------------------------------

    def _read(self, rows: Callable[[str], list[Facts]]) -> None:
        self.works: dict[str, Facts] = {
            row["id"]: row for row in rows("SELECT * FROM publications ORDER BY id")
        }
        self.listed = [w for w in self.works.values() if w["status"] != "withdrawn"]
        self.listed.sort(key=lambda w: (-(w["year"] or 0), -(w["month"] or 0), w["id"]))
        self.persons = {r["id"]: r for r in rows("SELECT * FROM people ORDER BY id")}
        self.venue_rows = {r["id"]: r for r in rows("SELECT * FROM venues ORDER BY name, id")}
        self.topic_rows = {r["id"]: r for r in rows("SELECT * FROM topics ORDER BY name, id")}
        self.places = {r["id"]: r for r in rows("SELECT * FROM institutions ORDER BY name, id")}
        self.project_rows = {r["id"]: r for r in rows("SELECT * FROM projects ORDER BY title, id")}
        self.by_work: dict[str, dict[str, list[Facts]]] = defaultdict(lambda: defaultdict(list))
        self.of_person: dict[str, list[str]] = defaultdict(list)
        for row in rows("SELECT * FROM publication_people ORDER BY publication_id, role, position"):
            self.by_work[row["publication_id"]][row["role"]].append(row)
            if row["person_id"] in self.persons:
                self.of_person[row["person_id"]].append(row["publication_id"])
        self.topics_of: dict[str, list[str]] = defaultdict(list)
        for row in rows("SELECT * FROM publication_topics ORDER BY publication_id, topic_id"):
            self.topics_of[row["publication_id"]].append(row["topic_id"])
        self.works_on = Counter(topic for topics in self.topics_of.values() for topic in topics)
        self.names_of: dict[str, list[str]] = defaultdict(list)
        for row in rows("SELECT * FROM person_names ORDER BY person_id, name"):
            self.names_of[row["person_id"]].append(row["name"])
        self.team_of: dict[str, list[Facts]] = defaultdict(list)
        self.projects_of: dict[str, list[Facts]] = defaultdict(list)
        for row in rows("SELECT * FROM project_people ORDER BY project_id, position"):
            self.team_of[row["project_id"]].append(row)
            self.projects_of[row["person_id"]].append(row)
        self.projects_at: dict[str, list[str]] = defaultdict(list)
        for row in self.project_rows.values():
            if row["institution_id"] in self.places:
                self.projects_at[row["institution_id"]].append(row["id"])
        self.people_at: dict[str, list[str]] = defaultdict(list)
        for row in self.persons.values():
            if row["institution_id"] in self.places:
                self.people_at[row["institution_id"]].append(row["id"])
        self.event_rows = rows("SELECT * FROM events ORDER BY starts_at DESC, id DESC")
        self.sessions_of: dict[str, list[Facts]] = defaultdict(list)
        for row in rows("SELECT * FROM event_sessions ORDER BY event_id, position"):
            self.sessions_of[row["event_id"]].append(row)
        self.speakers_of: dict[str, list[Facts]] = defaultdict(list)
        for row in rows("SELECT * FROM session_speakers ORDER BY session_id, position"):
            self.speakers_of[row["session_id"]].append(row)
        self.rank = {work["id"]: number for number, work in enumerate(self.listed)}

    # Cards -----------------------------------------------------------------------------

    def card(self, work: Facts) -> Facts:
        """Return what the item of a list shows of a work."""
        names = [row["name"] for row in self.by_work[work["id"]]["author"]]
        marks = []
        if work["status"] == "retracted":
            marks.append({"cls": "retracted", "text": "† Retracted"})
        if work["status"] == "corrected":
            marks.append({"cls": "corrected", "text": "‡ Corrected"})
        return _present(
            href=record_url("publication", work["id"]),
            title=work["title"],
            struck=work["status"] == "retracted",
            by=_names(names),
            where=self.where(work),
            pages=work["pages"],
            marks=marks,
        )

    def where(self, work: Facts) -> str:
        venue = self.venue_rows.get(work["venue_id"] or "")
        place = (venue["short_name"] or venue["name"]) if venue else _kind(work)
        return f"{place} {work['year']}" if venue else f"{place}, {work['year']}"

    # Pages -----------------------------------------------------------------------------

    def home(self) -> Page:
        counts = [
            ("Publications", "/publications/", len(self.listed)),
            ("Projects", "/projects/", len(self.project_rows)),
            ("People", "/people/", len(self.persons)),
            ("Events", "/events/", len(self.event_rows)),
        ]
        return Page(
            "/",
            "home",
            "Home",
            "",
            {
                "heading": "ACL Anthology at night",
                "lead": "Papers on the study of computational linguistics, and research projects.",
                "counts": [
                    {"label": label, "href": href, "text": f"{n:,}"} for label, href, n in counts
                ],
                "newest": [w["id"] for w in self.listed[:7]],
                "newest_heading": "Newest",
                "themes": [
                    {
                        "name": t["name"],
                        "href": record_url("topic", t["id"]),
                        "n": f"{self.works_on[t['id']]:,}",
                    }
                    for t in self.topic_rows.values()
                ],
            },
        )

    def publication(self, work: Facts) -> Page:
        authors = self.by_work[work["id"]]["author"]
        venue = self.venue_rows.get(work["venue_id"] or "")
        affiliations: dict[str, list[str]] = {}
        for row in authors:
            if row["affiliation"]:
                affiliations.setdefault(row["affiliation"], []).append(row["name"])
        when = _date(work["year"], work["month"], work["day"])
        banner = None
        if work["status"] != "current":
            banner = _present(
                kind=work["status"],
                word=work["status"].capitalize(),
                reason=work["status_reason"],
                date=_iso_date(work["status_date"]),
            )
        pub = _present(
            id=work["id"],
            kind=_kind(work),
            long=_long(work["title"]),
            title=work["title"],
            authors=[self.name(row) for row in authors[:NAMES_IN_CARD]],
            more_authors=[self.name(row) for row in authors[NAMES_IN_CARD:]],
            editors=[self.name(row) for row in self.by_work[work["id"]]["editor"]],
            affiliations=[{"name": name, "people": people} for name, people in affiliations.items()],
            venue={"name": venue["name"], "href": self.venue_year_url(work)} if venue else None,
            published_in=work["published_in"],
            volume=work["volume"],
            issue=work["issue"],
            pages=work["pages"],
            publisher=work["publisher"],
            date=when,
            year_href=f"/years/{work['year']}/",
            doi=work["doi"],
            doi_url=f"https://doi.org/{work['doi']}" if work["doi"] else None,
            url=work["url"],
            language=work["language"],
            licence=_licence(work["licence"]),
            abstract=_paragraphs(work["abstract"]),
            topics=[
                {"name": self.topic_rows[t]["name"], "href": record_url("topic", t)}
                for t in self.topics_of[work["id"]]
            ],
            banner=banner,
            meta=self.meta(work, authors),
            cite=self.cite(work, authors),
        )
        description = f"{_kind(work)} by {_names([row['name'] for row in authors], 1)}"
        return Page(
            record_url("publication", work["id"]),
            "tombstone" if work["status"] == "withdrawn" else "publication",
            work["title"],
            "publications",
            {"pub": pub},
            f"{description}, {self.where(work)}.",
        )

    def name(self, row: Facts) -> Facts:
        href = record_url("person", row["person_id"]) if row["person_id"] in self.persons else None
        return _present(name=row["name"], href=href)

    def meta(self, work: Facts, authors: list[Facts]) -> list[list[str]]:
        when = "/".join(str(part) for part in (work["year"], work["month"], work["day"]) if part)
        first, _, last = (work["pages"] or "").partition("–")
        where = "citation_journal_title" if work["volume"] else "citation_conference_title"
        pairs = [
            ("citation_title", work["title"]),
            *(("citation_author", row["name"]) for row in authors),
            ("citation_publication_date", when),
            (where, work["published_in"]),
            ("citation_volume", work["volume"]),
            ("citation_issue", work["issue"]),
            ("citation_firstpage", first),
            ("citation_lastpage", last),
            ("citation_publisher", work["publisher"]),
            ("citation_doi", work["doi"]),
            ("citation_language", work["language"]),
            ("og:title", work["title"]),
            ("og:type", "article"),
        ]
        return [
            ["property" if name.startswith("og:") else "name", name, content]
            for name, content in pairs
            if content
        ]

    def cite(self, work: Facts, authors: list[Facts]) -> str:
        """Return a plain citation in the manner of APA."""
        names = []
        for row in authors:
            person = self.persons.get(row["person_id"] or "")
            if person and person["family_name"] and person["given_name"]:
                initials = " ".join(f"{part[0]}." for part in person["given_name"].split())
                names.append(f"{person['family_name']}, {initials}")
            else:
                names.append(row["name"])
        if len(names) > 20:
            by = ", ".join(names[:19]) + ", … " + names[-1]
        elif len(names) > 1:
            by = ", ".join(names[:-1]) + ", & " + names[-1]
        else:
            by = names[0] if names else ""
        parts = [f"{by} ({work['year']})." if by else f"({work['year']}).", f"{work['title']}."]
        if work["published_in"]:
            pages = f" (pp. {work['pages']})" if work["pages"] else ""
            parts.append(f"In {work['published_in']}{pages}.")
        if work["publisher"]:
            parts.append(f"{work['publisher']}.")
        if work["doi"]:
            parts.append(f"https://doi.org/{work['doi']}")
        return " ".join(parts)

    def publications(self) -> Page:
        years = Counter(w["year"] for w in self.listed)
        return Page(
            "/publications/",
            "publications",
            "Publications",
            "publications",
            {
                "heading": "Publications",
                "lead": f"{len(self.listed):,} works, {min(years)} to {max(years)}.",
                "venues_href": "/venues/",
                "groups": [_group("Newest", "newest", self.listed[:NEWEST])],
                "years": [
                    {"heading": str(year), "href": f"/years/{year}/", "n": f"{n:,}"}
                    for year, n in sorted(years.items(), reverse=True)
                ],
            },
        )

    def years(self) -> Iterator[Page]:
        of_year: dict[int, list[Facts]] = defaultdict(list)
        for work in self.listed:
            of_year[work["year"]].append(work)
        entries = [
            {"text": str(year), "href": f"/years/{year}/", "n": f"{len(works):,}"}
            for year, works in sorted(of_year.items(), reverse=True)
        ]
        yield _entries("/years/", "Years", "", "publications", entries, columns=3)
        for year, works in of_year.items():
            yield from self.listing(f"/years/{year}/", "Year", str(year), "publications", works)

    def venue_year_url(self, work: Facts) -> str:
        return f"{record_url('venue', work['venue_id'])}{work['year']}/"

    def venues(self) -> Iterator[Page]:
        of_venue: dict[str, list[Facts]] = defaultdict(list)
        for work in self.listed:
            if work["venue_id"] in self.venue_rows:
                of_venue[work["venue_id"]].append(work)
        entries = [
            _present(
                text=venue["name"],
                href=record_url("venue", venue["id"]),
                note=venue["short_name"],
                n=f"{len(of_venue[venue['id']]):,}",
            )
            for venue in self.venue_rows.values()
        ]
        yield _entries("/venues/", "Venues", "", "publications", entries)
        for venue in self.venue_rows.values():
            works = of_venue[venue["id"]]
            url = record_url("venue", venue["id"])
            years: dict[int, list[Facts]] = defaultdict(list)
            for work in works:
                years[work["year"]].append(work)
            yield Page(
                url,
                "venue",
                venue["name"],
                "publications",
                {
                    "venue": _present(
                        id=venue["id"],
                        name=venue["name"],
                        short_name=venue["short_name"],
                        url=venue["url"],
                    ),
                    "lead": _works(len(works)),
                    "years": [
                        {"heading": str(year), "href": f"{url}{year}/", "n": f"{len(some):,}"}
                        for year, some in sorted(years.items(), reverse=True)
                    ],
                    "groups": self.by_year(works[:NEWEST]),
                },
            )
            name = venue["short_name"] or venue["name"]
            for year, some in years.items():
                some.sort(key=lambda w: w["id"])
                yield from self.listing(
                    f"{url}{year}/", "Venue", f"{name} {year}", "publications", some
                )

    def people(self) -> Iterator[Page]:
        letters: dict[str, list[Facts]] = defaultdict(list)
        for person in sorted(self.persons.values(), key=_sort_name):
            letters[_letter(person)].append(person)
        entries = [
            {
                "text": letter.upper() if letter != "0" else "0–9",
                "href": f"/people/a-z/{letter}/",
                "n": f"{len(some):,}",
            }
            for letter, some in sorted(letters.items())
        ]
        lead = f"{len(self.persons):,} people"
        yield _entries("/people/", "People", lead, "people", entries, columns=3)
        for letter, some in letters.items():
            entries = [
                _present(
                    text=_full_name(person),
                    href=record_url("person", person["id"]),
                    n=len(set(self.of_person[person["id"]])) or None,
                )
                for person in some
            ]
            heading = f"People: {letter.upper() if letter != '0' else '0–9'}"
            yield from _paged_entries(f"/people/a-z/{letter}/", heading, "people", entries)
        for person in self.persons.values():
            yield self.person(person)

    def person(self, person: Facts) -> Page:
        ids = sorted({i for i in self.of_person[person["id"]] if i in self.rank}, key=self.rank.__getitem__)
        works = [self.works[i] for i in ids]
        years = Counter(w["year"] for w in works)
        coauthors: Counter[str] = Counter()
        for work in works:
            coauthors.update(
                {
                    row["person_id"]
                    for row in self.by_work[work["id"]]["author"]
                    if row["person_id"] in self.persons and row["person_id"] != person["id"]
                }
            )
        closest = sorted(coauthors.items(), key=lambda item: (-item[1], item[0]))[:COAUTHORS]
        place = self.places.get(person["institution_id"] or "")
        names = self.names_of[person["id"]]
        projects = self.projects_of[person["id"]]
        facts = _present(
            id=person["id"],
            name=_full_name(person),
            native=[name for name in names if not name.isascii() and not _is_latin(name)],
            institution=_link(place["name"], record_url("institution", place["id"]))
            if place
            else None,
            orcid=person["orcid"],
            orcid_url=f"https://orcid.org/{person['orcid']}" if person["orcid"] else None,
            variants=names,
            works=f"{len(works):,}" if works else "",
            works_text=_works(len(works)),
            span="–".join(str(y) for y in sorted({min(years), max(years)})) if years else "",
            groups=self.by_year(works),
            coauthors=[
                {
                    "name": _full_name(self.persons[i]),
                    "href": record_url("person", i),
                    "n": n,
                }
                for i, n in closest
            ],
            projects=[
                _present(
                    title=self.project_rows[row["project_id"]]["title"],
                    href=record_url("project", row["project_id"]),
                    role=row["role"],
                    when=_years(self.project_rows[row["project_id"]]),
                )
                for row in projects
            ],
        )
        return Page(
            record_url("person", person["id"]),
            "person",
            facts["name"],
            "people",
            {"person": facts},
        )

    def topics(self) -> Iterator[Page]:
        of_topic: dict[str, list[Facts]] = defaultdict(list)
        for work in self.listed:
            for topic_id in self.topics_of[work["id"]]:
                of_topic[topic_id].append(work)
        entries = [
            {
                "text": topic["name"],
                "href": record_url("topic", topic["id"]),
                "n": f"{len(of_topic[topic['id']]):,}",
            }
            for topic in self.topic_rows.values()
        ]
        yield _entries("/topics/", "Topics", "", "topics", entries)
        for topic in self.topic_rows.values():
            works = of_topic[topic["id"]]
            url = record_url("topic", topic["id"])
            for page, of, some in _split(works):
                yield Page(
                    _numbered(url, page),
                    "topic",
                    topic["name"],
                    "topics",
                    {
                        "topic": {"name": topic["name"]},
                        "lead": _works(len(works)),
                        "groups": self.by_year(some),
                        "pager": _pager(url, page, of),
                    },
                )

    def projects(self) -> Iterator[Page]:
        entries = [
            _present(text=p["title"], href=record_url("project", p["id"]), note=_years(p))
            for p in self.project_rows.values()
        ]
        yield from _paged_entries("/projects/", "Projects", "projects", entries)
        for project in self.project_rows.values():
            lead = self.persons.get(project["lead_person_id"] or "")
            place = self.places.get(project["institution_id"] or "")
            facts = _present(
                id=project["id"],
                title=project["title"],
                long=_long(project["title"]),
                summary=_paragraphs(project["summary"]),
                programme=project["programme"],
                theme=project["theme"],
                starts=_iso_date(project["starts_on"]),
                ends=_iso_date(project["ends_on"]),
                status=project["status"],
                budget=_money(project["budget"], project["currency"]),
                url=project["url"],
                lead=_link(_full_name(lead), record_url("person", lead["id"])) if lead else None,
                institution=_link(place["name"], record_url("institution", place["id"]))
                if place
                else None,
                team=[
                    _present(
                        name=_full_name(self.persons[row["person_id"]]),
                        href=record_url("person", row["person_id"]),
                        role=row["role"],
                    )
                    for row in self.team_of[project["id"]]
                ],
            )
            yield Page(
                record_url("project", project["id"]),
                "project",
                project["title"],
                "projects",
                {"project": facts},
            )

    def institutions(self) -> Iterator[Page]:
        entries = [
            _present(
                text=place["name"],
                href=record_url("institution", place["id"]),
                note=", ".join(filter(None, (place["city"], place["country"]))),
            )
            for place in self.places.values()
        ]
        yield from _paged_entries("/institutions/", "Institutions", "people", entries)
        for place in self.places.values():
            people = [self.persons[i] for i in self.people_at[place["id"]]]
            works = {i for p in people for i in self.of_person[p["id"]] if i in self.rank}
            newest = [self.works[i] for i in sorted(works, key=self.rank.__getitem__)[:NEWEST]]
            projects = [self.project_rows[i] for i in self.projects_at[place["id"]]]
            yield Page(
                record_url("institution", place["id"]),
                "institution",
                place["name"],
                "people",
                {
                    "institution": _present(
                        name=place["name"],
                        place=", ".join(filter(None, (place["city"], place["country"]))),
                    ),
                    "lead": f"{_works(len(works))}, {len(people):,} people, "
                    f"{len(projects):,} projects",
                    "people": [
                        _present(
                            name=_full_name(p),
                            href=record_url("person", p["id"]),
                            n=len(set(self.of_person[p["id"]])) or None,
                        )
                        for p in sorted(people, key=_sort_name)
                    ],
                    "projects": [
                        _present(
                            title=p["title"], href=record_url("project", p["id"]), when=_years(p)
                        )
                        for p in projects
                    ],
                    "groups": self.by_year(newest),
                },
            )

    def events(self) -> Iterator[Page]:
        entries = [
            _present(
                text=event["title"],
                href=record_url("event", event["id"]),
                note=", ".join(filter(None, (_span(event), event["place"]))),
            )
            for event in self.event_rows
        ]
        yield _entries("/events/", "Events", "", "events", entries)
        for event in self.event_rows:
            sessions = [
                {
                    "title": session["title"],
                    "speakers": [self.name(row) for row in self.speakers_of[session["id"]]],
                }
                for session in self.sessions_of[event["id"]]
            ]
            facts = _present(
                id=event["id"],
                title=event["title"],
                when=_span(event),
                starts=(event["starts_at"] or "")[:10],
                place=event["place"],
                status=event["status"],
                description=_paragraphs(event["description"]),
                days=[{"heading": "", "sessions": sessions}] if sessions else [],
                past=True,
            )
            yield Page(
                record_url("event", event["id"]),
                "event",
                event["title"],
                "events",
                {"event": facts},
            )

    def listing(
        self, url: str, kind: str, heading: str, section: str, works: list[Facts]
    ) -> Iterator[Page]:
        for page, of, some in _split(works):
            yield Page(
                _numbered(url, page),
                "listing",
                heading,
                section,
                {
                    "kind": kind,
                    "heading": heading,
                    "long": _long(heading),
                    **({"same_venue": True} if kind == "Venue" else {}),
                    "lead": _works(len(works)),
                    "groups": [_group("", "works", some)],
                    "pager": _pager(url, page, of),
                },
            )

    def by_year(self, works: Iterable[Facts]) -> list[Facts]:
        groups: dict[int, list[Facts]] = defaultdict(list)
        for work in works:
            groups[work["year"]].append(work)
        return [_group(str(year), f"y{year}", some) for year, some in groups.items()]


def _group(heading: str, identifier: str, works: list[Facts]) -> Facts:
    return {
        "heading": heading,
        "id": identifier,
        "n": f"{len(works):,}",
        "cards": [work["id"] for work in works],
    }


def _entries(
    url: str, heading: str, lead: str, section: str, entries: list[Facts], columns: int = 1
) -> Page:
    params = {
        "kind": "Section",
        "heading": heading,
        "lead": lead,
        "columns": columns,
        "groups": [{"heading": "", "id": "all", "entries": entries}],
    }
    return Page(url, "entries", heading, section, params)


def _paged_entries(url: str, heading: str, section: str, entries: list[Facts]) -> Iterator[Page]:
    for page, of, some in _split(entries):
        first = _entries(url, heading, f"{len(entries):,} in all", section, some)
        params = {**first.params, "pager": _pager(url, page, of)}
        yield Page(_numbered(url, page), "entries", heading, section, params)


def _split(items: list[Facts]) -> Iterator[tuple[int, int, list[Facts]]]:
    of = max(1, -(-len(items) // PER_PAGE))
    for page in range(1, of + 1):
        yield page, of, items[(page - 1) * PER_PAGE : page * PER_PAGE]


def _numbered(url: str, page: int) -> str:
    return url if page == 1 else f"{url}{page}/"


def _pager(url: str, page: int, of: int) -> Facts:
    """Return the numbers around a page: the first, the last and three to each side."""
    if of == 1:
        return {}
    shown = [n for n in range(1, of + 1) if n in (1, of) or abs(n - page) <= 3]
    return _present(
        page=page,
        pages=of,
        prev=_numbered(url, page - 1) if page > 1 else None,
        next=_numbered(url, page + 1) if page < of else None,
        links=[_present(text=str(n), href=_numbered(url, n), current=n == page) for n in shown],
    )


def _present(**facts: Any) -> Facts:
    return {name: value for name, value in facts.items() if value not in (None, "", [], {}, False)}


def _link(name: str, href: str) -> Facts:
    return {"name": name, "href": href}


def _kind(work: Facts) -> str:
    return str(work["kind"]).capitalize()


def _long(title: str) -> str:
    return "long" if len(title) > 220 else "mid" if len(title) > 110 else ""


def _works(count: int) -> str:
    return f"{count:,} work{'' if count == 1 else 's'}"


def _names(names: list[str], most: int = NAMES_IN_CARD) -> str:
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def _date(year: int | None, month: int | None, day: int | None) -> Facts | None:
    if not year:
        return None
    if not month:
        return {"iso": str(year), "text": str(year)}
    name = calendar.month_name[month]
    if not day:
        return {"iso": f"{year}-{month:02}", "text": f"{name} {year}"}
    return {"iso": f"{year}-{month:02}-{day:02}", "text": f"{day} {name} {year}"}


def _iso_date(text: str | None) -> Facts | None:
    if not text:
        return None
    day = date.fromisoformat(text[:10])
    return _date(day.year, day.month, day.day)


def _years(project: Facts) -> str:
    years = [(project[key] or "")[:4] for key in ("starts_on", "ends_on")]
    return "–".join(dict.fromkeys(filter(None, years)))


def _span(event: Facts) -> str:
    start, end = _iso_date(event["starts_at"]), _iso_date(event["ends_at"])
    if not start or not end:
        return ""
    return str(start["text"]) if start == end else f"{start['text']} to {end['text']}"


def _money(amount: float | None, currency: str | None) -> str:
    return f"{currency} {amount:,.0f}" if amount and currency else ""


def _licence(spdx: str | None) -> Facts | None:
    if not spdx:
        return None
    name, _, version = spdx.removeprefix("CC-").rpartition("-")
    return {
        "name": f"CC {name} {version}",
        "url": f"https://creativecommons.org/licenses/{name.lower()}/{version}/",
    }


def _paragraphs(text: str | None) -> list[str]:
    return [line for part in (text or "").splitlines() if (line := " ".join(part.split()))]


def _full_name(person: Facts) -> str:
    return " ".join(filter(None, (person["given_name"], person["family_name"])))


def _sort_name(person: Facts) -> tuple[str, str]:
    family = person["family_name"] or person["given_name"] or ""
    return anyascii(f"{family} {person['given_name'] or ''}").lower(), person["id"]


def _letter(person: Facts) -> str:
    first = _sort_name(person)[0][:1]
    return first if "a" <= first <= "z" else "0"


def _is_latin(name: str) -> bool:
    return all(ord(c) < 0x250 or 0x1E00 <= ord(c) < 0x1F00 or not c.isalpha() for c in name)
