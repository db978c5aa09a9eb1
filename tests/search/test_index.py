from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from search import index as search_index
from search.errors import SearchError
from search.index import read_layout, update_index
from search.query import open_index, search

QUERIES = [
    "*", "copper", "copper drift", '"copper drift"', "lines -noise", "author:lovelace",
    "ada lovelace", "narrow copper lines fail early", "year:2019..2022", "word7 word8",
    "title 17", "number 3",
]  # fmt: skip


def many(first: int, last: int, **values) -> list[dict]:
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


def answers(folders: list[Path]) -> dict[str, list]:
    with open_index(folders) as index:
        found = {query: search(index, query, limit=50) for query in QUERIES}
        return {
            query: [results.total, [(hit.id, hit.score, hit.title) for hit in results.hits]]
            for query, results in found.items()
        }


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_processes_that_were_spawned_build_the_same_index(
    write_documents, works, tmp_path, executor, spawned
) -> None:
    documents = write_documents("documents", works + many(0, 60))
    reports = [
        update_index(documents, tmp_path / "one", executor=spawned, partitions=4),
        update_index(documents, tmp_path / "two", executor=executor, partitions=1),
    ]
    assert [report.documents for report in reports] == [68, 68]
    assert [report.partitions for report in reports] == [4, 1]
    assert answers([tmp_path / "one"]) == answers([tmp_path / "two"])


def test_an_updated_index_answers_as_one_made_anew(
    write_documents, works, tmp_path, executor
) -> None:
    rows = works + many(0, 200)
    documents = write_documents("documents0", rows, 16)
    index = tmp_path / "index0"
    update_index(documents, index, executor=executor, partitions=4)
    for night in range(1, 12):
        rows = [row for row in rows if row["id"] != f"publication:n{night * 3}"]
        rows = [
            {**row, "title": f"Copper {night}"} if row["id"] == f"publication:n{night * 2}" else row
            for row in rows
        ]
        rows += many(1000 * night, 1000 * night + 3)
        following = write_documents(f"documents{night}", rows, 16)
        report = update_index(
            following,
            tmp_path / f"index{night}",
            previous_documents=documents,
            previous_index=index,
            executor=executor,
        )
        assert (report.added, report.gone) == (3, 1)
        assert report.changed <= 1
        assert report.documents == len(rows)
        documents, index = following, tmp_path / f"index{night}"
    update_index(documents, tmp_path / "anew", executor=executor, partitions=2)
    assert answers([index]) == answers([tmp_path / "anew"])
    layouts = [read_layout(index), read_layout(tmp_path / "anew")]
    totals = [
        [sum(p.lengths[i] for p in layout.partitions) for i in range(3)] for layout in layouts
    ]
    assert totals[0] == totals[1]


def test_an_update_leaves_the_previous_index_as_it_was(
    write_documents, works, tmp_path, executor
) -> None:
    before = write_documents("before", works + many(0, 50))
    now = write_documents("now", works[1:] + many(0, 51))
    first, second = tmp_path / "first", tmp_path / "second"
    update_index(before, first, executor=executor, partitions=2)
    bytes_before, answers_before = contents(first), answers([first])
    update_index(now, second, previous_documents=before, previous_index=first, executor=executor)
    assert contents(first) == bytes_before
    assert answers([first]) == answers_before
    assert answers([second]) != answers_before


def test_an_unchanged_partition_is_linked_and_not_written(
    write_documents, works, tmp_path, executor
) -> None:
    documents = write_documents("documents", works)
    first, second = tmp_path / "first", tmp_path / "second"
    update_index(documents, first, executor=executor, partitions=2)
    report = update_index(
        documents, second, previous_documents=documents, previous_index=first, executor=executor
    )
    assert (report.rebuilt, report.updated, report.added) == (0, 0, 0)
    files = [f for f in first.rglob("*") if f.is_file() and f.name != "layout.json"]
    assert files
    assert all(f.samefile(second / f.relative_to(first)) for f in files)


def test_an_index_that_lost_much_is_made_anew(write_documents, tmp_path, executor) -> None:
    before = write_documents("before", many(0, 100))
    now = write_documents("now", many(0, 40))
    update_index(before, tmp_path / "first", executor=executor, partitions=1)
    report = update_index(
        now,
        tmp_path / "second",
        previous_documents=before,
        previous_index=tmp_path / "first",
        executor=executor,
    )
    assert (report.rebuilt, report.documents) == (1, 40)


@pytest.mark.parametrize("damage", ["schema", "buckets", "missing"])
def test_a_previous_index_of_another_kind_is_not_used(
    write_documents, works, tmp_path, executor, damage
) -> None:
    before = write_documents("before", works)
    now = write_documents("now", works, 4 if damage == "buckets" else 8)
    first = tmp_path / "first"
    update_index(before, first, executor=executor, partitions=1)
    if damage == "schema":
        layout = orjson.loads((first / "layout.json").read_bytes())
        (first / "layout.json").write_bytes(orjson.dumps({**layout, "schema": 0}))
        with pytest.raises(SearchError, match="schema version 0"):
            open_index([first])
    if damage == "missing":
        (first / "layout.json").unlink()
        with pytest.raises(SearchError, match="no search index"):
            open_index([first])
    report = update_index(
        now,
        tmp_path / "second",
        previous_documents=before,
        previous_index=first,
        executor=executor,
    )
    assert report.rebuilt == report.partitions == 1


def test_the_number_of_partitions_follows_the_size_and_is_kept(
    write_documents, tmp_path, executor, monkeypatch
) -> None:
    monkeypatch.setattr(search_index, "DOCUMENTS_PER_PARTITION", 20)
    before = write_documents("before", many(0, 50))
    now = write_documents("now", many(0, 55))
    report = update_index(before, tmp_path / "first", executor=executor)
    assert report.partitions == 4
    monkeypatch.setattr(search_index, "DOCUMENTS_PER_PARTITION", 1000)
    report = update_index(
        now,
        tmp_path / "second",
        previous_documents=before,
        previous_index=tmp_path / "first",
        executor=executor,
    )
    assert (report.partitions, report.rebuilt) == (4, 0)


def test_no_documents_make_an_index_that_finds_nothing(write_documents, tmp_path, executor) -> None:
    report = update_index(write_documents("none", []), tmp_path / "index", executor=executor)
    assert report.documents == 0
    with open_index([tmp_path / "index"]) as index:
        assert search(index, "copper").total == search(index, "*").total == 0


def test_a_damaged_document_stops_the_build_and_leaves_no_index(
    write_documents, works, tmp_path, executor
) -> None:
    documents = write_documents("documents", works)
    with (documents / "0000.jsonl").open("ab") as file:
        file.write(b'{"id": 3}\n')
    with pytest.raises(SearchError, match="no document"):
        update_index(documents, tmp_path / "index", executor=executor, partitions=2)
    assert not (tmp_path / "index").exists()


def test_public_indexes_hold_nothing_of_members_documents(
    write_documents, works, tmp_path, executor
) -> None:
    secret = many(0, 5, title="Zyzzogeton unheard", people=["Quux Frobnitz"], access="members")
    members = write_documents("members", secret)
    public = write_documents("public", works)
    for name, documents in (("m", members), ("p", public)):
        update_index(documents, tmp_path / "index" / name, executor=executor, partitions=2)
    for word in ("zyzzogeton", "frobnitz", "publication:n1"):
        assert all(
            word not in str(data).lower() for data in contents(tmp_path / "index/p").values()
        )
    with open_index([tmp_path / "index/p"]) as index:
        assert search(index, "zyzzogeton").total == 0
    with open_index([tmp_path / "index/p", tmp_path / "index/m"]) as index:
        assert search(index, "zyzzogeton").total == 5
        assert search(index, "*").total == 13
