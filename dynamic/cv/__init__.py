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
    from dynamic.cv import privacy, scanner, staff, upkeep, views
    from dynamic.cv.export import CVS
    from dynamic.cv.stores import open_store
    from dynamic.health import CHECKS
    from dynamic.home import ENTRIES, Entry
    from dynamic.privacy import PARTS
    from dynamic.service_export import TABLES
    from dynamic.worker import EACH_ROUND, ON_PRUNE

    settings = app.config["SETTINGS"]
    app.register_blueprint(views.blueprint)
    app.register_blueprint(staff.blueprint)
    TABLES["cvs"] = CVS
    PARTS["CVs"] = privacy.PART
    CHECKS["CV store"] = lambda: open_store(settings).check()
    CHECKS.pop("virus scanner", None)
    if settings.clamd:
        CHECKS["virus scanner"] = lambda: scanner.ping(settings.clamd)
    for tasks, task in ((EACH_ROUND, upkeep.in_a_round), (ON_PRUNE, upkeep.once_a_day)):
        if task not in tasks:
            tasks.append(task)
    for entry in (
        Entry("Your CV", "Let member companies read it.", "/services/cv/", _STUDENT, 30),
        Entry("Accounts and people", "Whose CV is whose.", "/services/cv/staff/", _STAFF, 80),
    ):
        if entry not in ENTRIES:
            ENTRIES.append(entry)


_STUDENT = frozenset({"student"})
_STAFF = frozenset({"staff"})
