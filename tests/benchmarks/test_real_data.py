import gzip
import json
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from benchmarks.edits import edit
from benchmarks.printed_dates import month_and_day, span
from benchmarks.real_data import data_folder, load

NAME = {"first": "Ada", "last": "Byron", "id": "ada-byron", "affiliation": "Example University"}
OTHER = {"first": "Lan", "last": "Li", "id": "lan-li"}
FILES = {
    "volumes": [
        {
            "id": "2021.meet-1",
            "type": "proceedings",
            "booktitle": "Proceedings of the Meeting",
            "month": "August 1–6",
            "year": "2021",
            "venues": ["meet"],
            "sigs": ["sigone", "sigone", "sigtwo"],
            "n_papers": 2,
            "has_frontmatter": True,
        },
        {
            "id": "J99-1",
            "type": "journal",
            "booktitle": "The Journal, Volume 25, Number 1",
            "year": "1999",
            "venues": ["jour"],
            "n_papers": 1,
            "has_frontmatter": False,
        },
    ],
    "publications": [
        {
            "id": "2021.meet-1.0",
            "volume_id": "2021.meet-1",
            "type": "frontmatter",
            "title": "Proceedings of the Meeting",
            "editors": [NAME],
            "booktitle": "Proceedings of the Meeting",
            "month": "August 1–6",
            "year": "2021",
            "venues": ["meet"],
            "url": "https://example.org/2021.meet-1.0/",
        },
        {
            "id": "2021.meet-1.1",
            "volume_id": "2021.meet-1",
            "type": "paper",
            "title": "A Title\u0007 with a Bell",
            "authors": [NAME, OTHER],
            "abstract": "None",
            "abstract_license": "CC-BY-4.0",
            "booktitle": "Proceedings of the Meeting",
            "month": "August 3rd",
            "year": "2021",
            "venues": ["meet", "jour"],
            "language": "fra",
            "retracted": {"date": "2022-01-02", "reason": "An error."},
        },
        {
            "id": "2021.meet-1.2",
            "volume_id": "2021.meet-1",
            "type": "paper",
            "title": "Again",
            "booktitle": "Proceedings of the Meeting",
            "year": "2021",
            "venues": ["meet"],
            "revisions": [{"id": "2", "date": "2022-05-06", "note": "Corrected Table 1."}],
        },
        {
            "id": "J99-1001",
            "volume_id": "J99-1",
            "type": "paper",
            "title": "Again",
            "authors": [OTHER],
            "abstract": "By others.",
            "abstract_license": "third-party",
            "booktitle": "The Journal, Volume 25, Number 1",
            "journal_volume": "25",
            "journal_issue": "1",
            "year": "1999",
            "venues": ["jour"],
            "pages": "1–9",
            "removed": {"date": "2001-02-03", "reason": "Copied."},
        },
    ],
    "venues": [
        {"id": "meet", "acronym": "MEET", "name": "The Meeting", "url": "https://example.org/"},
        {"id": "jour", "acronym": "JOUR", "name": "The Journal"},
    ],
    "events": [
        {
            "id": "meet-2021",
            "explicit": True,
            "title": "First Meeting",
            "venue": "meet",
            "year": "2021",
            "volume_ids": ["2021.meet-1"],
            "location": "Online",
            "talks": [{"title": "Keynote", "speakers": [OTHER]}],
        }
    ],
    "sigs": [{"id": "sigone", "name": "Group One"}, {"id": "sigtwo", "name": "Group Two"}],
    "people": [
        {
            "id": "ada-byron",
            "canonical": {"first": "Ada", "last": "Byron"},
            "names": [{"first": "Ada", "last": "Byron", "n": 2}, {"first": "A.", "last": "Byron"}],
            "orcids": ["0000-0002-1825-0097"],
            "affiliations": [{"name": "Example University", "n": 1}],
        },
        {
            "id": "lan-li",
            "canonical": {"first": "Lan", "last": "Li"},
            "names": [{"first": "Lan", "last": "Li", "n": 2}],
            "other_scripts": [{"script": "hani", "first": "兰", "last": "李"}],
        },
    ],
    "research_projects": [
        {
            "id": "0300001",
            "title": "COLLABORATIVE RESEARCH",
            "abstract": "One.<br/><br/>Two.<br/>",
            "directorate": "BIO",
            "programs": ["Systematics"],
            "pi": "Grace B. Hopper",
            "co_pis": ["Jean Bartik", "Grace B. Hopper"],
            "start_date": "2005-01-01",
            "end_date": "2004-01-01",
            "amount_usd": 1000,
            "institution": {"name": "EXAMPLE University", "city": "Springfield"},
            "url": "https://example.org/0300001",
        }
    ],
    "eu_projects": [
        {
            "id": "H2020-1",
            "framework": "H2020",
            "acronym": "ACRO",
            "status": "TERMINATED",
            "programme": "H2020-EU.1.1.",
            "total_cost_eur": 0,
            "coordinator": "WERK GMBH",
            "participants": ["77", "88"],
            "url": "https://example.org/H2020-1",
        }
    ],
    "eu_organizations": [
        {"id": "77", "name": "ANDERE GMBH", "country": "AT"},
        {"id": "88", "name": "WERK GMBH", "country": "DE"},
    ],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name, rows in FILES.items():
        with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return folder


@pytest.fixture
def source(data: Path, tmp_path: Path) -> Path:
    load(tmp_path / "source.sqlite", data)
    return tmp_path / "source.sqlite"


def rows(database: Path, query: str) -> list[tuple]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("July", (7, None)),
        ("6", (6, None)),
        ("Septempber", (9, None)),
        ("August 28th", (8, 28)),
        ("05 August", (8, 5)),
        ("August 28th and 29th", (8, None)),
        ("Aug 23–Aug 27", (8, None)),
        ("January/February", (1, None)),
        ("", (None, None)),
        ("Spring", (None, None)),
    ],
)
def test_printed_month_gives_month_and_single_day(text, expected):
    assert month_and_day(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("August 1–6, 2021", (date(2021, 8, 1), date(2021, 8, 6))),
        ("May 31--2 June", (date(2021, 5, 31), date(2021, 6, 2))),
        ("6--9 September", (date(2021, 9, 6), date(2021, 9, 9))),
        ("September 11", (date(2021, 9, 11), date(2021, 9, 11))),
        ("November 2023", None),
        ("February 30", None),
        ("December 30 - January 2", None),
        ("September-October", None),
    ],
)
def test_printed_days_give_a_span_only_if_they_exist(text, expected):
    assert span(text, 2021) == expected


def test_publications_get_kind_place_and_status(source):
    assert rows(
        source,
        "SELECT id, kind, year, month, day, venue_id, published_in, volume, licence, status"
        " FROM publications ORDER BY id",
    ) == [
        ("2021.meet-1.0", "proceedings", 2021, 8, None, "meet", "Proceedings of the Meeting",
         None, None, "current"),
        ("2021.meet-1.1", "conference paper", 2021, 8, 3, "meet", "Proceedings of the Meeting",
         None, "CC-BY-4.0", "retracted"),
        ("2021.meet-1.2", "conference paper", 2021, None, None, "meet",
         "Proceedings of the Meeting", None, None, "corrected"),
        ("J99-1001", "journal article", 1999, None, None, "jour", "The Journal", "25", None,
         "withdrawn"),
    ]  # fmt: skip


def test_warts_of_the_data_are_kept(source):
    titles = rows(source, "SELECT title FROM publications ORDER BY id")
    assert [title for (title,) in titles[1:]] == ["A Title\u0007 with a Bell", "Again", "Again"]
    assert rows(source, "SELECT starts_on > ends_on FROM projects WHERE id = '0300001'") == [(1,)]


def test_people_keep_order_names_and_the_institution_they_name(source):
    assert rows(
        source,
        "SELECT role, position, person_id, name, affiliation FROM publication_people"
        " WHERE publication_id = '2021.meet-1.1' ORDER BY position",
    ) == [
        ("author", 1, "ada-byron", "Ada Byron", "Example University"),
        ("author", 2, "lan-li", "Lan Li", None),
    ]
    assert rows(source, "SELECT person_id, name FROM person_names ORDER BY 1") == [
        ("ada-byron", "A. Byron"),
        ("lan-li", "李兰"),
    ]
    assert rows(source, "SELECT orcid, institution_id FROM people WHERE id = 'ada-byron'") == [
        ("0000-0002-1825-0097", "nsf-example-university")
    ]


def test_works_have_the_groups_of_their_volume_as_topics(source):
    assert rows(source, "SELECT topic_id FROM publication_topics ORDER BY rowid LIMIT 2") == [
        ("sigone",),
        ("sigtwo",),
    ]


def test_projects_get_team_paragraphs_and_coordinator(source):
    assert rows(source, "SELECT summary, programme, lead_person_id FROM projects LIMIT 1") == [
        ("One.\n\nTwo.", "Biological Sciences", "nsf-grace-b-hopper")
    ]
    assert rows(source, "SELECT person_id, role FROM project_people ORDER BY position") == [
        ("nsf-grace-b-hopper", "principal investigator"),
        ("nsf-jean-bartik", "co-investigator"),
    ]
    assert rows(
        source, "SELECT title, status, budget, institution_id FROM projects WHERE id = 'H2020-1'"
    ) == [("ACRO", "stopped", 0, "eu-88")]


def test_events_take_days_from_their_volume_and_talks_as_sessions(source):
    assert rows(source, "SELECT starts_at, ends_at, place FROM events") == [
        ("2021-08-01T00:00", "2021-08-06T00:00", "Online")
    ]
    assert rows(
        source,
        "SELECT title, person_id FROM event_sessions s JOIN session_speakers ON session_id = s.id",
    ) == [("Keynote", "lan-li")]


def test_a_limit_takes_whole_volumes_and_only_what_belongs_to_them(data, tmp_path):
    counts = load(tmp_path / "subset.sqlite", data, limit=1)
    assert counts["publications"] == 1
    assert counts["venues"] == 1
    assert rows(tmp_path / "subset.sqlite", "SELECT id FROM people WHERE id NOT GLOB 'nsf-*'") == [
        ("lan-li",)
    ]


def test_the_same_input_gives_the_same_bytes(data, tmp_path):
    for name in ("a", "b"):
        load(tmp_path / name, data)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_edits_raise_versions_add_and_withdraw(source):
    assert edit(source, 1, 1, 1, seed=3) == {"changed": 1, "new": 1, "withdrawn": 1}
    assert rows(source, "SELECT count(*) FROM publications WHERE version > 1") == [(2,)]
    assert rows(source, "SELECT kind FROM publications WHERE id = 'new-3-1'") != []
    assert rows(source, "SELECT count(*) FROM publications WHERE status = 'withdrawn'") == [(2,)]


def test_a_folder_without_data_ends_with_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match="--data or NIGHTPRESS_BENCH_DATA"):
        data_folder(tmp_path)
