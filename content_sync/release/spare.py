"""A copy of the live release that stands ready, so that one record can go live in seconds.

Hard links of all files cost some seconds for a large site, which nobody should wait for. So
`output/releases/spare/` is made when nothing else runs. A fast build writes what differs into a
stage of its own, as every build does, and `merge` puts that into the spare: the outcome is a
release like any other, complete in itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from content_sync.errors import ReleaseError
from content_sync.release import history
from content_sync.release.manifest import Entry
from content_sync.release.releases import Release, live, releases_folder
from content_sync.release.stage import WORK, WORK_TABLES, Stage, remove_left_overs
from content_sync.settings import Settings

_NAME = "spare"
_FACTS = "spare.json"
MADE_ANEW = ("documents/", "search/", "public/search-index/", "members/search-index/")
"""What every build writes or links anew, folder by folder."""


def spare_of(settings: Settings) -> Path | None:
    """Return the spare if it is a copy of the release that is live, or None."""
    root = releases_folder(settings) / _NAME
    release = live(settings)
    try:
        facts = json.loads((root / _FACTS).read_bytes())
    except (OSError, ValueError):
        return None
    is_current = release is not None and facts.get("release") == release.number
    return root if is_current else None


def make_spare(settings: Settings) -> bool:
    """Make a spare of the live release where there is none; return whether one was made.

    Left half-way by a kill or a full disk, it counts for nothing.
    """
    release = live(settings)
    if release is None or spare_of(settings):
        return False
    drop_spare(settings)
    fresh = releases_folder(settings) / f"{_NAME}.new"
    fresh.mkdir()
    try:
        _copy(release, fresh)
        fresh.rename(fresh.with_name(_NAME))
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return True


def drop_spare(settings: Settings) -> None:
    """Remove the spare and what a killed run left of one."""
    for name in (_NAME, f"{_NAME}.new"):
        root = releases_folder(settings) / name
        with contextlib.suppress(FileNotFoundError):
            (root / _FACTS).unlink()  # first: what is half removed counts for nothing
        shutil.rmtree(root, ignore_errors=True)


def open_part(settings: Settings) -> Part:
    """Return a stage for what differs from the live release, which a spare must stand for.

    Raises ReleaseError where there is none.
    """
    spare, base = spare_of(settings), live(settings)
    if spare is None or base is None:
        raise ReleaseError("No spare of the live release stands ready.")
    remove_left_overs(settings)
    folder = releases_folder(settings)
    highest = max((int(f.name) for f in folder.iterdir() if f.name.isdecimal()), default=0)
    with history.open_history(settings.history) as connection:
        number = history.next_number(connection, highest + 1)
    root = folder / f"{number}.staged"
    root.mkdir()
    return Part(number, root, base, spare)


class WholeBuildNeeded(ReleaseError):
    """More may have changed than a fast build can tell."""


class Part(Stage):
    """The stage of a fast build: it holds what differs, and its manifest lists everything."""

    def __init__(self, number: int, root: Path, base: Release, spare: Path) -> None:
        super().__init__(number, root, base)
        self.spare = spare
        self.written: dict[str, Entry] = {}
        """What this build made."""
        self.removed: set[str] = set()

    def begin(self, *, full: bool = False) -> None:
        """Take the spare's manifest over, which lists all that the spare holds."""
        if full:
            raise WholeBuildNeeded("Everything may have changed.")
        self.close()
        # From here on the spare is no copy any more: a killed build leaves none.
        (self.spare / _FACTS).unlink()
        (self.spare / WORK).rename(self.root / WORK)
        self._open("")

    def add(self, entries: Iterable[Entry]) -> None:
        rows = list(entries)
        self.written.update((row.path, row) for row in rows)
        self.removed.difference_update(row.path for row in rows)
        super().add(rows)

    def keep(self, entries: Iterable[Entry]) -> None:
        """List files that are as in the base; the spare has them, or `share` brings them."""
        rows = list(entries)
        super().keep([row for row in rows if row.path.startswith(MADE_ANEW)])
        super().add(row for row in rows if not row.path.startswith(MADE_ANEW))

    def remove(self, paths: Iterable[str]) -> None:
        names = list(paths)
        for name in names:
            self.written.pop(name, None)
            self.removed.add(name)
        super().remove(names)

    def finish(self) -> None:
        """Close the manifest, put what was made into the spare, and make it the stage.

        The manifest lists what any other would; only its pages lie in another order.
        """
        self._close_manifest()
        self._merge()

    def _close_manifest(self) -> None:
        work = self._connection()
        (missing,) = work.execute("SELECT count(*) FROM carried").fetchone()
        if missing:
            raise ReleaseError(f"{missing} files of release {self.number} were never shared.")
        work.execute("DROP TABLE carried")
        work.execute("DROP TABLE meta")
        self.close()
        (self.root / WORK).rename(self.manifest_file)

    def _merge(self) -> None:
        # Renamed first: what is half merged must not be taken for a stage.
        aside = self.root.with_name(f"{self.number}.removed")
        self.root.rename(aside)
        for name in MADE_ANEW:
            if (aside / name).is_dir():
                (self.spare / name).parent.mkdir(parents=True, exist_ok=True)
                (aside / name).rename(self.spare / name)
        for path in self.removed:
            (self.spare / path).unlink(missing_ok=True)
        for file in _files(aside):
            target = f"{self.spare}/{file}"
            try:
                os.replace(f"{aside}/{file}", target)  # noqa: PTH105
            except FileNotFoundError:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                os.replace(f"{aside}/{file}", target)  # noqa: PTH105
        self.spare.rename(self.root)
        shutil.rmtree(aside)


def _copy(release: Release, root: Path) -> None:
    """Link every file but those that a build makes anew, and prepare the working manifest."""
    made: set[str] = set()
    with release.manifest() as listing:
        paths = [p for p in listing.paths() if not p.startswith(MADE_ANEW)]
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder not in made:
            made.add(folder)
            os.makedirs(f"{root}/{folder}", exist_ok=True)  # noqa: PTH103
        try:
            os.link(f"{release.root}/{path}", f"{root}/{path}")
        except FileNotFoundError as error:
            raise ReleaseError(f"{path} is missing in release {release.number}.") from error
        except OSError:
            shutil.copyfile(f"{release.root}/{path}", f"{root}/{path}")
    work = root / WORK
    shutil.copyfile(release.manifest_file, work)
    with contextlib.closing(sqlite3.connect(work, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(WORK_TABLES)
        connection.execute("INSERT INTO meta VALUES ('base', ?)", (str(release.number),))
        for prefix in MADE_ANEW:
            connection.execute(
                "DELETE FROM files WHERE path >= ? AND path < ?", (prefix, prefix + "\U0010ffff")
            )
    (root / _FACTS).write_text(json.dumps({"release": release.number}))


def _files(root: Path) -> Iterator[str]:
    pending = [""]
    while pending:
        folder = pending.pop()
        prefix = f"{folder}/" if folder else ""
        with os.scandir(root / folder) as found:
            for item in found:
                if item.is_dir(follow_symlinks=False):
                    pending.append(prefix + item.name)
                else:
                    yield prefix + item.name
