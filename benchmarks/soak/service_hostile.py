"""10,000 hostile requests to every form and URL of the service: no error of the program."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.soak._service_site import service_site
from dynamic.app import create_app
from dynamic.settings import read_service_settings
from tests.dynamic.hostile import attack, describe
from tests.dynamic.test_feedback import MEMBER, send
from tests.dynamic.test_hostile import SEEDS

TITLE = "hostile requests to every form and URL of the service"
REQUESTS = 10_000
PAGES = {
    **SEEDS,
    "/services/events/e-2027-01_u/register": "x",
    "/services/events/calendar": "calendar",
    "/services/cv/": "acme",
}


def run(scale: float) -> dict[str, Any]:
    """Run the campaign on SQLite and PostgreSQL; raises with the findings if there are any."""
    codes: Counter[int] = Counter()
    for kind in ("sqlite", "postgresql"):
        with service_site(kind) as (site, environment):
            app = create_app(read_service_settings(site, environment))
            assert send(app.test_client(), text="First", headers=MEMBER).status_code == 303
            count = max(50, round(REQUESTS * scale / 2))
            found = attack(app, PAGES, count=count, seed=94, codes=codes)
            if found:
                raise AssertionError(describe(found))
    return {"requests": codes.total()} | {str(code): n for code, n in sorted(codes.items())}
