"""Related works: the same lists whether made at once or brought up to date night by night."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from content_sync.pages.cache import Cache, WorkRow
from content_sync.pages.features import features_of
from content_sync.pages.postings import Postings
from content_sync.pages.reader import open_reader
from content_sync.pages.related import MOST, related_works, weight, why

Lists = dict[str, list[tuple[str, int]]]


@dataclass
class Corpus:
    """Works with features, in a cache as a build leaves it."""

    folder: Path
    works: dict[str, WorkRow]

    def write(self, name: str, changed: list[str] | None = None) -> set[str]:
        """Bring the cache `name` to these works; return whose lists are to be looked at."""
        cache = Cache(self.folder / name)
        postings = Postings(cache.connection)
        cache.begin(anew=changed is None)
        affected = set(self.works)
        if changed is None:
            postings.forget_all()
            cache.put(self.works.values())
            postings.make_all()
        else:
            postings.note(changed)
            cache.put(self.works[one] for one in changed if one in self.works)
            cache.forget(one for one in changed if one not in self.works)
            affected = postings.update() | set(changed)
        cache.commit({})
        cache.close()
        return affected

    def lists(self, name: str, ids: set[str]) -> Lists:
        """Return the lists of these works, and keep them in the cache."""
        reader = open_reader(self.folder / "snapshot.sqlite", self.folder / name, "2026-01-01")
        found = related_works(reader, sorted(ids))
        reader.connection.close()
        lists = {one: [(r.row["id"], r.score) for r in found.get(one, [])] for one in ids}
        cache = Cache(self.folder / name)
        Postings(cache.connection).put(lists.items(), anew=False)
        cache.close()
        return lists


def work(one: str, chance: random.Random) -> WorkRow:
    visible = chance.choice([2, 2, 2, 1, 0])
    features = sorted(
        {f"w:{min(int(chance.expovariate(0.12)), 60)}" for _ in range(5)}
        | {f"a:{chance.randrange(40)}" for _ in range(2)}
    )
    suggested = visible > 0 and chance.random() < 0.95
    date = f"20{chance.randrange(10, 26)}"
    item = f"<li>{one}</li>"
    shown = features if suggested else []
    return (one, 2020, date, "", "", visible, item, None, one, int(suggested), "\n".join(shown))


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    sqlite3.connect(tmp_path / "snapshot.sqlite").close()
    return Corpus(tmp_path, {})


@pytest.mark.parametrize("seed", range(4))
def test_lists_brought_up_to_date_are_those_made_at_once(corpus: Corpus, seed: int) -> None:
    chance = random.Random(seed)
    corpus.works = {f"p{n}": work(f"p{n}", chance) for n in range(300)}
    corpus.write("nightly.sqlite")
    known = corpus.lists("nightly.sqlite", set(corpus.works))
    looked_at = 0
    for _ in range(12):
        changed = [f"p{chance.randrange(330)}" for _ in range(chance.randrange(1, 6))]
        for one in changed:
            if chance.random() < 0.2:
                corpus.works.pop(one, None)
            else:
                corpus.works[one] = work(one, chance)
        affected = corpus.write("nightly.sqlite", changed)
        looked_at += len(affected)
        known |= corpus.lists("nightly.sqlite", affected)
        corpus.write("anew.sqlite")
        at_once = corpus.lists("anew.sqlite", set(corpus.works))
        assert {one: known[one] for one in corpus.works} == at_once
    assert any(len(some) == MOST for some in known.values())
    assert looked_at < 12 * len(corpus.works), "a night looked at every work"


def test_works_for_everyone_know_nothing_of_works_for_members(corpus: Corpus) -> None:
    chance = random.Random(9)
    corpus.works = {f"p{n}": work(f"p{n}", chance) for n in range(200)}
    corpus.write("with.sqlite")
    with_them = corpus.lists("with.sqlite", set(corpus.works))
    members = {one for one, row in corpus.works.items() if row[5] == 1}
    assert any(other not in members for one in members for other, _ in with_them[one])
    assert any(other in members for one in members for other, _ in with_them[one])
    corpus.works = {one: row for one, row in corpus.works.items() if one not in members}
    corpus.write("without.sqlite")
    assert corpus.lists("without.sqlite", set(corpus.works)) == {
        one: some for one, some in with_them.items() if one not in members
    }


def test_a_feature_of_few_works_weighs_more_than_one_of_many() -> None:
    weights = [weight("w:drift", n) for n in (2, 3, 4, 100, 255, 256, 100_000)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > weights[2] > weights[-2] == weights[-1] == 0
    assert weight("w:drift", 1) == 0, "nothing is shared with nobody"


def test_features_are_words_of_the_title_and_those_that_the_abstract_repeats() -> None:
    found = features_of(
        "Copper drift in the studies of $x^2$ vias",
        "Annealing is done. Annealing helps; and voids, and voids grow once more in time.",
        people=["ada"],
        topics=["wafer"],
        projects=[],
    )
    assert {"a:ada", "t:wafer", "w:copper", "x:copper drift", "w:study", "w:via"} <= set(found)
    assert {"w:annealing", "w:void"} <= set(found)
    assert not {"w:helps", "w:the", "w:and", "w:time"} & set(found)


def test_an_s_that_makes_no_plural_stays() -> None:
    found = features_of(
        "Bias of CMOS gates does not matter",
        "The lens of MEMS; a lens and MEMS.",
        people=[],
        topics=[],
        projects=[],
    )
    words = {"bias", "cmos", "gate", "matter", "lens", "mems"}
    assert {f[2:] for f in found if f.startswith("w:")} == words


def test_the_reason_names_what_is_shared() -> None:
    names = {"a:ada": "Ada Lovelace", "a:b": "B. C.", "a:d": "D. E.", "t:w": "Wafer test"}
    assert why(("a:ada", "t:w"), names) == "Shares author Ada Lovelace; topic Wafer test"
    assert why(("a:ada", "a:b", "a:d"), names) == ("Shares authors Ada Lovelace, B. C. and 1 more")
    assert why(("x:copper drift", "w:drift", "w:void"), names) == "Shares “copper drift”, “void”"
    assert why(("x:driven copper", "x:trace driven", "w:trace"), names) == (
        "Shares “trace driven copper”"
    )
    assert why(("j:secret",), names) == "", "a project that the page may not name"
