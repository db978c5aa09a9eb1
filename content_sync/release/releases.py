"""The releases on disk, and which of them is live."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from content_sync.errors import ReleaseError
from content_sync.release import manifest
from content_sync.settings import Settings

RELEASE_FILE = "release.json"
TREES = ("public", "members", "staff")

_NUMBER = re.compile(r"[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Release:
    """One finished release. Its files are never edited."""

    number: int
    root: Path

    def info(self) -> dict[str, Any]:
        """Return what `release.json` says of it."""
        return read_info(self.root)

    def manifest(self) -> manifest.Manifest:
        """Return its manifest, open for reading; to be closed by the caller."""
        return manifest.Manifest(self.manifest_file)

    @property
    def manifest_file(self) -> Path:
        return self.root / manifest.NAME


def releases_folder(settings: Settings) -> Path:
    return settings.output / "releases"


def releases(settings: Settings) -> list[Release]:
    """Return the complete releases on disk, lowest number first."""
    try:
        folders = [f for f in releases_folder(settings).iterdir() if _NUMBER.fullmatch(f.name)]
    except FileNotFoundError:
        return []
    found = [Release(int(folder.name), folder) for folder in folders if is_complete(folder)]
    return sorted(found, key=lambda release: release.number)


def live(settings: Settings) -> Release | None:
    """Return the release that readers see, or None before the first one."""
    number = read_pointer(settings.output)
    if number is None:
        return None
    folder = releases_folder(settings) / str(number)
    return Release(number, folder) if is_complete(folder) else None


def is_complete(folder: Path) -> bool:
    return (folder / manifest.NAME).is_file() and (folder / RELEASE_FILE).is_file()


def read_info(root: Path) -> dict[str, Any]:
    """Return the content of the `release.json` in `root`.

    Raises ReleaseError when it is missing or is no JSON object.
    """
    file = root / RELEASE_FILE
    try:
        info = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{file} cannot be read: {error}.") from error
    if not isinstance(info, dict):
        raise ReleaseError(f"{file} holds no JSON object.")
    return info


def read_pointer(output: Path) -> int | None:
    """Return the number that `output/current` (on Windows `current.conf`) names."""
    if os.name == "nt":
        return read_include(output)
    return read_link(output)


def read_link(output: Path) -> int | None:
    try:
        name = (output / "current").readlink().name
    except OSError:
        return None
    return int(name) if _NUMBER.fullmatch(name) else None


def read_include(output: Path) -> int | None:
    try:
        text = (output / "current.conf").read_text("utf-8")
    except FileNotFoundError:
        return None
    found = re.search(r'^Define NIGHTPRESS_RELEASE "[^"\n]*/([0-9]+)"$', text, re.MULTILINE)
    return int(found[1]) if found else None
