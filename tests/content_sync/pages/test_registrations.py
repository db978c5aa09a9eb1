"""What event pages show of registrations: places for all, names for members, by consent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing

import pytest

from content_sync.pages.site import nothing_to_do
from content_sync.release.verify import check
from tests.content_sync.pages.conftest import Site

EVENT = "E-2027-01"
PAGE = "events/e-2027-01_u.html"
HALA = "نورة الفارسي"


def export(
    site: Site,
    *,
    taken: int = 29,
    waiting: int = 0,
    people: Iterable[tuple[str, str]] = (),
    since: str = "2026-11-22",
) -> None:
    """Write what the service would."""
    file = site.settings.var / "service-export.sqlite"
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE participants(event_id, name, affiliation)")
        made.execute("CREATE TABLE places(event_id, confirmed, waiting, capacity, since)")
        made.execute("INSERT INTO places VALUES (?, ?, ?, 40, ?)", (EVENT, taken, waiting, since))
        made.executemany(
            "INSERT INTO participants VALUES (?, ?, ?)", [(EVENT, *person) for person in people]
        )
        made.commit()


@pytest.fixture
def open_site(site: Site) -> Site:
    """The event is open for registration on whatever day the tests run."""
    site.edit(
        "UPDATE events SET registration_opens_at = '2020-01-01T09:00', access = 'public',"
        " registration_closes_at = '2090-01-08T18:00', starts_at = '2090-01-19T09:00',"
        " ends_at = '2090-01-20T15:00', status = 'planned', capacity = 40 WHERE id = ?",
        EVENT,
    )
    # Works for members alone would give members a page of their own anyway.
    site.edit("DELETE FROM session_publications")
    return site


def test_an_open_event_leads_to_its_form(open_site: Site) -> None:
    open_site.night()
    page = open_site.page(f"public/{PAGE}")
    assert '<a href="/services/events/e-2027-01_u/register">Register</a>' in page
    assert "until 8 January 2090, 18:00" in page
    open_site.edit("UPDATE events SET status = 'cancelled', version = 2 WHERE id = ?", EVENT)
    open_site.night()
    assert "/register" not in open_site.page(f"public/{PAGE}")


def test_names_stand_on_members_pages_only_and_go_when_consent_goes(open_site: Site) -> None:
    export(open_site, people=[("Zoë <b>", "Łużna"), (HALA, "")])
    open_site.night()
    members, public = (open_site.page(f"{tree}/{PAGE}") for tree in ("members", "public"))
    assert "2 who agreed to be listed" in members
    assert f"<bdi>{HALA}</bdi>" in members
    assert "<bdi>Zoë &lt;b&gt;</bdi>" in members
    assert HALA not in public
    assert "11 of 40 places left</b> as of 22 November 2026" in public
    export(open_site, people=[])
    assert not nothing_to_do(open_site.settings)
    report, stage = open_site.build()
    assert report.full is False
    # Built alone: the search index comes with the next step.
    errors = [str(error) for error in check(open_site.settings, stage).errors]
    assert [error for error in errors if "search-index" not in error] == []
    assert not (stage.root / "members" / PAGE).exists()
    for file in stage.root.rglob("*"):
        if file.is_file():
            assert HALA.encode() not in file.read_bytes(), file


def test_nothing_is_built_where_no_registration_changed(open_site: Site) -> None:
    export(open_site)
    open_site.night()
    assert nothing_to_do(open_site.settings)
    export(open_site)  # written anew, the same
    assert nothing_to_do(open_site.settings)
    export(open_site, taken=40, waiting=3)
    assert not nothing_to_do(open_site.settings)
    open_site.night()
    assert "<b>3 on the waiting list</b>" in open_site.page(f"public/{PAGE}")


def test_what_is_built_upon_is_the_same_as_what_is_built_anew(open_site: Site) -> None:
    open_site.night()
    export(open_site, people=[("Mira", "")])
    _, upon = open_site.build()
    pages = {tree: (upon.root / tree / PAGE).read_bytes() for tree in ("public", "members")}
    _, anew = open_site.build(full=True)
    for tree, page in pages.items():
        assert (anew.root / tree / PAGE).read_bytes() == page


def test_a_broken_export_names_nobody_and_stops_nothing(
    open_site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    (open_site.settings.var / "service-export.sqlite").write_bytes(b"no database" * 1000)
    open_site.night()
    assert "who agreed to be listed" not in open_site.page(f"public/{PAGE}")
    assert "cannot be read" in caplog.text


def test_public_pages_do_not_depend_on_names(open_site: Site) -> None:
    export(open_site, people=[("Mira", "Łużna")])
    open_site.night()
    with_names = open_site.page(f"public/{PAGE}")
    export(open_site)
    open_site.night()
    assert open_site.page(f"public/{PAGE}") == with_names
