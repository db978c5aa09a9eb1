"""Kill -9 the service 200 times while members send feedback and mails go out."""

from __future__ import annotations

from typing import Any

from benchmarks.soak._service_site import service_site
from tests.dynamic.campaigns import kill_while_posting

TITLE = "the service killed while feedback and mails are under way"
KILLS = 200


def run(scale: float) -> dict[str, Any]:
    """Run the campaign on SQLite and PostgreSQL; raises if anything acknowledged is lost."""
    figures: dict[str, Any] = {}
    for kind in ("sqlite", "postgresql"):
        with service_site(kind) as (site, environment):
            found = kill_while_posting(site, environment, kills=max(2, round(KILLS * scale / 2)))
        for word, number in found.items():
            figures[word] = figures.get(word, 0) + number
    return figures
