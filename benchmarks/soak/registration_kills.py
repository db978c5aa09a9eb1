"""Kill -9 the service 200 times while people register and withdraw."""

from __future__ import annotations

from typing import Any

from benchmarks.soak._service_site import service_site
from tests.dynamic.registration.conftest import SLUG
from tests.dynamic.registration.kills import kill_while_registering

TITLE = "the service killed while people register"
KILLS = 200
PLACES = 40


def run(scale: float) -> dict[str, Any]:
    """Run the campaign on SQLite and PostgreSQL; raises if anything acknowledged is lost."""
    figures: dict[str, Any] = {}
    for kind in ("sqlite", "postgresql"):
        with service_site(kind, places=PLACES) as (site, environment):
            kills = max(2, round(KILLS * scale / 2))
            found = kill_while_registering(site, environment, SLUG, PLACES, kills=kills)
        for word, number in found.items():
            figures[word] = figures.get(word, 0) + number
    return figures
