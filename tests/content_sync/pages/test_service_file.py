"""The file that tells the service of a release."""

from __future__ import annotations

import json
from typing import Any

import pytest

from content_sync.release.verify import check
from tests.content_sync.pages.conftest import Site


def service_file(site: Site) -> Any:
    return json.loads(site.page("service/records.json"))


def test_an_event_is_told_with_all_that_registration_needs(site: Site) -> None:
    site.edit("UPDATE events SET access = 'members', timezone = NULL WHERE id = 'E-2027-01'")
    site.edit("UPDATE events SET capacity = 17 WHERE id = 'E-2027-01'")
    site.night()
    facts = service_file(site)
    event = next(e for e in facts["events"] if e["id"] == "E-2027-01")
    assert (facts["version"], facts["release"], facts["siteurl"]) == (
        1,
        1,
        "https://publications.example",
    )
    assert (event["slug"], event["capacity"], event["access"]) == ("e-2027-01_u", 17, "members")
    assert event["timezone"] == facts["timezone"] == "UTC"
    assert event["url"] == "/members/events/e-2027-01_u/"
    assert event["registration_opens"] < event["registration_closes"] < event["starts"]
    assert event["sessions"][0]["starts"] == event["starts"]
    assert [q["type"] for q in event["questions"]][:2] == ["text", "choice"]
    assert event["consents"][0]["name"] == "listing"
    organiser = event["organisers"][0]
    assert organiser["addresses"] == [f"{organiser['id']}@people.example"]


def test_assets_named_are_files_of_the_release(site: Site) -> None:
    site.night()
    for path in service_file(site)["assets"].values():
        assert (site.settings.output / "current" / "public" / path.lstrip("/")).is_file()


def test_a_deliverable_of_a_members_project_is_for_members(site: Site) -> None:
    site.edit("UPDATE projects SET access = 'members'")
    site.edit("UPDATE deliverables SET access = 'public'")
    site.night()
    deliverables = service_file(site)["deliverables"]
    assert {d["access"] for d in deliverables} == {"members"}
    assert all(d["url"].startswith("/members/projects/") for d in deliverables)


@pytest.mark.parametrize(
    "form",
    [
        "[]",
        "3",
        '{"questions": 3, "consents": {}}',
        '{"questions": [3, {}, {"name": "a b", "label": "x"}, {"name": "a", "label": []}]}',
        '{"questions": [{"name": "a", "label": "x", "type": "choice"}]}',
        '{"questions": [{"name": "a", "label": "x", "type": ["text"]}]}',
        '{"questions": [{"name": "a", "label": "x", "type": "file"}]}',
    ],
)
def test_questions_that_cannot_be_asked_are_left_out(site: Site, form: str) -> None:
    site.edit("UPDATE events SET form = ?", form)
    site.night()
    assert all(event["questions"] == [] for event in service_file(site)["events"])


def test_addresses_are_nowhere_in_the_web_trees(site: Site) -> None:
    site.night()
    root = site.settings.output / "current"
    assert b"@people.example" in (root / "service/records.json").read_bytes()
    for tree in ("public", "members", "documents"):
        for file in (root / tree).rglob("*"):
            assert file.is_dir() or b"@people.example" not in file.read_bytes(), file


@pytest.mark.parametrize("damage", ["", "{", '{"version": 1, "release": 7}', "[]"])
def test_a_release_with_a_damaged_service_file_does_not_verify(site: Site, damage: str) -> None:
    site.sync()
    _, stage = site.build()
    file = stage.root / "service" / "records.json"
    file.write_text(damage) if damage else file.unlink()
    stage.adopt("service/")
    stage.finish()
    problems = [str(error) for error in check(site.settings, stage).errors]
    assert any("service/records.json" in problem for problem in problems)
