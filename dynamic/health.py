"""What the service depends on, and whether each part answers: for this machine and staff.

A part of the service adds its own check: `CHECKS["storage"] = function`. The function returns
a few words on the state, without personal data, and raises if the part does not answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, current_app, g
from sqlalchemy import text

from dynamic.database import db
from dynamic.identity import also_without_proxy
from dynamic.outbox import state_of_outbox
from dynamic.site import current_site

blueprint = Blueprint("health", __name__)

LONGEST_WAIT = 3600
"""Seconds that a mail may wait before the outbox counts as stuck."""


class Stuck(Exception):
    """A part answers, but nothing gets on."""


def _database() -> str:
    db.session.execute(text("SELECT 1"))
    return db.engine.dialect.name


def _outbox() -> str:
    outbox = state_of_outbox()
    if outbox.oldest_seconds > LONGEST_WAIT:
        raise Stuck(f"{outbox.waiting} mails wait, the oldest {outbox.oldest_seconds // 60} min")
    return f"{outbox.waiting} waiting, {outbox.refused} refused"


def _release() -> str:
    site = current_site()
    if not site.release:
        raise Stuck("no release with a service file is live yet")
    return f"release {site.release}"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "outbox": _outbox,
    "release": _release,
}
"""Part → what returns a few words on its state, or raises if it does not answer."""


@blueprint.get("/services/health")
@also_without_proxy
def health() -> Any:
    """Answer 200 if all parts answer, 503 if one does not; name each."""
    if g.get("reader") and "staff" not in g.reader.groups:
        abort(403)
    parts: dict[str, dict[str, Any]] = {}
    for name, check in CHECKS.items():
        try:
            parts[name] = {"answers": True, "state": check()}
        except Stuck as stuck:
            parts[name] = {"answers": False, "state": str(stuck)}
        except Exception as error:
            db.session.rollback()
            parts[name] = {"answers": False, "state": type(error).__name__}
    is_well = all(part["answers"] for part in parts.values())
    site = current_app.config["SETTINGS"].sitename
    answer = {"answers": is_well, "site": site, "parts": parts}
    return answer, 200 if is_well else 503, {} if is_well else {"Retry-After": "30"}
