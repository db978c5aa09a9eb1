"""What changed, for everyone and for members, and the citations of lists and of the corpus."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import bibtexparser
import feedparser
import rispy
from selectolax.lexbor import LexborHTMLParser

from content_sync.citations.lists import FORMATS
from content_sync.machines.changes import Change, _merged
from content_sync.urls import slug
from tests.content_sync.pages.conftest import Site

OPEN = "access = 'public' AND public_on IS NULL AND status = 'current'"


def live(site: Site) -> Path:
    return site.settings.output / "current"


def told(site: Site) -> list[dict[str, object]]:
    changes: list[dict[str, object]] = json.loads(
        (live(site) / "public/changes/changes.json").read_bytes()
    )["changes"]
    return changes


def test_a_night_tells_what_it_changed(site: Site) -> None:
    site.night()
    first = LexborHTMLParser(site.page("public/changes/index.html"))
    assert "Nothing has changed" in first.body.text()
    assert told(site) == []
    ids = [row[0] for row in site.snapshot(f"SELECT id FROM publications WHERE {OPEN} ORDER BY id")]
    corrected, withdrawn, gone, closed = ids[:4]
    raised = "version = version + 1 WHERE id = ?"
    site.edit(f"UPDATE publications SET title = 'A better title', {raised}", corrected)
    site.edit(f"UPDATE publications SET status = 'withdrawn', {raised}", withdrawn)
    site.edit("DELETE FROM publications WHERE id = ?", gone)
    site.edit(f"UPDATE publications SET access = 'members', {raised}", closed)
    site.edit(
        "INSERT INTO publications (id, title, year, access) VALUES ('N-1', 'Quite new', 2026,"
        " 'public'), ('N-2', 'For few eyes', 2026, 'members')"
    )
    (plan,) = site.snapshot(
        "SELECT d.id, d.due_on FROM deliverables d JOIN projects p ON p.id = d.project_id"
        " WHERE d.access = 'public' AND p.access = 'public' AND d.due_on IS NOT NULL LIMIT 1"
    )
    (secret,) = site.snapshot(
        "SELECT id FROM deliverables WHERE access = 'members' AND due_on IS NOT NULL LIMIT 1"
    )
    for one in (plan[0], secret[0]):
        site.edit(f"UPDATE deliverables SET due_on = '2031-02-03', {raised}", one)
    titles = {
        row[0]: str(row[1])
        for row in site.snapshot("SELECT id, title FROM publications ORDER BY id")
    }
    site.night()

    by_id = {one["id"]: one for one in told(site)}
    assert by_id[corrected]["change"] == "corrected"
    assert by_id[corrected]["fields"] == {"title": [titles[corrected], "A better title"]}
    assert by_id["N-1"]["change"] == "new"
    assert by_id[withdrawn]["change"] == "withdrawn"
    assert {by_id[gone]["change"], by_id[closed]["change"]} == {"gone"}
    assert by_id[plan[0]]["change"] == "moved"
    assert by_id[plan[0]]["fields"] == {"due_on": [plan[1], "2031-02-03"]}

    page = LexborHTMLParser(site.page("public/changes/index.html"))
    text = page.body.text()
    assert "A better title" in text
    assert titles[corrected] in text
    assert titles[withdrawn] in text, "its tombstone keeps the citation"
    assert titles[gone] not in text
    assert titles[closed] not in text
    (finished,) = site.snapshot("SELECT max(finished) FROM syncs")[0]
    assert page.css_first(".lead time").attributes["datetime"] == finished
    public = b"".join(f.read_bytes() for f in (live(site) / "public/changes").iterdir())
    for hidden in ("For few eyes", str(secret[0]), titles[closed], titles[gone]):
        assert hidden.encode() not in public
    for_members = site.page("members/changes/index.html")
    assert str(secret[0]) in for_members
    assert "For few eyes" in for_members
    assert "/members/publications/n-2_u/" in for_members

    feed = feedparser.parse((live(site) / "public/changes/changes.atom").read_bytes())
    assert feed.bozo is False
    assert len(feed.entries) == len(by_id) == len({entry.id for entry in feed.entries})
    assert any(entry.title == "Changed: A better title" for entry in feed.entries)

    # The same day once more: what was first, and what is last.
    site.edit(f"UPDATE publications SET title = 'The best title', {raised}", corrected)
    site.edit(f"UPDATE deliverables SET due_on = ?, {raised}", plan[1], plan[0])
    site.night()
    by_id = {one["id"]: one for one in told(site)}
    assert by_id[corrected]["fields"] == {"title": [titles[corrected], "The best title"]}
    assert plan[0] not in by_id
    assert by_id["N-1"]["change"] == "new"


def test_two_changes_of_a_day_are_told_as_one() -> None:
    def change(what: str, **fields: list[object]) -> Change:
        return Change("2026-01-01", "publication", "a", "public", what, fields)

    corrected = change("corrected", title=["a", "b"])
    assert _merged(None, corrected) == corrected
    assert _merged(change("new"), corrected) == change("new")
    assert _merged(change("new"), change("gone")).change == ""
    assert _merged(change("gone"), change("new")).change == "corrected"
    assert _merged(corrected, change("corrected", title=["b", "a"])).change == ""
    assert _merged(corrected, change("corrected", year=[1, 2])).fields == {
        "title": ["a", "b"],
        "year": [1, 2],
    }
    assert _merged(corrected, change("withdrawn")).change == "withdrawn"


def test_citations_of_lists_and_of_the_corpus_are_those_of_their_works(site: Site) -> None:
    site.night()
    public = live(site) / "public"
    works = {slug(str(r[0])) for r in site.snapshot("SELECT id FROM publications")}
    entries = bibtexparser.parse_string
    whole: set[str] = set()
    for file in sorted(public.glob("data/citations/*.bib.gz")):
        keys = [e.key for e in entries(gzip.decompress(file.read_bytes()).decode()).entries]
        assert len(keys) == len(set(keys))
        assert not whole & set(keys)
        whole |= set(keys)
    single = {f.stem for f in (public / "citations").glob("*.bib")}
    withdrawn = {
        slug(str(r[0]))
        for r in site.snapshot("SELECT id FROM publications WHERE status = 'withdrawn'")
    }
    assert whole == single - withdrawn
    for ending in FORMATS:
        assert list(public.glob(f"data/citations/*.{ending}.gz"))
    person, n = site.snapshot(
        "SELECT pp.person_id, count(DISTINCT p.id) AS n FROM publication_people pp"
        " JOIN publications p ON p.id = pp.publication_id JOIN people x ON x.id = pp.person_id"
        f" WHERE p.{OPEN.replace(' AND ', ' AND p.')} GROUP BY 1 ORDER BY n DESC, 1 LIMIT 1"
    )[0]
    page = LexborHTMLParser(site.page(f"public/people/{slug(str(person))}.html"))
    hrefs = [
        a.attributes["href"]
        for a in page.css("ul.tools a")
        if str(a.attributes["href"]).startswith("/citations/people/")
    ]
    assert [str(h).rpartition(".")[2] for h in hrefs] == list(FORMATS)
    content = {
        ending: (public / f"citations/people/{slug(str(person))}.{ending}") for ending in FORMATS
    }
    keys = {e.key for e in entries(content["bib"].read_text()).entries}
    assert len(keys) >= int(str(n))
    assert keys <= works
    assert {e["id"] for e in rispy.loads(content["ris"].read_text())} == keys
    assert {e["id"] for e in json.loads(content["json"].read_bytes())} == keys
