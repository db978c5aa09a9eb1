"""Files that are made again only when what they are made of has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from content_sync.release.manifest import Entry
from content_sync.release.stage import Stage, write_file

RECIPE = "1"
"""Changes when the same records would give other files."""


class Files:
    """Files of a stage below some folders; what nobody asks for any more is removed."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._asked: set[str] = set()
        self._kept: list[Entry] = []
        self._written: list[Entry] = []
        self.written = 0

    def put(self, path: str, parts: Iterable[object], make: Callable[[], bytes]) -> Entry:
        """Keep the file of the last release if it was made of the same `parts`, or make it."""
        key = _key(path, parts)
        self._asked.add(path)
        before = self._stage.base_entry(path)
        if before is not None and before.key == key:
            self._kept.append(before)
            return before
        entry = write_file(self._stage.root, path, make(), key)
        self._written.append(entry)
        self.written += 1
        return entry

    def read(self, path: str) -> bytes:
        """Return the content of a file that was put; the base may still have it alone."""
        file = self._stage.root / path
        if not file.exists() and self._stage.base is not None:
            file = self._stage.base.root / path
        return file.read_bytes()

    def before(self, path: str, parts: Iterable[object] | None = None) -> bytes | None:
        """Return what the base has at `path`, or None.

        With `parts`, only if it was made of just these.
        """
        entry = self._stage.base_entry(path)
        if self._stage.base is None or entry is None:
            return None
        if parts is not None and entry.key != _key(path, parts):
            return None
        return (self._stage.base.root / path).read_bytes()

    def finish(self, *folders: str) -> None:
        """Tell the stage; remove what stands below `folders` and was not asked for."""
        self._stage.add(self._written)
        # Most of what is kept came with the rest of the last release already.
        kept = [entry for entry in self._kept if self._stage.get(entry.path) != entry]
        here = [entry for entry in kept if (self._stage.root / entry.path).exists()]
        self._stage.add(here)
        there = {entry.path for entry in here}
        self._stage.keep(entry for entry in kept if entry.path not in there)
        for folder in folders:
            surplus = [e.path for e in self._stage.entries(folder) if e.path not in self._asked]
            self._stage.remove(
                path for path in surplus if not path.endswith((".br", ".gz")) or self._is_own(path)
            )
        self._written, self._kept = [], []

    def remove(self, paths: Iterable[str]) -> None:
        """Take files away that are no longer made."""
        self._stage.remove(path for path in paths if self._stage.has(path))

    def _is_own(self, path: str) -> bool:
        """Dumps end in .gz themselves; siblings of other files belong to compress.py."""
        return (
            path.endswith((".jsonl.gz", ".sqlite.gz"))
            or path.startswith("catalogue/")
            or "/data/citations/" in path
        )


def _key(path: str, parts: Iterable[object]) -> bytes:
    digest = hashlib.blake2b(f"{RECIPE}\0{path}".encode(), digest_size=16)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\0")
    return digest.digest()
