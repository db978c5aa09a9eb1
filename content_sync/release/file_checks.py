"""Whether a release has the files that its manifest lists, and its compressed ones hold these.

What has to be read is read in processes, some files at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from content_sync.release import manifest
from content_sync.release.addresses import COMPRESSED
from content_sync.release.compress import ENDINGS, expand, plain_of, sibling_key
from content_sync.release.crawl import Finding
from content_sync.release.stage import NOT_LISTED, tree_files

_CHUNK = 2000
_HOLDS_OTHER = "it does not hold what the file beside it holds"


def entries(listing: manifest.Manifest, touched: set[str] | None) -> Iterator[manifest.Entry]:
    """The entries of some files, or of all."""
    if touched is None:
        return listing.entries()
    return listing.some(sorted(touched))


class _Folder(NamedTuple):
    """A folder of the manifest whose entries are being gone through."""

    prefix: str
    files: set[str]
    folders: set[str]


def check_names(root: Path, listing: manifest.Manifest) -> Iterator[Finding]:
    """Every listed file is there, and no other file is."""
    # Paths come sorted, so that what is below a folder comes at one go.
    above = [_Folder("", set(), set())]
    prefix, files, folders = above[-1]
    for path in listing.paths():
        if path.startswith(prefix) and path.find("/", len(prefix)) < 0:
            files.add(path[len(prefix) :])
            continue
        while not path.startswith(above[-1].prefix):
            yield from _compare(root, above.pop())
        while True:
            prefix, files, folders = above[-1]
            name, slash, _ = path[len(prefix) :].partition("/")
            if not slash:
                files.add(name)
                break
            folders.add(name)
            above.append(_Folder(f"{prefix}{name}/", set(), set()))
    while above:
        yield from _compare(root, above.pop())


def _compare(root: Path, folder: _Folder) -> Iterator[Finding]:
    """Compare the files that stand in a folder itself with those that are listed."""
    prefix, listed, folders = folder
    try:
        there = set(os.listdir(root / prefix))  # noqa: PTH208 - a million names
    except FileNotFoundError:
        there = set()
    if not prefix:
        there -= NOT_LISTED
    for name in listed - there:
        yield missing(prefix + name)
    for name in there - listed - folders:
        for path in tree_files(root, prefix + name):
            yield Finding(path, "", "the manifest does not list it")


def missing(path: str) -> Finding:
    return Finding(path, "", "the manifest lists it but it is missing")


def check_sizes(root: Path, entries: Iterable[manifest.Entry]) -> Iterator[Finding]:
    """Every file that is new or changed has its size."""
    for entry in entries:
        try:
            size = os.stat(f"{root}/{entry.path}").st_size  # noqa: PTH116 - 225,000 files
        except FileNotFoundError:
            continue  # told as a file that is missing
        if size != entry.size:
            yield Finding(entry.path, "", f"it has {size} bytes instead of {entry.size}")


def check_digests(
    root: Path, entries: Iterable[manifest.Entry], executor: Executor | None
) -> Iterator[Finding]:
    """Every file's bytes are those that were listed."""
    tasks = ((str(root), [(e.path, e.sha256) for e in chunk]) for chunk in chunks(entries))
    for wrong in spread(executor, wrong_digests, tasks):
        for path in wrong:
            yield Finding(path, "", "its bytes are not those that the manifest lists")


def wrong_digests(task: tuple[str, list[tuple[str, bytes]]]) -> list[str]:
    """Return the files of a folder whose bytes are not those of their digests."""
    root, files = task
    wrong = []
    for path, expected in files:
        with contextlib.suppress(FileNotFoundError), Path(root, path).open("rb") as file:
            if hashlib.file_digest(file, "sha256").digest() != expected:
                wrong.append(path)
    return wrong


def check_siblings(
    root: Path, listing: manifest.Manifest, differ: manifest.Difference | None
) -> Iterator[Finding]:
    """Every compressed file was made of the file that lies beside it.

    Its key tells of what; that it still holds it, `check_siblings_wholly` tells.
    """
    keyless: list[tuple[str, bytes]] = []
    for path, key, digest in _siblings(listing, differ):
        if digest is None:
            yield Finding(path, "", "the file that it is a compressed form of is missing")
        elif key is None:  # made anew each time: the search's one or two
            keyless.append((path, digest))
        elif key != sibling_key(digest):
            yield Finding(path, "", "it was not made of the file beside it")
    for path in wrong_siblings((str(root), keyless)):
        yield Finding(path, "", _HOLDS_OTHER)


def check_siblings_wholly(
    root: Path, listing: manifest.Manifest, executor: Executor | None
) -> Iterator[Finding]:
    """Every compressed file holds what the file beside it holds."""
    pairs = ((path, digest) for path, _, digest in listing.siblings() if digest is not None)
    tasks = ((str(root), chunk) for chunk in chunks(pairs))
    for wrong in spread(executor, wrong_siblings, tasks):
        for path in wrong:
            yield Finding(path, "", _HOLDS_OTHER)


def _siblings(
    listing: manifest.Manifest, differ: manifest.Difference | None
) -> Iterator[tuple[str, bytes | None, bytes | None]]:
    """Yield compressed files, all or those concerned, with their keys, and with the digests of
    the files beside them.
    """
    if differ is None:
        yield from listing.siblings()
        return
    names = {*differ.added, *differ.changed}
    names |= {p + end for p in (*names, *differ.removed) for end in ENDINGS}
    for entry in entries(listing, names):
        if entry.records == COMPRESSED:
            plain = listing.get(plain_of(entry.path)) if entry.path.endswith(ENDINGS) else None
            yield entry.path, entry.key, plain.sha256 if plain else None


def wrong_siblings(task: tuple[str, list[tuple[str, bytes]]]) -> list[str]:
    """Return the compressed files that do not hold the bytes of these digests."""
    root, files = task
    wrong = []
    for path, expected in files:
        try:
            content = expand(path, Path(root, path).read_bytes())
        except FileNotFoundError:
            continue  # told already, as a file that is missing
        except ValueError:
            content = b""
        if hashlib.sha256(content).digest() != expected:
            wrong.append(path)
    return wrong


_T = TypeVar("_T")
_R = TypeVar("_R")


def chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def spread(
    executor: Executor | None, function: Callable[[_T], _R], tasks: Iterable[_T]
) -> Iterator[_R]:
    """Yield the results of tasks in their order, a few of them under way at any time."""
    if executor is None:
        yield from map(function, tasks)
        return
    waiting: deque[Future[_R]] = deque()
    for task in tasks:
        waiting.append(executor.submit(function, task))
        if len(waiting) > _AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


_AHEAD = 16
