"""Proceedings of an event or a theme, read again by programs that did not write them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pypdfium2
import pytest

from content_sync.errors import NightpressError
from content_sync.travelling.proceedings import make_proceedings
from content_sync.urls import name_slug, slug
from tests.content_sync.pages.conftest import Site


@pytest.fixture
def event(site: Site) -> str:
    """The id of an event with two talks on papers, the second in the alphabet heard first."""
    site.edit("UPDATE publications SET access = 'public', status = 'current', public_on = NULL")
    (event,) = site.source("SELECT event_id FROM event_sessions ORDER BY 1 LIMIT 1")[0]
    site.edit("UPDATE events SET access = 'public' WHERE id = ?", event)
    site.edit("DELETE FROM session_publications")
    site.edit("DELETE FROM event_sessions WHERE event_id = ?", event)
    papers = site.source("SELECT id FROM publications WHERE kind = 'conference paper' LIMIT 2")
    for number, ((paper,), title) in enumerate(
        zip(papers, ("Zinc at $10^{5}$ cycles", "Aluminium"), strict=True)
    ):
        site.edit(
            "UPDATE publications SET title = ?, abstract = ? WHERE id = ?",
            *(title, r"Fewer than $3 \times 10^{-10}$ failed.", paper),
        )
        site.edit(
            "INSERT INTO event_sessions (id, event_id, title, starts_at, position)"
            " VALUES (?, ?, ?, ?, ?)",
            *(f"s{number}", event, title, f"2026-09-15T1{number}:00", number),
        )
        site.edit(
            "INSERT INTO session_publications (session_id, publication_id) VALUES (?, ?)",
            *(f"s{number}", paper),
        )
    site.night()
    return str(event)


def test_a_pdf_holds_the_works_in_the_order_in_which_they_were_heard(
    site: Site, event: str, tmp_path: Path
) -> None:
    file = tmp_path / "event.pdf"
    assert make_proceedings(site.settings, event, file) == 2
    text = text_of(file)
    abstracts = text[text.rindex("Abstracts") :]
    assert abstracts.index("Zinc") < abstracts.index("Aluminium")
    assert "$" not in text, "formulas are set, talks' titles too"
    assert make_proceedings(site.settings, slug(event), tmp_path / "again.pdf") == 2


def test_powers_stand_above_the_line_in_a_pdf(site: Site, event: str, tmp_path: Path) -> None:
    """Ten to the fifth must not read as a hundred and five."""
    file = tmp_path / "event.pdf"
    make_proceedings(site.settings, event, file)
    found = 0
    document = pypdfium2.PdfDocument(file)
    for page in document:
        text = page.get_textpage()
        whole = text.get_text_range()
        at = whole.find("10−10")
        if at >= 0:
            found += 1
            _, bottom, _, top = text.get_charbox(at)
            _, raised, _, _ = text.get_charbox(at + 3)
            assert bottom + (top - bottom) / 4 < raised
    document.close()
    assert found


def test_a_theme_is_named_by_its_name_or_by_its_address(
    site: Site, event: str, tmp_path: Path
) -> None:
    (theme,) = site.source(
        "SELECT theme FROM projects p JOIN project_publications pp ON pp.project_id = p.id"
        " WHERE theme <> '' AND p.access = 'public' GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )[0]
    works = make_proceedings(site.settings, theme, tmp_path / "a.pdf")
    assert works == make_proceedings(site.settings, name_slug(theme), tmp_path / "b.pdf") > 0
    with pytest.raises(NightpressError) as refused:
        make_proceedings(site.settings, "nothing like it", tmp_path / "c.pdf")
    assert theme in str(refused.value.hint)
    assert event in str(refused.value.hint) or "Events" in str(refused.value.hint)
    assert not (tmp_path / "c.pdf").exists()


@pytest.mark.needs("pandoc")
def test_an_epub_is_read_back_with_its_formulas(site: Site, event: str, tmp_path: Path) -> None:
    file = tmp_path / "event.epub"
    assert make_proceedings(site.settings, event, file) == 2
    done = subprocess.run(
        ["unzip", "-p", str(file), "EPUB/text/*.xhtml"], capture_output=True, check=True, text=True
    )
    assert "<msup>" in done.stdout
    assert done.stdout.count("Zinc at") >= 3


def test_what_is_for_members_is_in_their_proceedings_only(
    site: Site, event: str, tmp_path: Path
) -> None:
    site.edit(
        "UPDATE publications SET access = 'members', version = version + 1"
        " WHERE title = 'Aluminium'"
    )
    site.sync()
    assert make_proceedings(site.settings, event, tmp_path / "public.pdf") == 1
    assert make_proceedings(site.settings, event, tmp_path / "members.pdf", members=True) == 2
    assert "failed" in text_of(tmp_path / "members.pdf")


def text_of(file: Path) -> str:
    document = pypdfium2.PdfDocument(file)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return text
