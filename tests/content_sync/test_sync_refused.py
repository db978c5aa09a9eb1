"""Syncs that a guard refuses: what is shown of them, and how they are landed."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from selectolax.lexbor import LexborHTMLParser

from content_sync.cli import main
from content_sync.errors import GuardRefused
from content_sync.settings import Settings
from content_sync.standalone import render
from content_sync.sync.difference import as_text, diff_now, diff_refused
from content_sync.sync.refusal import kept
from tests.content_sync.databases import POSTGRESQL, Nights


def fill(database: Any, count: int = 100) -> None:
    database.create("publications", "venues")
    for number in range(count):
        database.add("publications", id=f"p{number:03}", title=f"Paper {number}", year=2000)
        database.add("venues", id=f"v{number:03}", name=f"Venue {number}")


def lose(nights: Any) -> None:
    """Remove half of the papers, change one venue and add another."""
    nights.database.remove("publications", "id < 'p050'")
    nights.database.change(
        "venues", "id = 'v001'", name="Venue <b>One</b> & more", issn="1234-5678"
    )
    nights.database.add("venues", id="new", name="New venue")


@pytest.fixture
def refused(nights: Any) -> Any:
    fill(nights.database)
    nights.sync()
    lose(nights)
    with pytest.raises(GuardRefused, match=r"has lost 50 of 100 rows .*nightpress diff"):
        nights.sync()
    return nights


def test_refused_sync_is_shown_field_by_field(refused: Any) -> None:
    diff = diff_refused(refused.settings, samples=3)
    assert diff is not None
    text = as_text(diff)
    assert text.startswith("Refused on ")
    assert "web.publications: 100 rows; 0 added, 0 changed, 50 gone" in text
    assert "- p000  Paper 0\n" in text
    assert "… and 47 more gone" in text
    assert "web.venues: 100 rows; 1 added, 1 changed, 0 gone" in text
    assert "+ new  New venue" in text
    assert "      issn: nothing → '1234-5678'" in text
    assert "      name: 'Venue 1' → 'Venue One & more'" in text


def test_page_of_a_refused_sync_stands_alone_and_escapes(sqlite_nights: Any) -> None:
    fill(sqlite_nights.database)
    sqlite_nights.sync()
    sqlite_nights.database.change("venues", "id < 'v090'", name="a < b & <x-y onload=1>")
    with pytest.raises(GuardRefused, match=r"web\.venues has changed in 90 of 100 rows"):
        sqlite_nights.sync()
    page = render("diff.html", diff=diff_refused(sqlite_nights.settings, samples=200))
    tree = LexborHTMLParser(page)
    assert not tree.css("script, link, img, x-y, [src], [onload]")
    assert "a < b & <x-y onload=1>" in tree.css("ins")[0].text()
    assert len(tree.css("ins")) == 90
    assert "default-src 'none'" in page


def test_accept_lands_exactly_what_was_refused(refused: Any) -> None:
    refused.database.remove("publications", "id < 'p060'")
    refused.database.change("venues", "id = 'v002'", name="Later")
    report = refused.sync(accept=True)
    assert report.views["publications"].gone == 50
    assert refused.row("SELECT count(*) FROM publications") == (50,)
    assert refused.row("SELECT name FROM venues WHERE id = 'v002'") == ("Venue 2",)
    assert any("exactly as it was read then" in note for note in report.notes)
    assert any("has moved since: 11 rows" in note for note in report.notes)
    assert not kept(refused.settings).exists()
    report = refused.sync()
    assert (report.gone, report.changed) == (10, 1)
    assert refused.row("SELECT count(*) FROM changes WHERE sync = 2 AND change = 'gone'") == (50,)


def test_accept_says_nothing_of_a_source_at_rest(refused: Any) -> None:
    report = refused.sync(accept=True)
    assert not any("moved" in note for note in report.notes)
    assert refused.sync().unchanged


def test_views_that_agreed_keep_their_problems_when_a_refused_sync_is_landed(nights: Any) -> None:
    fill(nights.database)
    nights.database.create("topics")
    nights.database.add("topics", id="t1", name="<b>Bold</b>")
    nights.sync()
    told = nights.problems("topics")
    assert told
    lose(nights)
    with pytest.raises(GuardRefused):
        nights.sync()
    nights.sync(accept=True)
    assert nights.problems("topics") == told
    assert nights.row("SELECT count(*) FROM topics") == (1,)


def test_another_refusal_than_the_one_looked_at_is_not_landed(refused: Any) -> None:
    site = str(refused.settings.site)
    refused.settings.site.mkdir(exist_ok=True)
    (refused.settings.site / "pelicanconf.py").write_text("")
    shown = CliRunner(env={"NIGHTPRESS_SOURCE": refused.settings.source}).invoke(
        main, ["diff", "--site", site, "--html", f"{site}/diff.html"]
    )
    assert shown.exit_code == 0, shown.output
    assert "50 gone" in shown.output
    assert "p099" not in shown.output
    assert (Path(site) / "diff.html").read_text("utf-8").startswith("<!doctype html>")
    refused.database.remove("publications", "id < 'p090'")
    with pytest.raises(GuardRefused, match="lost 90 of 100"):
        refused.sync()
    with pytest.raises(GuardRefused, match=r"moved since .*another one.*Look again"):
        refused.sync(accept=True)
    assert refused.row("SELECT count(*) FROM publications") == (100,)
    CliRunner(env={"NIGHTPRESS_SOURCE": refused.settings.source}).invoke(
        main, ["diff", "--site", site]
    )
    assert refused.sync(accept=True).gone == 90


def test_refused_again_without_having_moved_is_the_same(refused: Any) -> None:
    diff = diff_refused(refused.settings, samples=1)
    with pytest.raises(GuardRefused):
        refused.sync()
    again = diff_refused(refused.settings, samples=1)
    assert diff is not None
    assert again is not None
    assert diff.digest == again.digest


def test_what_was_refused_upon_another_snapshot_counts_no_more(refused: Any) -> None:
    refused.database.run(f"DELETE FROM {refused.database.at('publications')}")
    for number in range(100):
        refused.database.add("publications", id=f"p{number:03}", title="Back", year=2000)
    report = refused.given(guard_changed_share=1).sync()
    assert report.gone == 0
    assert diff_refused(refused.settings, samples=1) is None
    assert not kept(refused.settings).exists()
    assert refused.sync(accept=True).unchanged


def test_damaged_refusal_is_as_none(sqlite_nights: Any) -> None:
    fill(sqlite_nights.database)
    sqlite_nights.sync()
    lose(sqlite_nights)
    with pytest.raises(GuardRefused):
        sqlite_nights.sync()
    kept(sqlite_nights.settings).write_bytes(b"garbage" * 1000)
    assert diff_refused(sqlite_nights.settings, samples=1) is None
    assert sqlite_nights.sync(accept=True).gone == 50


def test_diff_without_a_refusal_reads_the_source_and_lands_nothing(nights: Any) -> None:
    fill(nights.database, 3)
    nights.sync()
    before = nights.settings.snapshot.read_bytes()
    assert as_text(diff_now(nights.settings, samples=5)).startswith("Nothing would change")
    lose(nights)
    text = as_text(diff_now(nights.settings, samples=5))
    assert "web.publications: 3 rows; 0 added, 0 changed, 3 gone" in text
    assert nights.settings.snapshot.read_bytes() == before
    assert {p.name for p in nights.settings.var.iterdir()} == {
        "snapshot.sqlite",
        "source-report.json",
    }


def test_landed_refusal_is_what_a_sync_would_have_made(sqlite_nights: Any, tmp_path: Path) -> None:
    """The same nights with a guard that lets all pass end in the same tables."""
    free = Nights(
        sqlite_nights.database,
        Settings(site=tmp_path / "free", source=sqlite_nights.settings.source, guard_share=1),
    )
    fill(sqlite_nights.database)
    sqlite_nights.database.add("publications", id="bad", title=" ")
    for one in (sqlite_nights, free):
        one.sync()
    lose(sqlite_nights)
    with pytest.raises(GuardRefused):
        sqlite_nights.sync()
    sqlite_nights.sync(accept=True)
    free.sync()
    tables = ("publications", "venues", "problems", "left_out", "changes", "touched")
    for table in tables:
        query = f"SELECT * FROM {table} ORDER BY 1, 2, 3"
        assert sqlite_nights.rows(query) == free.rows(query), table


# Schema drift


def test_new_column_is_noted_once(nights: Any) -> None:
    fill(nights.database, 2)
    nights.sync()
    nights.database.run(f"ALTER TABLE {nights.database.at('venues')} ADD COLUMN colour TEXT")
    report = nights.sync()
    assert [note for note in report.notes if "colour" in note] == [
        "New in web.venues, and not read: colour (the contract does not name it)."
    ]
    assert not any("colour" in note for note in nights.sync().notes)


def test_column_of_another_type_stops_unless_accepted(sqlite_nights: Any) -> None:
    database = sqlite_nights.database
    fill(database, 3)
    sqlite_nights.sync()
    database.run("ALTER TABLE publications RENAME TO old")
    rows = database.run("SELECT sql FROM sqlite_master WHERE name = 'old'")
    statement = rows[0][0].replace('"old"', "publications")
    database.run(re.sub(r"title\s+TEXT", "title INTEGER", statement))
    database.run("INSERT INTO publications SELECT * FROM old")
    with pytest.raises(
        GuardRefused,
        match=r"web\.publications\.title was text and is integer now.*Pages that need them: publ",
    ):
        sqlite_nights.sync()
    assert sqlite_nights.sync(accept=True).rows == 6


@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)
def test_wider_type_is_no_drift(nights: Any) -> None:
    fill(nights.database, 2)
    nights.sync()
    nights.database.run("ALTER TABLE web.publications ALTER COLUMN title TYPE VARCHAR(4000)")
    nights.database.run("ALTER TABLE web.publications ALTER COLUMN year TYPE BIGINT")
    assert nights.sync().unchanged
    nights.database.run("ALTER TABLE web.publications ALTER COLUMN year TYPE TEXT USING year::text")
    with pytest.raises(GuardRefused, match=r"web\.publications\.year was bigint and is text now"):
        nights.sync()


def test_refused_digest_depends_on_values(sqlite_nights: Any) -> None:
    fill(sqlite_nights.database)
    sqlite_nights.sync()
    digests = set()
    for name in ("A", "B"):
        sqlite_nights.database.change("venues", "id < 'v090'", name=name)
        with pytest.raises(GuardRefused):
            sqlite_nights.sync()
        diff = diff_refused(sqlite_nights.settings, samples=1)
        assert diff
        digests.add(diff.digest)
    assert len(digests) == 2
    with sqlite3.connect(kept(sqlite_nights.settings)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
