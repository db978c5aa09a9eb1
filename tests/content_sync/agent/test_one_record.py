"""One record alone: read by its key, rendered, indexed, live, upon a copy of the live release."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from content_sync.agent import queue
from content_sync.release import spare
from content_sync.release.releases import live
from content_sync.settings import Settings
from tests.content_sync.agent.conftest import (
    COMMAND,
    ENVIRONMENT,
    RunningAgent,
    ended,
    nightpress,
    wait_for,
)
from tests.content_sync.agent.test_agent import a_publication, edit, number_live

MACHINES = (
    "public/data/",
    "public/feeds/",
    "public/sitemaps",
    "public/changes",
    "oai/",
    "catalogue/",
)
"""What waits for the next whole build, with the staff's pages."""


def listing(settings: Settings) -> dict[str, bytes]:
    """Path → SHA-256 of every file of the live release that a reader can come across."""
    current = live(settings)
    assert current is not None
    with current.manifest() as manifest:
        return {
            entry.path: entry.sha256
            for entry in manifest.entries()
            if not entry.path.startswith(("staff/", "service/", "search/", *MACHINES))
            and "/search-index/" not in entry.path
        }


def test_one_record_gives_the_release_that_a_whole_build_gives(settings: Settings) -> None:
    key = a_publication(settings)
    nightpress(settings, "spare")
    edit(
        settings,
        "UPDATE publications SET title = 'Quicksilver anew', year = 1987, version = version + 1"
        " WHERE id = ?",
        key,
    )
    before = listing(settings)
    said = nightpress(settings, "nightly", "--record", f"publication:{key}")
    assert "/years/1987/" in said
    assert "search-index/" in said
    fast = listing(settings)
    assert "Quicksilver anew" in nightpress(settings, "search", "quicksilver")
    nightpress(settings, "check", "--full")
    changed = {path for path in fast if fast[path] != before.get(path)}
    assert 4 < len(changed) < len(fast) / 2
    nightpress(settings, "nightly", "--full")
    assert listing(settings) == fast
    nightpress(settings, "check", "--full")


def feeds(settings: Settings) -> dict[str, bytes]:
    current = live(settings)
    assert current is not None
    with current.manifest() as manifest:
        return {entry.path: entry.sha256 for entry in manifest.entries("public/feeds/")}


def test_what_machines_read_follows_with_the_next_whole_build(settings: Settings) -> None:
    key = a_publication(settings)
    dump = settings.output / "current/public/data/publications.jsonl.gz"
    nightpress(settings, "spare")
    edit(
        settings,
        "UPDATE publications SET title = 'Quicksilver', version = version + 1, venue_id ="
        " (SELECT min(id) FROM venues WHERE id <> publications.venue_id) WHERE id = ?",
        key,
    )
    before = feeds(settings)
    nightpress(settings, "nightly", "--record", f"publication:{key}")
    assert feeds(settings) == before
    kept = dump.read_bytes()
    edit(
        settings,
        "UPDATE people SET home_page = 'https://new.example' WHERE id ="
        " (SELECT min(id) FROM people)",
    )
    nightpress(settings, "nightly")
    assert dump.read_bytes() != kept
    assert b"Quicksilver" in gzip.decompress(dump.read_bytes())
    # Also of the venue that it left.
    followed = feeds(settings)
    assert sum(followed[path] != before.get(path) for path in followed) > 2
    nightpress(settings, "nightly", "--full")
    assert feeds(settings) == followed


def test_a_new_record_brings_what_it_names(settings: Settings) -> None:
    key = a_publication(settings)
    nightpress(settings, "spare")
    edit(
        settings,
        "INSERT INTO people (id, given_name, family_name) VALUES ('new-one', 'Zoë', 'Newcomer')",
    )
    edit(
        settings,
        "INSERT INTO publications (id, title, kind, year, access, version)"
        " SELECT 'NEW-1', 'Unheard-of quicksilver', kind, year, 'public', 1 FROM publications"
        " WHERE id = ?",
        key,
    )
    edit(
        settings,
        "INSERT INTO publication_people (publication_id, role, position, person_id, name, version)"
        " VALUES ('NEW-1', 'author', 1, 'new-one', 'Zoë Newcomer', 1)",
    )
    said = nightpress(settings, "nightly", "--record", "publication:NEW-1")
    assert "/publications/new-1_u/" in said
    assert "/people/new-one/" in said
    nightpress(settings, "check", "--full")
    assert "Unheard-of" in nightpress(settings, "search", "unheard")


def test_where_it_cannot_be_the_whole_job_is_run_and_says_why(settings: Settings) -> None:
    key = a_publication(settings)
    edit(settings, "UPDATE publications SET title = 'A', version = version + 1 WHERE id = ?", key)
    said = nightpress(settings, "nightly", "--record", f"publication:{key}")
    assert "A whole build" not in said, "without a copy that stands ready it takes longer"
    nightpress(settings, "spare")
    edit(settings, "DELETE FROM publications WHERE id = ?", key)
    said = nightpress(settings, "nightly", "--record", f"publication:{key}")
    assert "A whole build: web.publications has no row" in said
    assert "1 gone" in said
    nightpress(settings, "spare")
    (settings.site / "content/pages/about.md").write_text("Title: About\nSlug: about\n\nNew.\n")
    said = nightpress(settings, "nightly", "--record", "person:no-such-person")
    assert "have changed" in said
    nightpress(settings, "check", "--full")


def test_other_edits_wait_and_are_not_lost(settings: Settings) -> None:
    nightpress(settings, "spare")
    with sqlite3.connect(settings.demo_source) as source:
        first, second = [
            key
            for (key,) in source.execute(
                "SELECT id FROM publications WHERE access = 'public' ORDER BY id LIMIT 2"
            )
        ]
        source.execute("UPDATE publications SET title = 'Both changed', version = version + 1")
    source.close()
    nightpress(settings, "nightly", "--record", f"publication:{first}")
    with sqlite3.connect(settings.snapshot) as snapshot:
        titles = dict(snapshot.execute("SELECT id, title FROM publications"))
    snapshot.close()
    assert titles[first] == "Both changed"
    assert titles[second] != "Both changed"
    nightpress(settings, "nightly", "--accept")
    assert len(json.loads(nightpress(settings, "search", "both changed", "--json").splitlines()[0]))
    nightpress(settings, "check", "--full")


def test_the_agent_brings_one_record_and_makes_the_next_copy_ready(
    settings: Settings, agent: Callable[[], RunningAgent]
) -> None:
    agent()
    wait_for(lambda: spare.is_ready(settings))
    key = a_publication(settings)
    for title in ("Quicksilver", "Cinnabar"):
        edit(
            settings,
            "UPDATE publications SET title = ?, version = version + 1 WHERE id = ?",
            title,
            key,
        )
        nightpress(settings, "rebuild", "--record", f"publication:{key}", "--reason", "Title")
        newest = queue.builds(settings)[0].id
        done = ended(settings, newest)
        assert (done.state, done.release) == ("live", number_live(settings))
        assert any("/publications/" in url for url in done.facts["part"]["pages"])
        assert title in nightpress(settings, "search", title)
        wait_for(lambda: spare.is_ready(settings))


def test_killed_at_any_moment_the_site_is_whole_and_the_record_comes(settings: Settings) -> None:
    key = a_publication(settings)
    command = [*COMMAND, "nightly", "--record", f"publication:{key}"]
    for number, wait in enumerate((0.9, 1.4, 1.9, 2.4)):
        nightpress(settings, "spare")
        edit(
            settings,
            "UPDATE publications SET title = ?, version = version + 1 WHERE id = ?",
            f"Attempt {number}",
            key,
        )
        process = subprocess.Popen(
            [*command, "--site", str(settings.site)],
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        current = live(settings)
        assert current is not None
        page = next(Path(current.root, "public/publications").glob("*.html"))
        assert page.read_bytes().endswith(b"</html>")
    nightpress(settings, "nightly", "--record", f"publication:{key}")
    assert "Attempt 3" in nightpress(settings, "search", "attempt")
    nightpress(settings, "check", "--full")
    assert not list((settings.output / "releases").glob("*.staged"))
