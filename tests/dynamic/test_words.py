"""Text that people typed, in every script and as nobody would type it."""

from __future__ import annotations

import pytest

from dynamic.words import one_line, plain_text


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Hạ Miên",
        "Łukasz Żak",
        "阮夏绵",
        "عبد الرحمن بن عوف",
        "ישראל ישראלי",
        "अनन्या वेल्लोडी",
        "யாழினி",
        "เพ็ญพักตร์",
        "O’Brien-Ñandú",
        "Ｆｕｌｌ Ｗｉｄｔｈ",
        "🌱 Ada",
    ],
)
def test_names_of_every_script_survive(name: str) -> None:
    assert one_line(f"  {name} ") == name


def test_letters_are_composed_and_controls_are_gone() -> None:
    assert one_line("Z\u0307ak\x00\u202e\n x\ud800") == "Żak x"


def test_a_heap_of_marks_is_cut_before_it_is_sorted() -> None:
    # Sorted whole, it would take more than ten minutes.
    heap = plain_text("a" + "\u0315\u0300" * 400_000 + "b", 1_000_000)
    assert heap.endswith("b")
    assert len(heap) < 40
