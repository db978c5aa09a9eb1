"""The field above lists of people finds names as one types, with accents or without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.needs("chromium")


def test_names_are_found_as_one_types(page: Page, release: Path) -> None:
    names = release / "public/people/names"
    there = json.loads((names / "_index.json").read_bytes())
    assert {f.stem for f in names.glob("[!_]*.json")} == set(there)
    people = [row for name in there for row in json.loads((names / f"{name}.json").read_bytes())]
    accented = next(p for p in people if not p[0].isascii() and ", " in p[0] and " " in p[2])
    page.goto("/people/")
    family, given = accented[0].split(", ")[:2]
    for typed in (family, f"{given} {family}", accented[2], f"{family[:3]} {given}"):
        page.fill("#name-q", typed)
        link = page.locator("#names-found a", has_text=accented[0])
        expect(link).to_have_attribute("href", f"/people/{accented[1]}/")
    page.fill("#name-q", "xqzzy")
    expect(page.locator("#names-said")).to_have_text("0 people")
    page.fill("#name-q", "")
    expect(page.locator("#names-found a")).to_have_count(0)


def test_without_script_the_field_leads_to_the_search(new_page, release: Path) -> None:  # type: ignore[no-untyped-def]
    page = new_page(java_script_enabled=False)
    page.goto("/people/")
    page.fill("#name-q", "hala")
    with page.expect_navigation(url="**/search/?type=person&q=hala"):
        page.press("#name-q", "Enter")
