"""Keep the cache's lists of who has which feature, and find whose related works may change.

The process that leads the build does so, between the list items of works and their pages.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from content_sync.pages.related import LEAST_SCORE, MOST, weight

KEPT = 400
"""For so many builds it is remembered whose lists each of them had to look at."""

Relations = Iterable[tuple[str, list[tuple[str, int]]]]
"""A work, and the ids and scores of those in its list."""


class _Had(NamedTuple):
    """A work as it was before this build, or is now; `features` only where it can be related."""

    number: int
    visible: int
    features: tuple[str, ...]
    shown: tuple[str, str | None]
    """Its list items."""


_NONE = _Had(0, 0, (), ("", None))


class Postings:
    """The features' lists in a cache that is open for writing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._before: dict[str, _Had] = {}

    def forget_all(self) -> None:
        """Forget all lists: every one is made anew."""
        self._connection.execute("DELETE FROM postings")
        self._connection.execute("DELETE FROM related")
        self._connection.execute("DELETE FROM affected")

    def note(self, ids: Sequence[str]) -> None:
        """Remember how these works are before they are written again."""
        self._before.update(self._read(ids))
        for one in ids:
            self._before.setdefault(one, _NONE)

    def make_all(self) -> None:
        """Make the lists of all works that the cache holds."""
        public: dict[str, array[int]] = defaultdict(lambda: array("I"))
        members: dict[str, array[int]] = defaultdict(lambda: array("I"))
        for number, visible, features in self._connection.execute(
            "SELECT rowid, visible, features FROM works WHERE suggested = 1 ORDER BY rowid"
        ):
            lists = public if visible == 2 else members
            for feature in features.split("\n"):
                lists[feature].append(number)
        empty: array[int] = array("I")
        self._connection.executemany(
            "INSERT INTO postings VALUES (?, ?, ?)",
            (
                (f, public.get(f, empty).tobytes(), members.get(f, empty).tobytes())
                for f in sorted(public.keys() | members.keys())
            ),
        )

    def update(self) -> set[str]:
        """Bring the lists up to date with the works noted; return whose related may change.

        It names too many rather than too few: works whose list has one of those that changed,
        works in whose list one of them may come, and all that have a feature whose weight
        is another now.
        """
        after = self._read(list(self._before))
        changed: dict[str, tuple[_Had, _Had]] = {}
        shown: set[str] = set()
        for one, old in self._before.items():
            new = after.get(one, _NONE)
            if old != new:
                shown.add(one)
            if (old.visible, old.features) != (new.visible, new.features):
                changed[one] = old, new
        self._before = {}
        affected = self._listing(shown)
        affected |= self._with_other_weights(changed)
        for _, new in changed.values():
            affected |= self._newly_near(new)
        return affected

    def remember(self, affected: set[str], edition: int) -> None:
        """Write down what this build had to look at: it may come to nothing."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO affected VALUES (?, ?)", ((edition, one) for one in affected)
        )
        self._connection.execute("DELETE FROM affected WHERE edition < ?", (edition - KEPT,))

    def affected_since(self, edition: int) -> set[str]:
        """Return all that builds after that one had to look at."""
        rows = self._connection.execute("SELECT id FROM affected WHERE edition > ?", (edition,))
        return {row[0] for row in rows}

    def put(self, relations: Relations, *, anew: bool) -> None:
        """Write the lists of related works that were made; with `anew` there were none."""
        relations = list(relations)
        if not anew:
            self.forget(one for one, _ in relations)
        self._connection.executemany(
            "INSERT INTO related VALUES (?, ?, ?, ?)",
            (
                (one, place, other, score)
                for one, others in relations
                for place, (other, score) in enumerate(others, 1)
            ),
        )

    def forget(self, ids: Iterable[str]) -> None:
        """Take away the lists of these works."""
        self._connection.executemany("DELETE FROM related WHERE work_id = ?", ((i,) for i in ids))

    def _read(self, ids: Sequence[str]) -> dict[str, _Had]:
        rows = self._connection.execute(
            "SELECT id, rowid, visible, suggested, features, public, members FROM works"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(ids),),
        )
        return {
            r[0]: _Had(
                r[1],
                r[2] if r[3] else 0,
                tuple(r[4].split("\n")) if r[3] else (),
                (r[5], r[6]),
            )
            for r in rows
        }

    def _listing(self, ids: set[str]) -> set[str]:
        rows = self._connection.execute(
            "SELECT work_id FROM related WHERE other_id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(ids)),),
        )
        return {row[0] for row in rows}

    def _with_other_weights(self, changed: dict[str, tuple[_Had, _Had]]) -> set[str]:
        """Write the lists of the changed works' features; return whom other weights concern."""
        features = {f for pair in changed.values() for had in pair for f in had.features}
        lists = {f: (set(public), set(members)) for f, public, members in self._lists(features)}
        for f in features:
            lists.setdefault(f, (set(), set()))
        counts = {f: (len(a), len(a) + len(b)) for f, (a, b) in lists.items()}
        for old, new in changed.values():
            for f in old.features:
                for numbers in lists[f]:
                    numbers.discard(old.number)
            for f in new.features:
                lists[f][0 if new.visible == 2 else 1].add(new.number)
        concerned: set[int] = set()
        for f, (public, members) in lists.items():
            self._write(f, public, members)
            was_public, was_all = counts[f]
            if weight(f, was_public) != weight(f, len(public)):
                concerned |= public
            if weight(f, was_all) != weight(f, len(public) + len(members)):
                concerned |= members
        return self._ids(concerned)

    def _newly_near(self, work: _Had) -> set[str]:
        """Return the works whose list this one may come into."""
        scores: dict[int, int] = defaultdict(int)
        for f, public, members in self._lists(set(work.features)):
            if work.visible == 2 and (value := weight(f, len(public))):
                for number in public:
                    scores[number] += value
            if value := weight(f, len(public) + len(members)):
                for number in members:
                    scores[number] += value
        near = {n: score for n, score in scores.items() if score >= LEAST_SCORE}
        rows = self._connection.execute(
            "SELECT w.rowid, w.id, r.score FROM works w LEFT JOIN related r"
            " ON r.work_id = w.id AND r.place = ?"
            " WHERE w.rowid IN (SELECT value FROM json_each(?))",
            (MOST, json.dumps(list(near))),
        )
        return {one for number, one, worst in rows if worst is None or near[number] >= worst}

    def _lists(self, features: set[str]) -> Iterator[tuple[str, array[int], array[int]]]:
        rows = self._connection.execute(
            "SELECT feature, public, members FROM postings"
            " WHERE feature IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(features)),),
        ).fetchall()
        for feature, public, members in rows:
            yield feature, array("I", public), array("I", members)

    def _write(self, feature: str, public: set[int], members: set[int]) -> None:
        if public or members:
            self._connection.execute(
                "INSERT OR REPLACE INTO postings VALUES (?, ?, ?)",
                (
                    feature,
                    array("I", sorted(public)).tobytes(),
                    array("I", sorted(members)).tobytes(),
                ),
            )
        else:
            self._connection.execute("DELETE FROM postings WHERE feature = ?", (feature,))

    def _ids(self, numbers: set[int]) -> set[str]:
        rows = self._connection.execute(
            "SELECT id FROM works WHERE rowid IN (SELECT value FROM json_each(?))",
            (json.dumps(list(numbers)),),
        )
        return {row[0] for row in rows}
