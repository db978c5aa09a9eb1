"""Pages for staff: problems in the data with their dates, and the proof of completeness."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from content_sync.citations.rules import rules_in_words
from content_sync.pages.site import build_site
from content_sync.pages.staff import rule_in_words
from content_sync.records import VIEWS
from content_sync.release.stage import staged
from content_sync.release.verify import check
from content_sync.source.convert import rules
from content_sync.sync.proof import prove
from tests.content_sync.pages.conftest import Site, tree


def proven(site: Site) -> dict[str, Any]:
    """Build with the proof, as a night does; return what release.json says of it."""
    build_site(site.settings, prove=lambda root, date: prove(site.settings, root, date))
    stage = staged(site.settings)
    assert stage is not None
    facts: dict[str, Any] = json.loads((stage.root / "release.json").read_text())["completeness"]
    return facts


def staff_page(site: Site, path: str) -> LexborHTMLParser:
    stage = staged(site.settings)
    assert stage is not None
    return LexborHTMLParser((stage.root / "staff" / path).read_text("utf-8"))


def spoil(site: Site, doi: str, version: int) -> None:
    """Give the first publication a DOI that is none."""
    site.edit(
        "UPDATE publications SET doi = ?, version = ?"
        " WHERE id = (SELECT min(id) FROM publications)",
        doi,
        version,
    )


def test_problems_stand_on_a_page_of_the_staff_with_their_rule(site: Site) -> None:
    spoil(site, "<b>bad</b>", 9)
    site.edit("INSERT INTO publications (id, title, access) VALUES ('bad', ' ', 'public')")
    site.sync()
    _report, stage = site.build()
    page = staff_page(site, "data-quality/index.html")
    assert "A DOI is `10.prefix/suffix`" in page.text()
    row = page.css_first("#rule-doi tbody tr")
    assert row is not None
    assert "'<b>bad</b>' is no DOI" in row.text()
    assert row.css_first("a").attributes["href"].startswith("/members/publications/")  # type: ignore[union-attr]
    assert page.css_first("#rule-required th a") is None  # it was left out and has no page
    with (stage.root / "staff/data-quality/problems.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert {one["rule"] for one in rows} >= {"doi", "required"}
    found_by_sync = [one for one in rows if one["rule"] not in rules_in_words()]
    assert len(found_by_sync) == site.snapshot("SELECT count(*) FROM problems")[0][0]


def test_nothing_for_staff_is_below_the_other_trees(site: Site) -> None:
    site.edit("UPDATE publications SET doi = 'unmistakably-bad', version = 9")
    site.sync()
    _report, stage = site.build()
    for folder in ("public", "members"):
        for path, content in tree(stage.root / folder).items():
            assert b"unmistakably-bad" not in content, path
            assert not path.startswith("staff"), path
    assert not [line for line in check(site.settings, stage).errors if "/staff/" in str(line)]


def test_problem_keeps_the_day_when_it_was_first_seen(site: Site) -> None:
    spoil(site, "bad", 9)
    site.sync()
    site.build()
    with sqlite3.connect(site.settings.history) as connection:
        connection.execute("UPDATE problems SET first_seen = '2020-02-03'")
    connection.close()
    site.settings.snapshot.unlink()  # the snapshot forgets, the history does not
    site.sync()
    site.build()
    day = staff_page(site, "data-quality/index.html").css_first("#rule-doi time")
    assert day is not None
    assert day.attributes["datetime"] == "2020-02-03"
    site.edit("UPDATE publications SET doi = NULL, version = 10")
    site.sync()
    site.build()
    spoil(site, "bad", 11)
    site.sync()
    site.build()
    day = staff_page(site, "data-quality/index.html").css_first("#rule-doi time")
    assert day is not None
    assert day.attributes["datetime"] != "2020-02-03"  # it was mended in between


def test_cells_that_a_spreadsheet_would_compute_are_text(site: Site) -> None:
    site.edit(
        "INSERT INTO publications (id, title, access, doi) VALUES ('=1+1', 'T', 'public', 'x')"
    )
    site.sync()
    _report, stage = site.build()
    assert ",'=1+1," in (stage.root / "staff/data-quality/problems.csv").read_text("utf-8")


def test_every_rule_says_in_words_what_it_asks() -> None:
    for name, says in (rules() | rules_in_words()).items():
        assert rule_in_words(name) == " ".join(says.split())
        assert len(says) > 20, name
    for name in ("required", "reference", "circle", "many_people", "no_key", "duplicate_key"):
        assert rule_in_words(name) != name


# Proof of completeness


def test_release_that_shows_everything_is_complete(site: Site) -> None:
    site.sync()
    facts = proven(site)
    assert facts["state"] == "complete"
    assert facts["sampled"] > 50
    assert all(view["same"] and not view["moved"] for view in facts["views"])
    assert {view["view"] for view in facts["views"]} == {view.name for view in VIEWS}
    assert "Yes: every row" in staff_page(site, "completeness/index.html").text()


def test_build_alone_is_not_compared(site: Site) -> None:
    site.sync()
    site.build()
    assert "Not compared" in staff_page(site, "completeness/index.html").text()


def test_row_that_moved_after_the_sync_is_no_fault(site: Site) -> None:
    site.sync()
    site.edit("UPDATE venues SET name = 'Moved', version = version + 1")
    site.edit("DELETE FROM redirects")
    facts = proven(site)
    assert facts["state"] == "complete"
    assert "have moved in the source since" in facts["says"]
    moved = {view["view"]: view["moved"] for view in facts["views"] if view["moved"]}
    assert set(moved) == {"venues", "redirects"}


def test_large_views_are_counted_and_not_read_again(site: Site) -> None:
    site.settings = replace(site.settings, source_window_rows=50)
    site.sync()
    site.edit("DELETE FROM publication_people WHERE position = 1")
    facts = proven(site)
    views = {view["view"]: view for view in facts["views"]}
    assert views["publication_people"]["digest"] == ""
    assert views["publication_people"]["moved"] > 20
    assert views["institutions"]["digest"] != ""
    assert "rows counted only" in staff_page(site, "completeness/index.html").text()


def test_version_that_lies_is_found_and_the_view_is_read_whole(site: Site) -> None:
    site.sync()
    site.edit("DROP TRIGGER topics_edited")
    site.edit("UPDATE topics SET name = name || ' (new)'")
    facts = proven(site)
    assert facts["state"] == "differs"
    assert "web.topics" in facts["says"]
    assert all("name differs, with the same version" in line for line in facts["findings"])
    stage = staged(site.settings)
    assert stage is not None
    report = check(site.settings, stage)
    assert not any("same version" in str(line) for line in report.errors)
    assert any("same version" in str(line) for line in report.warnings)
    assert site.sync().views["topics"].changed > 0
    assert proven(site)["state"] == "complete"
    assert not (site.settings.var / "distrusted.json").exists()


def test_record_without_its_page_stops_the_night(site: Site) -> None:
    site.sync()

    def lose(root: Path, date: str) -> dict[str, Any]:
        lost = {file: file.read_bytes() for file in (root / "public" / "venues").glob("*.html")}
        for file in lost:
            file.unlink()
        found = prove(site.settings, root, date)
        for file, content in lost.items():
            file.write_bytes(content)
        return found

    build_site(site.settings, prove=lose)
    stage = staged(site.settings)
    assert stage is not None
    report = check(site.settings, stage)
    assert any("has no page public/venues/" in str(line) for line in report.errors)


def test_source_that_is_gone_after_the_build_is_said(
    make_site: Callable[..., Site],
) -> None:
    site = make_site()
    site.sync()
    site.settings.demo_source.unlink()
    facts = proven(site)
    assert facts["state"] == "not compared"
    assert "could not be read again" in facts["says"]


PAGES = ("index.html", "data-quality/index.html", "completeness/index.html")


@pytest.mark.parametrize("path", PAGES)
def test_pages_of_the_staff_are_whole_and_not_for_search_engines(site: Site, path: str) -> None:
    site.sync()
    proven(site)
    page = staff_page(site, path)
    assert page.css_first("meta[name=robots]").attributes["content"] == "noindex"  # type: ignore[union-attr]
    assert len(page.css("h1")) == 1
    assert page.css_first("html").attributes["lang"] == "en"  # type: ignore[union-attr]
