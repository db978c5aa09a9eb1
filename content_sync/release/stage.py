"""A release in the making: `output/releases/<N>.staged`.

The order of a build: `open_stage`, `begin`, files written by workers with `write_file` and
told to `add`, `remove` of what is no longer made, Pelican's own files, then `share`, `adopt`,
`write_release` and `finish`. A later step that writes more files (the search index) takes the
stage up with `staged`, adopts them and finishes again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from content_sync.errors import ReleaseError
from content_sync.release import history, manifest
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
from content_sync.settings import Settings

__all__ = [
    "Entry",
    "Release",
    "SharedCount",
    "Stage",
    "live",
    "open_stage",
    "releases",
    "staged",
    "write_file",
]

WORK = "manifest.work.sqlite"
_NOT_LISTED = frozenset({WORK, WORK + "-journal", manifest.NAME, RELEASE_FILE})
_LEFT_OVER = re.compile(r"[0-9]+\.(?:staged|removed)")


class SharedCount(NamedTuple):
    """What `Stage.share` did: files linked, files copied, folders made."""

    linked: int
    copied: int
    folders: int


def open_stage(settings: Settings, *, base: int | None = None) -> Stage:
    """Return a new, empty stage with a number never used before.

    It builds upon the live release. One that was rolled back is never built upon unless its
    number is given as `base`. Left-over stages of broken runs are removed first.

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
    return Stage(number, root, chosen)


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
    """Remove stages and half-removed releases that a broken run left."""
    with contextlib.suppress(FileNotFoundError):
        for folder in releases_folder(settings).iterdir():
            if _LEFT_OVER.fullmatch(folder.name):
                shutil.rmtree(folder)


def write_file(
    root: Path | str, path: str, data: bytes, key: bytes | None = None, records: str = ""
) -> Entry:
    """Write a new file below `root` and return its entry, to be told to `Stage.add`.

    Never writes through a hard link into another release: what was there is replaced.
    Raises OSError when the disk is full.
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
    finally:
        os.close(descriptor)
    return Entry(path, len(data), hashlib.sha256(data).digest(), key, records)


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Stage:
    """A release in the making. One process holds it; workers only write files."""

    def __init__(self, number: int, root: Path, base: Release | None) -> None:
        self.number = number
        self.root = root
        self.base = base
        """The release that unchanged files are shared with, or None."""
        self._base_files: manifest.Manifest | None = None
        self._work: sqlite3.Connection | None = None

    @property
    def manifest_file(self) -> Path:
        return self.root / manifest.NAME

    def begin(self, *, full: bool = False) -> None:
        """Take over the base's manifest, except entries without a key, or start from nothing."""
        self.close()
        (self.root / WORK).unlink(missing_ok=True)
        work = self._open(_WORK_SCHEMA)
        if self.base is None:
            return
        work.execute("INSERT INTO meta VALUES ('base', ?)", (str(self.base.number),))
        if full:
            return
        work.execute("COMMIT")
        work.execute("ATTACH ? AS base", (manifest.read_only(self.base.manifest_file),))
        work.execute("BEGIN")
        work.execute("INSERT INTO files SELECT * FROM base.files WHERE key IS NOT NULL")
        work.execute("INSERT INTO carried SELECT path FROM files")
        work.execute("COMMIT")
        work.execute("DETACH base")
        work.execute("BEGIN")

    def add(self, entries: Iterable[Entry]) -> None:
        """List files that were written below `root`, in place of entries of the same paths."""
        rows = list(entries)
        work = self._connection()
        work.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)
        work.executemany("DELETE FROM carried WHERE path = ?", ((row[0],) for row in rows))

    def keep(self, entries: Iterable[Entry]) -> None:
        """List files that are as in the base; `share` will bring them."""
        rows = list(entries)
        work = self._connection()
        work.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)
        work.executemany("INSERT OR IGNORE INTO carried VALUES (?)", ((row[0],) for row in rows))

    def base_has(self, path: str) -> bool:
        """Tell whether the base holds a file at `path`."""
        base = self._base()
        return base is not None and base.get(path) is not None

    def base_entry(self, path: str) -> Entry | None:
        """Return what the base has at `path`."""
        base = self._base()
        return base.get(path) if base else None

    def base_paths(self, prefix: str) -> list[str]:
        """Return the paths of the base that start with `prefix`, sorted."""
        base = self._base()
        return list(base.paths(prefix)) if base else []

    def remove(self, paths: Iterable[str]) -> None:
        """Take files out that are no longer part of the site, written ones from disk too."""
        work = self._connection()
        for path in paths:
            work.execute("DELETE FROM files WHERE path = ?", (path,))
            work.execute("DELETE FROM carried WHERE path = ?", (path,))
            (self.root / path).unlink(missing_ok=True)

    def key_of(self, path: str) -> bytes | None:
        row = self._connection().execute("SELECT key FROM files WHERE path = ?", (path,)).fetchone()
        return row[0] if row else None

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Yield what the release holds so far below `prefix`, sorted by path."""
        rows = self._connection().execute(
            "SELECT path, size, sha256, key, records FROM files"
            " WHERE path >= ? AND path < ? ORDER BY path",
            (prefix, prefix + "\U0010ffff"),
        )
        return map(Entry._make, rows)

    def has(self, path: str) -> bool:
        """Tell whether the release holds a file at `path` so far."""
        row = self._connection().execute("SELECT 1 FROM files WHERE path = ?", (path,)).fetchone()
        return row is not None

    def pages(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield path and records of the pages below `prefix`, sorted by path."""
        return self._connection().execute(
            "SELECT path, records FROM files WHERE path >= ? AND path < ?"
            " AND substr(path, -5) = '.html' ORDER BY path",
            (prefix, prefix + "\U0010ffff"),
        )

    def share(self) -> SharedCount:
        """Bring every listed file that was not written here from the base, by hard link.

        To be called when all else is written: writing to a shared file in place would change
        the base too. A file that lies there already, written by another hand, stays and is
        left to `adopt`. Copies where the file system makes no (more) links.

        Raises ReleaseError when the base has lost a file or the disk is full.
        """
        work = self._connection()
        paths = [path for (path,) in work.execute("SELECT path FROM carried ORDER BY path")]
        if not paths or self.base is None:
            return SharedCount(0, 0, 0)
        sharing = _Sharing(self.base.root, self.root)
        for folder, group in groupby(paths, key=_folder):
            sharing.bring(folder, list(group))
        work.executemany("DELETE FROM files WHERE path = ?", ((p,) for p in sharing.present))
        work.execute("DELETE FROM carried")
        return SharedCount(sharing.linked, sharing.copied, sharing.folders)

    def adopt(self, under: str = "") -> int:
        """List the files below `under` that nobody told of, with no key; return their number.

        Files listed without a key before are looked at again, and forgotten if they are gone.
        """
        work = self._connection()
        keyed: set[str] = set()
        records: dict[str, str] = {}
        for entry in self.entries(under):
            if entry.key is None:
                records[entry.path] = entry.records
            else:
                keyed.add(entry.path)
        work.execute(
            "DELETE FROM files WHERE key IS NULL AND path >= ? AND path < ?",
            (under, under + "\U0010ffff"),
        )
        found = [path for path in tree_files(self.root, under) if path not in keyed]
        self.add(self._look_at(path, records.get(path, "")) for path in found)
        return len(found)

    def write_release(self, info: Mapping[str, Any]) -> None:
        """Write `release.json`: `info` with this release's number and that of its base."""
        base = self.base.number if self.base and self._is_based() else None
        text = json.dumps({**info, "base": base}, indent=1, sort_keys=True, ensure_ascii=False)
        # The number comes first: Apache looks for it at every request.
        text = text.replace("{\n", f'{{\n "number": {self.number},\n', 1)
        write_file(self.root, RELEASE_FILE, (text + "\n").encode())

    def finish(self) -> None:
        """Write the manifest, whose bytes depend on the files alone, and close everything."""
        work = self._connection()
        (missing,) = work.execute("SELECT count(*) FROM carried").fetchone()
        if missing:
            raise ReleaseError(f"{missing} files of release {self.number} were never shared.")
        manifest.write_manifest(self.manifest_file, self.entries())
        self.close()
        (self.root / WORK).unlink()

    def close(self) -> None:
        """Close the working files; the stage can be taken up again."""
        if self._work is not None:
            if self._work.in_transaction:
                self._work.execute("COMMIT")
            self._work.close()
            self._work = None
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

    def _look_at(self, path: str, records: str) -> Entry:
        """Return the entry of a file; one that the base has too need not be read again."""
        base = self._base()
        before = base.get(path) if base else None
        if before is not None and self.base is not None:
            with contextlib.suppress(FileNotFoundError):
                if (self.root / path).samefile(self.base.root / path):
                    return Entry(path, before.size, before.sha256, None, records)
        return _hash_file(self.root, path, records)

    def _base(self) -> manifest.Manifest | None:
        if self._base_files is None and self.base is not None:
            self._base_files = self.base.manifest()
        return self._base_files

    def _is_based(self) -> bool:
        row = self._connection().execute("SELECT 1 FROM meta WHERE name = 'base'").fetchone()
        return row is not None

    def _connection(self) -> sqlite3.Connection:
        """The working manifest; that of a finished stage is opened once more."""
        if self._work is not None:
            return self._work
        if (self.root / WORK).exists():
            return self._open("")
        if not self.manifest_file.exists():
            raise ReleaseError(f"Release {self.number} was not begun: call begin() first.")
        number = _base_number(self.root)
        work = self._open(_WORK_SCHEMA)
        with manifest.Manifest(self.manifest_file) as finished:
            work.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?)", finished.entries())
        if number is not None:
            work.execute("INSERT INTO meta VALUES ('base', ?)", (str(number),))
        return work

    def _open(self, schema: str) -> sqlite3.Connection:
        work = sqlite3.connect(self.root / WORK, isolation_level=None, uri=True)
        # A broken run is thrown away whole, so nothing here needs to survive one.
        work.execute("PRAGMA journal_mode = OFF")
        work.execute("PRAGMA synchronous = OFF")
        work.executescript(schema)
        work.execute("BEGIN")
        self._work = work
        return work


WORK_TABLES = """
CREATE TABLE carried (path TEXT PRIMARY KEY) WITHOUT ROWID;  -- listed, but only in the base yet
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""
_WORK_SCHEMA = f"{manifest.SCHEMA};{WORK_TABLES}"


class _Sharing:
    """Links files of one release into another, folder by folder."""

    def __init__(self, base: Path, root: Path) -> None:
        self.linked = self.copied = self.folders = 0
        self.present: list[str] = []
        self._base, self._root = str(base), str(root)
        self._made: set[str] = set()
        self._can_link = True

    def bring(self, folder: str, paths: list[str]) -> None:
        self._make(folder)
        link, base, root = os.link, self._base, self._root
        for path in paths:
            source, target = f"{base}/{path}", f"{root}/{path}"
            try:
                if self._can_link:
                    link(source, target)
                    self.linked += 1
                else:
                    self._copy(path, source, target)
            except FileExistsError:
                self.present.append(path)
            except OSError as error:
                if error.errno in _FATAL:
                    raise _sharing_failed(path, error) from error
                self._can_link = error.errno not in _NEVER_LINKS
                self._copy(path, source, target)

    def _copy(self, path: str, source: str, target: str) -> None:
        if os.path.lexists(target):
            self.present.append(path)
            return
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise _sharing_failed(path, error) from error
        self.copied += 1

    def _make(self, folder: str) -> None:
        if folder in self._made:
            return
        self._made.add(folder)
        try:
            os.mkdir(f"{self._root}/{folder}")  # noqa: PTH102 - half a million a night
        except FileExistsError:
            return
        except FileNotFoundError:
            self._make(_folder(folder))
            os.mkdir(f"{self._root}/{folder}")  # noqa: PTH102
        except OSError as error:
            raise _sharing_failed(folder, error) from error
        self.folders += 1


_FATAL = frozenset({errno.ENOENT, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
# About the file system as a whole; others, such as too many links, are about one file.
_NEVER_LINKS = frozenset({errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def _sharing_failed(path: str, error: OSError) -> ReleaseError:
    if error.errno == errno.ENOENT:
        return ReleaseError(
            f"{path} is missing in the release that this one builds upon.",
            hint="Build all pages anew with 'nightpress build --full'.",
        )
    return ReleaseError(f"{path} cannot be shared with the last release: {error.strerror}.")


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


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
                elif prefix or item.name not in _NOT_LISTED:
                    yield prefix + item.name


def _hash_file(root: Path, path: str, records: str) -> Entry:
    with (root / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return Entry(path, os.fstat(file.fileno()).st_size, digest, None, records)
