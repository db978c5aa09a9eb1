"""How a release comes by the files that it has in common with the one before: hard links."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from content_sync.errors import ReleaseError


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
        for folder, group in groupby(paths, key=folder_of):
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
        if folder in self._made or not folder:
            return
        self._made.add(folder)
        try:
            os.mkdir(f"{self._root}/{folder}")  # noqa: PTH102 - half a million a night
        except FileExistsError:
            return
        except FileNotFoundError:
            self._make(folder_of(folder))
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


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]
