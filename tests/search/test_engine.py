"""The browsers' engine under Node: it finds and ranks as the command line does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import orjson
import pytest

from search.query import open_index, search
from search.schema import handle
from search.shards import key_hash
from search.words import index_words, spellings, split_words, title_words
from tests.search.libraries import library, queries
from tests.search.test_index import many

CLIENT = Path(__file__).parent / "client"

TEXTS = [
    "", " ", "Copper Drift", "Brzękowicz Łużna Sørgaard Straße ẞ Œuvre ĲSSEL ŉ", "İstanbul ıI",
    "soft\u00adhyphen zero\u200bwidth \ufeffbom", "ΟΔΟΣ οδός Σ", "हिन्दी भाषा", "한국어 처리",
    "x²+½ ﬁne ℌ №5 ™", "言語処理BERT研究 語", "𠀀𠀁𠀂 a", "שָׁלוֹם עולם", "اَلْعَرَبِيَّةُ", "???", "∅ ∅",
    "a\x00b\x1fc\x7f",
    "Ara\u0301nzazu e\u0301\u0323", "$\\alpha$-equivalence \\textit{x}", "<b>bold</b> &amp;",
    "don't Chomsky’s l'été", "a" * 100 + " " + "é" * 100 + " " + "𝒳" * 100,
    "https://doi.org/10.1/ABC",
    "DOI:10.5/x", "e-mail C++ C# .NET", "ภาษาไทย", "Việt Nam", "ǅ ǆ Ǆ", "\u2028line\u2029end",
    "١٢٣ ⅫⅣ", "🙂 emoji",
]  # fmt: skip


@pytest.mark.needs("node")
def test_both_engines_give_the_same_first_ten(build, ask) -> None:
    folder = build("library", library(400))
    asked = queries(500)
    there = ask(
        [folder / "shards"],
        [{"query": q, "prefix": True, "snippets": False, "complete": True} for q in asked],
    )
    with open_index([folder / "index"]) as index:
        for query, found in zip(asked, there, strict=True):
            here = search(index, query, prefix=True)
            assert [hit.id for hit in here.hits] == [hit["id"] for hit in found["hits"]], query
            assert here.total == found["total"], query
            scores = [round(hit["score"], 3) for hit in found["hits"]]
            assert [round(hit.score, 3) for hit in here.hits] == scores, query


@pytest.mark.needs("node")
def test_both_engines_agree_after_nights_and_over_members_records(build, ask) -> None:
    rows = library(200)
    first = build("first", rows)
    rows[3]["title"] = rows[9]["title"] = "copper drift anew"
    second = build("second", rows + library(210)[200:], first)
    members = build("members", [{**row, "id": f"{row['id']}m"} for row in library(40, 9)])
    asked = queries(60)
    folders = [second, members]
    there = ask([f / "shards" for f in folders], [{"query": q, "prefix": True} for q in asked])
    with open_index([f / "index" for f in folders]) as index:
        for query, found in zip(asked, there, strict=True):
            here = search(index, query, prefix=True)
            assert [hit.id for hit in here.hits] == [hit["id"] for hit in found["hits"]], query
            assert here.total == found["total"]


@pytest.mark.needs("node")
def test_the_query_language_finds_the_same_in_browsers(build, works, ask) -> None:
    from tests.search.test_query import test_the_query_language_finds

    [mark] = [m for m in test_the_query_language_finds.pytestmark if m.name == "parametrize"]
    cases = [case for case in mark.args[1] if case[0]]
    folder = build("works", works)
    found = ask([folder / "shards"], [{"query": q, "limit": 50} for q, _ in cases])
    for (query, ids), answer in zip(cases, found, strict=True):
        assert {hit["id"].partition(":")[2] for hit in answer["hits"]} == set(ids.split()), query


@pytest.mark.needs("node")
def test_words_are_the_same_in_python_and_in_javascript() -> None:
    done = subprocess.run(
        ["node", str(CLIENT / "words.mjs")],
        input=json.dumps(TEXTS),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    for text, made in zip(TEXTS, json.loads(done.stdout), strict=True):
        assert made == {
            "split": split_words(text),
            "index": index_words(text),
            "title": title_words(text),
            "handle": handle(text),
            "hash": key_hash(text),
            "spellings": [list(pair) for pair in spellings(text)],
        }, text


@pytest.mark.needs("node")
def test_facets_count_the_list_and_filters_narrow_it(build, ask) -> None:
    rows = library(300)
    folder = build("library", rows)
    filters = {"kind": ["report"], "year": [2000, 2010], "topic": ["Metals"]}
    names = ["kind", "year", "topic", "venue", "type"]
    everything, narrowed, copper = ask(
        [folder / "shards"],
        [
            {"query": "", "facets": names, "limit": 5},
            {"query": "", "filters": filters, "facets": names, "limit": 300},
            {"query": "copper", "facets": names, "limit": 300, "complete": True},
        ],
    )
    assert everything["total"] == 300
    assert [hit["year"] for hit in everything["hits"]] == sorted(
        (row["year"] for row in rows), reverse=True
    )[:5]
    assert sum(entry["count"] for entry in everything["years"]) == 300
    chosen = {
        row["id"]
        for row in rows
        if row["kind"] == "report" and 2000 <= row["year"] <= 2010 and "Metals" in row["topics"]
    }
    assert {hit["id"] for hit in narrowed["hits"]} == chosen
    kinds = {entry["value"]: entry["count"] for entry in narrowed["facets"]["kind"]}
    assert kinds["report"] == len(chosen)
    assert "article" in kinds, "a facet's own filter hides its other values"
    for name in ("kind", "venue"):
        for entry in copper["facets"][name]:
            listed = sum(hit[name] == entry["value"] for hit in copper["hits"])
            assert listed == entry["count"]


@pytest.mark.needs("node")
def test_withdrawn_records_never_show(build, works, ask) -> None:
    folder = build("works", works)
    before, *_ = ask([folder / "shards"], ["copper"])
    after, named = ask(
        [folder / "shards"], ["copper", "2021.b-2"], withdrawn=["publication:2021.b-2"]
    )
    assert after["total"] == before["total"] - 1
    assert "publication:2021.b-2" not in [hit["id"] for hit in after["hits"] + named["hits"]]


@pytest.mark.needs("node")
def test_slips_beginnings_and_endings_are_forgiven_and_said(build, works, ask) -> None:
    folder = build("works", works + many(0, 5, title="Reliability of interconnects"))
    slip, begun, nothing = ask(
        [folder / "shards"],
        [
            {"query": "relaibility"},
            {"query": "interc", "prefix": True},
            {"query": "xyzzyx qwertz"},
        ],
    )
    assert slip["suggestion"] == "reliability"
    assert slip["hits"][0]["title"] == "Reliability of interconnects"
    assert begun["total"] >= 5
    assert begun["suggestion"] is None
    assert nothing["total"] == 0
    assert [each["documents"] for each in nothing["nothing"]["each"]] == [0, 0]


@pytest.mark.needs("node")
def test_accents_as_written_come_first(build, ask) -> None:
    rows = many(0, 2, title="Report", abstract="")
    rows[0]["people"], rows[1]["people"] = ["Jan Müller"], ["Jan Muller"]
    folder = build("names", rows)
    plain, written = ask([folder / "shards"], ["muller", "Müller"])
    assert [hit["people"][0] for hit in plain["hits"]] == ["Jan Muller", "Jan Müller"]
    assert [hit["people"][0] for hit in written["hits"]] == ["Jan Müller", "Jan Muller"]
    with open_index([folder / "index"]) as index:
        for query, found in (("muller", plain), ("Müller", written)):
            ids = [hit.id for hit in search(index, query).hits]
            assert ids == [hit["id"] for hit in found["hits"]]


@pytest.mark.needs("node")
def test_three_fetches_follow_each_other_from_nothing_to_results(build, ask) -> None:
    folder = build("library", library(400))
    for query in ("copper drift", "polymer noise lattice", "ferrolith"):
        [answer] = ask([folder / "shards"], [{"query": query, "snippets": False}], counting=True)
        assert answer["hits"]
        assert answer["depth"] <= 3, answer["fetched"]


HOSTILE = [
    "a " * 5000, "copper" * 2000, '"' * 10_001, "-" * 10_000, '-"', "author:", 'author:"',
    "\x00\x01\x1b[31m", "<script>alert(1)</script>", "' OR 1=1 --", "((((", "\u202eright to left",
    "خزامى שלום", "year:99999 year:.. year:-", "𝕮𝖔𝖕𝖕𝖊𝖗", "[* TO *]", "__proto__ constructor",
    "year:2019 " * 900, '"a b" ' * 1500, "-x " * 3000, "言語" * 3000, "copper " * 1400,
]  # fmt: skip


@pytest.mark.needs("node")
def test_hostile_queries_are_only_words(build, works, ask) -> None:
    folder = build("works", works)
    found = ask([folder / "shards"], [{"query": q, "prefix": True} for q in HOSTILE])
    assert all("error" not in answer for answer in found)
    assert "opper" in found[HOSTILE.index("𝕮𝖔𝖕𝖕𝖊𝖗")]["hits"][0]["title"]


@pytest.mark.needs("node")
@pytest.mark.parametrize("damage", ["missing", "cut", "other", "empty"])
def test_a_damaged_file_is_an_error_and_never_a_wrong_list(build, works, ask, damage) -> None:
    folder = build("works", works)
    shards = folder / "shards"
    segment = next(path for path in shards.iterdir() if path.is_dir())
    words, results = segment / "t" / "0.bin", segment / "d" / "0.bin"
    for path, other in ((words, results), (results, words)):
        kept = path.read_bytes()
        if damage == "missing":
            path.unlink()
        else:
            content = {"cut": kept[:-3], "other": other.read_bytes(), "empty": b""}
            path.write_bytes(content[damage])
        [answer] = ask([shards], ["copper drift"])
        assert answer["error"] == ("unavailable" if damage == "missing" else "damaged")
        assert answer["words"]
        path.write_bytes(kept)


@pytest.mark.needs("node")
def test_a_manifest_of_another_kind_is_said_so(build, works, ask) -> None:
    folder = build("works", works)
    manifest = folder / "shards" / "manifest.json"
    row = orjson.loads(manifest.read_bytes())
    manifest.write_bytes(orjson.dumps({**row, "format": 1}))
    assert ask([folder / "shards"], ["copper"])[0]["error"] == "mismatch"
    manifest.write_bytes(b'{"format": 3, "segm')
    assert ask([folder / "shards"], ["copper"])[0]["error"] == "damaged"
    manifest.unlink()
    assert ask([folder / "shards"], ["copper"])[0]["error"] == "unavailable"
