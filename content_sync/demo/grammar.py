"""Sentences from templates, cheap enough for a million abstracts.

A template such as `{E^} in {O} falls by {n.pct}` is compiled once into a format string and
its slots. A slot is either a place in the context (the words that one work is about) or a
list of phrases to draw from.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping

Draw = Callable[[], float]
"""Gives the next random number, 0 ≤ x < 1."""
Template = tuple[str, tuple[int | tuple[str, ...], ...]]
Context = tuple[str, ...]

CONTEXT = (
    *("O", "O^", "O2", "O2^", "E", "E^", "E2", "E2^", "M", "M^", "M2", "M2^"),
    *("S", "S^", "aS", "aS^", "Q", "Q^", "Vl", "Vh", "Vb", "Vg", "C", "C^", "C2", "C2^"),
    *("K", "K^", "K2", "K2^", "U", "U^", "A", "A^", "N", "slug"),
)
"""What the places of a context hold; `words/abstracts.txt` says what the letters mean."""


def compile_template(text: str, lists: Mapping[str, tuple[str, ...]]) -> Template:
    """Return `text` ready to be filled; raises KeyError for a slot that nothing fills."""
    places = {name: i for i, name in enumerate(CONTEXT)}
    parts: list[str] = []
    slots: list[int | tuple[str, ...]] = []
    for literal, name, _, _ in string.Formatter().parse(text):
        parts.append(literal.replace("%", "%%"))
        if name is None:
            continue
        parts.append("%s")
        if name in places:
            slots.append(places[name])
        elif name.endswith("^"):
            slots.append(tuple(map(capitalise, lists[name[:-1]])))
        else:
            slots.append(lists[name])
    return "".join(parts), tuple(slots)


def compile_all(texts: Iterable[str], lists: Mapping[str, tuple[str, ...]]) -> tuple[Template, ...]:
    return tuple(compile_template(text, lists) for text in texts)


def fill(template: Template, context: Context, draw: Draw) -> str:
    """Return the template's sentence about the context."""
    form, slots = template
    return form % tuple(
        [
            context[slot] if slot.__class__ is int else slot[int(draw() * len(slot))]  # type: ignore[index, arg-type]
            for slot in slots
        ]
    )


def capitalise(text: str) -> str:
    """Return `text` as it begins a sentence; formulas and numbers stay as they are."""
    return text[0].upper() + text[1:]


def with_article(noun: str) -> str:
    """Return a singular noun phrase with `a` or `an`, as it is spoken."""
    lowered = noun.lower()
    vowel = lowered[0] in "aeiou" and not lowered.startswith(("uni", "use", "one-", "eu"))
    return f"{'an' if vowel or lowered.startswith(('8', '11 ', '18 ')) else 'a'} {noun}"
