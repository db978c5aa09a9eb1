"""The demo source: a database in the source contract that tells a coherent story."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest

from content_sync.demo import DemoReport, write_demo
from content_sync.errors import ConfigurationError, SourceError
from content_sync.records import VIEWS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> DemoReport:
    folder = tmp_path_factory.mktemp("demo")
    return write_demo(folder / "demo.sqlite", folder / "files")


@pytest.fixture
def demo(report: DemoReport) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{report.path}?mode=ro", uri=True)
    yield connection
    connection.close()


def values(demo: sqlite3.Connection, sql: str) -> list[str]:
    return [row[0] for row in demo.execute(sql)]


def count(demo: sqlite3.Connection, rest: str) -> int:
    return int(demo.execute(f"SELECT count(*) FROM {rest}").fetchone()[0])


def test_default_demo_has_the_size_of_a_real_consortium(report: DemoReport) -> None:
    rows = report.rows
    assert report.publications == 600
    assert rows["people"] == 300
    assert rows["projects"] == 60
    assert rows["institutions"] == 40
    assert rows["events"] == 12
    assert rows["venues"] == 20
    assert rows["topics"] == 80
    assert rows["deliverables"] > 300
    assert 250 < report.papers < 450


def test_report_counts_what_the_database_holds(
    report: DemoReport, demo: sqlite3.Connection
) -> None:
    assert {view.name: count(demo, view.name) for view in VIEWS} == report.rows
    assert len(list(report.files.rglob("*.pdf"))) == report.papers


def test_same_seed_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    digests = set()
    for hash_seed in ("0", "1"):
        folder = tmp_path / hash_seed
        program = (
            "import sys; from pathlib import Path; from content_sync.demo import write_demo;"
            "folder = Path(sys.argv[1]);"
            "write_demo(folder / 'demo.sqlite', folder / 'files', publications=300, seed=7)"
        )
        subprocess.run(
            [sys.executable, "-c", program, str(folder)],
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*.*")):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
        digests.add(digest.hexdigest())
    assert len(digests) == 1


def test_other_seeds_give_other_people_and_titles(tmp_path: Path, demo: sqlite3.Connection) -> None:
    write_demo(tmp_path / "demo.sqlite", tmp_path / "files", publications=300, seed=7)
    other = sqlite3.connect(tmp_path / "demo.sqlite")
    titles = set(values(other, "SELECT title FROM publications"))
    other.close()
    assert len(titles & set(values(demo, "SELECT title FROM publications"))) < 40


@pytest.mark.parametrize("publications", [1, 5, 60, 199, 220])
def test_small_demos_are_whole(tmp_path: Path, publications: int) -> None:
    report = write_demo(tmp_path / "d.sqlite", tmp_path / "f", publications=publications)
    assert report.publications == publications
    assert all(report.rows[view] for view in ("people", "venues", "topics", "events", "projects"))


def test_larger_demo_repeats_no_person_and_hardly_a_title(tmp_path: Path) -> None:
    report = write_demo(tmp_path / "d.sqlite", tmp_path / "f", publications=6_000)
    demo = sqlite3.connect(report.path)
    titles = values(demo, "SELECT title FROM publications")
    demo.close()
    assert len(set(titles)) > 0.99 * len(titles)
    assert report.rows["people"] == 3_000  # `id` is the key of the table
    assert report.papers <= 2_000
    assert 20 < report.rows["venues"] < 60


def test_demo_names_itself(demo: sqlite3.Connection) -> None:
    assert demo.execute("PRAGMA application_id").fetchone() == (0x4E505244,)
    assert demo.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_editing_a_row_by_hand_raises_its_version(tmp_path: Path) -> None:
    path = tmp_path / "demo.sqlite"
    write_demo(path, tmp_path / "files", publications=20)
    demo = sqlite3.connect(path)
    key = values(demo, "SELECT id FROM publications LIMIT 1")[0]
    demo.execute("UPDATE publications SET title = 'New' WHERE id = ?", (key,))
    demo.execute("UPDATE publications SET title = 'Newer', version = 40 WHERE id = ?", (key,))
    demo.execute("UPDATE publications SET title = 'Newest' WHERE id = ?", (key,))
    changed = demo.execute("SELECT id, title, version FROM publications WHERE version > 1")
    assert changed.fetchall() == [(key, "Newest", 41)]
    for view in VIEWS:
        demo.execute(f"UPDATE {view.name} SET {view.key[0]} = {view.key[0]}")
        assert count(demo, f"{view.name} WHERE version < 2") == 0
    demo.close()


def test_every_kind_of_access_and_fate_occurs(demo: sqlite3.Connection) -> None:
    for column, expected in (
        ("access", {"public", "abstract", "members"}),
        ("status", {"current", "corrected", "retracted", "withdrawn"}),
    ):
        assert set(values(demo, f"SELECT DISTINCT {column} FROM publications")) == expected
    assert len(values(demo, "SELECT DISTINCT kind FROM publications")) >= 10
    assert count(demo, "publications WHERE public_on > '2026-11-22'")
    assert count(demo, "publications WHERE public_on <= '2026-11-22'")
    assert count(demo, "publications WHERE status <> 'current' AND status_reason IS NULL") == 0
    assert count(demo, "publications WHERE status <> 'current' AND status_date IS NULL") == 0
    assert count(demo, "publications AS old JOIN publications AS new ON new.id = old.replaced_by")
    assert set(values(demo, "SELECT DISTINCT status FROM projects")) == {
        *("planned", "running", "ended", "stopped")
    }
    assert set(values(demo, "SELECT DISTINCT status FROM deliverables")) == {
        *("planned", "submitted", "accepted", "dropped")
    }
    assert set(values(demo, "SELECT DISTINCT status FROM events")) == {
        *("planned", "postponed", "cancelled")
    }
    for table in ("projects", "deliverables", "events"):
        assert set(values(demo, f"SELECT DISTINCT access FROM {table}")) == {"public", "members"}


def test_deliverables_come_early_and_late(demo: sqlite3.Connection) -> None:
    assert count(demo, "deliverables WHERE submitted_on < due_on") > 50
    assert count(demo, "deliverables WHERE submitted_on > due_on") > 50
    assert count(demo, "deliverables WHERE status = 'planned' AND due_on < '2026-11-22'")
    assert count(demo, "deliverables WHERE status = 'planned' AND due_on > '2026-11-22'")


def test_a_few_records_break_a_rule_and_the_others_do_not(demo: sqlite3.Connection) -> None:
    def is_date(row: tuple[int | None, int | None, int | None]) -> bool:
        year, month, day = row
        try:
            date(year or 2000, month or 1, day or 1)
        except ValueError:
            return False
        return True

    dates = demo.execute("SELECT year, month, day FROM publications").fetchall()
    assert sum(not is_date(row) for row in dates) == 1
    lost = (
        ("publications", "venue_id", "venues"),
        ("publication_people", "publication_id", "publications"),
        ("publication_people", "person_id", "people"),
        ("publication_topics", "topic_id", "topics"),
        ("project_publications", "project_id", "projects"),
        ("project_publications", "publication_id", "publications"),
        ("project_people", "person_id", "people"),
        ("people", "institution_id", "institutions"),
        ("topics", "parent_id", "topics"),
        ("person_names", "person_id", "people"),
        ("deliverables", "project_id", "projects"),
        ("deliverable_publications", "deliverable_id", "deliverables"),
        ("deliverable_publications", "publication_id", "publications"),
        ("event_organisers", "person_id", "people"),
        ("session_speakers", "person_id", "people"),
        ("session_publications", "publication_id", "publications"),
    )
    for table, column, other in lost:
        missing = count(
            demo,
            f"{table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT id FROM {other})",
        )
        expected = {"publications", "person_names", "deliverables"}
        assert missing == (1 if table in expected else 0), (table, column)


def test_redirects_lead_from_old_paths_to_records(demo: sqlite3.Connection) -> None:
    redirects = dict(demo.execute("SELECT old_path, target FROM redirects").fetchall())
    known = {f"publication:{key}" for key in values(demo, "SELECT id FROM publications")}
    known |= {f"person:{key}" for key in values(demo, "SELECT id FROM people")}
    known |= {f"topic:{key}" for key in values(demo, "SELECT id FROM topics")}
    lost = [target for target in redirects.values() if target[0] != "/" and target not in known]
    assert lost == ["publication:EL-1066-0001"]
    assert "/show.asp?id=17" in redirects
    assert any(re.fullmatch(r"/pubs/\d+", path) for path in redirects)


def test_one_report_has_300_authors_and_a_very_long_title(demo: sqlite3.Connection) -> None:
    authors, title = demo.execute(
        """
        SELECT count(*), p.title FROM publications AS p
        JOIN publication_people AS a ON a.publication_id = p.id
        GROUP BY p.id ORDER BY 1 DESC LIMIT 1
        """
    ).fetchone()
    assert authors == 300
    assert len(title) >= 390


def test_names_come_in_many_scripts_and_forms(demo: sqlite3.Connection) -> None:
    names = " ".join(values(demo, "SELECT name FROM person_names"))
    for script in (
        "\u0600-\u06ff",
        "\u0590-\u05ff",
        "\u0400-\u04ff",
        "\u4e00-\u9fff",
        "\uac00-\ud7af",
    ):
        assert re.search(f"[{script}]", names), script
    printed = "publication_people AS a JOIN people AS p ON p.id = a.person_id WHERE"
    assert count(demo, f"{printed} a.name LIKE substr(p.given_name, 1, 1) || '. %'") > 50
    assert count(demo, "publication_people WHERE person_id IS NULL") > 20
    assert count(demo, "people WHERE is_student = 1") > 30


def test_orcids_are_well_formed_and_given_to_nobody(demo: sqlite3.Connection) -> None:
    for orcid in values(demo, "SELECT orcid FROM people WHERE orcid IS NOT NULL"):
        assert re.fullmatch(r"0000-0000-\d{4}-\d{3}[\dX]", orcid)
        total = 0
        digits = orcid.replace("-", "")
        for digit in digits[:-1]:
            total = (total + int(digit)) * 2
        assert "0123456789X"[(12 - total % 11) % 11] == digits[-1]


def test_dois_carry_the_test_prefix(demo: sqlite3.Connection) -> None:
    dois = values(demo, "SELECT doi FROM publications WHERE doi IS NOT NULL")
    assert all(doi.startswith("10.5555/") for doi in dois)
    assert len(set(dois)) == len(dois) > 300


def test_abstracts_have_the_length_of_abstracts_and_share_little(
    demo: sqlite3.Connection,
) -> None:
    abstracts = values(
        demo,
        """
        SELECT DISTINCT abstract FROM publications
        WHERE abstract IS NOT NULL AND (language = 'en' OR language IS NULL)
        """,
    )
    lengths = sorted(len(text.split()) for text in abstracts)
    assert sum(90 <= n <= 220 for n in lengths) > 0.98 * len(lengths)
    assert not any(re.search(r"[{}]|%s|\bn\.", re.sub(r"\$.*?\$", "", t)) for t in abstracts)
    sentences = [set(re.split(r"(?<=[.?]) |\n\n", text)) for text in abstracts]
    sharing = sum(len(a & b) > 1 for a, b in combinations(sentences, 2))
    assert sharing < len(abstracts) ** 2 / 2 / 500


def test_some_titles_and_abstracts_hold_formulas(demo: sqlite3.Connection) -> None:
    for column in ("title", "abstract"):
        texts = values(demo, f"SELECT {column} FROM publications WHERE {column} LIKE '%$%'")
        assert len(texts) > 10
        assert all(text.count("$") % 2 == 0 for text in texts)


def test_events_carry_forms_and_agendas(demo: sqlite3.Connection) -> None:
    for form in values(demo, "SELECT form FROM events"):
        assert json.loads(form)["questions"]
    assert count(demo, "events WHERE id NOT IN (SELECT event_id FROM event_sessions)") == 0
    assert count(demo, "events WHERE starts_at > '2026-11-22'") >= 4
    assert count(demo, "events WHERE starts_at < '2026-11-22'") >= 4
    assert count(demo, "events WHERE ends_at <= starts_at") == 0
    late = "events WHERE registration_closes_at >= starts_at"
    assert count(demo, late) == 0
    assert count(demo, "session_publications") > 10


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_demo(
        tmp_path / "demo.sqlite",
        tmp_path / "files",
        publications=50,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (50, 50)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("publications", [0, -1, 1_000_001])
def test_numbers_out_of_range_are_refused(tmp_path: Path, publications: int) -> None:
    with pytest.raises(ConfigurationError, match="cannot be made"):
        write_demo(tmp_path / "demo.sqlite", tmp_path / "files", publications=publications)


def test_failure_leaves_the_earlier_database_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "demo.sqlite"
    write_demo(path, tmp_path / "files", publications=20)
    before = path.read_bytes()
    (tmp_path / "no-folder").write_text("a file where a folder should be")
    with pytest.raises(SourceError, match="cannot be written"):
        write_demo(path, tmp_path / "no-folder", publications=40)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.new"))
