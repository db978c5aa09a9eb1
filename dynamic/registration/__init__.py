"""Event registration: forms, places and waiting lists, calendars, organisers' pages."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("registration", __name__, url_prefix="/services")
