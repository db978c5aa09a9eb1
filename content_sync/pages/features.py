"""What a work has in common with others: people, topics, projects, words that stand out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from content_sync.pages.maths import without_latex

PERSON, TOPIC, PROJECT, WORD, PAIR = "a", "t", "j", "w", "x"
"""First letter of a feature: what sort it is."""

_WORDS = re.compile(r"[^\W\d_][^\W_]+")
_SHORTEST = 3
_MOST_OF_ABSTRACT = 10

_LITTLE = frozenset(
    """
    about after all also among and any are based been before being between both but can could
    der des did die does during each ein eine for from für had has have her his how however into
    its les many may more most new non nor not off one only other our out over per some such than
    that the their them then there these they this those through toward towards two und under
    upon use used uses using very via was were what when where whether which while who why will
    with within without would you your
    """.split()
)

_NO_PLURALS = frozenset(
    """
    alias always asbestos atlas bias canvas chaos corps cosmos ethos gas headquarters lens news
    overseas pancreas perhaps sometimes series species texas thermos
    """.split()
)


def features_of(
    title: str,
    abstract: str | None,
    *,
    people: Iterable[str],
    topics: Iterable[str],
    projects: Iterable[str],
) -> list[str]:
    """Return the features of a work, each once.

    They depend on the work alone. Of the abstract only words count that it repeats: what a
    work is about, it says more than once.
    """
    found: dict[str, None] = dict.fromkeys(f"{PERSON}:{one}" for one in people)
    found |= dict.fromkeys(f"{TOPIC}:{one}" for one in topics)
    found |= dict.fromkeys(f"{PROJECT}:{one}" for one in projects)
    before = ""
    for written in _WORDS.findall(without_latex(title)):
        if len(written) < _SHORTEST or written.casefold() in _LITTLE:
            before = ""
            continue
        word = _singular(written)
        found[f"{WORD}:{word}"] = None
        if before:
            found[f"{PAIR}:{before} {word}"] = None
        before = word
    if abstract:
        words = (w for w in _WORDS.findall(abstract) if w.casefold() not in _LITTLE)
        counts = Counter(map(_singular, words))
        repeated = sorted(
            (-n, word) for word, n in counts.items() if n > 1 and len(word) > _SHORTEST
        )
        for _, word in repeated[:_MOST_OF_ABSTRACT]:
            found[f"{WORD}:{word}"] = None
    return list(found)


def _singular(written: str) -> str:
    """Return the word in small letters and without the s of a plural.

    That would part what belongs together. CMOS and bias are no plurals.
    """
    word = written.casefold()
    if word in _NO_PLURALS or written.isupper():
        return word
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word[-1] == "s" and word[-2] not in "suic":
        return word[:-1]
    return word
