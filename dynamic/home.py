"""The service's own first page: what the reader can do here.

A part of the service adds its line: `ENTRIES.append(Entry(…))`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from dynamic.identity import Reader, reader

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that readers of some groups can do."""

    title: str
    text: str
    url: str
    groups: frozenset[str] | None = None
    """None means everyone who has signed in."""
    order: int = 50


ENTRIES: list[Entry] = []


@blueprint.get("/services/")
def home() -> Any:
    """Show what this reader can do."""
    return render_template("home.html", entries=entries_for(reader))


def entries_for(reader: Reader) -> list[Entry]:
    """Return what a reader can do, in order."""
    mine = [e for e in ENTRIES if e.groups is None or not e.groups.isdisjoint(reader.groups)]
    return sorted(mine, key=lambda e: (e.order, e.title))
