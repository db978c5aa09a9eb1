from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from content_sync.cli import main
from search.errors import SearchError
from search.trial import try_collection

ROWS: list[dict[str, Any]] = [
    {"id": "A 1", "title": "Copper drift", "authors": ["Ada Byron"], "year": "2001"},
    {"id": 2, "title": None, "authors": "Mio Kazahaya", "year": None, "abstract": "copper lines"},
    {"id": "x/3", "abstract": "noise \ud800 before failure", "year": "MCMXC"},
    {"id": "4"},
    {"id": "4", "title": "copper again"},
    {"id": "ü5", "title": ["not", "a", "title"], "authors": [None, 7], "venue": {}},
]


def write(folder: Path, rows: list[Any], queries: str) -> tuple[Path, Path]:
    documents, asked = folder / "docs.jsonl", folder / "queries.tsv"
    documents.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    asked.write_text(queries, "utf-8")
    return documents, asked


def ranked(run: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in run.read_text("utf-8").splitlines():
        query, zero, document, rank, score, _ = line.split()
        found.setdefault(query, []).append(document)
        assert (zero, int(rank), int(score)) == ("Q0", len(found[query]), 1001 - int(rank))
    return found


@pytest.mark.needs("node")
@pytest.mark.parametrize("engine", ["client", "whoosh"])
def test_a_run_names_what_each_query_finds(tmp_path, executor, engine) -> None:
    queries = "q1\tcopper\nq2\tnoise failure?\n\nq3\tunheard\n q 4\t\nq5\tbyron\r\n"
    documents, asked = write(tmp_path, ROWS, queries)
    said: list[str] = []
    run = tmp_path / "out.run"
    count = try_collection(documents, asked, run, engine=engine, executor=executor, say=said.append)
    assert count == 5
    found = ranked(run)
    assert found["q1"] == ["A_1", "2"]
    assert found["q2"] == ["x/3"]
    assert found["q5"] == ["A_1"]
    assert "q3" not in found
    assert any("1 documents have the id of an earlier one" in line for line in said)


@pytest.mark.needs("node")
@pytest.mark.parametrize("engine", ["client", "whoosh"])
def test_documents_without_titles_and_none_at_all(tmp_path, executor, engine) -> None:
    rows = [{"id": n, "abstract": f"wave guide number{n}"} for n in range(50)]
    run = tmp_path / "out.run"
    documents, asked = write(tmp_path, rows, "1\twave number7\n")
    try_collection(documents, asked, run, engine=engine, executor=executor, say=str)
    assert ranked(run)["1"][0] == "7"
    assert len(ranked(run)["1"]) == 50
    documents, asked = write(tmp_path, [], "1\twave\n")
    try_collection(documents, asked, run, engine=engine, executor=executor, say=str)
    assert ranked(run) == {}


@pytest.mark.parametrize(
    ("documents", "queries", "complaint"),
    [
        ("{}\n", "1\ta\n", r"line 1: no object with an id"),
        ('{"id": 1}\nnonsense\n', "1\ta\n", r"line 2: no JSON"),
        ("[1]\n", "1\ta\n", r"line 1: no object"),
        ('{"id": 1}\n', "no tab\n", r"queries.tsv, line 1: no query id"),
    ],
)
def test_files_of_another_kind_are_refused(
    tmp_path, executor, documents, queries, complaint
) -> None:
    _, asked = write(tmp_path, [], queries)
    (tmp_path / "docs.jsonl").write_text(documents)
    with pytest.raises(SearchError, match=complaint):
        try_collection(
            tmp_path / "docs.jsonl",
            asked,
            tmp_path / "out.run",
            engine="whoosh",
            executor=executor,
            say=str,
        )


def test_the_command_says_what_is_missing(tmp_path, monkeypatch) -> None:
    documents, asked = write(tmp_path, ROWS, "1\tcopper\n")
    options = ["--documents", str(documents), "--run", str(tmp_path / "out.run")]
    missing = CliRunner().invoke(
        main, ["bench", "search", *options, "--queries", str(tmp_path / "none.tsv")]
    )
    assert missing.exit_code == 1
    assert "none.tsv cannot be read" in missing.output
    monkeypatch.setenv("PATH", "")
    no_node = CliRunner().invoke(main, ["bench", "search", *options, "--queries", str(asked)])
    assert no_node.exit_code == 1
    assert "Node.js is not installed" in no_node.output
