"""Which words of a reference are in italics, and that nothing else is taken for a tag."""

from __future__ import annotations

from typing import Any

import pytest
from markupsafe import escape

from content_sync.citations.reference import Name, Reference
from content_sync.citations.styles import styled
from content_sync.records import Kind

STYLES = ("APA", "IEEE", "Chicago")
HOSTILE = ("</i><script>", "a \ue000 b", "\ue001 \ue000<b>", "\ue000x\ue001")
FACTS: dict[str, Any] = {
    "key": "k",
    "title": "On the Line",
    "authors": (Name(family="Ray", given="Ann"),),
    "year": 2026,
}


@pytest.mark.parametrize(
    ("kind", "more", "italic"),
    [
        (
            Kind.JOURNAL_ARTICLE,
            {"container": "The Review", "volume": "7", "issue": "2", "first_page": "1"},
            {"APA": ["The Review", "7"], "IEEE": ["The Review"], "Chicago": ["The Review"]},
        ),
        (
            Kind.CONFERENCE_PAPER,
            {"container": "Proceedings of X (Day 1)", "first_page": "1", "last_page": "9"},
            {style: ["Proceedings of X (Day 1)"] for style in STYLES},
        ),
        (
            Kind.BOOK,
            {"publisher": "Press"},
            {style: ["On the Line"] for style in STYLES},
        ),
    ],
)
def test_names_of_what_stands_alone_are_in_italics(
    kind: Kind, more: dict[str, str], italic: dict[str, list[str]]
) -> None:
    for style, html in styled(Reference(kind=kind, **FACTS, **more)):
        parts = str(html).split("<i>")[1:]
        assert [part.split("</i>")[0] for part in parts] == italic[style], html


def test_a_full_stop_follows_what_is_in_italics_once() -> None:
    work = Reference(kind=Kind.CONFERENCE_PAPER, **FACTS, container="Who Knows?", doi="10.5555/a")
    apa = dict(styled(work))["APA"]
    assert apa.endswith(". <i>Who Knows?</i> https://doi.org/10.5555/a")


@pytest.mark.parametrize(
    "text", ["</i><script>", "a \ue000 b", "\ue001 \ue000<b>", "\ue000x\ue001"]
)
def test_what_a_record_says_cannot_become_a_tag(text: str) -> None:
    work = Reference(
        key="k", kind=Kind.CONFERENCE_PAPER, title=text, container=text, publisher=text
    )
    for _, html in styled(work):
        plain = str(html).replace("<i>", "").replace("</i>", "")
        assert "<" not in plain
        assert str(html).count("<i>") == str(html).count("</i>")
        for word in text.replace("\ue000", " ").replace("\ue001", " ").split():
            assert str(escape(word)) in plain
