"""Copies of a built site, for tests that change it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def copy_site(source: Path, target: Path) -> None:
    """Copy a site's folder; the files of its releases, which are never written again, are linked.

    A test that does write into one must take it away first.
    """
    releases = str(source / "output" / "releases")

    def copy(file: str, to: str) -> None:
        if file.startswith(releases) and not file.endswith(".sqlite"):
            os.link(file, to)
        else:
            shutil.copy2(file, to)

    shutil.copytree(source, target, symlinks=True, copy_function=copy)
