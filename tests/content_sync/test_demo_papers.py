"""The demo's full texts: real PDFs that strict readers accept."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from pypdf import PdfReader

from content_sync.demo import write_demo
from content_sync.demo.pdf import make_pdf, plain_text


def read(content: bytes, folder: Path) -> PdfReader:
    file = folder / "paper.pdf"
    file.write_bytes(content)
    return PdfReader(file, strict=True)


def test_pdf_shows_title_authors_and_abstract(tmp_path: Path) -> None:
    pdf = make_pdf(
        title="Drift (and noise) in copper",
        authors=["Hala Suryani", "Þórunn Eldvarsdóttir"],
        imprint="SIPR 2026",
        abstract="It drifts at 85 °C.\n\nThen it stops.",
    )
    reader = read(pdf, tmp_path)
    text = reader.pages[0].extract_text()
    for words in ("Drift (and noise) in copper", "Þórunn Eldvarsdóttir", "85 °C", "Then it stops"):
        assert words in text
    assert reader.metadata is not None
    assert reader.metadata.title == "Drift (and noise) in copper"
    assert pdf == make_pdf(
        title="Drift (and noise) in copper",
        authors=["Hala Suryani", "Þórunn Eldvarsdóttir"],
        imprint="SIPR 2026",
        abstract="It drifts at 85 °C.\n\nThen it stops.",
    )


def test_letters_without_a_place_in_the_font_are_folded(tmp_path: Path) -> None:
    pdf = make_pdf(title="漂移 at 3 kΩ", authors=["Tomasz Brzękowicz"], imprint="", abstract=None)
    text = read(pdf, tmp_path).pages[0].extract_text()
    assert "PiaoYi at 3 kohm" in text
    assert "Tomasz Brzekowicz" in text


def test_long_texts_run_over_to_further_pages(tmp_path: Path) -> None:
    authors = [f"Author Number{i}" for i in range(900)]
    reader = read(make_pdf(title="T", authors=authors, imprint="", abstract=None), tmp_path)
    assert len(reader.pages) > 1
    text = " ".join(page.extract_text() for page in reader.pages)
    assert "Number899" in text


@pytest.mark.parametrize("latex", ["10^{-9}", r"\beta", r"\mathrm{Ga_2O_3}"])
def test_formulas_become_plain_letters(latex: str) -> None:
    assert re.fullmatch(r"A [\w^-]+ B", plain_text(f"A ${latex}$ B"))


def test_lines_stay_within_the_page(tmp_path: Path) -> None:
    pdf = make_pdf(title="W" * 20 + " m" * 300, authors=["A"], imprint="", abstract="i " * 2_000)
    lines = re.findall(rb"\((.*?)\) Tj", pdf)
    assert max(len(line) for line in lines if set(line) <= set(b"i ")) < 180


def test_offsets_in_the_table_of_objects_are_true() -> None:
    pdf = make_pdf(title="T", authors=["A"], imprint="I", abstract="Text")
    start = int(pdf.rsplit(b"startxref\n", 1)[1].split()[0])
    assert pdf[start:].startswith(b"xref\n")
    entries = re.findall(rb"(\d{10}) 00000 n \n", pdf[start:])
    for number, entry in enumerate(entries, 1):
        assert pdf[int(entry) :].startswith(b"%d 0 obj\n" % number)


def test_all_files_but_one_are_there_and_readable(tmp_path: Path) -> None:
    files = tmp_path / "files"
    write_demo(tmp_path / "demo.sqlite", files, publications=250)
    demo = sqlite3.connect(tmp_path / "demo.sqlite")
    rows = demo.execute(
        "SELECT id, year, file_path FROM publications WHERE file_path IS NOT NULL"
    ).fetchall()
    demo.close()
    assert all(path == f"{year}/{key}.pdf" for key, year, path in rows)
    missing = [path for _, _, path in rows if not (files / path).is_file()]
    assert len(missing) == 1
    for path in sorted(files.rglob("*.pdf")):
        reader = PdfReader(path, strict=True)
        assert 1 <= len(reader.pages) <= 2
        assert path.stem in reader.pages[0].extract_text().replace("\n", " ")


def test_a_paper_that_is_the_same_is_not_written_again(tmp_path: Path) -> None:
    files = tmp_path / "files"
    write_demo(tmp_path / "demo.sqlite", files, publications=30)
    before = {path: path.stat().st_mtime_ns for path in files.rglob("*.pdf")}
    write_demo(tmp_path / "demo.sqlite", files, publications=30)
    assert {path: path.stat().st_mtime_ns for path in files.rglob("*.pdf")} == before
