"""Abstracts and results are small, and come back as they were, here and in browsers."""

from __future__ import annotations

import zlib

import pytest

from search.primed import pack_abstract, unpack_abstract

TITLES = ["", "Copper drift", "Łużna — 自然言語処理 𝕮 " * 40]
ABSTRACTS = [
    "x",
    "In this paper we propose a novel approach to copper drift in narrow lines.",
    "自然言語処理の研究。" * 30,
    "𝕮𝖔𝖕𝖕𝖊𝖗 résumé \n\t <b>5 % & more</b> " * 200,
]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("abstract", ABSTRACTS)
def test_an_abstract_comes_back_as_it_was(title: str, abstract: str) -> None:
    assert unpack_abstract(title, pack_abstract(title, abstract)) == abstract


def test_what_is_usual_and_what_the_title_says_costs_little() -> None:
    title, abstract = TITLES[1], ABSTRACTS[1].replace("copper drift", "Copper drift")
    packed = pack_abstract(title, abstract)
    assert len(packed) < len(pack_abstract("", abstract)) < len(zlib.compress(abstract.encode(), 9))


def test_a_damaged_abstract_is_refused() -> None:
    packed = pack_abstract(*TITLES[1:2], ABSTRACTS[1])
    for damaged in (packed[:-5], packed[:9] + b"??" + packed[11:], b""):
        with pytest.raises(ValueError, match="damaged"):
            unpack_abstract(TITLES[1], damaged)
    with pytest.raises(ValueError, match="damaged"):
        unpack_abstract("Copper drifts", packed)


@pytest.mark.needs("node")
def test_browsers_read_the_same(build, ask) -> None:
    rows = [
        {
            "id": f"publication:a{i}{j}",
            "type": "publication",
            "url": f"/publications/a{i}{j}/",
            "title": f"Same word {title}".strip(),
            "abstract": abstract[:150],
        }
        for i, title in enumerate(TITLES)
        for j, abstract in enumerate(ABSTRACTS)
    ]
    folder = build("abstracts", rows)
    [answer] = ask([folder / "shards"], [{"query": "same word", "limit": 50}])
    assert "hits" in answer, answer
    expected = {row["id"]: " ".join(row["abstract"].split()) for row in rows}
    found = {hit["id"]: " ".join(hit["snippet"].split()) for hit in answer["hits"]}
    assert found == expected
