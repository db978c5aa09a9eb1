from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from search import dictionary, growth, terms
from search import index as search_index
from search.encoding import unseal
from search.errors import SearchError
from search.index import update_index
from search.layout import read_layout
from search.query import open_index, search
from tests.search.libraries import library, queries

QUERIES = [
    "*", "copper", "copper drift", '"copper drift"', "lines -noise", "author:lovelace",
    "ada lovelace", "narrow copper lines fail early", "year:2019..2022", "word7 word8",
    "title 17", "number 3", "copper nigt",
]  # fmt: skip


def many(first: int, last: int, **values: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": f"publication:n{n}",
            "type": "publication",
            "url": f"/publications/n{n}/",
            "title": f"Title {n} with word{n % 10}",
            "people": [f"Author Number{n % 7}"],
            "abstract": f"Copper or word{n % 9} " * (n % 5),
            "year": 2000 + n % 20,
            **values,
        }
        for n in range(first, last)
    ]


def answers(folders: list[Path]) -> dict[str, list[Any]]:
    with open_index([folder / "index" for folder in folders]) as index:
        found = {query: search(index, query, limit=500) for query in QUERIES}
        return {
            query: [results.total, sorted((hit.id, hit.title) for hit in results.hits)]
            for query, results in found.items()
        }


def contents(folder: Path) -> dict[str, bytes]:
    """Files by name, those for browsers as what they hold when they are unpacked."""
    return {
        str(f.relative_to(folder)): unseal(f"{f.parent.name}/{f.name}", f.read_bytes())
        if f.suffix == ".bin" and len(f.parent.name) == 1 and f.parent.name != "a"
        else f.read_bytes()
        for f in folder.rglob("*")
        if f.is_file()
    }


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((folder / "report.json").read_bytes())
    return found


def test_the_same_documents_make_the_same_files(build, works) -> None:
    one, two = build("one", works), build("two", works)
    assert contents(one / "shards") == contents(two / "shards")
    assert (one / "index/layout.json").read_bytes() == (two / "index/layout.json").read_bytes()


def test_processes_that_were_spawned_build_the_same_files(
    build, works, spawned, write_documents, tmp_path, monkeypatch
) -> None:
    rows = works + many(0, 60)
    one = build("one", rows)
    monkeypatch.setattr(search_index, "SMALL", 10)
    monkeypatch.setattr(search_index, "DOCUMENTS_PER_PARTITION", 20)
    documents = write_documents("two/documents", rows)
    made = update_index(
        documents, tmp_path / "two/index", tmp_path / "two/shards", executor=spawned
    )
    assert made.documents == 68
    assert len(read_layout(tmp_path / "two/index").segments[0].firsts) == 4
    assert contents(one / "shards") == contents(tmp_path / "two/shards")
    assert answers([one]) == answers([tmp_path / "two"])


def test_nights_leave_what_a_whole_build_would(build, works, ask, monkeypatch) -> None:
    monkeypatch.setattr(search_index, "SMALL", 12)
    monkeypatch.setattr(growth, "YOUNG_SHARE", 0.3)
    monkeypatch.setattr(growth, "TIP", 6)
    rows = works + many(0, 200)
    night = build("night0", rows, buckets=16)
    layouts = set()
    for number in range(1, 9):
        rows = [
            {**row, "title": f"Copper night {number}"}
            if row["id"] in (f"publication:n{number * 2}", f"publication:n{number * 3}")
            else row
            for row in rows
        ] + many(1000 * number, 1000 * number + 3)
        night = build(f"night{number}", rows, night, buckets=16)
        assert report(night)["added"] == 3
        assert report(night)["documents"] == len(rows)
        layouts.add(len(read_layout(night / "index").segments))
    assert layouts >= {2, 3}, "the night's segment never stayed"
    anew = build("anew", rows, buckets=16)
    assert answers([night]) == answers([anew])
    totals = [
        [answer["total"] for answer in ask([folder / "shards"], QUERIES)]
        for folder in (night, anew)
    ]
    assert totals[0] == totals[1]


def test_a_night_leaves_the_previous_index_as_it_was(build, works) -> None:
    first = build("first", works + many(0, 50))
    before = contents(first)
    second = build("second", [*works[:-1], *many(0, 51)], first)
    assert contents(first) == before
    assert answers([first]) != answers([second])


def test_unchanged_segments_are_linked_and_not_written(build, works) -> None:
    first = build("first", works + many(0, 50))
    second = build("second", works + many(0, 50), first)
    assert (report(second)["rebuilt"], report(second)["changed"]) == (False, 0)
    name = read_layout(first / "index").segments[0].name
    files = [f for f in (first / "shards" / name).rglob("*") if f.is_file()]
    assert files
    assert all(f.samefile(second / "shards" / f.relative_to(first / "shards")) for f in files)


def test_a_changed_document_renames_little(build) -> None:
    first = build("first", many(0, 3000))
    rows = many(0, 3000)
    rows[7]["title"] = "Something else"
    second = build("second", rows, first)
    assert report(second)["changed"] == 1
    assert report(second)["shards_written"] < 0.05 * report(first)["shards_size"]


def test_one_record_leaves_younger_segments_as_they_are(build, ask, monkeypatch) -> None:
    monkeypatch.setattr(growth, "TIP", 3)
    rows = many(0, 300)
    for row in rows[:20]:
        row["title"] = "Copper at night"
    young = build("young", rows, build("base", many(0, 300)))
    names = [segment.name for segment in read_layout(young / "index").segments]
    assert len(names) == 2
    sizes = []
    before = young
    for number in range(5):
        rows[number] = {**rows[number], "title": f"Zyzzogeton {number}"}
        before = build(f"record{number}", rows, before)
        segments = read_layout(before / "index").segments
        sizes.append([segment.documents for segment in segments])
        if number < 3:
            assert [segment.name for segment in segments[:2]] == names
    # The tip takes three documents; with the fourth all that is young becomes one again.
    assert sizes == [[300, 20, 1], [300, 20, 2], [300, 20, 3], [300, 20], [300, 20, 1]]
    anew = build("anew", rows)
    assert answers([before]) == answers([anew])
    asked = [*QUERIES, "zyzzogeton"]
    found = [[a["total"] for a in ask([f / "shards"], asked)] for f in (before, anew)]
    assert found[0] == found[1]


@pytest.mark.parametrize("way", ["gone", "for members"])
def test_nothing_is_left_of_a_document_that_goes(build, works, way) -> None:
    secret = many(
        0, 1, title="Zyzzogeton unheard", people=["Quux Frobnitz"], abstract="Xyloid!",
        doi="10.9/hush", topics=["Whispers"], venue="Hush Symposium",
    )  # fmt: skip
    first = build("first", works + secret)
    assert b"zyzzogeton" in b"".join(contents(first / "shards").values())
    rows = works if way == "gone" else works + many(0, 1, title="Other", people=[], abstract="")
    second = build("second", rows if way == "gone" else works, first)
    assert (report(second)["gone"], report(second)["rebuilt"]) == (1, False)
    # In the manifest's JSON a line's end is written with an n.
    left = b"".join(contents(second / "shards").values()).lower().replace(b"\\n", b"\n")
    for word in (b"zyzzogeton", b"frobnitz", b"xyloid", b"n0", b"whisper", b"hush"):
        assert word not in left
    kept = b"".join(contents(second / "index").values())
    lines = [
        line for line in (first / "documents").rglob("*.jsonl") if b"Zyzzo" in line.read_bytes()
    ]
    assert lines
    assert b"Zyzzogeton" not in kept


@pytest.mark.needs("node")
def test_nights_in_which_documents_go_leave_what_a_whole_build_would(
    build, ask, monkeypatch
) -> None:
    for module, name, value in (
        (search_index, "SMALL", 20), (search_index, "DOCUMENTS_PER_PARTITION", 50),
        (growth, "YOUNG_SHARE", 0.5), (growth, "SHARES", (0.05, 0.15)), (growth, "TIP", 10),
        (dictionary, "SHARD_BYTES", 1500), (dictionary, "LIST_BYTES", 150),
        (dictionary, "LONGEST_INLINE", 300), (dictionary, "BLOCK_POSTINGS", 40),
        (terms, "BLOCK_POSTINGS", 40),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    rows = dict(enumerate(library(150)))
    for number, row in rows.items():
        row["people"] = [*row["people"], f"Zed{number}q Person"]
        row["abstract"] += f" uniq{number}q drifts"
    before = build("night0", rows.values())
    gone: list[int] = []
    for night in range(1, 6):
        for number in (night, night + 50):
            rows[number] = {**rows[number], "title": f"Copper drifting {night}"}
        for number in (night * 20, night * 20 + 9, night + 49 * (night > 2)):
            gone.append(number)
            del rows[number]
        for number in range(1000 * night, 1000 * night + 7):
            rows[number] = {**library(1, number)[0], "id": f"publication:w{number}"}
        before = build(f"night{night}", rows.values(), before)
        assert (report(before)["gone"], report(before)["rebuilt"]) == (3, False)
        held = b"\n".join(contents(before / "shards").values())
        for number in gone:
            for word in (f"uniq{number}q", f"zed{number}q", f'"w{number}"'):
                assert word.encode() not in held, (night, word)
    assert len(read_layout(before / "index").segments) > 2
    whole = build("whole", rows.values())
    asked = [*queries(60), *QUERIES, "drifts copper", "drifting", f"uniq{gone[0]}q copper"]
    requests = [
        {"query": q, "prefix": True, "complete": True, "facets": ["year", "topic"]} for q in asked
    ]
    there = ask([before / "shards"], requests)
    anew = ask([whole / "shards"], requests)
    with open_index([before / "index"]) as index:
        for query, found, expected in zip(asked, there, anew, strict=True):
            here = search(index, query, prefix=True)
            assert [hit.id for hit in here.hits] == [hit["id"] for hit in found["hits"]], query
            assert here.total == found["total"] == expected["total"], query
            if here.total:
                assert counts(found) == counts(expected), query


def counts(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        name: sorted((facet["value"], facet["count"]) for facet in found)
        for name, found in answer["facets"].items()
    }


def test_files_that_say_nothing_of_what_goes_are_linked(build, monkeypatch) -> None:
    monkeypatch.setattr(dictionary, "SHARD_BYTES", 1500)
    rows = many(0, 900)
    first = build("first", [*rows, *many(2000, 2001, title="Zyzzogeton", people=[], abstract="")])
    second = build("second", rows, first)
    [segment] = read_layout(second / "index").segments
    [patch] = segment.patches
    folder = second / "shards" / segment.name
    linked = [f for f in folder.rglob("*.bin") if f.is_file()]
    assert len(linked) > len(patch.files)
    assert all(f.samefile(first / "shards" / f.relative_to(second / "shards")) for f in linked)
    assert not any((folder / f"{name}.bin").exists() for name in patch.files)


def test_a_damaged_file_of_words_makes_a_new_base(build, works) -> None:
    first = build("first", works + many(0, 20))
    [segment] = read_layout(first / "index").segments
    words = first / "shards" / segment.name / "t" / "0.bin"
    words.write_bytes(words.read_bytes()[:-9])
    second = build("second", works + many(0, 19), first)
    assert report(second)["rebuilt"]
    assert answers([second]) == answers([build("anew", works + many(0, 19))])


@pytest.mark.parametrize("damage", ["schema", "buckets", "missing"])
def test_a_previous_index_of_another_kind_is_not_used(build, works, damage) -> None:
    first = build("first", works)
    layout = first / "index" / "layout.json"
    if damage == "schema":
        layout.write_bytes(orjson.dumps({**orjson.loads(layout.read_bytes()), "schema": 0}))
        with pytest.raises(SearchError, match="schema version 0"):
            open_index([first / "index"])
    if damage == "missing":
        layout.unlink()
        with pytest.raises(SearchError, match="no search index"):
            open_index([first / "index"])
    second = build("second", works, first, buckets=4 if damage == "buckets" else 8)
    assert report(second)["rebuilt"]


def test_average_lengths_stay_frozen_until_they_are_given(build, works) -> None:
    first = build("first", works)
    frozen = read_layout(first / "index").averages
    second = build("second", [*works, *many(0, 20)], first)
    assert read_layout(second / "index").averages == frozen
    third = build("third", many(0, 20), averages=frozen)
    assert read_layout(third / "index").averages == frozen
    assert read_layout(build("fourth", many(0, 20)) / "index").averages != frozen


def test_no_documents_make_an_index_that_finds_nothing(build, ask) -> None:
    empty = build("empty", [])
    with open_index([empty / "index"]) as index:
        assert search(index, "copper").total == search(index, "*").total == 0
    assert [answer["total"] for answer in ask([empty / "shards"], ["copper", "*", ""])] == [0] * 3


def test_an_empty_index_can_fill_and_empty_again(build, works) -> None:
    empty = build("empty", [])
    full = build("full", works, empty)
    assert report(full)["documents"] == len(works)
    assert report(build("again", [], full))["documents"] == 0


def test_a_damaged_document_stops_the_build_and_leaves_nothing(
    write_documents, works, tmp_path, executor
) -> None:
    documents = write_documents("documents", works)
    with (documents / "0000.jsonl").open("ab") as file:
        file.write(b'{"id": 3}\n')
    with pytest.raises(SearchError, match="no document"):
        update_index(documents, tmp_path / "index", tmp_path / "shards", executor=executor)
    assert not (tmp_path / "index").exists()
    assert not (tmp_path / "shards").exists()


def test_public_files_hold_nothing_of_members_documents(build, works) -> None:
    secret = many(0, 5, title="Zyzzogeton unheard", people=["Quux Frobnitz"], access="members")
    members, public = build("members", secret), build("public", works)
    for word in ("zyzzogeton", "frobnitz", "publication:n1"):
        for data in contents(public / "shards").values():
            assert word.encode() not in data.lower()
    with open_index([public / "index"]) as index:
        assert search(index, "zyzzogeton").total == 0
    with open_index([public / "index", members / "index"]) as index:
        assert search(index, "zyzzogeton").total == 5
        assert search(index, "*").total == 13
