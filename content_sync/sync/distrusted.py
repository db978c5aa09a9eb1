"""Views whose versions were found not to tell of changes: the next sync reads them whole."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from content_sync.settings import Settings


def views(settings: Settings) -> set[str]:
    """Return the names of the views to be read whole."""
    try:
        return set(json.loads(_file(settings).read_text("utf-8")))
    except (OSError, ValueError):
        return set()


def note(settings: Settings, names: Collection[str]) -> None:
    """Remember the views `names`, and no others."""
    if names:
        _file(settings).write_text(json.dumps(sorted(names)) + "\n", "utf-8")
    else:
        forget(settings)


def forget(settings: Settings) -> None:
    """Trust all views again: they were read whole."""
    _file(settings).unlink(missing_ok=True)


def _file(settings: Settings) -> Path:
    return settings.var / "distrusted.json"
