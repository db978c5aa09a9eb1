"""On a slow line every fetch that has to wait for another one costs a reader a round trip."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from search import dictionary, growth
from search import index as search_index
from search.layout import read_layout
from tests.search.libraries import library

pytestmark = pytest.mark.needs("node")

WAVES = Path(__file__).parent / "client" / "waves.mjs"


@pytest.fixture
def shards(build, monkeypatch) -> Path:
    """An index of two segments with many small files of words and of frequent words."""
    for module, name, value in (
        (search_index, "SMALL", 20), (growth, "TIP", 5), (growth, "YOUNG_SHARE", 0.5),
        (dictionary, "SHARD_BYTES", 600), (dictionary, "LIST_BYTES", 150),
        (dictionary, "LONGEST_INLINE", 300), (dictionary, "VOCABULARY_BYTES", 200),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    rows = library(120)
    for number, row in enumerate(rows):
        row["abstract"] += f" uniq{number // 2}q drifts"
    before = build("before", rows)
    changed = [{**rows[3], "title": "Copper drift at night"}, *rows[:3], *rows[4:]]
    after = build("after", changed, before)
    assert len(read_layout(after / "index").segments) == 2
    heads = read_layout(after / "index").segments[0].directory["heads"]
    assert heads, "no word is frequent enough for a file of its own"
    folder: Path = after / "shards"
    return folder


def waves_of(shards: Path, queries: list[str]) -> list[dict[str, Any]]:
    asked = json.dumps({"folder": str(shards), "queries": queries})
    done = subprocess.run(
        ["node", str(WAVES)], input=asked, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def fewest_waves(shards: Path, queries: list[str], most: int) -> dict[str, list[list[str]]]:
    """Return the waves of each query, asked again if they are too many.

    On a busy machine one wave can look like two, but two never look like one.
    """
    fewest: dict[str, list[list[str]]] = {}
    for _ in range(3):
        again = [q for q in queries if q not in fewest or len(fewest[q]) > most]
        for answer in waves_of(shards, again) if again else ():
            assert answer["total"] > 0, answer
            known = fewest.get(answer["query"])
            if known is None or len(answer["waves"]) < len(known):
                fewest[answer["query"]] = answer["waves"]
    return fewest


def test_words_that_are_known_take_three_fetches_one_after_the_other(shards) -> None:
    queries = [
        "copper", "copper drift", "copper lines", "stress noise", "uniq7q", "copper uniq19q drifts",
        "lattice stre", "voids bamboo grain", "byron", "ada byron", "chen copper", "wei chen",
        "nanotron", "copper byron lines", "symposium voids",
    ]  # fmt: skip
    known = {a["query"] for a in waves_of(shards, queries) if a["known"] and a["total"]}
    assert len(known) > 12, known
    for query, waves in fewest_waves(shards, sorted(known), 3).items():
        assert len(waves) <= 3, (query, waves)
        assert waves[0] == ["manifest.json"]
        assert {path.split("/")[1] for path in waves[1]} <= {"t", "h", "k"}, query
        assert {path.split("/")[1] for path in waves[-1]} == {"d"}, query


def test_a_slip_of_the_pen_takes_two_more(shards) -> None:
    for query, waves in fewest_waves(shards, ["copprr", "drifs copper"], 5).items():
        assert 3 < len(waves) <= 5, (query, waves)
        assert {"v", "w"} <= {path.split("/")[1] for wave in waves[1:] for path in wave}, query


def test_the_facets_beside_every_list_cost_one_file_of_each_segment(shards) -> None:
    (answer,) = waves_of(shards, ["copper drift"])
    fetched = [path for wave in answer["counting"] for path in wave]
    assert sorted(path.split("/", 1)[1] for path in fetched) == ["c/quick.bin"] * 2
