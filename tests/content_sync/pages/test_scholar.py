"""Publication pages keep the rules of citation indexes; what breaks them in the data is told."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import pytest

from content_sync.citations.rules import RULES, find_faults
from content_sync.snapshot import create_tables
from tests.content_sync.pages.conftest import Site
from tests.scholar import PublicationPage, lint

SITE = "https://publications.example"


def test_all_publication_pages_keep_the_rules_of_citation_indexes(site: Site) -> None:
    site.edit("UPDATE publications SET title = 'TITLES THAT CRY FROM END TO END' WHERE rowid = 5")
    (loud,) = site_row(site, "SELECT id FROM publications WHERE rowid = 5")
    site.edit("UPDATE publications SET status = 'current', access = 'public' WHERE rowid = 5")
    site.night()
    public = site.settings.output / "current/public"
    faults: dict[str, list[str]] = {}
    linted = 0
    for file in sorted((public / "publications").glob("*.html")):
        html = file.read_text()
        if file.stem == "index" or "citation_title" not in html:
            continue
        linted += 1
        page = PublicationPage(html, f"{SITE}/publications/{file.stem}/", public)
        if found := lint(page):
            faults[file.stem] = found
    assert faults == {}
    assert linted > 20
    members = [f.read_text() for f in (public.parent / "members/publications").glob("*.html")]
    assert members
    assert not any("citation_" in html for html in members), "nobody harvests these"

    # The linter finds what a template could get wrong.
    html = next(
        text
        for f in sorted((public / "publications").glob("*.html"))
        if "citation_author" in (text := f.read_text()) and "citation_pdf_url" in text
    )
    url = f"{SITE}/publications/x/"
    for wrong, rule in (
        (html.replace("citation_title", "citation_titel"), "names_its_title_once"),
        (html.replace('"citation_author"', '"citation_x"', 1), "names_each_author"),
        (html.replace("citation_pdf_url", 'citation_pdf_url" x="'), "offers_a_pdf"),
        (html.replace("</main>", '<span class="Z3988"></span></main>'), "is_no_list"),
        (html.replace('rel="cite-as"', 'rel="cite"'), "links_as_signposting"),
    ):
        assert any(f.startswith(rule) for f in lint(PublicationPage(wrong, url, public))), rule

    # What the data gets wrong stops nothing and stands on the page for staff.
    problems = public.parent / "staff/data-quality/problems.csv"
    with problems.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert any(r["rule"] == "title_in_capitals" and r["key"] == loud for r in rows)
    assert (
        "not written in capitals" in (public.parent / "staff/data-quality/index.html").read_text()
    )


def site_row(site: Site, sql: str) -> tuple[str]:
    with sqlite3.connect(site.settings.demo_source) as connection:
        row = connection.execute(sql).fetchone()
    connection.close()
    return (str(row[0]),)


_GOOD = {
    "id": "a",
    "title": "A title",
    "kind": "conference paper",
    "year": 2020,
    "published_in": "Proceedings",
    "access": "public",
    "status": "current",
    "version": b"",
}


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("work_without_year", {"year": None}),
        ("paper_without_container", {"published_in": None}),
        ("work_without_institution", {"kind": "thesis"}),
        ("title_in_capitals", {"title": "A VERY LOUD TITLE"}),
        ("title_ends_with_a_stop", {"title": "It ends."}),
        ("abstract_says_nothing", {"abstract": "None"}),
        ("pages_run_backwards", {"pages": "120-19"}),
        ("pages_run_backwards", {"pages": "1340-1338"}),
        ("status_without_a_reason", {"status": "retracted", "status_reason": "Wrong"}),
    ],
)
def test_a_fault_of_the_data_is_found(
    tmp_path: Path, rule: str, changed: dict[str, object]
) -> None:
    connection = snapshot(tmp_path)
    insert(connection, "publications", _GOOD)
    insert(connection, "publication_people", _PERSON)
    assert list(find_faults(connection)) == [], "a good record breaks no rule"
    connection.execute("DELETE FROM publications")
    insert(connection, "publications", _GOOD | changed)
    found = {(f.rule, f.key) for f in find_faults(connection)}
    # A page range that is only shortened does not run backwards.
    assert found == ({(rule, "a")} if changed.get("pages") != "120-19" else set())
    connection.close()


def test_faults_of_several_rows_are_found(tmp_path: Path) -> None:
    connection = snapshot(tmp_path)
    for one in ("a", "b"):
        insert(connection, "publications", _GOOD | {"id": one, "doi": f"10.1/{'x'}"})
    insert(connection, "publication_people", _PERSON | {"name": "Ada Lovelace; C. Babbage"})
    found = {(f.rule, f.key) for f in find_faults(connection)}
    assert found == {
        ("doi_of_two_works", "a"),
        ("doi_of_two_works", "b"),
        ("work_without_people", "b"),
        ("name_is_no_name", "a/author/1"),
    }
    assert {f.view for f in find_faults(connection)} <= {rule.view for rule in RULES}
    connection.close()


_PERSON = {
    "publication_id": "a",
    "role": "author",
    "position": 1,
    "name": "Ada Lovelace",
    "version": b"",
}


def snapshot(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "snapshot.sqlite")
    create_tables(connection)
    connection.execute("ATTACH ':memory:' AS cache")
    connection.execute("CREATE TABLE cache.full_texts (publication_id, size, ending)")
    return connection


def insert(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    marks = ", ".join("?" * len(row))
    connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
    )
