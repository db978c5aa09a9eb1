"""The topic tree, and the words in which each topic is written about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from anyascii import anyascii

from content_sync.demo.grammar import (
    CONTEXT,
    Context,
    Draw,
    Template,
    capitalise,
    compile_all,
    with_article,
)
from content_sync.demo.quantities import parse_quantity, value_pairs
from content_sync.demo.words import read_lines, split_bar, topic_files

T = TypeVar("T")
Forms = tuple[str, ...]
"""A phrase within a sentence and at its beginning (and both with an article)."""

_PROGRAMMES = {
    "Interconnect": "Interconnect and Packaging",
    "Packaging": "Interconnect and Packaging",
    "Reliability and Test": "Dependable Systems",
    "Computer Architecture": "Dependable Systems",
    "Design Automation": "Dependable Systems",
    "Analogue and Mixed Signal": "Circuits and Devices",
    "Devices and Materials": "Circuits and Devices",
    "Energy and Environment": "Sustainable Computing",
}
_OBJECT = CONTEXT.index("O")
# What a topic of a larger tree is divided by.
_ASPECTS = (
    *("measurement", "modelling", "standards", "open data", "teaching"),
    *("manufacturing", "field studies", "simulation", "history", "economics"),
)


@dataclass(slots=True)
class Subject:
    """One topic of the second level with the topics below it and its words."""

    id: str
    name: str
    theme: str
    leaves: list[tuple[str, str]]  # id, name
    numbers: tuple[str, ...]  # how many were studied
    facts: tuple[Template, ...] = ()
    objects: list[list[Forms]] = field(default_factory=list)  # per noun, plain form first
    effects: list[Forms] = field(default_factory=list)
    methods: list[Forms] = field(default_factory=list)
    slugs: list[str] = field(default_factory=list)
    setups: list[Forms] = field(default_factory=list)
    quantities: list[tuple[Forms, tuple[Forms, ...]]] = field(default_factory=list)
    causes: list[Forms] = field(default_factory=list)
    conditions: list[Forms] = field(default_factory=list)
    units: list[Forms] = field(default_factory=list)
    uses: list[Forms] = field(default_factory=list)

    @property
    def programme(self) -> str:
        return _PROGRAMMES[self.theme]

    def draw_context(self, draw: Draw) -> Context:
        """Return the words of one work, in the order of `grammar.CONTEXT`."""
        first, second = _two(self.objects, draw)
        effects = _two(self.effects, draw)
        methods = self.methods
        m = int(draw() * len(methods))
        m2 = (m + 1 + int(draw() * (len(methods) - 1))) % len(methods)
        quantity, pairs = self.quantities[int(draw() * len(self.quantities))]
        causes = _two(self.causes, draw)
        conditions = _two(self.conditions, draw)
        return (
            *first[int(draw() * len(first))],
            *second[int(draw() * draw() * len(second))],
            *effects[0],
            *effects[1],
            *methods[m],
            *methods[m2],
            *self.setups[int(draw() * len(self.setups))],
            *quantity,
            *pairs[int(draw() * len(pairs))],
            *causes[0],
            *causes[1],
            *conditions[0],
            *conditions[1],
            *self.units[int(draw() * len(self.units))],
            *self.uses[int(draw() * len(self.uses))],
            self.numbers[int(draw() * len(self.numbers))],
            self.slugs[m],
        )

    def later_words(self, context: Context) -> Context:
        """Return the context with the short names that a text uses after its first sentences."""
        later = list(context)
        for place in (_OBJECT, _OBJECT + 2):
            for nouns in self.objects:
                if later[place].endswith(nouns[0][0]):
                    later[place : place + 2] = nouns[0]
        return tuple(later)


def load_subjects(rng: Random, topics: int, lists: dict[str, tuple[str, ...]]) -> list[Subject]:
    """Return the subjects of the topic tree; one of more than 80 topics gets further leaves."""
    subjects: list[Subject] = []
    for name in topic_files():
        theme = ""
        for line in read_lines(name):
            if line.startswith("== "):
                title, *leaves = split_bar(line[3:])
                pairs = [(topic_id(leaf), leaf) for leaf in leaves]
                subjects.append(Subject(topic_id(title), title, theme, pairs, lists["n.count"]))
                facts: list[str] = []
            elif line.startswith("= "):
                theme = line[2:]
            elif line.startswith("fact: "):
                facts.append(line[6:])
                subjects[-1].facts = compile_all(facts, lists)
            else:
                _take_words(subjects[-1], line, rng)
    _add_leaves(subjects, topics)
    return subjects


def topic_rows(subjects: list[Subject]) -> list[tuple[str, str, str | None]]:
    """Return (id, name, parent id) of the whole tree, parents first."""
    rows: list[tuple[str, str, str | None]] = []
    themes: list[str] = []
    for subject in subjects:
        if subject.theme not in themes:
            themes.append(subject.theme)
            rows.append((topic_id(subject.theme), subject.theme, None))
        rows.append((subject.id, subject.name, topic_id(subject.theme)))
        rows += [(leaf, name, subject.id) for leaf, name in subject.leaves]
    return rows


def topic_id(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", anyascii(name).lower()).strip("-")


def _add_leaves(subjects: list[Subject], topics: int) -> None:
    missing = topics - len(topic_rows(subjects))
    for aspect in _ASPECTS:
        for subject in subjects:
            if missing <= 0:
                return
            name = f"{subject.name}: {aspect}"
            subject.leaves.append((topic_id(name), name))
            missing -= 1


def _take_words(subject: Subject, line: str, rng: Random) -> None:
    label, _, text = line.partition(": ")
    phrases = split_bar(text)
    if label == "object":
        subject.objects = [[_forms(phrase)] for phrase in phrases]
    elif label == "mod":
        for nouns in subject.objects:
            noun = nouns[0][0]
            nouns += [_forms(f"{mod} {noun}") for mod in phrases if mod.split()[-1] not in noun]
    elif label == "effect":
        subject.effects = [_forms(p) for p in phrases]
    elif label == "method":
        subject.methods = [_forms(p) for p in phrases]
        subject.slugs = [max(re.split(r"[ -]", topic_id(p)), key=len) for p in phrases]
    elif label == "setup":
        subject.setups = [(*_forms(p), *_forms(with_article(p))) for p in phrases]
    elif label == "quantity":
        for phrase in phrases:
            quantity = parse_quantity(phrase)
            subject.quantities.append((_forms(quantity.name), value_pairs(rng, quantity)))
    elif label == "cause":
        subject.causes = [_forms(p) for p in phrases]
    elif label == "condition":
        subject.conditions = [_forms(p) for p in phrases]
    elif label == "unit":
        subject.units = [_forms(p) for p in phrases]
    elif label == "use":
        subject.uses = [_forms(p) for p in phrases]
    else:
        raise ValueError(f"unknown label in a word list: {label!r}")


def _forms(phrase: str) -> Forms:
    return phrase, capitalise(phrase)


def _two(items: list[T], draw: Draw) -> tuple[T, T]:
    first = int(draw() * len(items))
    second = (first + 1 + int(draw() * (len(items) - 1))) % len(items)
    return items[first], items[second]
