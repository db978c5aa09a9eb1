"""Identifiers become URLs that no two records share and that every system can store."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from content_sync.urls import page_file, record_url, slug

_DEVICES = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(10)}


@pytest.mark.parametrize(
    ("record_id", "expected"),
    [
        ("2020.acl-main.1", "2020.acl-main.1"),
        ("EL-2026-0417", "el-2026-0417_u"),
        ("el-2026-0417", "el-2026-0417"),
        ("aB", "ab_m2"),
        ("a/b", "a_2fb"),
        ("a_b", "a_5fb"),
        ("..", "_2e_2e"),
        ("con", "_63on"),
        ("con.txt", "_63on.txt"),
        ("index", "_69ndex"),
        ("page", "_70age"),
        ("é", "_c3_a9"),
    ],
)
def test_an_id_has_the_slug_that_the_documentation_gives(record_id: str, expected: str) -> None:
    assert slug(record_id) == expected


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
@example("AB", "ab")
@example("Ab", "aB")
@example("a_5f", "a_")
@example("x_u", "X")
def test_two_ids_never_share_a_slug(one: str, other: str) -> None:
    assert (slug(one) == slug(other)) == (one == other)


@given(st.text(min_size=1, max_size=300))
@example("A" * 300)
@example("-")
@example(" ")
def test_a_slug_is_a_safe_file_name_everywhere(record_id: str) -> None:
    name = slug(record_id)
    assert name == name.lower()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-._")
    assert len(name) <= 180
    assert not name.startswith((".", "-"))
    assert not name.endswith(".")
    assert ".." not in name
    assert name.partition(".")[0] not in _DEVICES


def test_long_ids_that_differ_at_the_end_stay_apart() -> None:
    assert slug("x" * 300 + "a") != slug("x" * 300 + "b")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("/", "index.html"),
        ("/publications/", "publications/index.html"),
        ("/publications/a/", "publications/a.html"),
        ("/venues/acl/2019/2/", "venues/acl/2019/2.html"),
        ("/404.html", "404.html"),
    ],
)
def test_a_page_is_one_file(url: str, file: str) -> None:
    assert page_file(url) == file


def test_a_record_lives_in_the_folder_of_its_type() -> None:
    assert record_url("person", "ada") == "/people/ada/"
