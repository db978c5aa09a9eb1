"""The word lists of the demo, as plain files, and how they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


def read_lines(name: str) -> list[str]:
    """Return the lines of a word list without comments and empty lines."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def read_sections(name: str) -> dict[str, list[str]]:
    """Return the lines under each `== heading` of a word list."""
    sections: dict[str, list[str]] = {}
    for line in read_lines(name):
        if line.startswith("== "):
            lines = sections.setdefault(line[3:], [])
        else:
            lines.append(line)
    return sections


def read_json(name: str) -> Any:
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))


def topic_files() -> Iterator[str]:
    """Yield the names of the themes' word lists in their order."""
    yield from sorted(path.name for path in _FOLDER.glob("topics-*.txt"))


def split_bar(text: str) -> list[str]:
    return [part.strip() for part in text.split("|")]
