"""Facts in words."""

from __future__ import annotations

import pytest

from content_sync.pages.access import effective, visible
from content_sync.pages.listings import pager
from content_sync.pages.wording import (
    counted,
    date_in_words,
    in_one_line,
    listed,
    pages_in_words,
    paragraphs,
    size_in_words,
    span_in_words,
    summary,
)
from content_sync.records import Access


@pytest.mark.parametrize(
    ("parts", "iso", "text"),
    [
        ((2026, 9, 15), "2026-09-15", "15 September 2026"),
        ((2026, 9, None), "2026-09", "September 2026"),
        ((2026, None, None), "2026", "2026"),
    ],
)
def test_a_date_is_as_precise_as_it_is_known(
    parts: tuple[int, int | None, int | None], iso: str, text: str
) -> None:
    assert date_in_words(*parts) == {"iso": iso, "text": text}


def test_no_year_is_no_date() -> None:
    assert date_in_words(None) is None


@pytest.mark.parametrize(
    ("starts", "ends", "text"),
    [
        ("2027-01-19T09:00", "2027-01-20T17:00", "19 to 20 January 2027"),
        ("2027-01-19", "2027-01-19", "19 January 2027"),
        ("2027-01-30", "2027-02-02", "30 January to 2 February 2027"),
        ("2026-12-30", "2027-01-02", "30 December 2026 to 2 January 2027"),
        ("2026-12-30", None, "30 December 2026"),
        (None, None, ""),
    ],
)
def test_a_span_says_each_part_once(starts: str | None, ends: str | None, text: str) -> None:
    assert span_in_words(starts, ends) == text


@pytest.mark.parametrize(
    ("text", "one_line"),
    [
        ("a b", "a b"),
        (" a  b ", "a b"),
        ("a\tb\u00a0c", "a b c"),
        ("a\nb", "a b"),
        ("a\u200bb", "a\u200bb"),
        (" ", ""),
        ("", ""),
    ],
)
def test_words_have_single_spaces_between_them(text: str, one_line: str) -> None:
    assert in_one_line(text) == one_line
    assert paragraphs(text) == ([one_line] if one_line else [])
    assert summary(text) == one_line


def test_a_summary_of_a_text_that_is_mostly_space_reads_on() -> None:
    assert summary("a" + " " * 300 + "b" * 200, 160) == "a …"
    assert summary("a" + " " * 300 + "b", 160) == "a b"


def test_long_lists_of_names_are_cut() -> None:
    names = [f"N{i}" for i in range(33)]
    assert listed(names) == "N0, N1, N2, N3, N4, N5, N6, N7, N8, N9 and 23 more"
    assert listed(names[:11]).endswith("N10"), "one more name is shorter than 'and 1 more'"


def test_counts_agree_with_their_noun() -> None:
    assert [counted(n, "person", "people") for n in (0, 1, 1204)] == [
        "0 people",
        "1 person",
        "1,204 people",
    ]


def test_blank_lines_part_paragraphs_and_other_line_ends_do_not() -> None:
    assert paragraphs("One\nline.\n\n  Two. \n") == ["One line.", "Two."]
    assert paragraphs(None) == []


def test_a_summary_ends_at_a_word() -> None:
    assert summary("one two three", length=9) == "one two …"
    assert summary("x" * 20, length=9) == "x" * 9 + " …"


def test_sizes_are_in_kilobytes_or_megabytes() -> None:
    assert [size_in_words(n) for n in (10, 45_678, 2_100_000)] == ["1 kB", "46 kB", "2.1 MB"]


@pytest.mark.parametrize(
    ("access", "public_on", "expected"),
    [
        ("public", None, Access.PUBLIC),
        ("members", None, Access.MEMBERS),
        ("abstract", "2026-11-24", Access.PUBLIC),
        ("abstract", "2026-11-25", Access.ABSTRACT),
        ("members", "2026-11-23", Access.PUBLIC),
        ("public", "2026-11-25", Access.MEMBERS),
    ],
)
def test_a_date_opens_a_record_on_its_day(
    access: str, public_on: str | None, expected: Access
) -> None:
    assert effective(access, public_on, "2026-11-24") == expected


def test_the_public_sees_no_page_of_members_records() -> None:
    assert not visible(Access.MEMBERS, "public")
    assert visible(Access.ABSTRACT, "public")
    assert visible(Access.MEMBERS, "members")


def test_a_pager_leads_to_the_ends_and_the_neighbours() -> None:
    links = pager("/years/2019/", 10, 80)
    assert links is not None
    assert [link["text"] for link in links["links"]] == [
        *("1", "2", "…", "9", "10", "11", "…", "79", "80")
    ]
    assert links["prev"] == "/years/2019/9/"
    assert links["links"][0]["href"] == "/years/2019/"
    assert pager("/years/2019/", 1, 1) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1-12", "1–12"),
        ("e12 -- e30", "e12–e30"),
        ("1–2", "1–2"),
        ("7-9, 12-14", "7–9, 12–14"),
        ("S1-1-S1-9", "S1-1-S1-9"),
        ("12", "12"),
        (None, ""),
    ],
)
def test_page_numbers_have_the_dash_of_print(text: str | None, shown: str) -> None:
    assert pages_in_words(text) == shown
