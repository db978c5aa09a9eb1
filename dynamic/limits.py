"""How much and how often a reader may send, and proof that a form was ours."""

from __future__ import annotations

from flask import g, request
from flask_limiter import Limiter
from flask_wtf import CSRFProtect

MEGABYTE = 1024 * 1024


def _who() -> str:
    """Requests are counted for each signed-in reader: a whole university has one address."""
    return g.reader.subject if g.get("reader") else (request.remote_addr or "unknown")


csrf = CSRFProtect()
limiter = Limiter(_who, default_limits=["300 per minute"], headers_enabled=True)
