"""BibTeX, RIS and CSL-JSON are read again, as they were meant, by others than who wrote them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import bibtexparser
import pytest
import rispy
from pybtex.database import parse_string

from content_sync.citations import (
    Name,
    Reference,
    csl_file,
    to_bibtex,
    to_ris,
)
from content_sync.citations.latex import in_latex
from content_sync.citations.names import take_apart
from content_sync.citations.rows import pages_of
from content_sync.records import Kind

PLAIN = Reference(
    key="a.1",
    kind=Kind.CONFERENCE_PAPER,
    title="The Cambridge survey of BERT at $n^2$ cost",
    authors=(Name(family="van der Véen", given="Ada"), Name(literal="Rail and Road Group")),
    year=2023,
    month=7,
    container="Proceedings of Things & Means",
    first_page="1340",
    last_page="1348",
    publisher="Ellmark Press",
    doi="10.18653/v1/2023.acl-short.115",
    url="https://x.example/publications/a.1/",
)

HOSTILE = [
    "50% of $5 & $6: #1_a^b ~ {x} <y> |z| \\input{/etc/passwd}",
    "unclosed { brace and \\",
    "closed } brace",
    "} , evil = { x",
    "@article{injected, title = {no}}",
    "a\r\nER  - \r\nTY  - JOUR",
    "$\\def\\x{1}\\x$ and $\\input{x}$ and $}{$ and $a%b$",
    "\\mathcal{S}^2IT: no dollar signs",
    '"quoted" and “curly”, it’s – dashed — …',
    "عنوان بالعربية 中文標題 Ελληνικά Straße Łódź ı",
    "control \x07 and \u202e override",
]


def every_kind() -> list[Reference]:
    works = [replace(PLAIN, key=f"k-{kind.name.lower()}", kind=kind) for kind in Kind]
    works += [Reference(key=f"bare-{kind.name.lower()}", kind=kind, title="Bare") for kind in Kind]
    for i, text in enumerate(HOSTILE):
        works.append(
            replace(
                PLAIN,
                key=f"h{i}",
                title=text,
                container=text,
                publisher=text,
                note=text,
                authors=(Name(literal=text), Name(family=text, given=text)),
            )
        )
    return works


def bibtex() -> str:
    return "\n".join(map(to_bibtex, every_kind()))


def test_names_in_bibtex_are_taken_apart_by_pybtex_as_they_were_meant() -> None:
    entry = parse_string(to_bibtex(PLAIN), "bibtex").entries["a.1"]
    first, second = entry.persons["author"]
    assert first.last_names == ["V{\\'e}en"] or " ".join(
        first.prelast_names + first.last_names
    ) == ("van der V{\\'e}en")
    assert first.first_names == ["Ada"]
    assert second.last_names == ["{Rail and Road Group}"]
    assert entry.fields["pages"] == "1340--1348"
    assert entry.fields["booktitle"] == "Proceedings of Things \\& Means"


def test_letters_that_latex_has_no_right_command_for_stay_as_they_are() -> None:
    assert in_latex("Fűzfás Ơ 中 ø") == "Fűzf{\\'a}s Ơ 中 {\\o}"


def test_words_that_a_style_must_not_lower_stand_in_braces() -> None:
    assert "title = {The {Cambridge} survey of {BERT} at $n^2$ cost}" in to_bibtex(PLAIN)
    headline = replace(PLAIN, title="A Study of GPT-4 and mBERT Models for Cities")
    assert "{A Study of {GPT-4} and {mBERT} Models for Cities}" in to_bibtex(headline)


def test_two_parsers_find_every_entry_and_nothing_else() -> None:
    keys = [work.key for work in every_kind()]
    assert list(parse_string(bibtex(), "bibtex").entries) == keys
    library = bibtexparser.parse_string(bibtex())
    assert not library.failed_blocks
    assert [entry.key for entry in library.entries] == keys


@pytest.mark.needs("pandoc")
def test_pandoc_reads_bibtex_back_without_a_warning(tmp_path: Path) -> None:
    (tmp_path / "all.bib").write_text(bibtex(), encoding="utf-8")
    for syntax in ("bibtex", "biblatex"):
        done = subprocess.run(
            ["pandoc", "-f", syntax, "-t", "csljson", "all.bib"],
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""
        items = {item["id"]: item for item in json.loads(done.stdout)}
        assert len(items) == len(every_kind())
        for i in (0, 4, 7, 9):
            shown = items[f"h{i}"]["title"].replace("\u00a0", " ")
            assert _without_spans(shown).casefold() == HOSTILE[i].casefold()
        assert items["k-conference_paper"]["author"][1] == {"literal": "Rail and Road Group"}


@pytest.mark.needs("biber")
def test_biber_reads_bibtex_without_a_warning(tmp_path: Path) -> None:
    (tmp_path / "all.bib").write_text(bibtex(), encoding="utf-8")
    done = subprocess.run(
        ["biber", "--tool", "--nodieonerror", "all.bib"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "WARN" not in said, said
    assert "ERROR" not in said, said
    assert done.returncode == 0


@pytest.mark.needs("bibtool")
def test_bibtool_reads_bibtex_without_a_warning(tmp_path: Path) -> None:
    (tmp_path / "all.bib").write_text(bibtex(), encoding="utf-8")
    done = subprocess.run(
        ["bibtool", "-o", "read.bib", "./all.bib"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    read = (tmp_path / "read.bib").read_text("utf-8")
    assert read.count("\n@") + read.startswith("@") == len(every_kind())


def test_editors_of_a_volume_are_read_back() -> None:
    volume = replace(PLAIN, kind=Kind.PROCEEDINGS, authors=(), editors=(Name(literal="A Group"),))
    (record,) = rispy.loads(to_ris(volume))
    assert record["secondary_authors"] == ["A Group"]
    assert "unknown_tag" not in record


def test_ris_is_read_back_record_by_record() -> None:
    works = every_kind()
    records = rispy.loads("".join(map(to_ris, works)))
    assert [record["id"] for record in records] == [work.key for work in works]
    by_key = {record["id"]: record for record in records}
    paper = by_key["k-conference_paper"]
    assert paper["type_of_reference"] == "CPAPER"
    assert paper["authors"] == ["van der Véen, Ada", "Rail and Road Group"]
    assert (paper["start_page"], paper["end_page"]) == ("1340", "1348")
    assert by_key["h5"]["title"] == "a ER - TY - JOUR"


def test_csl_json_leaves_out_what_is_not_known() -> None:
    items = {item["id"]: item for item in json.loads(csl_file(every_kind()))}
    assert items["bare-report"] == {"id": "bare-report", "type": "report", "title": "Bare"}
    assert items["k-conference_paper"]["issued"] == {"date-parts": [[2023, 7]]}
    assert items["k-conference_paper"]["title"].endswith("n² cost")


def test_a_retracted_work_is_marked_in_every_format() -> None:
    work = replace(PLAIN, mark="Retracted", note="Retracted on 3 May 2024: wrong data")
    entry = parse_string(to_bibtex(work), "bibtex").entries["a.1"]
    assert entry.fields["title"].startswith("{Retracted}: The")
    assert entry.fields["note"] == work.note
    (record,) = rispy.loads(to_ris(work))
    assert record["title"].startswith("Retracted: The")
    assert record["notes"] == [work.note]
    (item,) = json.loads(csl_file([work]))
    assert item["title"].startswith("Retracted: The")
    assert item["note"] == work.note


@pytest.mark.parametrize(
    ("name", "given", "family", "parts"),
    [
        ("Jean Véronis", "Jean", "Véronis", ("Véronis", "Jean", "", "")),
        ("J. García Márquez", "Gabriel", "García Márquez", ("García Márquez", "J.", "", "")),
        ("Vincent van Gogh", None, None, ("van Gogh", "Vincent", "", "")),
        ("Martin Luther King Jr.", None, None, ("King", "Martin Luther", "Jr.", "")),
        ("King, Martin Luther", None, None, ("King", "Martin Luther", "", "")),
        ("李 娜", None, None, ("", "", "", "李 娜")),
        ("Plato", None, None, ("", "", "", "Plato")),
        ("Tideway Research Group", None, None, ("", "", "", "Tideway Research Group")),
        ("Boris School", "Boris", "School", ("School", "Boris", "", "")),
    ],
)
def test_names_are_taken_apart(
    name: str, given: str | None, family: str | None, parts: tuple[str, ...]
) -> None:
    found = take_apart(name, given, family)
    assert (found.family, found.given, found.suffix, found.literal) == parts


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("1-18", ("1", "18")),
        ("e12 – e30", ("e12", "e30")),
        ("1--2", ("1", "2")),
        ("S1-1-S1-9", ("S1-1-S1-9", "")),
        (None, ("", "")),
    ],
)
def test_pages_are_taken_apart(text: str | None, pages: tuple[str, str]) -> None:
    assert pages_of(text) == pages


def _without_spans(text: str) -> str:
    return text.replace('<span class="nocase">', "").replace("</span>", "")
