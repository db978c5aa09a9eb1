"""The command line, as its user meets it: words, exit codes, and what is left behind."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from content_sync.cli import main


def run(*words: str, source: str = "") -> Result:
    return CliRunner(env={"NIGHTPRESS_SOURCE": source}).invoke(main, words)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A new site with a small demo source."""
    folder = tmp_path / "site"
    assert run("init", str(folder)).exit_code == 0
    assert run("demo", "--site", str(folder), "-n", "40").exit_code == 0
    return folder


@pytest.fixture
def published(site: Path) -> Path:
    result = run("nightly", "--site", str(site))
    assert result.exit_code == 0, result.output
    return site


def _edit(site: Path, sql: str) -> None:
    with sqlite3.connect(site / "var/demo.sqlite") as connection:
        connection.execute(sql)
    connection.close()


def test_a_night_ends_with_a_summary(site: Path) -> None:
    result = run("nightly", "--site", str(site))
    assert result.exit_code == 0
    for word in ("Records", "Pages", "Search", "Check", "0 errors", "Seconds", "nightpress serve"):
        assert word in result.output
    assert (site / "output/current/public/index.html").is_file()
    assert any((site / "output/current/public/publications").rglob("*.pdf"))  # the demo's own


def test_the_summary_comes_as_json_too(site: Path) -> None:
    result = run("nightly", "--site", str(site), "--json")
    facts = json.loads(result.stdout)
    assert facts["release"] == 1
    assert facts["build"]["written"] > facts["build"]["pages"] > 100
    assert set(facts["seconds"]) == {"sync", "build", "index", "check", "publish"}


def test_a_night_without_changes_builds_nothing_and_says_so(published: Path) -> None:
    result = run("nightly", "--site", str(published))
    assert "Nothing has changed" in result.output
    assert json.loads(run("status", "--site", str(published), "--json").stdout)["live_release"] == 1


def test_a_changed_night_makes_a_release_and_rollback_takes_it_back(published: Path) -> None:
    _edit(published, "UPDATE publications SET title = 'Wholly new words' WHERE access = 'public'")
    assert run("nightly", "--site", str(published)).exit_code == 3  # nearly all has changed
    assert run("nightly", "--site", str(published), "--accept").exit_code == 0
    page = published / "output/current/public/publications/index.html"
    assert "Wholly new words" in page.read_text()
    result = run("rollback", "--site", str(published))
    assert result.output.strip() == "Release 1 is live again."
    assert "Wholly new words" not in page.read_text()


def test_each_step_can_be_taken_alone(site: Path) -> None:
    for step in ("sync", "build", "index", "check", "publish"):
        result = run(step, "--site", str(site))
        assert result.exit_code == 0, f"{step}: {result.output}"
    assert (site / "output/current/public/index.html").is_file()


def test_search_finds_a_work_by_its_title(published: Path) -> None:
    with sqlite3.connect(published / "var/demo.sqlite") as connection:
        record, title = connection.execute(
            "SELECT id, title FROM publications WHERE access = 'public' AND status = 'current'"
            " GROUP BY title HAVING count(*) = 1 ORDER BY id LIMIT 1"
        ).fetchone()
    connection.close()
    result = run("search", "--site", str(published), "--json", title)
    first = json.loads(result.stdout.splitlines()[0])
    assert (first["id"], first["rank"]) == (f"publication:{record}", 1)


def test_members_records_are_found_only_when_asked_for(published: Path) -> None:
    _edit(
        published,
        "INSERT INTO publications (id, title, year, access)"
        " VALUES ('quiet', 'Xylophone calibration', 2024, 'members')",
    )
    run("nightly", "--site", str(published))
    assert "Nothing found" in run("search", "--site", str(published), "xylophone").output
    result = run("search", "--site", str(published), "--members", "xylophone")
    assert "Xylophone calibration" in result.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("sync", "--site", "nowhere"), 2, "is not a site folder"),
        (("nonsense",), 2, "No such command"),
        (("demo", "-n", "0"), 2, "0 is not in the range"),
        (("search",), 2, "Missing argument"),
    ],
)
def test_wrong_use_is_told_apart(words: tuple[str, ...], code: int, said: str) -> None:
    result = run(*words)
    assert result.exit_code == code
    assert said in result.output


@pytest.mark.parametrize("command", ["index", "publish", "check", "rollback", "search"])
def test_a_step_that_comes_too_early_says_what_to_do_first(site: Path, command: str) -> None:
    words = [command, "--site", str(site)] + (["anything"] if command == "search" else [])
    result = run(*words)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1, "one line"
    assert "Traceback" not in result.output


def test_settings_that_cannot_be_used_are_all_named_at_once(site: Path) -> None:
    with (site / "pelicanconf.py").open("a") as conf:
        conf.write("GUARD_SHARE = 7\nRELEASES_KEPT = 'many'\nTIMEZONE = 'Mars/Base'\n")
    result = run("status", "--site", str(site))
    assert result.exit_code == 2
    for name in ("GUARD_SHARE", "RELEASES_KEPT", "TIMEZONE"):
        assert name in result.output


def test_a_source_that_is_not_there_stops_the_night_and_changes_nothing(published: Path) -> None:
    before = (published / "output/current").resolve()
    result = run("nightly", "--site", str(published), source="sqlite:///gone.sqlite")
    assert result.exit_code == 1
    assert "gone.sqlite" in result.output
    assert (published / "output/current").resolve() == before


def test_too_great_a_loss_is_refused_until_it_is_accepted(published: Path) -> None:
    _edit(published, "DELETE FROM publications WHERE rowid % 4 > 0")
    result = run("nightly", "--site", str(published))
    assert result.exit_code == 3
    assert "--accept" in result.output
    assert json.loads(run("status", "--site", str(published), "--json").stdout)["sync"] == 1
    assert run("nightly", "--site", str(published), "--accept").exit_code == 0


def test_a_folder_with_something_in_it_is_not_made_a_site(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    result = run("init", str(tmp_path))
    assert result.exit_code == 1
    assert sorted(f.name for f in tmp_path.iterdir()) == ["kept.txt"]


def test_an_unfinished_release_does_not_go_live(site: Path) -> None:
    run("sync", "--site", str(site))
    run("build", "--site", str(site))
    page = next((site / "output/releases/1.staged/public/people").glob("*.html"))
    page.unlink()
    result = run("publish", "--site", str(site))
    assert result.exit_code == 1
    assert not (site / "output/current").exists()
