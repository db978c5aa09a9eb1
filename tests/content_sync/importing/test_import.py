"""Files of works become the site's own source."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from content_sync.cli import main
from content_sync.errors import SourceError
from content_sync.importing.bibtex import latex_to_text
from content_sync.importing.files import import_files

BIB = r"""
@string{acl = "Association for Computational Linguistics"}
@article{muller-2020, author = {M{\"u}ller, Jürgen and van der Berg, Jan P. and others},
  title = {On {LaTeX} \& $O(n^2)$ parsing of {\'e}l{\`e}ves}, journal = {Journal of Parsing},
  year = 2020, month = mar, volume = 4, number = {2}, pages = {1--14}, publisher = acl,
  doi = {https://doi.org/10.1234/jop.2020\_4}, keywords = {parsing, syntax; parsing}}
@inproceedings{k2019, author = "King, Jr., Martin and {The ATLAS Collaboration}",
  editor = "Ada Lovelace", title = "A talk", booktitle = {Proc. of Talks}, date = {2019-07-28}}
@misc{empty, year = 2001}
"""
CSV = """\
id;Title;Authors;Year;Journal;DOI;Access;Keywords
r1;"Eine ""Studie""; kurz";"Żak, Łukasz; Lin Chen";2021.0;Berichte;10.5555/abc;members;alpha
;Ohne Kennung;;2018;;;;
;;Nobody;2000;;;;
x;Falsch;;2000;;;secret;
"""
CSL = """[
 {"id": "http://zotero.org/users/7/items/csl1", "type": "article-journal", "title": "Über Netze",
  "issued": {"date-parts": [[2022, 3]]},
  "author": [{"family": "Berg", "given": "Jan", "non-dropping-particle": "van der",
              "ORCID": "https://orcid.org/0000-0002-1825-0097"}, {"literal": "WHO"}],
  "container-title": "Netze", "page": "3-9", "DOI": "10.1000/x1234"}
]"""


def _rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        return connection.execute(sql).fetchall()


def test_bibtex_keeps_names_formulas_and_dates(tmp_path: Path) -> None:
    (tmp_path / "refs.bib").write_text(BIB, encoding="utf-8")
    report = import_files([tmp_path / "refs.bib"], tmp_path / "records.sqlite", access="public")
    assert (report.added, report.refused) == (2, ["refs.bib, empty: it has no title"])
    assert _rows(
        tmp_path / "records.sqlite",
        "SELECT title, kind, year, month, day, venue_id, volume, issue, pages, publisher, doi,"
        " access FROM publications ORDER BY id DESC",
    ) == [
        (
            *("On LaTeX & $O(n^2)$ parsing of élèves", "journal article", 2020, 3, None),
            *("journal-of-parsing", "4", "2", "1–14"),
            *("Association for Computational Linguistics", "10.1234/jop.2020_4", "public"),
        ),
        ("A talk", "conference paper", 2019, 7, 28, *[None] * 6, "public"),
    ]
    assert _rows(
        tmp_path / "records.sqlite",
        "SELECT publication_id, role, name, person_id FROM publication_people"
        " ORDER BY publication_id DESC, role, position",
    ) == [
        ("muller-2020", "author", "Jürgen Müller", "jurgen-muller"),
        ("muller-2020", "author", "Jan P. van der Berg", "jan-p-van-der-berg"),
        ("k2019", "author", "Martin King Jr.", "martin-king-jr"),
        ("k2019", "author", "The ATLAS Collaboration", "the-atlas-collaboration"),
        ("k2019", "editor", "Ada Lovelace", "ada-lovelace"),
    ]
    assert _rows(
        tmp_path / "records.sqlite", "SELECT topic_id FROM publication_topics ORDER BY topic_id"
    ) == [("parsing",), ("syntax",)]


def test_a_table_of_a_spreadsheet_is_read_as_it_was_saved(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(CSV, encoding="utf-8-sig")
    report = import_files([tmp_path / "r.csv"], tmp_path / "records.sqlite", access="public")
    assert report.refused == [
        "r.csv, line 4: it has no title",
        "r.csv, line 5: access is 'secret', not public, abstract or members",
    ]
    assert _rows(
        tmp_path / "records.sqlite", "SELECT title, year, access FROM publications ORDER BY year"
    ) == [("Ohne Kennung", 2018, "public"), ('Eine "Studie"; kurz', 2021, "members")]
    assert _rows(tmp_path / "records.sqlite", "SELECT name FROM publication_people") == [
        ("Łukasz Żak",),
        ("Lin Chen",),
    ]


def test_csl_json_and_lines_of_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(CSL, encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(
        '{"title": "One", "authors": ["Ada Lovelace", "Byron, George"], "year": 1843}\n\n'
        '{"title": "Two", "doi": "doi:10.1000/2222"}\n[1]\n',
        encoding="utf-8",
    )
    target = tmp_path / "records.sqlite"
    report = import_files([tmp_path / "a.json", tmp_path / "b.jsonl"], target, access="abstract")
    assert (report.added, len(report.refused)) == (3, 1)
    assert _rows(target, "SELECT year, month, pages, doi FROM publications WHERE id = 'csl1'") == [
        (2022, 3, "3–9", "10.1000/x1234")
    ]
    assert _rows(target, "SELECT given_name, family_name, orcid FROM people WHERE orcid <> ''") == [
        ("Jan", "van der Berg", "0000-0002-1825-0097")
    ]
    assert ("George Byron",) in _rows(target, "SELECT name FROM publication_people")


def test_what_is_the_same_keeps_its_version(tmp_path: Path) -> None:
    file, target = tmp_path / "refs.bib", tmp_path / "records.sqlite"
    file.write_text(BIB, encoding="utf-8")
    import_files([file], target, access="public")
    again = import_files([file], target, access="public")
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    file.write_text(BIB.replace("A talk", "A longer talk"), encoding="utf-8")
    third = import_files([file], target, access="public")
    assert (third.changed, third.unchanged) == (1, 1)
    assert _rows(target, "SELECT id, version FROM publications ORDER BY id") == [
        ("k2019", 2),
        ("muller-2020", 1),
    ]


def test_replace_removes_what_no_file_has_any_more(tmp_path: Path) -> None:
    file, target = tmp_path / "refs.bib", tmp_path / "records.sqlite"
    file.write_text(BIB, encoding="utf-8")
    import_files([file], target, access="public")
    file.write_text(BIB[: BIB.index("@inproceedings")], encoding="utf-8")
    assert import_files([file], target, access="public", replace=True).gone == 1
    assert _rows(target, "SELECT id FROM publications") == [("muller-2020",)]
    assert ("ada-lovelace",) not in _rows(target, "SELECT id FROM people")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.bib", "@article{x, title = {unfinished", "cannot be read as BibTeX"),
        ("a.json", '{"title": ', "is not JSON in line 1"),
        ("a.csv", "name,year\nx,2000\n", "no column 'title'"),
        ("a.bib", "", "no work in these files"),
        ("a.docx", "x", "no ending that says what it is"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_the_source_as_it_was(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    good, bad, target = tmp_path / "good.jsonl", tmp_path / name, tmp_path / "records.sqlite"
    good.write_text('{"title": "Kept", "id": "kept"}\n')
    import_files([good], target, access="public")
    bad.write_text(content)
    files = [bad] if "no work" in told else [good, bad]
    with pytest.raises(SourceError, match=told):
        import_files(files, target, access="public")
    assert _rows(target, "SELECT id FROM publications") == [("kept",)]


def test_an_institute_has_its_works_online(tmp_path: Path) -> None:
    """The commands of the ten minutes: init, import, nightly."""
    run = CliRunner().invoke
    site = tmp_path / "site"
    assert run(main, ["init", str(site), "--url", "https://institute.example"]).exit_code == 0
    (tmp_path / "refs.bib").write_text(BIB, encoding="utf-8")
    done = run(main, ["import", "--site", str(site), str(tmp_path / "refs.bib")])
    assert "2 works added" in done.output
    done = run(main, ["nightly", "--site", str(site)])
    assert done.exit_code == 0, done.output
    public = site / "output/current/public"
    page = (public / "publications/muller-2020.html").read_text(encoding="utf-8")
    assert "Jürgen Müller" in page
    assert "<math" in page
    assert "Demonstration" not in page
    assert (public / "people/jan-p-van-der-berg.html").is_file()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"{\"U}ber $\alpha$ \& {DNA}--RNA", "Über $\\alpha$ & DNA–RNA"),
        (r"\textit{in vivo} 5\% of \o re", "in vivo 5% of øre"),
        ("", ""),
    ],
)
def test_latex_becomes_text_around_its_formulas(source: str, text: str) -> None:
    assert latex_to_text(source) == text
