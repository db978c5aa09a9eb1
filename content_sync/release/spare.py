"""The spare: a whole copy of an earlier release, whose files the next one takes over.

A hard link costs 12 µs, and so does taking it away again: many seconds for a large site. So
the release that is removed last stays as `output/releases/spare/`. All but a few of its files
are those that the next release needs, and only what differs is linked and taken away: work that
grows with what has changed, not with the site. `make_spare` brings it up to date with the live
release when nothing else runs, so that a single record need not wait for even that.

A spare is whole as long as its manifest is there, which is what goes first and comes last.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from content_sync.errors import ReleaseError
from content_sync.release import manifest
from content_sync.release.releases import (
    RELEASE_FILE,
    Release,
    is_complete,
    live,
    read_info,
    releases_folder,
)
from content_sync.release.sharing import Sharing, folder_of
from content_sync.settings import Settings

_NAME = "spare"
_FRESH = "spare.new"


def find_spare(folder: Path) -> Release | None:
    """Return the spare among the releases, with the number of the one that it is a copy of."""
    root = folder / _NAME
    if not is_complete(root):
        return None
    try:
        return Release(int(read_info(root)["number"]), root)
    except (ReleaseError, KeyError, ValueError):
        return None


def is_ready(settings: Settings) -> bool:
    """Tell whether there is a spare that is a copy of the live release."""
    spare, release = find_spare(releases_folder(settings)), live(settings)
    return spare is not None and release is not None and spare.number == release.number


def make_spare(settings: Settings) -> bool:
    """Make the spare a copy of the live release; return whether there was anything to do.

    Left half-way by a kill or a full disk, it counts for nothing.
    """
    release = live(settings)
    if release is None or is_ready(settings):
        return False
    folder = releases_folder(settings)
    remove_broken(folder)
    spare = find_spare(folder)
    paths = None if spare is None else changed_between(spare, release)
    if spare is None or paths is None:
        drop_spare(folder)
        _copy(release, folder)
    else:
        _follow(spare, release, paths)
    return True


def keep_as_spare(release: Release) -> bool:
    """Make a release that is no longer wanted the spare, unless that is newer; say whether."""
    folder = release.root.parent
    spare = find_spare(folder)
    if spare is not None and spare.number > release.number:
        return False
    drop_spare(folder)
    release.root.rename(folder / _NAME)
    return True


def drop_spare(folder: Path) -> None:
    """Remove the spare; the next release links all its files anew."""
    (folder / _NAME / manifest.NAME).unlink(missing_ok=True)
    remove_broken(folder)


def remove_broken(folder: Path) -> None:
    """Remove what a killed run left of a spare."""
    shutil.rmtree(folder / _FRESH, ignore_errors=True)
    if not is_complete(folder / _NAME):
        shutil.rmtree(folder / _NAME, ignore_errors=True)


def changed_between(old: Release, new: Release) -> set[str] | None:
    """Return the paths that may differ between two releases; None where nobody knows.

    Each release knows how it differs from the one that it was built upon, so this follows the
    newer one's way back to the older.
    """
    found: set[str] = set()
    folder, number = new.root.parent, new.number
    while number != old.number:
        root = folder / str(number)
        if not is_complete(root):
            return None
        with Release(number, root).manifest() as listing:
            upon = listing.upon()
            found.update(listing.touched())
        if upon is None:
            return None
        number = upon
    return found


def take_spare(spare: Release, root: Path, surplus: Iterable[str]) -> None:
    """Move what was written below `root` into the spare's folders, and these to `root`.

    `surplus` names the files of the spare that are not wanted. What is written moves over
    what was there: nothing is ever written through a hard link into another release.
    """
    # From here on its manifest is not true any more, whatever becomes of this run.
    spare.manifest_file.unlink()
    _remove_files(spare.root, surplus)
    for part in list(spare.root.iterdir()):
        target = root / part.name
        if part.is_dir():
            if target.is_dir():
                _move_files(target, part)
                shutil.rmtree(target)
            part.rename(target)
        elif part.name != RELEASE_FILE and not target.exists():
            part.rename(target)
    shutil.rmtree(spare.root)


def _copy(release: Release, folder: Path) -> None:
    fresh = folder / _FRESH
    fresh.mkdir()
    try:
        sharing = Sharing(release.root, fresh)
        with release.manifest() as listing:
            sharing.bring(listing.paths())
        sharing.bring((RELEASE_FILE, manifest.NAME))
        fresh.rename(folder / _NAME)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _follow(spare: Release, release: Release, paths: set[str]) -> None:
    """Bring a spare up to date that differs from a release in no other than these paths."""
    with spare.manifest() as before, release.manifest() as after:
        old = {path: entry for path in paths if (entry := before.get(path))}
        new = {path: entry for path in paths if (entry := after.get(path))}
    spare.manifest_file.unlink()
    (spare.root / RELEASE_FILE).unlink()
    differ = {path for path in paths if path not in new or not _is_same(old.get(path), new[path])}
    _remove_files(spare.root, differ & old.keys())
    sharing = Sharing(release.root, spare.root)
    sharing.bring(sorted(differ & new.keys()))
    sharing.bring((RELEASE_FILE, manifest.NAME))


def _is_same(old: manifest.Entry | None, new: manifest.Entry) -> bool:
    return old is not None and old.sha256 == new.sha256


def _remove_files(root: Path, paths: Iterable[str]) -> None:
    """Remove files, and the folders that are empty without them."""
    folders: set[str] = set()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{root}/{path}")  # noqa: PTH108 - many files, little time
        folders.add(folder_of(path))
    for folder in sorted(folders, key=len, reverse=True):
        while folder:
            try:
                os.rmdir(root / folder)  # noqa: PTH106
            except OSError:
                break
            folder = folder_of(folder)


def _move_files(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    with os.scandir(source) as found:
        for item in found:
            if item.is_dir(follow_symlinks=False):
                _move_files(source / item.name, target / item.name)
            else:
                os.replace(item.path, target / item.name)  # noqa: PTH105
