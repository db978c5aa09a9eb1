"""Related works: which share most of what stands out, and what it is that they share.

A feature that fewer works have says more. What it weighs goes by how often the number of
works that have it doubles, so that one work more seldom changes any weight; how the lists
of an incremental build come out as those of a full one stands in
docs/decisions/2026-11-30-related-works.md.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest

from markupsafe import Markup

from content_sync.pages.features import PAIR, PERSON, PROJECT, TOPIC, WORD
from content_sync.pages.listings import WORK_COLUMNS, card
from content_sync.pages.model import Context
from content_sync.pages.reader import Reader, Row

MOST = 5
"""Works in a list."""
LEAST_SCORE = 16
"""What two works must share at least: a rare word, or an author who wrote little else."""
_TOO_MANY = 9
"""Features of 256 works (2 to the power of one less than this) and more say nothing."""
_WEIGHTS = {PERSON: 4, TOPIC: 4, PROJECT: 8, WORD: 4, PAIR: 3}
_NAMED = 2

_FEATURES = """
SELECT id, rowid AS number, visible, features FROM cache.works
WHERE id IN :ids AND suggested = 1 ORDER BY id"""
_POSTINGS = "SELECT feature, public, members FROM cache.postings WHERE feature IN :ids"
_WORKS = f"""
SELECT w.rowid AS number, w.features, {WORK_COLUMNS} FROM cache.works w
WHERE w.rowid IN :ids"""  # noqa: S608

Numbers = array
"""Numbers of works: their row ids in the cache."""


@dataclass(frozen=True, slots=True)
class Related:
    """One work in the list of another."""

    row: Row
    score: int
    shared: tuple[str, ...]
    """The features that both have, the weightiest first."""


def weight(feature: str, works: int) -> int:
    """Return what it says that two works share a feature which so many have."""
    level = works.bit_length()
    return _WEIGHTS[feature[0]] * (_TOO_MANY - level) if 1 < level < _TOO_MANY else 0


def related_works(reader: Reader, ids: Sequence[str]) -> dict[str, list[Related]]:
    """Return, for those of the works that can have some, the related ones, the nearest first.

    Works for everyone know nothing of works for members. A retracted work is in no list and
    has none.
    """
    works = reader.rows(_FEATURES, ids)
    wanted = {f for work in works for f in work["features"].split("\n")}
    postings = {
        row["feature"]: (_numbers(row["public"]), _numbers(row["members"]))
        for row in reader.rows(_POSTINGS, list(wanted))
    }
    open_weights = {f: weight(f, len(public)) for f, (public, _) in postings.items()}
    all_weights = {f: weight(f, len(a) + len(b)) for f, (a, b) in postings.items()}
    near: dict[str, dict[int, int]] = {}
    for work in works:
        scores: dict[int, int] = defaultdict(int)
        for_members = work["visible"] == 1
        weights = all_weights if for_members else open_weights
        for feature in work["features"].split("\n"):
            value = weights.get(feature, 0)
            if value:
                public, members = postings[feature]
                for number in public:
                    scores[number] += value
                if for_members:
                    for number in members:
                        scores[number] += value
        scores.pop(work["number"], None)
        near[work["id"]] = _nearest(scores)
    rows = {
        row["number"]: row
        for row in reader.rows(_WORKS, sorted({n for some in near.values() for n in some}))
    }
    found: dict[str, list[Related]] = {}
    for work in works:
        weights = all_weights if work["visible"] == 1 else open_weights
        mine = work["features"].split("\n")
        ordered = sorted(
            ((score, rows[number]) for number, score in near[work["id"]].items()),
            key=lambda pair: (pair[0], pair[1]["date"], pair[1]["id"]),
            reverse=True,
        )[:MOST]
        found[work["id"]] = [
            Related(row, score, _shared(mine, row["features"], weights)) for score, row in ordered
        ]
    return found


def why(shared: Sequence[str], names: dict[str, str]) -> str:
    """Return in words what two works share; `names` gives those of people, topics, projects."""
    said = []
    for sort, one, many in (
        (PERSON, "author", "authors"),
        (PROJECT, "project", "projects"),
        (TOPIC, "topic", "topics"),
    ):
        of = [names[f] for f in shared if f[0] == sort and f in names]
        if of:
            more = f" and {len(of) - _NAMED} more" if len(of) > _NAMED else ""
            said.append(f"{one if len(of) == 1 else many} {_and(of[:_NAMED], more)}")
    pairs = _chained([f[2:] for f in shared if f[0] == PAIR])
    within = {word for pair in pairs for word in pair.split()}
    words = pairs + [f[2:] for f in shared if f[0] == WORD and f[2:] not in within]
    if words:
        said.append(", ".join(f"“{word}”" for word in words[:3]))
    return f"Shares {'; '.join(said)}" if said else ""


def _chained(pairs: Sequence[str]) -> list[str]:
    """Return pairs of words as the longer phrases that they are pieces of."""
    phrases: list[str] = []
    for pair in pairs:
        first, second = pair.split()
        for n, phrase in enumerate(phrases):
            words = phrase.split()
            if words[-1] == first:
                phrases[n] = f"{phrase} {second}"
                break
            if words[0] == second:
                phrases[n] = f"{first} {phrase}"
                break
        else:
            phrases.append(pair)
    return phrases


def item(one: Related, audience: str, names: dict[str, str]) -> Context:
    """Return what a page shows of a related work."""
    html, reason = card(one.row, audience), why(one.shared, names)
    # Zotero would take a page with machine-readable list items for a list.
    start = html.find('<span class="Z3988"')
    if start >= 0:
        html = Markup(html[:start] + html[html.index("</span>", start) + 7 :])  # noqa: S704 - finished html
    begin, end, rest = html.rpartition("</li>")
    reason = Markup('<p class="why">{}</p>\n').format(reason) if reason else ""
    return {"card": Markup(begin.rstrip() + "\n") + reason + Markup(end + rest)}  # noqa: S704 - finished html


def _nearest(scores: dict[int, int]) -> dict[int, int]:
    """Return those among which the first few are: who is last is for their dates to say."""
    best = nlargest(MOST, scores.values())
    least = max(best[-1], LEAST_SCORE) if len(best) == MOST else LEAST_SCORE
    return {number: score for number, score in scores.items() if score >= least}


def _shared(mine: list[str], others: str, weights: dict[str, int]) -> tuple[str, ...]:
    both = set(others.split("\n"))
    shared = [f for f in mine if f in both and weights.get(f)]
    return tuple(sorted(shared, key=lambda f: (-weights[f], f)))


def _numbers(content: bytes) -> array[int]:
    numbers = array("I")
    numbers.frombytes(content)
    return numbers


def _and(names: list[str], more: str) -> str:
    return ", ".join(names) + more if more or len(names) < 2 else " and ".join(names)
