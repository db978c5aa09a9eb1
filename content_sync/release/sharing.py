"""How a release comes by the files that it has in common with the one before: hard links.

A link costs 12 µs, and so does taking it away again. So the release that was removed last
stays beside the others as a spare: all but a few of its files are those that the next
release needs, and only what differs is linked and taken away. That is work that grows with
what changed since, not with the site.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from content_sync.errors import ReleaseError
from content_sync.release import manifest
from content_sync.release.releases import is_complete

SPARE = ".spare"


class Sharing:
    """Links files of one release into another, folder by folder."""

    def __init__(self, base: Path, root: Path) -> None:
        self.linked = self.copied = self.folders = 0
        self.present: list[str] = []
        """Files that lay there already, written by another hand."""
        self._base, self._root = str(base), str(root)
        self._made: set[str] = set()
        self._can_link = True

    def bring(self, paths: Iterable[str]) -> None:
        """Link the files, or copy them where the file system makes no (more) links.

        Raises ReleaseError when the base has lost a file or the disk is full.
        """
        link, base, root = os.link, self._base, self._root
        for folder, group in groupby(paths, key=_folder):
            self._make(folder)
            for path in group:
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
                        raise _failed(path, error) from error
                    self._can_link = error.errno not in _NEVER_LINKS
                    self._copy(path, source, target)

    def _copy(self, path: str, source: str, target: str) -> None:
        if os.path.lexists(target):
            self.present.append(path)
            return
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise _failed(path, error) from error
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
            raise _failed(folder, error) from error
        self.folders += 1


_FATAL = frozenset({errno.ENOENT, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
# About the file system as a whole; others, such as too many links, are about one file.
_NEVER_LINKS = frozenset({errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def _failed(path: str, error: OSError) -> ReleaseError:
    if error.errno == errno.ENOENT:
        return ReleaseError(
            f"{path} is missing in the release that this one builds upon.",
            hint="Build all pages anew with 'nightpress build --full'.",
        )
    return ReleaseError(f"{path} cannot be shared with the last release: {error.strerror}.")


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


# The spare


def find_spare(folder: Path) -> Path | None:
    """Return the removed release whose files can be used again, if there is one."""
    found = [f for f in folder.glob(f"*{SPARE}") if f.name[: -len(SPARE)].isdecimal()]
    return max(found, key=lambda f: int(f.name[: -len(SPARE)]), default=None)


def keep_as_spare(release: Path) -> None:
    """Keep a release that is no longer wanted as the spare, and remove the spare of before."""
    before = find_spare(release.parent)
    release.rename(release.with_name(release.name + SPARE))
    if before is not None:
        remove_spare(before)


def remove_spare(spare: Path) -> None:
    """Remove a spare; one that is half removed is not taken for a whole one."""
    going = spare.with_name(f"{spare.name[: -len(SPARE)]}.removed")
    spare.rename(going)
    shutil.rmtree(going)


def take_spare(folder: Path) -> Path | None:
    """Return the spare if all its files are known."""
    spare = find_spare(folder)
    return spare if spare is not None and is_complete(spare) else None


def spare_manifest(spare: Path) -> str:
    """Return the SQLite address of a spare's manifest."""
    return manifest.read_only(spare / manifest.NAME)


def use_spare(spare: Path, root: Path, surplus: Iterable[str]) -> None:
    """Move what was written below `root` into the spare's folders, and these to `root`.

    `surplus` names the files of the spare that are not wanted. What is written moves over
    what was there: nothing is ever written through a hard link into another release.
    """
    # From here on its manifest is not true any more, whatever becomes of this run.
    (spare / manifest.NAME).unlink()
    folders: set[str] = set()
    for path in surplus:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{spare}/{path}")  # noqa: PTH108 - many files, little time
        folders.add(_folder(path))
    for part in [entry for entry in spare.iterdir() if entry.is_dir()]:
        target = root / part.name
        if target.is_dir():
            _move_files(target, part)
            shutil.rmtree(target)
        part.rename(target)
    shutil.rmtree(spare)
    _remove_empty(root, folders)


def _move_files(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    with os.scandir(source) as found:
        for item in found:
            place = target / item.name
            if item.is_dir(follow_symlinks=False):
                _move_files(source / item.name, place)
            else:
                os.replace(item.path, place)  # noqa: PTH105


def _remove_empty(root: Path, folders: set[str]) -> None:
    """Remove the folders that lost their last file, and those above them that did."""
    for folder in sorted(folders, key=len, reverse=True):
        while folder:
            try:
                os.rmdir(root / folder)  # noqa: PTH106
            except OSError:
                break
            folder = _folder(folder)
