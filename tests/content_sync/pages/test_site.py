"""Whole sites: what is built, what is built again, and for whom."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

import content_sync
from content_sync.errors import BuildError, ConfigurationError
from content_sync.pages.site import build_site, nothing_to_do
from content_sync.release.switch import publish
from content_sync.release.verify import check
from content_sync.settings import PARTS, read_settings
from content_sync.urls import page_file, record_url
from tests.content_sync.pages.conftest import CONF, Site, tree

MakeSite = Callable[..., Site]


def test_every_record_has_its_page_and_the_release_verifies(site: Site) -> None:
    site.sync()
    _, stage = site.build()
    report = check(site.settings, stage, full=True)
    # Built alone: the search index comes with the next step.
    errors = [str(error) for error in report.errors if "search-index" not in str(error)]
    assert errors == []
    for table, folder in (("people", "people"), ("venues", "venues"), ("topics", "topics")):
        count = site.snapshot(f"SELECT count(*) FROM {table}")[0][0]
        pages = list((stage.root / "public" / folder).glob("*.html"))
        assert len(pages) == count + 1, "one page for each record and the section's own"


def test_a_publication_shows_what_its_record_says(site: Site) -> None:
    site.edit(
        "INSERT INTO publications (id, title, abstract, kind, year, month, day, access, doi)"
        " VALUES ('T-1', 'A < b & more', 'First.' || char(10, 10) || 'Second.', 'report',"
        " 2024, 5, 17, 'public', '10.5555/t1')"
    )
    site.edit(
        "INSERT INTO publication_people (publication_id, role, position, name, affiliation)"
        " VALUES ('T-1', 'author', 1, 'Ævar Þór', 'Some Place')"
    )
    site.night()
    page = HTMLParser(site.page("public/publications/t-1_u.html"))
    head = page.css_first("h1")
    assert head is not None
    assert head.text() == "A < b & more"
    assert "Ævar Þór" in page.text()
    assert "17 May 2024" in page.text()
    assert "Second." in page.text()
    tags = {
        (m.attributes["name"], m.attributes["content"]) for m in page.css("meta[name^=citation]")
    }
    assert ("citation_author", "Ævar Þór") in tags
    assert ("citation_publication_date", "2024/05/17") in tags


def test_script_in_a_record_is_text_on_every_page(site: Site) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    for table, column in (
        ("publications", "abstract"),
        ("publications", "venue_id"),
        ("people", "family_name"),
        ("venues", "short_name"),
        ("topics", "name"),
        ("projects", "theme"),
        ("institutions", "city"),
    ):
        site.edit(f"UPDATE {table} SET {column} = {column} || ?", attack)
    site.night()
    for file in (site.settings.output / "current").glob("public/**/*.html"):
        page = HTMLParser(file.read_text())
        for script in page.css("script"):
            if script.attributes.get("src"):
                continue
            # Data for machines: a script by its name only, and whole.
            assert script.attributes["type"] == "application/ld+json", file
            assert json.loads(script.text())["@context"] == "https://schema.org"
        assert not page.css("img[onerror]"), file


def test_a_second_night_renders_only_what_a_change_touches(site: Site) -> None:
    site.night()
    (record,) = site.snapshot(
        "SELECT id FROM publications WHERE access = 'public' AND status = 'current'"
        " AND abstract IS NOT NULL AND year < 2020 ORDER BY id LIMIT 1"
    )[0]
    site.edit(
        "UPDATE publications SET abstract = 'Another.', version = version + 1 WHERE id = ?", record
    )
    report = site.night()
    assert not report.full
    # Its own page shows the abstract; words of it may relate it to a few other works.
    assert 1 <= report.written <= 8
    site.edit(
        "UPDATE publications SET title = 'Another', version = version + 1 WHERE id = ?", record
    )
    people = site.snapshot(
        "SELECT count(DISTINCT person_id) FROM publication_people WHERE publication_id = ?", record
    )[0][0]
    report = site.night()
    assert isinstance(people, int)
    assert 1 + people < report.written < 40 + people


def test_an_unchanged_night_has_nothing_to_do(site: Site) -> None:
    site.night()
    assert site.sync().unchanged
    assert nothing_to_do(site.settings)
    report, _ = site.build()
    assert (report.full, report.written) == (False, 0)


@pytest.mark.parametrize("changed", ["conf", "prose", "file"])
def test_a_change_of_settings_prose_or_files_is_work_to_do(site: Site, changed: str) -> None:
    site.night()
    if changed == "conf":
        conf = site.settings.pelicanconf
        conf.write_text(conf.read_text().replace("Test", "Other"))
        site = Site(read_settings(site.root))
    elif changed == "prose":
        (site.root / "content/pages/about.md").write_text("Title: About\nSlug: about\n\nNew.\n")
    else:
        paper = next((site.settings.var / "demo-files").rglob("*.pdf"))
        paper.write_bytes(paper.read_bytes() + b"\n")
    assert not nothing_to_do(site.settings)
    report = site.night()
    assert report.full == (changed == "conf")


def _edit_at_random(site: Site, chance: random.Random) -> None:
    """Change the source in one of the ways in which sources change."""

    def one_of(table: str, column: str = "id") -> object:
        ids = site.snapshot(f"SELECT {column} FROM {table} ORDER BY {column}")
        return chance.choice(ids)[0] if ids else ""

    raised = "version = version + 1 WHERE id = ?"
    choices: list[Callable[[], None]] = [
        lambda: site.edit(
            f"UPDATE publications SET title = title || '!', {raised}", one_of("publications")
        ),
        lambda: site.edit(
            f"UPDATE publications SET access = ?, {raised}",
            chance.choice(["public", "abstract", "members"]),
            one_of("publications"),
        ),
        lambda: site.edit(
            f"UPDATE publications SET status = ?, status_reason = 'why', {raised}",
            chance.choice(["current", "corrected", "retracted", "withdrawn"]),
            one_of("publications"),
        ),
        lambda: site.edit(
            f"UPDATE publications SET year = ?, {raised}",
            chance.choice([None, 1990, 2026]),
            one_of("publications"),
        ),
        lambda: site.edit(
            f"UPDATE publications SET venue_id = ?, {raised}",
            one_of("venues"),
            one_of("publications"),
        ),
        lambda: site.edit("DELETE FROM publications WHERE id = ?", one_of("publications")),
        lambda: site.edit("DELETE FROM people WHERE id = ?", one_of("people")),
        lambda: site.edit(
            f"UPDATE people SET family_name = ?, {raised}",
            chance.choice(["Zorn", "Ártemis", "沈"]),
            one_of("people"),
        ),
        lambda: site.edit(f"UPDATE venues SET short_name = 'V', {raised}", one_of("venues")),
        lambda: site.edit("DELETE FROM venues WHERE id = ?", one_of("venues")),
        lambda: site.edit(f"UPDATE topics SET name = name || '!', {raised}", one_of("topics")),
        lambda: site.edit(
            f"UPDATE topics SET parent_id = ?, {raised}", one_of("topics"), one_of("topics")
        ),
        lambda: site.edit(
            f"UPDATE projects SET access = ?, {raised}",
            chance.choice(["public", "members"]),
            one_of("projects"),
        ),
        lambda: site.edit(f"UPDATE deliverables SET title = 'D', {raised}", one_of("deliverables")),
        lambda: site.edit(
            f"UPDATE deliverables SET access = ?, due_on = ?, accepted_on = NULL, {raised}",
            chance.choice(["public", "members"]),
            chance.choice([None, "2020-02-02", "2031-02-02"]),
            one_of("deliverables"),
        ),
        lambda: site.edit(
            f"UPDATE projects SET theme = ?, programme = ?, {raised}",
            chance.choice([None, "Light and sound", "Packaging"]),
            chance.choice([None, "Physics"]),
            one_of("projects"),
        ),
        lambda: site.edit(
            "INSERT OR IGNORE INTO deliverable_publications (deliverable_id, publication_id)"
            " VALUES (?, ?)",
            one_of("deliverables"),
            one_of("publications"),
        ),
        lambda: site.edit(
            "DELETE FROM deliverable_publications WHERE publication_id = ?",
            one_of("deliverable_publications", "publication_id"),
        ),
        lambda: site.edit(
            f"UPDATE events SET title = title || '!', registration_closes_at = ?, {raised}",
            chance.choice([None, "2031-02-02T18:00"]),
            one_of("events"),
        ),
        lambda: site.edit("DELETE FROM events WHERE id = ?", one_of("events")),
        lambda: site.edit(f"UPDATE institutions SET name = 'I', {raised}", one_of("institutions")),
        lambda: site.edit(
            "UPDATE publication_people SET person_id = ?, version = version + 1"
            " WHERE publication_id = ? AND position = 1",
            one_of("people"),
            one_of("publications"),
        ),
        lambda: site.edit(
            "INSERT OR IGNORE INTO publications (id, title, year, access, venue_id)"
            " VALUES (?, 'New', 2026, ?, ?)",
            f"N-{chance.randrange(1000)}",
            chance.choice(["public", "members"]),
            one_of("venues"),
        ),
    ]
    chance.choice(choices)()


def _copy(site: Site, name: str) -> Site:
    """Return the same site with the same history, to be built in another way."""
    target = site.root.with_name(name)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(site.root, target, symlinks=True)
    return Site(read_settings(target))


def _forget_keys(site: Site) -> None:
    """Let nothing of the live release be taken over because it is made of the same."""
    live = site.settings.output / "current"
    with contextlib.closing(sqlite3.connect(live / "manifest.sqlite")) as manifest, manifest:
        manifest.execute("UPDATE files SET key = NULL")


def _content(root: Path) -> dict[str, bytes]:
    """Return a release's files apart from those that say how and when it was built."""
    return {p: b for p, b in tree(root).items() if p not in ("release.json", "manifest.sqlite")}


@pytest.mark.parametrize("seed", [1, 2])
def test_incremental_nights_give_the_bytes_of_full_builds(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    site.night()
    for _ in range(4):
        for _ in range(3):
            _edit_at_random(site, chance)
        site.sync()
        twin = _copy(site, "twin")
        (twin.settings.var / "cache.sqlite").unlink()
        _forget_keys(twin)
        report, stage = site.build()
        full, twin_stage = twin.build(full=True)
        assert (report.full, full.full) == (False, True)
        mine, others = _content(stage.root), _content(twin_stage.root)
        assert {p for p in mine | others if mine.get(p) != others.get(p)} == set()
        publish(site.settings, stage)


def test_the_public_tree_does_not_know_members_records(make_site: MakeSite) -> None:
    with_them, without = make_site("with"), make_site("without")
    members_only = (
        "DELETE FROM publications WHERE access = 'members' AND public_on IS NULL",
        "DELETE FROM projects WHERE access = 'members'",
        "DELETE FROM events WHERE access = 'members'",
        "DELETE FROM deliverables WHERE access = 'members'",
    )
    for statement in members_only:
        without.edit(statement)
    for site in (with_them, without):
        site.sync()
        with contextlib.closing(sqlite3.connect(site.settings.snapshot)) as snapshot, snapshot:
            # When the data was read stands on /changes/; here it is not what is compared.
            snapshot.execute("UPDATE syncs SET finished = '2026-01-01T02:03:04+00:00'")
        site.build()
    mine = tree(with_them.settings.output / "releases/1.staged/public")
    others = tree(without.settings.output / "releases/1.staged/public")
    assert {p for p in mine | others if mine.get(p) != others.get(p)} == set()
    assert tree(with_them.settings.output / "releases/1.staged/members")


def test_members_see_their_records_on_their_own_tree(site: Site) -> None:
    site.edit(
        "INSERT INTO publications (id, title, year, access)"
        " VALUES ('secret', 'Hidden', 2024, 'members')"
    )
    site.night()
    current = site.settings.output / "current"
    assert "Hidden" in (current / "members/publications/secret.html").read_text()
    assert "Hidden" in (current / "members/years/2024.html").read_text()
    for file in (current / "public").rglob("*"):
        assert not file.is_file() or b"Hidden" not in file.read_bytes(), file


def test_a_full_text_stands_with_those_who_may_read_it(site: Site) -> None:
    paper = site.settings.var / "demo-files/own.pdf"
    paper.write_bytes(b"%PDF-1.4 own")
    for record, access in (("open", "public"), ("closed", "abstract")):
        site.edit(
            "INSERT INTO publications (id, title, year, access, file_path)"
            " VALUES (?, ?, 2024, ?, 'own.pdf')",
            record,
            record,
            access,
        )
    site.night()
    current = site.settings.output / "current"
    assert (current / "public/publications/open/open.pdf").is_file()
    assert not (current / "public/publications/closed").exists()
    assert (current / "members/publications/closed/closed.pdf").is_file()
    site.edit(
        "UPDATE publications SET access = 'public', version = version + 1 WHERE id = 'closed'"
    )
    site.night()
    assert (current / "public/publications/closed/closed.pdf").is_file()
    assert not (current / "members/publications/closed").exists()


def test_a_withdrawn_work_keeps_its_citation_and_leaves_the_lists(site: Site) -> None:
    site.edit(
        "INSERT INTO publications (id, title, abstract, year, access)"
        " VALUES ('w', 'Regretted work', 'Text.', 2024, 'public')"
    )
    site.night()
    assert "Regretted work" in site.page("public/years/2024.html")
    site.edit(
        "UPDATE publications SET status = 'withdrawn', status_reason = 'Wrong data', version = 2"
        " WHERE id = 'w'"
    )
    site.night()
    page = site.page("public/publications/w.html")
    assert "Regretted work" in page
    assert "Wrong data" in page
    assert "Text." not in page
    assert "Regretted work" not in site.page("public/years/2024.html")
    assert "/publications/w/" in site.page("gone.txt").splitlines()


def test_a_record_that_left_the_source_leaves_a_tombstone(site: Site) -> None:
    site.edit(
        "INSERT INTO publications (id, title, year, access)"
        " VALUES ('x', 'Fleeting', 2024, 'public')"
    )
    site.night()
    site.edit("DELETE FROM publications WHERE id = 'x'")
    site.night()
    assert "/publications/x/" in site.page("gone.txt").splitlines()
    assert "Fleeting" not in site.page("public/publications/x.html")


def test_a_build_can_leave_out_what_is_measured_apart(make_site: MakeSite) -> None:
    site = make_site(conf=f"{CONF}LEFT_OUT = {list(PARTS)!r}\n")
    site.sync()
    _, stage = site.build()
    files = tree(stage.root)
    made = {path.split("/")[1] for path in files if path.startswith("public/")}
    assert made.isdisjoint({"citations", "data", "sitemaps", "themes", "programmes", "changes"})
    assert not any(path.endswith((".br", ".bib", ".ris", ".ics")) for path in files)
    assert not any("/by-title" in path or "/names/" in path for path in files)
    marks = ("Writes with", 'class="bars"', 'class="chart"', 'id="related"', "Shown at")
    for path, content in files.items():
        if path.endswith(".html"):
            assert not [mark for mark in marks if mark in content.decode()], path


def test_without_other_views_there_are_no_other_sections(make_site: MakeSite) -> None:
    site = make_site()
    for table in site.optional_tables():
        site.edit(f"DROP TABLE {table}")
    site.night()
    public = site.settings.output / "current/public"
    assert not (public / "people").exists()
    assert not (public / "projects").exists()
    assert "/people/" not in site.page("public/index.html")
    assert (public / "publications/index.html").is_file()


def test_real_records_need_a_public_address(make_site: MakeSite) -> None:
    site = make_site(conf=CONF.replace('"https://publications.example"', '""'))
    site.edit("PRAGMA application_id = 0")
    site.sync()
    with pytest.raises(ConfigurationError, match="SITEURL"):
        site.build()
    assert not list((site.settings.output / "releases").iterdir())


def test_demo_pages_say_so_and_are_not_indexed(site: Site) -> None:
    site.night()
    for path in ("index.html", "publications/index.html", "about/index.html", "news/first.html"):
        page = HTMLParser(site.page(f"public/{path}"))
        robots = page.css_first('meta[name="robots"]')
        assert robots is not None, path
        assert "noindex" in (robots.attributes["content"] or "")
        assert "fictional" in page.text()


def test_a_template_of_the_site_replaces_the_themes(make_site: MakeSite) -> None:
    site = make_site(conf=CONF + 'THEME_TEMPLATES_OVERRIDES = ["templates"]\n')
    (site.root / "templates").mkdir()
    (site.root / "templates/venue.html").write_text(
        '{% extends "!theme/venue.html" %}{% block title %}Own words{% endblock %}'
    )
    site.night()
    venue = next((site.settings.output / "current/public/venues").glob("*.html"))
    assert "<title>Own words</title>" in venue.read_text()
    changed = site.root / "templates/venue.html"
    changed.write_text(changed.read_text().replace("Own", "Other"))
    report = site.night()
    venues = site.snapshot("SELECT count(*) FROM venues")[0][0]
    assert isinstance(venues, int)
    assert venues <= report.written <= 2 * venues, "only pages of this template are made again"


def test_an_error_in_a_template_stops_the_build_and_leaves_nothing(make_site: MakeSite) -> None:
    site = make_site(conf=CONF + 'THEME_TEMPLATES_OVERRIDES = ["templates"]\n')
    (site.root / "templates").mkdir()
    (site.root / "templates/person.html").write_text("{{ person.name.nothing() }}")
    site.sync()
    with pytest.raises(BuildError, match=r"person\.html"):
        build_site(site.settings)
    assert not list((site.settings.output / "releases").iterdir())


def test_plain_pelican_builds_the_same_pages(site: Site) -> None:
    site.night()
    subprocess.run(
        [sys.executable, "-m", "pelican", "-s", "pelicanconf.py", "--fatal", "errors", "-q"],
        cwd=site.root,
        env={**os.environ, "PYTHONPATH": str(Path(content_sync.__file__).parent.parent)},
        check=True,
    )
    preview = tree(site.root / "output/preview/public")
    release = tree(site.settings.output / "current/public")
    assert {p for p in preview if preview[p] != release.get(p)} == set()
    # Only a release is compressed, and has what machines read.
    machines = ("changes/", "data/", "feeds/", "sitemap", "robots.txt")
    others = {
        p
        for p in release
        if p not in preview and not p.endswith((".br", ".gz")) and not p.startswith(machines)
    }
    assert others == set()


def test_a_plugin_adds_to_record_pages_in_every_process(make_site: MakeSite) -> None:
    conf = CONF.replace("WORKERS = 1", "WORKERS = 2") + (
        'PLUGINS = [*PLUGINS, "shelves"]\nPLUGIN_PATHS = ["plugins"]\n'
        'THEME_TEMPLATES_OVERRIDES = ["templates"]\n'
    )
    site = make_site(conf=conf, publications=1600)
    for folder in ("plugins", "templates"):
        (site.root / folder).mkdir()
    (site.root / "plugins/shelves.py").write_text(
        "from content_sync.pages.signals import page_context\n"
        "def add(template, context):\n"
        "    if template == 'publication.html':\n"
        "        context['shelf'] = 'Shelf of ' + context['pub']['id']\n"
        "def register():\n"
        "    page_context.connect(add)\n"
    )
    (site.root / "templates/publication.html").write_text(
        '{% extends "!theme/publication.html" %}{% block record %}{{ shelf }}{% endblock %}'
    )
    site.night()
    shown = site.snapshot(
        "SELECT id FROM publications WHERE access = 'public' AND status <> 'withdrawn'"
    )
    for (record,) in shown[:200]:
        page = site.page(f"public/{page_file(record_url('publication', str(record)))}")
        assert f"Shelf of {record}" in page
