"""Bring a bucket to what the live release holds: new objects first, the pointer and deletions last.

Killed at any moment, the bucket holds a whole old site or a new one in the making, whose pages
link to nothing that is missing; the next run goes on where this one ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from content_sync.errors import ConfigurationError, ReleaseError
from content_sync.lock import lock
from content_sync.mirror.bucket import Bucket, MirrorError
from content_sync.mirror.objects import (
    FOREVER,
    MARK,
    NEVER,
    OWN,
    POINTER,
    PRIVATE,
    PUBLIC,
    Object,
    cache_of,
    is_hidden,
    objects_of,
)
from content_sync.mirror.state import State
from content_sync.operations.overlay import addresses_of, live_folder, make_overlay, withdrawn
from content_sync.release.releases import Release, live
from content_sync.settings import Settings

Progress = Callable[[str, int, int], None]

GRACE_SECONDS = 24 * 3600.0
"""So long hashed files stay that no page names any more: readers and caches hold older pages."""

_JSON = "application/json"


@dataclass(slots=True)
class MirrorReport:
    """What a run did to one bucket."""

    place: str
    release: int
    objects: int = 0
    """Objects of the release, sent or there before."""
    sent: int = 0
    bytes: int = 0
    asked: int = 0
    """Objects that had to be looked at one by one, because the memory of them was lost."""
    deleted: int = 0
    kept: int = 0
    """Hashed files of earlier releases that stay for a day."""
    versions: int = 0
    """Old versions that a purge removed."""


def mirror(
    settings: Settings,
    *,
    to: str = "",
    private: str = "",
    purge: bool = False,
    adopt: bool = False,
    progress: Progress | None = None,
) -> list[MirrorReport]:
    """Copy the live release to the buckets of the settings, or to those named.

    The public tree goes to the one, members' and staff's to `private` and nowhere if that is
    empty. With `purge` nothing old stays: no hashed file of earlier releases, no old version.
    A place that holds what no mirror put there is refused unless `adopt` says that all of it
    may go. Raises NightpressError; the next run goes on.
    """
    to, private = to or settings.mirror, private or settings.mirror_private
    _check_places(to, private)
    release = live(settings)
    if release is None:
        raise ReleaseError("Nothing is published yet.", hint="Run 'nightpress nightly' first.")
    places: list[tuple[str, Collection[str]]] = [(to, PUBLIC)]
    if private:
        places.append((private, PRIVATE))
    reports = []
    with lock(settings, "mirror", name="mirror"):
        for place, trees in places:
            bucket = open_bucket(settings, place)
            if trees == PRIVATE:
                bucket.check_private()
            with State(settings.var / "mirror.sqlite", place) as state:
                run = _Run(settings, release, bucket, state, progress or _silent)
                reports.append(run.copy(trees, purge=purge, adopt=adopt))
    return reports


def hide_withdrawn(settings: Settings) -> int:
    """Delete the pages of withdrawn records from the mirror now; return how many objects went.

    Their search results go with the overlay's file, which is sent first. Without a mirror
    nothing is done. Never waits for a run that is under way: that one is told by the overlay.
    """
    count = 0
    for place, trees in ((settings.mirror, PUBLIC), (settings.mirror_private, PRIVATE)):
        if not place:
            continue
        bucket = open_bucket(settings, place)
        if trees == PUBLIC:
            _send_overlay(settings, bucket)
        doomed = _hidden_keys(bucket, _withdrawn_urls(settings))
        bucket.delete(doomed)
        count += len(doomed)
    return count


def open_bucket(settings: Settings, place: str) -> Bucket:
    """Return the bucket that `s3://bucket/prefix` names."""
    return Bucket(place, endpoint=settings.s3_endpoint_url, workers=settings.mirror_workers)


class _Run:
    def __init__(
        self,
        settings: Settings,
        release: Release,
        bucket: Bucket,
        state: State,
        progress: Progress,
    ) -> None:
        self.settings = settings
        self.release = release
        self.bucket = bucket
        self.state = state
        self.progress = progress
        self.report = MirrorReport(bucket.place, release.number)

    def copy(self, trees: Collection[str], *, purge: bool, adopt: bool) -> MirrorReport:
        there = self.bucket.listing()
        self._begin(there, adopt=adopt)
        hidden = _withdrawn_urls(self.settings)
        wanted = {one.key: one for one in objects_of(self.release, trees, hidden)}
        self.report.objects = len(wanted)
        self._send(self._missing(wanted, there))
        # A withdrawal in the meantime came too late for what was sent after it.
        late = {key: one for key, one in wanted.items() if _is_now_hidden(self.settings, one)}
        for key in late:
            del wanted[key]
        if trees == PUBLIC:
            _send_overlay(self.settings, self.bucket)
        self._point(trees)
        self._delete(there.keys() | late.keys(), wanted, there, purge=purge)
        if purge:
            self.report.versions = self.bucket.forget_versions()
        self.state.ended(self.release.number)
        return self.report

    def _begin(self, there: dict[str, str], *, adopt: bool) -> None:
        """Refuse a place that holds other things; mark one that is ours from now on."""
        if MARK in there:
            return
        if there and not adopt:
            raise ConfigurationError(
                f"{self.bucket.place} holds {len(there):,} objects and no mirror.",
                hint="Name an empty place, or say --adopt: what the site does not have is deleted.",
            )
        text = json.dumps({"site": self.settings.siteurl or self.settings.sitename})
        self.bucket.put(MARK, text.encode(), type=_JSON, cache=NEVER, stamp="")

    def _missing(self, wanted: dict[str, Object], there: dict[str, str]) -> list[Object]:
        """Return the objects to send, in the order in which they are sent."""
        known = self.state.stamps()
        missing: list[Object] = []
        unknown: list[Object] = []
        for key, one in wanted.items():
            etag, stamp = known.get(key, ("", ""))
            if key not in there:
                missing.append(one)
            elif etag == there[key] and stamp:
                if stamp != one.stamp:
                    missing.append(one)
            else:
                unknown.append(one)
        self.state.wanted(list(wanted))
        self.report.asked = len(unknown)
        asked = self.bucket.each(lambda one: (one, self.bucket.stamp_of(one.key)), unknown)
        for done, (one, stamp) in enumerate(asked, 1):
            self.progress("looking at what is there", done, len(unknown))
            if stamp == one.stamp:
                self.state.sent(one.key, there[one.key], stamp)
            else:
                missing.append(one)
        missing.sort(key=lambda one: (one.turn, one.key))
        return missing

    def _send(self, missing: list[Object]) -> None:
        for turn in sorted({one.turn for one in missing}):
            some = [one for one in missing if one.turn == turn]
            for one, etag in self.bucket.each(self._put, some):
                self.state.sent(one.key, etag, one.stamp)
                self.report.sent += 1
                self.report.bytes += one.size
                self.progress("sending", self.report.sent, len(missing))

    def _put(self, one: Object) -> tuple[Object, str]:
        file = self.release.root / one.path
        try:
            data = file.read_bytes()
        except FileNotFoundError as error:
            raise MirrorError(
                f"Release {self.release.number} was removed while it was copied.",
                hint="Run 'nightpress mirror' again: it copies the one that is live now.",
            ) from error
        etag = self.bucket.put(one.key, data, type=one.type, cache=one.cache, stamp=one.stamp)
        return one, etag

    def _point(self, trees: Collection[str]) -> None:
        """Say which release the bucket shows; no request if it says so already.

        Where everyone reads, old addresses of what was for members alone are left out.
        """
        info = self.release.info()
        facts = {name: info.get(name) for name in ("number", "built", "date", "siteurl")}
        _put_if_other(self.bucket, POINTER, json.dumps(facts, sort_keys=True).encode())
        for name in ("redirects.txt", "gone.txt"):
            file = self.release.root / name
            data = file.read_bytes() if file.is_file() else b""
            if trees == PUBLIC:
                lines = data.splitlines(keepends=True)
                data = b"".join(line for line in lines if not line.startswith(b"/members/"))
            _put_if_other(self.bucket, f"{OWN}{name}", data, type="text/plain; charset=utf-8")

    def _delete(
        self,
        there: Collection[str],
        wanted: dict[str, Object],
        etags: dict[str, str],
        *,
        purge: bool,
    ) -> None:
        now = time.time()
        doomed = []
        for key in there:
            if key in wanted or key.startswith((OWN, "live/")):
                continue
            if not purge and cache_of(f"public/{key}") == FOREVER:
                since = self.state.unwanted_since(key, etags.get(key, ""), now)
                if now - since < GRACE_SECONDS:
                    self.report.kept += 1
                    continue
            doomed.append(key)
        doomed.sort()
        self.report.deleted = self.bucket.delete(doomed)
        self.state.forget(doomed)


def _check_places(to: str, private: str) -> None:
    if not to:
        raise ConfigurationError(
            "No bucket is named.", hint='Set MIRROR = "s3://bucket/prefix", or say --to.'
        )
    for place in filter(None, (to, private)):
        if not place.startswith("s3://") or not place.removeprefix("s3://").partition("/")[0]:
            raise ConfigurationError(f"{place!r} is no place: write it as s3://bucket/prefix.")
    if private and _bucket(private) == _bucket(to):
        raise ConfigurationError(
            f"{private} is in the public mirror's bucket.",
            hint="Members' and staff's pages need a bucket of their own.",
        )


def _bucket(place: str) -> str:
    return place.removeprefix("s3://").partition("/")[0]


def _withdrawn_urls(settings: Settings) -> tuple[str, ...]:
    return tuple(url for record in withdrawn(settings) for url in addresses_of(record))


def _is_now_hidden(settings: Settings, one: Object) -> bool:
    return is_hidden("/" + one.key, _withdrawn_urls(settings))


def _hidden_keys(bucket: Bucket, hidden: tuple[str, ...]) -> list[str]:
    keys: list[str] = []
    for url in hidden:
        for tree in ("", *(f"{tree}/" for tree in PRIVATE)):
            keys += bucket.keys_below(f"{tree}{url[1:]}")
    return keys


def _send_overlay(settings: Settings, bucket: Bucket) -> None:
    """Bring the notice and the list of withdrawn records, which pages ask for in browsers."""
    make_overlay(settings)
    for name in ("withdrawn.json", "notice.json"):
        _put_if_other(bucket, f"live/{name}", (live_folder(settings) / name).read_bytes())


def _put_if_other(bucket: Bucket, key: str, data: bytes, *, type: str = _JSON) -> None:
    if bucket.get(key) != data:
        bucket.put(key, data, type=type, cache="no-store", stamp="")


def _silent(_step: str, _done: int, _total: int) -> None:
    """Show nobody how far a run is."""
