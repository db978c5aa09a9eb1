from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.words import LONGEST_WORD, index_words, split_words, squeeze, title_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Copper Drift, 2nd ed.", ["copper", "drift", "2nd", "ed"]),
        (
            "Brzękowicz Łużna Sørgaard Straße ǅ",
            ["brzekowicz", "luzna", "sorgaard", "strasse", "dz"],
        ),
        ("Ara\u0301nzazu Arańzazu", ["aranzazu", "aranzazu"]),
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zerowidth"]),
        ("ΟΔΟΣ οδός", ["οδοσ", "οδοσ"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("한국어 처리", ["한국어", "처리"]),
        ("x²+½ ﬁne ℌ", ["x2", "1", "2", "fine", "h"]),
        ("a\x00b\nc\ud800d", ["a", "b", "c", "d"]),
        ("", []),
        ("?!", []),
    ],
)
def test_words_are_lower_case_and_without_accents(text: str, words: list[str]) -> None:
    assert split_words(text) == words


def test_chinese_and_japanese_are_indexed_as_pairs() -> None:
    assert index_words("BERT言語処理x 語") == ["bert", "言語", "語処", "処理", "x", "語"]


def test_a_word_without_end_is_cut() -> None:
    assert [len(word) for word in index_words("a" * 1000 + " " + "é" * 1000)] == [LONGEST_WORD] * 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The  Copper-Drift", "the copper drift"),
        ("« Łużna »", "luzna"),
        ("???", " ? ??"),
        ("∅", "∅ "),
    ],
)
def test_titles_with_the_same_words_are_the_same(one: str, other: str) -> None:
    assert title_words(one) == title_words(other) != ""


def test_titles_of_other_symbols_differ() -> None:
    assert title_words("???") != title_words("!!!")


@given(st.text())
def test_any_text_has_words_and_only_blank_text_has_no_title_words(text: str) -> None:
    index_words(text)
    assert bool(title_words(text)) or not squeeze(text)
