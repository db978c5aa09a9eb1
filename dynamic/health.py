"""What the service depends on, and whether each part answers: for this machine alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint
from sqlalchemy import text

from dynamic.database import db
from dynamic.identity import without_proxy

blueprint = Blueprint("health", __name__)

CHECKS: dict[str, Callable[[], str]] = {}
"""Part → what returns a few words on its state, or raises if it does not answer."""


@blueprint.get("/services/health")
@without_proxy
def health() -> Any:
    """Answer 200 if all parts answer, 503 if one does not; name each."""
    parts: dict[str, dict[str, Any]] = {}
    for name, check in {"database": _database, **CHECKS}.items():
        try:
            parts[name] = {"answers": True, "state": check()}
        except Exception as error:
            parts[name] = {"answers": False, "state": type(error).__name__}
    is_well = all(part["answers"] for part in parts.values())
    return {"answers": is_well, "parts": parts}, 200 if is_well else 503


def _database() -> str:
    db.session.execute(text("SELECT 1"))
    return db.engine.dialect.name
