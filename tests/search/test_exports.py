"""Files of results are what citation managers and spreadsheets take them for."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import rispy
from pybtex.database import parse_string

pytestmark = pytest.mark.needs("node")

SCRIPT = Path(__file__).parent / "client" / "exports.mjs"
Hit = dict[str, Any]


def hit(number: str, title: str, **values: Any) -> Hit:
    people = values.pop("people", ["Ada Lovelace", "Tomasz Brzękowicz"])
    return {
        "id": f"publication:{number}",
        "type": "publication",
        "url": f"/publications/{number}/",
        "title": title,
        "people": people,
        "peopleCount": len(people),
        "venue": "Symposium on Reliability",
        "venueShort": "SIR",
        "year": 2019,
        "kind": "conference paper",
        "doi": "10.1234/copper_1",
        "status": "current",
        "access": "public",
        "pages": "1–14",
        **values,
    }


HOSTILE = [
    '=HYPERLINK("http://evil.example","click")',
    "+1+1|cmd",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r\n=1+1",
    "\u202e＝1+1",
    'He said "yes", then; left',
    "50 % of {all} $x_1$ costs & #1 ~ ^ \\ <b>|",
    "line\nbreak\x00and\x07bell",
    "TY  - JOUR\r\nER  - ",
    "}, author = {Mallory",
    "{unbalanced",
    "أثر النحاس",
    "自然言語処理",
    "Größe – naïve café",
    "lone \ud800 surrogate".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
]
HITS = [hit(f"h-{n}", title, people=[title, "Ada Lovelace"]) for n, title in enumerate(HOSTILE)]


@pytest.fixture(scope="module")
def written() -> list[dict[str, str]]:
    """The hostile list and a plain one, in every format."""
    done = subprocess.run(
        ["node", str(SCRIPT)],
        input=json.dumps([HITS, PLAIN]),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    lists: list[dict[str, str]] = json.loads(done.stdout)
    return lists


PLAIN = [
    hit("a", "Copper drift", people=["Ludwig van Beethoven"], peopleCount=300),
    hit("b", "Copper lines", kind="journal article", pages="", people=["Ludwig van Beethoven"]),
    hit("c", "Copper", kind="report", status="retracted", people=[], venue="", year=None),
    hit("d", "The copper", people=["Research and Development Ltd", "沈若溪"]),
    hit("e", "Copper drift", people=["Ludwig van Beethoven"]),
    hit("f", "Copper drift", people=["Ludwig van Beethoven"]),
    hit("ada", "Ada Lovelace", type="person", kind="", people=[], doi=""),
]


def test_csv_gives_back_every_cell_and_starts_no_formula(written: list[dict[str, str]]) -> None:
    text = written[0]["csv"]
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == len(HOSTILE) + 1
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert len(rows) == len(HOSTILE)
    for row, title in zip(rows, HOSTILE, strict=True):
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
        assert row["title"].lstrip("'").split() == _seen(title).split()
        assert row["url"].startswith("https://press.example/publications/h-")


def test_csv_holds_records_of_every_type(written: list[dict[str, str]]) -> None:
    text = written[1]["csv"].removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["type"] for row in rows] == ["publication"] * 6 + ["person"]
    assert rows[0]["people"] == "Ludwig van Beethoven"
    assert rows[0]["more_people"] == "299"
    assert rows[2]["status"] == "retracted"


def test_bibtex_is_read_by_a_bibliography_program(written: list[dict[str, str]]) -> None:
    found = parse_string(written[1]["bib"], "bibtex").entries
    assert list(found) == [
        "vanbeethoven2019copper",
        "vanbeethoven2019copper-a",
        "copper",
        "ltd2019copper",
        "vanbeethoven2019copper-b",
        "vanbeethoven2019copper-c",
    ]
    first = found["vanbeethoven2019copper"]
    assert first.type == "inproceedings"
    assert first.fields["booktitle"] == "Symposium on Reliability"
    assert first.fields["pages"] == "1--14"
    assert first.fields["doi"] == "10.1234/copper_1"
    assert first.fields["url"] == "https://press.example/publications/a/"
    author, others = first.persons["author"]
    assert (author.prelast_names, author.last_names) == (["van"], ["Beethoven"])
    assert str(others) == "others"
    assert found["vanbeethoven2019copper-a"].fields["journal"] == "Symposium on Reliability"
    assert found["copper"].fields["note"] == "Retracted"
    assert "year" not in found["copper"].fields


def test_bibtex_of_hostile_titles_stays_one_entry_each(written: list[dict[str, str]]) -> None:
    text = written[0]["bib"]
    found = parse_string(text, "bibtex").entries
    assert len(found) == len(HOSTILE)
    assert len({key.lower() for key in found}) == len(HOSTILE)
    assert all(key.isascii() for key in found)
    for entry in found.values():
        assert set(entry.fields) == {"title", "booktitle", "year", "pages", "doi", "url"}
        title = entry.fields["title"]
        assert title.startswith("{")
        assert title.endswith("}")
        assert not _unescaped(title[1:-1])
        assert len(entry.persons["author"]) == 2


def test_ris_is_read_by_a_citation_manager(written: list[dict[str, str]]) -> None:
    found = rispy.loads(written[1]["ris"])
    assert [entry["type_of_reference"] for entry in found] == [
        "CPAPER", "JOUR", "RPRT", "CPAPER", "CPAPER", "CPAPER",
    ]  # fmt: skip
    assert found[0]["authors"] == ["van Beethoven, Ludwig", "et al."]
    assert (found[0]["start_page"], found[0]["end_page"]) == ("1", "14")
    assert found[0]["doi"] == "10.1234/copper_1"
    assert found[0]["year"] == "2019"


def test_ris_of_hostile_titles_stays_one_record_each(written: list[dict[str, str]]) -> None:
    found = rispy.loads(written[0]["ris"])
    assert len(found) == len(HOSTILE)
    for entry, title in zip(found, HOSTILE, strict=True):
        assert entry["title"].split() == _seen(title).split()


def test_json_holds_the_list_and_its_origin(written: list[dict[str, str]]) -> None:
    data = json.loads(written[0]["json"])
    assert data["source"]["query"] == "x"
    assert data["source"]["total"] == 3
    assert [r["id"] for r in data["results"]] == [f"h-{n}" for n in range(len(HOSTILE))]
    assert data["results"][-2]["title"] == "Größe – naïve café"
    assert json.loads(written[1]["json"])["results"][-1]["type"] == "person"


def _seen(title: str) -> str:
    """A title as one line without control and direction characters."""
    return "".join(" " if c < " " or c == "\x7f" else c for c in title if c != "\u202e")


def _unescaped(text: str) -> list[str]:
    """Characters that mean something to LaTeX and are not escaped."""
    for escape in ("\\textbackslash{}", "\\textasciitilde{}", "\\textasciicircum{}",
                   "\\textless{}", "\\textgreater{}", "\\textbar{}",
                   "\\textbraceleft{}", "\\textbraceright{}"):  # fmt: skip
        text = text.replace(escape, "")
    for sign in "$&#%_":
        text = text.replace(f"\\{sign}", "")
    return [sign for sign in text if sign in '\\{}$&#%_~^<>|"']
