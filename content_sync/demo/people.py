"""The people: each is computed from a number, so that half a million need no memory.

People come in groups of eight that share an institution and two subjects. The first of a
group leads it, the last two are students.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from anyascii import anyascii

from content_sync.demo.grammar import Draw
from content_sync.demo.places import Place
from content_sync.demo.topics import topic_id
from content_sync.demo.words import read_lines, split_bar

GROUP = 8
_STUDENTS_FROM = 6
_INITIALS = "ABCDEFGHIJKLMNOPRSTVW"
# Multipliers that scatter neighbouring numbers.
_MIX = 2_654_435_761


class Person(NamedTuple):
    """One person; `printed` is the name in its usual order."""

    id: str
    given: str
    family: str
    printed: str
    initials: str
    other_names: tuple[str, ...]


@dataclass(slots=True)
class _Names:
    """The names of one family of languages: as printed, in ASCII, in the native script."""

    family_first: bool
    native: str  # joins the native parts; "" where the script leaves no space
    native_family_first: bool
    given: list[tuple[str, str, str]]
    family: list[tuple[str, str, str]]


class People:
    """All people of a demo source, and the groups that they work in."""

    def __init__(self, rng: Random, count: int, places: list[Place], subjects: int) -> None:
        self.count = count
        self.groups = max(1, count // GROUP)
        self._places = places
        self._subjects = subjects
        self._names = _load_names(rng)
        self._salt = rng.randrange(1, 1_000_003)
        self._founders, self._homes, self._students = _load_founders()
        self._founder_ids = {person.id for person in self._founders}

    def person(self, number: int) -> Person:
        """Return the person of this number; numbers from `count` on have no record."""
        if number < len(self._founders):
            return self._founders[number]
        number -= len(self._founders)
        which, names = divmod(number, len(self._names))[::-1]
        names_of = self._names[which]
        givens, families = names_of.given, names_of.family
        turn, g = divmod(names, len(givens))
        round_, q = divmod(turn, len(families))
        f = (q + g * 5 + which) % len(families)
        given, given_key, given_native = givens[g]
        family, family_key, family_native = families[f]
        native = ""
        if given_native:
            parts = (given_native, family_native)
            native = names_of.native.join(
                reversed(parts) if names_of.native_family_first else parts
            )
        key = f"{given_key}-{family_key}"
        if round_:
            # Larger sizes: a middle initial, then a second family name as well.
            second, initial = divmod(round_, len(_INITIALS) + 1)
            if initial:
                letter = _INITIALS[initial - 1]
                given = f"{given} {letter}."
                key = f"{given_key}-{letter.lower()}-{family_key}"
            if second:
                other, other_key, _ = families[(f + second) % len(families)]
                family = f"{family}-{other}"
                key = f"{key}-{other_key}"
            native = ""
        if key in self._founder_ids:
            key = f"{key}-2"
        first = given[0] if given[0].isalpha() else given[:2]
        printed = f"{family} {given}" if names_of.family_first else f"{given} {family}"
        return Person(
            key, given, family, printed, f"{first}. {family}", (native,) if native else ()
        )

    def rows(self, draw: Draw) -> Iterator[tuple[Person, tuple[object, ...]]]:
        """Yield each person with the row of the view `people`."""
        for number in range(self.count):
            person = self.person(number)
            place = self.place(number)
            orcid = _orcid(number * 97 + self._salt) if draw() < 0.62 else None
            page = None
            if draw() < 0.18:
                page = f"https://{place.id}.example/people/{person.id}"
            yield (
                person,
                (
                    *(person.id, person.given, person.family, orcid),
                    *(place.id if draw() < 0.96 else None, page, int(self.is_student(number))),
                ),
            )

    def is_student(self, number: int) -> bool:
        if number < len(self._students):
            return self._students[number]
        return number % GROUP >= _STUDENTS_FROM

    def place(self, number: int) -> Place:
        """Return where the person works: mostly where the group does."""
        if number < len(self._homes):
            return self._places[self._homes[number] % len(self._places)]
        mixed = number * _MIX + self._salt
        if mixed >> 7 & 7 == 0:
            return self._places[(mixed >> 11) % len(self._places)]
        group = (number // GROUP) * _MIX + self._salt
        return self._places[(group >> 9) % len(self._places)]

    def subject_of(self, group: int, draw: Draw) -> int:
        """Return the number of a subject that the group works on."""
        main = (group * 7 + self._salt) % self._subjects if group > 1 else group
        chance = draw()
        if chance < 0.62:
            return main
        if chance < 0.9:
            return (main + 1 + group % 5) % self._subjects
        return int(draw() * self._subjects)

    def team(self, group: int, size: int, draw: Draw, *, students: bool) -> list[int]:
        """Return the numbers of `size` different people who work together in this group."""
        chosen: list[int] = []
        base = group * GROUP
        tries = 0
        while len(chosen) < size and tries < 6 * size + 12:
            tries += 1
            home = base
            if draw() < 0.24 or tries > 2 * size + 8:
                home = (group + 1 + int(draw() * draw() * 9)) % self.groups * GROUP
            # The square makes those at the head of a group appear more often.
            number = home + int(draw() ** 1.4 * GROUP)
            if number not in chosen and number < self.count:
                if self.is_student(number) and not students:
                    continue
                chosen.append(number)
        # Who leads the group signs last.
        if len(chosen) > 2 and base in chosen and draw() < 0.6:
            chosen.remove(base)
            chosen.append(base)
        return chosen


def other_names(person: Person, draw: Draw) -> list[str]:
    """Return further forms of the name for the view `person_names`, each once."""
    names = list(person.other_names)
    if draw() < 0.35:
        names.append(person.initials)
    plain = anyascii(person.printed)
    if plain != person.printed and draw() < 0.3:
        names.append(plain)
    return [name for name in dict.fromkeys(names) if name != person.printed]


def _load_names(rng: Random) -> list[_Names]:
    families: list[_Names] = []
    for line in read_lines("names.txt"):
        if line.startswith("== "):
            family_first = line.endswith("family-first")
            families.append(_Names(family_first, " ", family_first, [], []))
        elif line.startswith("join:"):
            families[-1].native = ""
        elif line.startswith("swap:"):
            families[-1].native_family_first = True
        else:
            label, _, text = line.partition(": ")
            names = []
            for entry in split_bar(text):
                name, _, native = entry.partition("=")
                names.append((name, topic_id(name), native))
            rng.shuffle(names)
            if label == "given":
                families[-1].given = names
            else:
                families[-1].family = names
    rng.shuffle(families)
    return families


def _load_founders() -> tuple[list[Person], list[int], list[bool]]:
    people: list[Person] = []
    homes: list[int] = []
    students: list[bool] = []
    for line in read_lines("founders.txt"):
        given, family, order, others, home, student = split_bar(line)
        first = f"{given} {family}" if order == "g" else f"{family} {given}"
        people.append(
            Person(
                topic_id(f"{given} {family}"),
                given,
                family,
                first,
                f"{given[0]}. {family}",
                tuple(name.strip() for name in others.split(";")),
            )
        )
        homes.append(int(home) - 1)
        students.append(bool(student))
    return people, homes, students


def _orcid(number: int) -> str:
    """Return a well-formed ORCID from a block that is never given to anyone."""
    digits = f"00000000{number % 10_000_000:07d}"
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    text = digits + ("X" if check == 10 else str(check))
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))
