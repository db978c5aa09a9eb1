from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.language import parse_query
from search.query import Index, open_index, search


@pytest.fixture
def index(build, works) -> Iterator[Index]:
    with open_index([build("d", works) / "index"]) as opened:
        yield opened


def found(index: Index, query: str) -> set[str]:
    return {hit.id.partition(":")[2] for hit in search(index, query, limit=100).hits}


def first(index: Index, query: str) -> str:
    return search(index, query).hits[0].id.partition(":")[2]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("cobalt", "2023.c-3"),
        ("electromigration", "2019.a-1 2021.b-2"),
        ("drifting", "2019.a-1 2021.b-2 2023.c-3 r-4"),
        ('"copper drift"', "2019.a-1 2021.b-2 r-4"),
        ('"drift copper"', "r-4"),
        ('"narrow lines"', "2019.a-1"),
        ('"lovelace tomasz"', ""),
        ("copper -noise", "2019.a-1 2021.b-2 r-4"),
        ('copper -"copper drift"', "2023.c-3"),
        ("author:lovelace", "2019.a-1 ada"),
        ("author:brzekowicz", "2019.a-1"),
        ("AUTHOR:Brzękowicz", "2019.a-1"),
        ('author:"ada byron"', "2023.c-3"),
        ('author:"a a king"', "ada"),
        ("-author:ada copper", "2021.b-2 r-4"),
        ("title:copper", "2019.a-1 2021.b-2 r-4"),
        ("title:copper title:lines", "2019.a-1"),
        ("abstract:cobalt", "2023.c-3"),
        ("venue:sir", "2019.a-1"),
        ('venue:"device lifetimes"', "2021.b-2 2023.c-3"),
        ("topic:electromigration", "2019.a-1"),
        ("institution:luzna", "2023.c-3"),
        ("kind:report", "r-4"),
        ('kind:"journal article" copper', "2021.b-2 2023.c-3"),
        ("year:2021", "2021.b-2"),
        ("year:2021..", "2021.b-2 2023.c-3 r-4"),
        ("year:..2001", "t-6 t-7"),
        ("year:2019..2021", "2019.a-1 2021.b-2"),
        ("year:soon", ""),
        ("type:person", "ada"),
        ("status:retracted", "r-4"),
        ("access:abstract", "t-7"),
        ("id:2021.B-2", "2021.b-2"),
        ("doi:10.1234/copper.1", "2019.a-1"),
        ("doi:https://doi.org/10.1234/COPPER.1", "2019.a-1"),
        ("言語", "t-7"),
        ("unheard", ""),
        ("", ""),
        ("unknown:cobalt", "2023.c-3"),
        ("the", "t-5"),
    ],
)
def test_the_query_language_finds(index: Index, query: str, ids: str) -> None:
    assert found(index, query) == set(ids.split())


def test_a_star_finds_everything_newest_first(index: Index, works) -> None:
    results = search(index, "*")
    assert results.total == len(works)
    assert [hit.year for hit in results.hits[:3]] == [2023, 2022, 2021]
    assert found(index, "* -copper") == {"t-5", "t-6", "t-7", "ada"}


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("copper drift in narrow lines", "2019.a-1"),
        ("narrow lines drift", "2019.a-1"),
        ("electromigration copper", "2021.b-2"),
        ("Electromigration of Copper!", "2021.b-2"),
        ("ada lovelace", "ada"),
        ("lovelace copper", "2019.a-1"),
        ("2021.b-2", "2021.b-2"),
        ("publication:2021.b-2", "2021.b-2"),
        ("https://doi.org/10.1234/copper.1", "2019.a-1"),
        ("The", "t-5"),
        ("the.", "t-5"),
        ("? ? ?", "t-6"),
        ("自然言語処理の研究", "t-7"),
        ("Copper drift revisited", "r-4"),
    ],
)
def test_what_is_named_exactly_or_matches_best_comes_first(
    index: Index, query: str, best: str
) -> None:
    assert first(index, query) == best


def test_more_of_the_words_win_and_retracted_works_lose(index: Index) -> None:
    ranked = [hit.id for hit in search(index, "copper drift").hits]
    assert ranked[:2] == ["publication:2019.a-1", "publication:2021.b-2"]
    assert "publication:r-4" in ranked[2:]


def test_a_hit_shows_what_a_list_needs(index: Index) -> None:
    hit = search(index, "resistance drifts narrow").hits[0]
    assert (hit.rank, hit.type, hit.url) == (1, "publication", "/publications/2019.a-1/")
    assert (hit.year, hit.venue_short, hit.status) == (2019, "SIR", "current")
    assert [hit.title[a:b] for a, b in hit.title_marks] == ["drift", "narrow"]
    assert [hit.snippet[a:b] for a, b in hit.snippet_marks] == ["resistance", "drifts"]


def test_pages_follow_each_other(index: Index, works) -> None:
    pages = [search(index, "*", limit=3, page=page).hits for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [3, 3, 2, 0]
    assert [hit.rank for page in pages for hit in page] == list(range(1, len(works) + 1))
    assert len({hit.id for page in pages for hit in page}) == len(works)


def test_phrases_are_found_in_documents_full_of_their_words(build, works) -> None:
    text = "copper lines " * 20
    row = {**works[0], "abstract": f"{text} drift here. drift {text}"}
    with open_index([build("d", [row]) / "index"]) as index:
        assert search(index, 'abstract:"lines drift here drift copper"').total == 1
        assert search(index, 'abstract:"copper drift"').total == 0


@pytest.mark.parametrize(
    "query",
    [
        "a " * 5000,
        "copper" * 2000,
        '"' * 10_001,
        "-" * 10_000,
        "- -",
        '-"',
        "author:",
        'author:"',
        "title:*",
        "\x00\x01\x1b[31m",
        "\ud800",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "((((",
        "copper AND NOT OR",
        "\u202eright to left",
        "خزامى שלום",
        "year:99999 year:.. year:-",
        "𝕮𝖔𝖕𝖕𝖊𝖗",
        "[* TO *]",
        "copper^1000~",
    ],
)
def test_hostile_queries_are_only_words(index: Index, query: str) -> None:
    search(index, query)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(
    st.text(st.sampled_from('abc :"-*.\\/ é語\x00\ud800author:yeardoi'), max_size=60) | st.text()
)
def test_any_text_is_a_query(index: Index, text: str) -> None:
    results = search(index, text)
    assert len(results.hits) == min(results.total, 10)


def test_stop_words_are_left_out_unless_there_is_nothing_else() -> None:
    assert parse_query("what is the drift of copper").words == ("drift", "copper")
    assert parse_query("what is this").words == ("what", "is", "this")
    assert parse_query("copper copper drift").words == ("copper", "copper", "drift")


def test_a_quoted_aside_in_a_sentence_is_only_words(index) -> None:
    aside = '"what you see is what you get"'
    sentence = f"copper drift {aside} noise, stress lines, resistance hours failure"
    assert search(index, sentence).total == 4
    assert search(index, f"copper {aside}").total == 0


def test_a_work_with_all_words_in_title_and_names_comes_first(build, works) -> None:
    rows = [
        work("short", "An annotated corpus", ["Simone Pereira"], "Annotation of text. " * 9),
        work(
            "whole",
            "Annotation of predicates that are complex in a large corpus of modern Portuguese",
            ["Iris Hendrickx", "Amália Mendes", "Sílvia Pereira", "Anabela Gonçalves"],
        ),
    ]
    with open_index([build("d", works + rows) / "index"]) as opened:
        assert first(opened, "pereira annotation corpus") == "whole"
        assert first(opened, "pereira annottation corpus") == "whole"


def test_a_slip_of_the_pen_is_taken_for_the_usual_word(build, works) -> None:
    rows = [work(f"usual{n}", "Translation", []) for n in range(30)]
    rows += [work(f"rare{n}", "Transition of states", []) for n in range(3)]
    with open_index([build("d", works + rows) / "index"]) as opened:
        assert first(opened, "transltion").startswith("usual")


def test_a_whole_name_counts_more_than_a_part_of_one(build, works) -> None:
    rows = [
        work("part", "Tone", ["Zhao-Yu Su", "Huan Sun", "Wen-tau Yih"]),
        work("whole", "Parsing", ["Ziyu Yao", "Yu Su", "Huan Sun", "Wen-tau Yih"]),
        *(work(f"other{n}", "Speech", [f"Yu Lin{n}"]) for n in range(9)),
        *(work(f"more{n}", "Speech", [f"Su Lin{n}"]) for n in range(9)),
    ]
    with open_index([build("d", works + rows) / "index"]) as opened:
        assert first(opened, "Yu Su") == "whole"


def work(name: str, title: str, people: list[str], abstract: str = "") -> dict[str, Any]:
    return {
        "id": f"publication:{name}",
        "type": "publication",
        "url": f"/publications/{name}/",
        "title": title,
        "people": people,
        "abstract": abstract,
        "year": 2020,
    }
