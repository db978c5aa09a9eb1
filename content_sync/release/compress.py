"""Compressed siblings of text files: `x.html.br` and `x.html.gz` beside `x.html`.

Made at build, so that no reader waits for it and no server computes it again. A sibling that
belongs to an unchanged file is shared with the last release like the file itself. The levels
are those where the measured curve bends (docs/decisions/2026-11-24-compressed-files.md).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

import brotli

from content_sync.processes import is_worth_it, processes
from content_sync.release.addresses import COMPRESSED, GONE, WEB_TREES
from content_sync.release.gzipped import gunzipped, gzipped
from content_sync.release.manifest import Entry
from content_sync.release.stage import Stage, write_file
from content_sync.settings import Settings

RECIPE = "br5 window by size isal2 assets br11 gz9, from 1000 bytes, citations gz from 14000, to .9"
"""Changes when the same file would be compressed otherwise."""

ENDINGS = (".br", ".gz")
_TEXT = frozenset(
    "atom bib css csv html ics js json jsonl mjs ris svg txt webmanifest xml dat".split()
)
_SMALLEST = 1000
"""Bytes below which a file fits into one packet anyway."""
_SMALLEST_ALONE = 14_000
"""The same of files that are fetched one by one: what a server sends before it waits for an
answer, ten packets, so that no smaller form is there sooner."""
_ALONE = "citations/"
_WORTH = 0.9
"""A sibling is kept if it has at most this share of the file's bytes."""
_SEARCH = "search-index/"
_FEW = 2000
_CHUNK = 200
_WINDOW = (1 << 16) - 16
"""What brotli's window of 16 bits holds."""


class Compressed(NamedTuple):
    """What became of the siblings: made anew, as in the last release, and bytes made."""

    made: int
    shared: int
    bytes: int


def compress_pages(settings: Settings, stage: Stage) -> Compressed:
    """Bring the siblings of all files but the search's up to date, before `Stage.finish`."""
    return _compress(settings, stage, None, search=False)


@contextlib.contextmanager
def compressing_ahead(settings: Settings, stage: Stage) -> Iterator[None]:
    """Compress what is in the stage in other processes while the block makes the rest here.

    `compress_pages` then finds these siblings done. Where most of them come from the last
    release, or there is one processor alone, nothing is done ahead.
    """
    if stage.is_incremental or not is_worth_it(settings):
        yield
        return
    wanted = _sort_out(stage, search=False).wanted
    if len(wanted) <= _FEW:
        yield
        return
    with processes(settings) as executor:
        try:
            under_way = [
                executor.submit(_compress_files, task) for task in _tasks(stage, wanted, True)
            ]
            yield
            for future in under_way:
                stage.add(future.result())
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise


def compress_shards(settings: Settings, stage: Stage, executor: Executor) -> Compressed:
    """Bring the siblings of the search's files up to date, where compressing them gains."""
    return _compress(settings, stage, executor, search=True)


def plain_of(path: str) -> str:
    """Return the file that a sibling belongs to."""
    return path[:-3]


def sibling_key(sha256: bytes) -> bytes:
    """Return the key of the siblings of a file whose bytes have this digest."""
    return hashlib.blake2b(RECIPE.encode() + sha256, digest_size=16).digest()


def expand(path: str, content: bytes) -> bytes:
    """Return what a sibling holds. Raises ValueError when it is damaged."""
    try:
        return bytes(brotli.decompress(content)) if path.endswith(".br") else gunzipped(content)
    except brotli.error as error:
        raise ValueError(str(error)) from error


def _compress(
    settings: Settings, stage: Stage, executor: Executor | None, *, search: bool
) -> Compressed:
    if _base_agrees(stage) and stage.is_incremental and not search:
        return _compress_touched(settings, stage)
    found = _sort_out(stage, search=search)
    stage.remove(found.stale)
    stage.keep(found.kept)
    stage.share()
    made = list(_make(settings, stage, executor, found.wanted, search=search))
    stage.add(made)
    shared = found.good + len(found.kept)
    return Compressed(len(made), shared, sum(entry.size for entry in made))


_Plain = tuple[str, bytes]
"""A file that may have siblings: its path and digest."""


class _Found(NamedTuple):
    """What a stage has of siblings, and lacks."""

    good: int
    stale: list[str]
    """Siblings of what is no more, or of what was."""
    kept: list[Entry]
    """Siblings that the base has."""
    wanted: list[_Plain]
    """Files that have none yet."""


def _sort_out(stage: Stage, *, search: bool) -> _Found:
    base_agrees = _base_agrees(stage)
    listed: dict[str, bytes | None] = {}
    plain: list[_Plain] = []
    for tree in WEB_TREES:
        of_search = f"{tree}/{_SEARCH}"
        prefix = of_search if search else f"{tree}/"
        for path, size, sha256, key, is_sibling in stage.siblings_and_texts(prefix, _SMALLEST):
            if not search and path.startswith(of_search):
                continue
            if is_sibling:
                listed[path] = key
            elif _is_text(path, size):
                plain.append((path, sha256))
    good: set[str] = set()
    kept: list[Entry] = []
    wanted: list[_Plain] = []
    for path, sha256 in plain:
        names = [path + ending for ending in ENDINGS]
        found = [name for name in names if name in listed]
        if found:
            key = sibling_key(sha256)
            found = [name for name in found if listed[name] == key]
        if found:
            good.update(found)
            continue
        before = stage.base_entry(path) if base_agrees else None
        if before is None or before.sha256 != sha256:
            wanted.append((path, sha256))
            continue
        # Where it had none, compressing it gains nothing.
        kept += [s for name in names if (s := stage.base_entry(name)) and s.records == COMPRESSED]
    return _Found(len(good), sorted(listed.keys() - good), kept, wanted)


def _base_agrees(stage: Stage) -> bool:
    return stage.base is not None and stage.base.info().get("compressed") == RECIPE


def _compress_touched(settings: Settings, stage: Stage) -> Compressed:
    """Bring up to date what differs from the base; all other siblings came with it."""
    stale: list[str] = []
    wanted: list[_Plain] = []
    for path, entry in stage.touched():
        tree, _, name = path.partition("/")
        if tree not in WEB_TREES or name.startswith(_SEARCH):
            continue
        if entry is None:
            stale += [path + ending for ending in ENDINGS]
        elif entry.records != COMPRESSED and not _is_as_before(stage, entry):
            siblings = [path + ending for ending in ENDINGS]
            if entry.records.startswith(GONE) or not _is_text(path, entry.size):
                stale += siblings
            elif all(stage.key_of(sibling) != sibling_key(entry.sha256) for sibling in siblings):
                stale += siblings
                wanted.append((path, entry.sha256))
    stage.remove(
        path for path in stale if (entry := stage.get(path)) and entry.records == COMPRESSED
    )
    made = list(_make(settings, stage, None, wanted, search=False))
    stage.add(made)
    return Compressed(len(made), 0, sum(entry.size for entry in made))


def _is_as_before(stage: Stage, entry: Entry) -> bool:
    before = stage.base_entry(entry.path)
    return before is not None and before.sha256 == entry.sha256


def _is_text(path: str, size: int) -> bool:
    is_alone = path.partition("/")[2].startswith(_ALONE)
    smallest = _SMALLEST_ALONE if is_alone else _SMALLEST
    return size >= smallest and path.rpartition(".")[2] in _TEXT


def _make(
    settings: Settings,
    stage: Stage,
    executor: Executor | None,
    wanted: list[_Plain],
    *,
    search: bool,
) -> Iterator[Entry]:
    """Yield the entries of siblings made, by other processes or threads where they are many."""
    # The search's siblings carry no key: the folder is written anew each night.
    tasks = _tasks(stage, wanted, not search)
    if executor is not None and len(wanted) > _FEW:
        yield from _flat(executor.map(_compress_files, tasks))
        return
    # Both libraries work beside each other in threads, which cost nothing to start.
    with ThreadPoolExecutor(settings.worker_count) as threads:
        yield from _flat(threads.map(_compress_files, tasks))


def _tasks(
    stage: Stage, wanted: list[_Plain], with_key: bool
) -> list[tuple[str, list[tuple[str, bytes | None]]]]:
    return [
        (
            str(stage.root),
            [
                (path, sibling_key(sha256) if with_key else None)
                for path, sha256 in wanted[i : i + _CHUNK]
            ],
        )
        for i in range(0, len(wanted), _CHUNK)
    ]


def _flat(results: Iterable[list[Entry]]) -> Iterator[Entry]:
    return (entry for result in results for entry in result)


def _compress_files(task: tuple[str, list[tuple[str, bytes | None]]]) -> list[Entry]:
    """Write the siblings of some files; return the entries of those that are worth it."""
    root, files = task
    made = []
    for path, key in files:
        name = f"{root}/{path}"
        descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            facts = os.fstat(descriptor)
            content = os.read(descriptor, facts.st_size)
            while more := os.read(descriptor, _WINDOW):
                content += more
        finally:
            os.close(descriptor)
        within = path.partition("/")[2]
        if within.startswith(_ALONE):
            packed = _packed_alone(content)
        else:
            packed = _packed_best(content) if within.startswith("assets/") else _packed(content)
        for step, (ending, data) in enumerate(packed.items(), start=1):
            # Apache's ETag is time and size: a microsecond tells the three of a kind apart.
            time = facts.st_mtime_ns // 1000 * 1000 + step * 1000
            made.append(write_file(root, path + ending, data, key, COMPRESSED, time_ns=time))
    return made


def _packed(content: bytes, *, best: bool = False) -> dict[str, bytes]:
    """Return it compressed by brotli and by gzip; nothing where that gains too little."""
    # A window that is no larger than it need be takes a tenth less time.
    window = 16 if len(content) < _WINDOW else 22
    quality = 11 if best else 5
    small = brotli.compress(content, mode=brotli.MODE_TEXT, quality=quality, lgwin=window)
    if len(small) > _WORTH * len(content):
        return {}
    return {".br": bytes(small), ".gz": gzipped(content, best=best)}


def _packed_alone(content: bytes) -> dict[str, bytes]:
    """Return it compressed by gzip: few fetch a list of citations, and brotli takes ten times as
    long for every one that changed.
    """
    small = gzipped(content)
    return {".gz": small} if len(small) <= _WORTH * len(content) else {}


@lru_cache(maxsize=64)
def _packed_best(content: bytes) -> dict[str, bytes]:
    """Return an asset compressed as well as can be: slow, and the same for every release."""
    return _packed(content, best=True)
