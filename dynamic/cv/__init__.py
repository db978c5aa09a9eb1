"""CVs: students upload them, member companies read them the morning after, as files.

Nothing is imported before `add` is called, because the process that opens strangers' files
(`child.py`) must start quickly and hold no more than it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def add(app: Flask) -> None:
    """Give the app its pages for CVs, and its health what they depend on."""
    from dynamic.cv import scanner, staff, views
    from dynamic.cv.stores import open_store
    from dynamic.health import CHECKS

    settings = app.config["SETTINGS"]
    app.register_blueprint(views.blueprint)
    app.register_blueprint(staff.blueprint)
    CHECKS["CV store"] = lambda: open_store(settings).check()
    if settings.clamd:
        CHECKS["virus scanner"] = lambda: scanner.ping(settings.clamd)
