"""What a release holds for the web server beside its pages: maps and marks, outside the trees.

`maps/redirects` is `redirects.txt` in a form that Apache looks up quickly. Below `gone/` lies an
empty file under the name of each page that is to be answered 410: one look at the disk for
each request, and nothing to read or to remember.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from content_sync.release.addresses import file_of
from content_sync.release.redirect_map import write_map
from content_sync.release.stage import Stage, write_file

MAPS = "maps"
GONE_MARKS = "gone"
_KEY = b"gone"


def write_maps(stage: Stage, redirects: Mapping[str, str]) -> None:
    """Write the map of old paths into the stage and list its files."""
    folder = stage.root / MAPS
    folder.mkdir(exist_ok=True)
    write_map(folder / "redirects", {o.encode(): n.encode() for o, n in redirects.items()})
    stage.adopt(MAPS)


def mark_gone(stage: Stage, urls: Iterable[str]) -> None:
    """Mark the pages of `urls` as gone, and no others."""
    wanted = {f"{GONE_MARKS}/{file_of(url)}" for url in urls}
    there = {entry.path for entry in stage.entries(f"{GONE_MARKS}/")}
    stage.remove(sorted(there - wanted))
    new = sorted(wanted - there)
    stage.add(write_file(stage.root, path, b"", _KEY) for path in new)
