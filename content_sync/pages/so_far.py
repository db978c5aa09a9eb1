"""The files of a release in the making, as far as they are there, and of the one before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from content_sync.errors import BuildError
from content_sync.release.manifest import Manifest

BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends


class Known(NamedTuple):
    """One file: the SHA-256 of its content, and the content where that had to be read."""

    sha256: bytes
    content: bytes | None


class FilesSoFar:
    """Files of a build's trees, those that it takes over from the last release included."""

    def __init__(
        self, trees: Mapping[str, str], base: Manifest | None = None, base_root: str = ""
    ) -> None:
        self._trees = trees
        self._base = base
        self._base_root = base_root
        self._written: dict[str, tuple[int, frozenset[str]]] = {}

    def read(self, audience: str, path: str) -> bytes:
        """Return a file that this build wrote, or that it takes over from the last release."""
        content = _read(f"{self._trees[audience]}/{path}") if audience in self._trees else None
        if content is None:
            content = self.before(audience, path)
        if content is None:
            raise BuildError(f"The file {audience}/{path} is missing.", hint="Build with --full.")
        return content

    def before(self, audience: str, path: str) -> bytes | None:
        """Return what the last release has in a file's place, or None."""
        return _read(f"{self._base_root}/{audience}/{path}") if self._base else None

    def look(self, files: Sequence[tuple[str, str]]) -> list[Known]:
        """Return what is known of files that must be there, each an audience and a path.

        Only those that are new are read.
        """
        listed: dict[str, bytes] = {}
        if self._base:
            kept = [one for one in files if not self._is_written(*one)]
            listed = self._base.digests([f"{audience}/{path}" for audience, path in kept])
        found = []
        for audience, path in files:
            sha256 = listed.get(f"{audience}/{path}")
            content = None
            if sha256 is None:
                content = self.read(audience, path)
                sha256 = hashlib.sha256(content).digest()
            found.append(Known(sha256, content))
        return found

    def _is_written(self, audience: str, path: str) -> bool:
        """Tell whether this build wrote a file, by a list of its folder that is kept."""
        folder, _, name = f"{self._trees[audience]}/{path}".rpartition("/")
        try:
            changed = os.stat(folder).st_mtime_ns  # noqa: PTH116 - many files, little time
        except FileNotFoundError:
            return False
        known = self._written.get(folder)
        if known is None or known[0] != changed:
            known = self._written[folder] = changed, frozenset(os.listdir(folder))  # noqa: PTH208
        return name in known[1]


def _read(file: str) -> bytes | None:
    try:
        descriptor = os.open(file, os.O_RDONLY | BINARY)
    except FileNotFoundError:
        return None
    try:
        return os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
