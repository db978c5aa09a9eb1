"""Places are never oversold, however many ask at once, and nothing acknowledged is lost."""

from __future__ import annotations

from pathlib import Path

from tests.dynamic.process import Service
from tests.dynamic.registration.conftest import EVENT, SLUG
from tests.dynamic.registration.crowd import rush
from tests.dynamic.registration.kills import kill_while_registering
from tests.dynamic.releases import Releases

ANSWERS = {"q_attendance": "On site"}
ALWAYS = {"registration_opens": "2020-01-01", "registration_closes": "2090-01-01"}
"""Processes of their own have the real clock."""
FAR = {**ALWAYS, "starts": "2090-01-02T09:00", "ends": "2090-01-03T16:00"}


def test_eighty_at_once_get_ten_places_in_order_of_arrival(
    site_folder: Path, environment: dict[str, str], release: Releases, database_url: str
) -> None:
    release.events[EVENT].update(FAR, capacity=10)
    release.publish()
    with Service(site_folder, environment) as one, Service(site_folder, environment) as two:
        outcome = rush([one, two], database_url, SLUG, 80, answers=ANSWERS, twice=8)
        outcome.check(places=10)


def test_a_killed_service_loses_no_registration_and_gives_no_place_twice(
    site_folder: Path, environment: dict[str, str], release: Releases
) -> None:
    release.events[EVENT].update(FAR, capacity=5)
    release.publish()
    found = kill_while_registering(site_folder, environment, SLUG, 5, kills=2)
    assert found["kept"] >= found["registrations"] > 0
