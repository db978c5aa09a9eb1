"""Feedback of members on publications, projects, deliverables and events."""

from __future__ import annotations

from flask import Flask

from dynamic import home, privacy, service_export, worker
from dynamic.feedback import following, keeping, staff, views
from dynamic.home import Entry


def add_feedback(app: Flask) -> None:
    """Add the pages of feedback to the app."""
    app.register_blueprint(views.blueprint)
    app.register_blueprint(staff.blueprint)


home.ENTRIES.append(
    Entry(
        title="My feedback",
        text="What you sent, and what came of it. Each record's page leads to its form.",
        url="/services/feedback/",
        order=10,
    )
)
home.ENTRIES.append(
    Entry(
        title="Feedback to deal with",
        text="What members sent, by state and type.",
        url="/services/staff/feedback/",
        groups=frozenset({"staff"}),
        order=90,
    )
)
privacy.PARTS["feedback"] = keeping.PART
service_export.TABLES["feedback"] = keeping.TABLE
worker.ON_RELEASE.append(following.follow_corrections)
worker.ON_PRUNE.append(keeping.prune_feedback)
