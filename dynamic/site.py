"""What the service knows of the site: the live release's service file, read when it changes."""

from __future__ import annotations

import json
import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g

SERVICE_FILE = "service/records.json"
VERSION = 1

log = logging.getLogger("nightpress.site")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One release's service file."""

    folder: Path
    """The release itself, so that a switch in mid-request mixes nothing."""
    release: int = 0
    """Its number; 0 before the first one."""
    sitename: str = ""
    siteurl: str = ""
    timezone: str = "UTC"
    language: str = "en"
    is_demo: bool = False
    assets: dict[str, str] = field(default_factory=dict)
    nav: list[dict[str, str]] = field(default_factory=list)
    footer_links: list[dict[str, str]] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Event id → its definition."""
    deliverables: dict[str, dict[str, Any]] = field(default_factory=dict)
    companies: list[dict[str, str]] = field(default_factory=list)
    """The member companies of the records: slug, id and name."""
    hashed: dict[str, dict[str, str]] = field(default_factory=dict)
    """Audience → address → id of the records whose ids are too long for it; read when needed."""


def current_site() -> Site:
    """Return the site as the live release knows it, the same throughout a request."""
    if "site" not in g:
        g.site = current_app.extensions["nightpress_site"].read()
    return g.site  # type: ignore[no-any-return]


def forget_site() -> None:
    """Look anew at which release is live; a worker does so between its rounds."""
    g.pop("site", None)


def add_site(app: Flask) -> None:
    """Let the app's pages look like the site."""
    settings = app.config["SETTINGS"]
    app.extensions["nightpress_site"] = _Reading(settings.site / "output", settings.sitename)
    app.add_template_global(current_site, "site")
    app.add_template_global(lambda name: current_site().assets.get(name, ""), "asset")
    app.add_template_global(lambda: settings.siteurl, "siteurl")


def live_release(output: Path) -> Path | None:
    """Return the folder of the live release, or None before the first one.

    `output/current` is a symbolic link; on Windows an include file of Apache names it.
    """
    try:
        if os.name == "nt":
            text = (output / "current.conf").read_text("utf-8")
            found = re.search(r'^Define NIGHTPRESS_RELEASE "[^"\n]*/([0-9]+)"$', text, re.MULTILINE)
            return output / "releases" / found[1] if found else None
        return (output / (output / "current").readlink()).resolve()
    except OSError:
        return None


class _Reading:
    """The service file, kept until the release changes."""

    def __init__(self, output: Path, sitename: str) -> None:
        self._output = output
        self._known = Site(folder=output / "releases" / "0", sitename=sitename)
        self._refused: Path | None = None

    def read(self) -> Site:
        folder = live_release(self._output)
        if folder is None or folder in (self._known.folder, self._refused):
            return self._known
        try:
            self._known = _site(folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            # The service goes on with the release before rather than stop; health tells.
            self._refused = folder
            log.error(
                "service file cannot be read",
                extra={"facts": {"release": folder.name, "error": type(error).__name__}},
            )
        return self._known


def _site(folder: Path) -> Site:
    facts = json.loads((folder / SERVICE_FILE).read_text(encoding="utf-8"))
    if facts["version"] != VERSION:
        raise ValueError(f"version {facts['version']}")
    return Site(
        folder=folder,
        release=facts["release"],
        sitename=facts["sitename"],
        siteurl=facts["siteurl"],
        timezone=facts["timezone"],
        language=facts.get("language", "en"),
        is_demo=facts.get("is_demo", False),
        assets=facts["assets"],
        nav=facts["nav"],
        footer_links=facts.get("footer_links", []),
        events={event["id"]: event for event in facts["events"]},
        deliverables={d["id"]: d for d in facts["deliverables"]},
        companies=facts.get("companies", []),
    )
