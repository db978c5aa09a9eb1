"""What the service knows of the site: the live release's service file, read when it changes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g

SERVICE_FILE = "service/records.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One release's service file."""

    folder: Path
    """The release itself, so that a switch in mid-request mixes nothing."""
    release: int = 0
    sitename: str = ""
    siteurl: str = ""
    timezone: str = "UTC"
    assets: dict[str, str] = field(default_factory=dict)
    nav: list[dict[str, str]] = field(default_factory=list)
    footer_links: list[dict[str, str]] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Event id → its definition."""
    deliverables: dict[str, dict[str, Any]] = field(default_factory=dict)
    companies: list[dict[str, str]] = field(default_factory=list)
    """The member companies of the records: slug, id and name."""


def current_site() -> Site:
    """Return the site as the live release knows it, the same throughout a request."""
    if "site" not in g:
        g.site = current_app.extensions["nightpress_site"].read()
    return g.site  # type: ignore[no-any-return]


def add_site(app: Flask) -> None:
    """Let the app's pages look like the site."""
    settings = app.config["SETTINGS"]
    app.extensions["nightpress_site"] = _Reading(settings.release, settings.sitename)
    app.add_template_global(current_site, "site")
    app.add_template_global(lambda name: current_site().assets.get(name, ""), "asset")


class _Reading:
    """The service file, kept until the release changes."""

    def __init__(self, release: Path, sitename: str) -> None:
        self._release = release
        self._known = Site(folder=release, sitename=sitename)

    def read(self) -> Site:
        folder = self._release.resolve()
        if folder == self._known.folder:
            return self._known
        try:
            facts = json.loads((folder / SERVICE_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return self._known
        if facts["version"] != 1:
            return self._known
        self._known = Site(
            folder=folder,
            release=facts["release"],
            sitename=facts["sitename"],
            siteurl=facts["siteurl"],
            timezone=facts["timezone"],
            assets=facts["assets"],
            nav=facts["nav"],
            footer_links=facts.get("footer_links", []),
            events={event["id"]: event for event in facts["events"]},
            deliverables={d["id"]: d for d in facts["deliverables"]},
            companies=facts.get("companies", []),
        )
        return self._known
