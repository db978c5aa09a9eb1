"""Institutions and venues, all invented."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from content_sync.demo.plan import REFERENCE_DATE
from content_sync.demo.topics import Subject, topic_id
from content_sync.demo.words import read_lines, split_bar


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One institution as the other parts need it."""

    id: str
    name: str
    city: str
    country: str
    is_company: bool
    is_member: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """One venue; `sort` is journal, conference, workshop or series."""

    id: str
    name: str
    short_name: str | None
    sort: str
    first_year: int
    theme: str | None

    @property
    def url(self) -> str | None:
        return None if self.sort == "series" else f"https://{self.id}.ellmark.example/"


def make_places(rng: Random, count: int) -> list[Place]:
    """Return `count` institutions, universities and companies mixed, the founders' first."""
    listed: list[Place] = []
    stems: list[tuple[str, str]] = []
    for line in read_lines("places.txt"):
        label, _, text = line.partition(": ")
        if label == "stem":
            stems = [(s[:-3], s[-2:]) for s in split_bar(text)]
            continue
        name, city, country = split_bar(text)
        listed.append(_place(name, city, country, label == "company", True))
    universities = [p for p in listed if not p.is_company]
    companies = [p for p in listed if p.is_company]
    # Founders name their institutions by line; 27 is the first company.
    if count < len(listed):
        kept = max(1, count // 3)
        return universities[: count - kept] + companies[:kept]
    further = _further(rng, stems, {p.id for p in listed})
    return listed + further[: count - len(listed)]


def make_venues(subjects: list[Subject], count: int) -> list[Outlet]:
    """Return `count` venues: the listed ones, then journals and meetings of single topics."""
    outlets: list[Outlet] = []
    for line in read_lines("venues.txt"):
        key, short, sort, first, name, theme = split_bar(line)
        outlets.append(
            Outlet(
                id=key,
                name=name,
                short_name=None if short == "-" else short,
                sort=sort,
                first_year=int(first),
                theme=None if theme == "-" else theme,
            )
        )
    patterns = (
        ("Journal of {}", "journal"),
        ("International Meeting on {}", "conference"),
        ("{} Letters", "journal"),
        ("Workshop on {}", "workshop"),
        ("Reviews of {}", "journal"),
    )
    for i, (pattern, sort) in enumerate(patterns):
        for j, subject in enumerate(subjects):
            name = pattern.format(subject.name)
            outlets.append(
                Outlet(
                    id=topic_id(name),
                    name=name,
                    short_name=None,
                    sort=sort,
                    first_year=1994 + (7 * j + 5 * i) % (REFERENCE_DATE.year - 1998),
                    theme=subject.theme,
                )
            )
    return outlets[: max(count, 4)]


def _further(rng: Random, stems: list[tuple[str, str]], taken: set[str]) -> list[Place]:
    patterns = (
        ("University of {}", False),
        ("{} Semiconductor", True),
        ("{} Institute of Technology", False),
        ("Technical University of {}", False),
        ("{} Instruments", True),
        ("{} Research Centre", False),
        ("{} Systems", True),
        ("Polytechnic of {}", False),
        ("{} Photonics", True),
        ("{} College", False),
        ("{} Power Electronics", True),
    )
    places: list[Place] = []
    for pattern, is_company in patterns:
        order = stems[:]
        rng.shuffle(order)
        for city, country in order:
            place = _place(pattern.format(city), city, country, is_company, rng.random() < 0.6)
            if place.id not in taken:
                places.append(place)
    rng.shuffle(places)
    return places


def _place(name: str, city: str, country: str, is_company: bool, is_member: bool) -> Place:
    return Place(
        id=topic_id(name),
        name=name,
        city=city,
        country=country,
        is_company=is_company,
        is_member=is_company and is_member,
    )
