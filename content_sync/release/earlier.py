"""Where the hashed files of all kept releases are: assets, and shards of the search.

A page that a reader opened before a switch asks for the scripts and shards of its own release.
Their names carry the hash of their content, so any release that has one will do. Apache looks
in `output/earlier.txt` for what the live release lacks, and guards what it finds as it guards
the tree that it lies in.
"""

from __future__ import annotations

import os
from pathlib import Path

from content_sync.release.addresses import WEB_TREES
from content_sync.release.releases import releases
from content_sync.settings import Settings

FILE = "earlier.txt"
_FOLDERS = ("assets/", "search-index/")


def write_earlier(settings: Settings) -> Path:
    """Write the list anew from the releases on disk; to be called before a switch.

    It names files of the live release too, so that it is right before and after the switch,
    and after a way back.
    """
    newest: dict[str, int] = {}
    # More than are kept: those that were rolled back, and those that wait to be removed.
    for release in releases(settings)[-2 * settings.releases_kept :]:
        with release.manifest() as listing:
            for tree in WEB_TREES:
                for folder in _FOLDERS:
                    newest |= dict.fromkeys(listing.paths(f"{tree}/{folder}"), release.number)
    file = settings.output / FILE
    fresh = file.with_name(f"{FILE}.new")
    lines = (
        f"/{path} {number}\n"
        for path, number in sorted(newest.items())
        if not path.endswith((".br", ".gz")) and not any(c.isspace() for c in path)
    )
    fresh.write_text("".join(lines), "utf-8", newline="\n")
    if file.exists() and fresh.stat().st_mtime_ns <= (before := file.stat().st_mtime_ns):
        os.utime(fresh, ns=(before + 1_000_000, before + 1_000_000))
    fresh.replace(file)
    return file
