"""500 clients at once for 40 places, through two processes of the service."""

from __future__ import annotations

from typing import Any

from benchmarks.soak._service_site import service_site
from tests.dynamic.process import Service
from tests.dynamic.registration.conftest import SLUG
from tests.dynamic.registration.crowd import rush
from tests.dynamic.registration.test_crowd import ANSWERS

TITLE = "500 clients at once for 40 places on two processes"
CLIENTS = 500
PLACES = 40
ROUNDS = 5


def run(scale: float) -> dict[str, Any]:
    """Rush at an event on SQLite and on PostgreSQL; raises if a place is lost or given twice.

    One in ten clients sends the same form to both processes at the same moment. The scale
    is the share of rounds; each round is of full size.
    """
    figures: dict[str, Any] = {"clients": CLIENTS, "places": PLACES, "rounds on each": 0}
    for kind in ("sqlite", "postgresql"):
        slowest, longest, busy = 0.0, 0.0, 0
        rounds = max(1, round(ROUNDS * scale))
        figures["rounds on each"] = rounds
        for _ in range(rounds):
            with (
                service_site(kind, places=PLACES) as (site, environment),
                Service(site, environment) as one,
                Service(site, environment) as two,
            ):
                url = environment["NIGHTPRESS_SERVICE_DATABASE"]
                outcome = rush([one, two], url, SLUG, CLIENTS, answers=ANSWERS, twice=CLIENTS // 10)
            outcome.check(places=PLACES)
            slowest = max(slowest, *(s for v in outcome.visitors for s in v.seconds))
            longest = max(longest, outcome.seconds)
            busy += outcome.codes[503]
        figures |= {
            f"{kind}: all answered in s": round(longest, 1),
            f"{kind}: slowest answer in s": round(slowest, 1),
            f"{kind}: told to come back": busy,
        }
    return figures | {"confirmed too many or too few": 0, "out of order": 0}
