"""A release in the making: `output/releases/<N>.staged`.

The order of a build: `open_stage`, `begin`, files written by workers with `write_file` and
told to `add`, `remove` of what is no longer made, Pelican's own files, then `share`, `adopt`,
`write_release` and `finish`. A later step that writes more files (the search index) takes the
stage up with `staged`, adopts them and finishes again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from content_sync.errors import ReleaseError
from content_sync.release import history, manifest
from content_sync.release.listing import WORK, Listing, column
from content_sync.release.manifest import Entry
from content_sync.release.releases import (
    RELEASE_FILE,
    Release,
    is_complete,
    live,
    read_info,
    read_pointer,
    releases,
    releases_folder,
)
from content_sync.release.sharing import Sharing
from content_sync.release.spare import changed_between, find_spare, remove_broken, take_spare
from content_sync.settings import Settings

__all__ = [
    "Entry",
    "Release",
    "SharedCount",
    "Stage",
    "WholeBuildNeeded",
    "live",
    "open_stage",
    "releases",
    "staged",
    "write_file",
]

NOT_LISTED = frozenset({WORK, WORK + "-journal", manifest.NAME, RELEASE_FILE})
_LEFT_OVER = re.compile(r"[0-9]+\.(?:staged|removed)")
_ANEW_IN_PART = ("documents/", "search/", "public/search-index/", "members/search-index/")
"""What a build of single records makes anew; a night does so with all files without a key."""


class SharedCount(NamedTuple):
    """What `Stage.share` did: files linked, files copied, folders made."""

    linked: int
    copied: int
    folders: int


class WholeBuildNeeded(ReleaseError):
    """More may have changed than a build of single records can tell."""


def open_stage(settings: Settings, *, base: int | None = None, part: bool = False) -> Stage:
    """Return a new, empty stage with a number never used before.

    It builds upon the live release. One that was rolled back is never built upon unless its
    number is given as `base`. Left-over stages of broken runs are removed first. With `part` it
    is for single records alone: prose, staff's pages and what machines read stay as they are.

    Raises ReleaseError when `base` is not on disk.
    """
    folder = releases_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    remove_left_overs(settings)
    highest = max((r.number for r in releases(settings)), default=0)
    with history.open_history(settings.history) as connection:
        number = history.next_number(
            connection, max(highest, read_pointer(settings.output) or 0) + 1
        )
        bad = history.rolled_back(connection)
    chosen = _choose_base(settings, base, bad)
    root = folder / f"{number}.staged"
    root.mkdir()
    return Stage(number, root, chosen, part=part)


def staged(settings: Settings) -> Stage | None:
    """Return the stage that an earlier command left, to go on with it, or None."""
    folder = releases_folder(settings)
    found = [f for f in folder.glob("*.staged") if f.name[:-7].isdecimal()]
    if not found:
        return None
    root = max(found, key=lambda f: int(f.name[:-7]))
    base = None
    number = _base_number(root)
    if number is not None and is_complete(folder / str(number)):
        base = Release(number, folder / str(number))
    return Stage(int(root.name[:-7]), root, base)


def remove_left_overs(settings: Settings) -> None:
    """Remove stages, half-removed releases and half a spare that a broken run left."""
    remove_broken(releases_folder(settings))
    with contextlib.suppress(FileNotFoundError):
        for folder in releases_folder(settings).iterdir():
            if _LEFT_OVER.fullmatch(folder.name):
                shutil.rmtree(folder)


def write_file(
    root: Path | str,
    path: str,
    data: bytes,
    key: bytes | None = None,
    records: str = "",
    *,
    time_ns: int | None = None,
) -> Entry:
    """Write a new file below `root` and return its entry, to be told to `Stage.add`.

    `time_ns` becomes its time of change. Never writes through a hard link into another release:
    what was there is replaced. Raises OSError when the disk is full.
    """
    name = f"{root}/{path}"
    try:
        descriptor = os.open(name, _NEW, 0o644)
    except FileNotFoundError:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(name, _NEW, 0o644)
    except FileExistsError:
        Path(name).unlink()
        descriptor = os.open(name, _NEW, 0o644)
    try:
        written = os.write(descriptor, data)
        while written < len(data):
            written += os.write(descriptor, data[written:])
        if time_ns is not None and os.utime in os.supports_fd:
            os.utime(descriptor, ns=(time_ns, time_ns))
    finally:
        os.close(descriptor)
    if time_ns is not None and os.utime not in os.supports_fd:
        os.utime(name, ns=(time_ns, time_ns))
    return Entry(path, len(data), hashlib.sha256(data).digest(), key, records)


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Stage(Listing):
    """A release in the making. One process holds it; workers only write files."""

    def __init__(
        self, number: int, root: Path, base: Release | None, *, part: bool = False
    ) -> None:
        super().__init__(number, root, base)
        self.is_part = part
        self._base_files: manifest.Manifest | None = None

    def begin(self, *, full: bool = False) -> None:
        """Take over the base's manifest, except entries without a key, or start from nothing.

        Raises WholeBuildNeeded when a part would start from nothing.
        """
        if self.is_part and (full or self.base is None):
            raise WholeBuildNeeded("Everything may have changed.")
        self._start(None if full else self.base)
        if self._is_upon:
            for prefix in _ANEW_IN_PART if self.is_part else ("",):
                self._forget_keyless(prefix)

    def remove(self, paths: Iterable[str]) -> None:
        """Take files out that are no longer part of the site, written ones from disk too."""
        for path in paths:
            self._forget(path)
            (self.root / path).unlink(missing_ok=True)

    def base_has(self, path: str) -> bool:
        """Tell whether the base holds a file at `path`."""
        return self.base_entry(path) is not None

    def base_entry(self, path: str) -> Entry | None:
        """Return what the base has at `path`."""
        base = self._base()
        return base.get(path) if base else None

    def base_paths(self, prefix: str) -> list[str]:
        """Return the paths of the base that start with `prefix`, sorted."""
        base = self._base()
        return list(base.paths(prefix)) if base else []

    def share(self) -> SharedCount:
        """Bring every listed file that was not written here from the base, by hard link.

        To be called when all else is written: writing to a shared file in place would change
        the base too. A file that lies there already, written by another hand, stays and is
        listed without a key. Copies where the file system makes no (more) links.

        Raises ReleaseError when the base has lost a file or the disk is full.
        """
        work = self._connection()
        if self.base is None:
            return SharedCount(0, 0, 0)
        sharing = Sharing(self.base.root, self.root)
        taken = 0
        if self._is_upon and not self._is_told("shared"):
            taken = self._share_all(sharing)
        else:
            sharing.bring(column(work, "SELECT path FROM touched WHERE place = 'base'"))
        work.executemany("DELETE FROM files WHERE path = ?", ((p,) for p in sharing.present))
        if self._is_upon:
            work.execute("UPDATE touched SET place = 'here' WHERE place = 'base'")
        else:
            work.execute("DELETE FROM touched")
        return SharedCount(sharing.linked + taken, sharing.copied, sharing.folders)

    def _share_all(self, sharing: Sharing) -> int:
        """Bring all that was taken over from the base; return what the spare had of it."""
        assert self.base is not None
        work = self._connection()
        written = set(column(work, "SELECT path FROM touched WHERE place = 'here'"))
        strangers = [path for path in tree_files(self.root) if path not in written]
        self.add([self._look_at(path, "") for path in strangers])
        (count,) = work.execute(
            "SELECT (SELECT count(*) FROM files)"
            " - (SELECT count(*) FROM touched WHERE place = 'here')"
        ).fetchone()
        spare = find_spare(self.root.parent)
        changed = changed_between(spare, self.base) if spare is not None else None
        if spare is not None and changed is not None:
            surplus, missing = self._unlike(spare, changed)
            take_spare(spare, self.root, surplus)
            for prefix in _ANEW_IN_PART:  # whose folders may have been empty in the spare too
                if next(self.entries(prefix), None) is None:
                    shutil.rmtree(self.root / prefix, ignore_errors=True)
            sharing.bring(missing)
        else:
            rows = work.execute(
                "SELECT path FROM files AS f WHERE NOT EXISTS (SELECT 1 FROM touched AS t"
                " WHERE t.path = f.path AND t.place = 'here') ORDER BY path"
            )
            sharing.bring(path for (path,) in rows)
        work.execute("INSERT INTO meta VALUES ('shared', '')")
        return int(count) - sharing.linked - sharing.copied - len(sharing.present)

    def adopt(self, under: str = "") -> int:
        """List the files below `under` that nobody told of, with no key; return their number.

        Files listed without a key before are looked at again, and forgotten if they are gone.
        """
        records = self._forget_keyless(under)
        found = list(self.unknown(tree_files(self.root, under)))
        base = self._base()
        before = {e.path: e for e in base.entries(under)} if base and under else None
        self.add(self._look_at(path, records.get(path, ""), before) for path in found)
        return len(found)

    def write_release(self, info: Mapping[str, Any]) -> None:
        """Write `release.json`: `info` with this release's number and that of its base."""
        base = self.base.number if self.base and self._is_told("base") else None
        facts = {name: value for name, value in info.items() if name != "number"} | {"base": base}
        text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False)
        # The number comes first: Apache looks for it at every request.
        text = text.replace("{\n", f'{{\n "number": {self.number},\n', 1)
        write_file(self.root, RELEASE_FILE, (text + "\n").encode())

    def finish(self) -> None:
        """Close the manifest."""
        work = self._connection()
        (missing,) = work.execute("SELECT count(*) FROM touched WHERE place = 'base'").fetchone()
        if missing or (self._is_upon and not self._is_told("shared")):
            raise ReleaseError(f"Files of release {self.number} were never shared.")
        if not self._is_upon:
            work.execute("DELETE FROM touched")  # of what was removed again
        self.close()
        (self.root / WORK).replace(self.manifest_file)

    def close(self) -> None:
        """Close the working files; the stage can be taken up again."""
        super().close()
        if self._base_files is not None:
            self._base_files.close()
            self._base_files = None

    def discard(self) -> None:
        """Remove all that was staged."""
        # On a full disk the working manifest cannot even be closed properly.
        with contextlib.suppress(sqlite3.Error):
            self.close()
        self._work = None
        shutil.rmtree(self.root)

    def _look_at(self, path: str, records: str, known: Mapping[str, Entry] | None = None) -> Entry:
        """Return the entry of a file; one that the base has too need not be read again.

        `known` are the base's entries, where they are at hand.
        """
        before = known.get(path) if known is not None else self.base_entry(path)
        if before is not None and self.base is not None:
            with contextlib.suppress(FileNotFoundError):
                here, there = os.stat(f"{self.root}/{path}"), os.stat(f"{self.base.root}/{path}")  # noqa: PTH116 - thousands of files
                if os.path.samestat(here, there):
                    return Entry(path, before.size, before.sha256, None, records)
        return _hash_file(self.root, path, records)

    def _base(self) -> manifest.Manifest | None:
        if self._base_files is None and self.base is not None:
            self._base_files = self.base.manifest()
        return self._base_files


def _choose_base(settings: Settings, wanted: int | None, bad: set[int]) -> Release | None:
    found = {release.number: release for release in releases(settings)}
    if wanted is not None:
        if wanted not in found:
            raise ReleaseError(f"Release {wanted} is not on disk.")
        return found[wanted]
    current = live(settings)
    # What is newer than the live release was rolled back, or never went live.
    newest = current.number if current else max(found, default=0)
    usable = [number for number in found if number <= newest and number not in bad]
    return found[max(usable)] if usable else None


def _base_number(root: Path) -> int | None:
    """The base's number as a stage on disk knows it."""
    if (root / RELEASE_FILE).exists():
        number = read_info(root).get("base")
        return number if isinstance(number, int) else None
    if (root / WORK).exists():
        with contextlib.closing(sqlite3.connect(root / WORK)) as work:
            row = work.execute("SELECT value FROM meta WHERE name = 'base'").fetchone()
        return int(row[0]) if row else None
    return None


def tree_files(root: Path, under: str = "") -> Iterator[str]:
    """Yield the paths, relative to `root`, of all files that a manifest lists or should list."""
    start = root / under
    if not start.is_dir():
        if start.is_file():
            yield under
        return
    pending = [under.rstrip("/")]
    while pending:
        folder = pending.pop()
        prefix = f"{folder}/" if folder else ""
        with os.scandir(root / folder) as found:
            for item in found:
                if item.is_dir(follow_symlinks=False):
                    pending.append(prefix + item.name)
                elif prefix or item.name not in NOT_LISTED:
                    yield prefix + item.name


def _hash_file(root: Path, path: str, records: str) -> Entry:
    with (root / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return Entry(path, os.fstat(file.fileno()).st_size, digest, None, records)
