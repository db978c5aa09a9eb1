"""One record live in seconds: its rows are read, its pages made and indexed, nothing else.

The steps are those of the night, each told to look at little: `sync` reads the records by their
keys, the build looks at what they touch and takes all else from the copy of the live release
that stands ready (`release/spare.py`), the index gets a small segment, the check reads what was
written. The outcome is a release like any other. What cannot be done so raises NotInPart, and
the night does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from content_sync.errors import NightpressError
from content_sync.release.addresses import url_of
from content_sync.settings import Settings
from content_sync.terminal import timed

Record = tuple[str, str]
MOST = 20
"""Records in one go; for more a whole build is no slower."""
_TREES = ("public/", "members/")
_SHARDS = ("public/search-index/", "members/search-index/")
_SIBLINGS = (".br", ".gz")


class NotInPart(NightpressError):
    """The whole job is needed; the message says why."""


@dataclass(slots=True)
class FastReport:
    """What became of some records."""

    synced: Any
    release: int | None = None
    """The number of the release that is live now; None: there was nothing to do."""
    pages: list[str] = field(default_factory=list)
    """URLs of the pages that are new, other or gone."""
    shards: list[str] = field(default_factory=list)
    """Files of the search in browsers that are new."""
    built: Any = None
    indexed: Any = None
    checked: Any = None

    def facts(self) -> dict[str, Any]:
        """Return it for the log and for programs."""
        return {"pages": self.pages, "shards": self.shards}


def parse(records: Sequence[str]) -> list[Record]:
    """Return type and id of records written `type:id`. Raises NightpressError for others."""
    from content_sync.urls import PLURALS

    found = []
    for record in records:
        kind, colon, key = record.partition(":")
        if not colon or kind not in PLURALS or not key:
            raise NightpressError(
                f"{record!r} names no record that has a page.",
                hint=f"Write it as type:id; the types are {', '.join(PLURALS)}.",
            )
        found.append((kind, key))
    return found


def publish_records(
    settings: Settings, records: Sequence[Record], seconds: dict[str, float], progress: Any
) -> FastReport:
    """Bring these records from the source to the live site; the caller holds the site's lock.

    Raises NotInPart, with the live site as it was, where the whole job is needed; what the other
    steps raise ends the run as it ends a night.
    """
    from content_sync.pages.site import build_part, why_not_in_part
    from content_sync.release.stage import WholeBuildNeeded
    from content_sync.release.verify import check
    from content_sync.sync import sync
    from content_sync.sync.one import OneRecordImpossible

    if len(records) > MOST:
        raise NotInPart(f"{len(records)} records are asked for.")
    if why := why_not_in_part(settings):
        raise NotInPart(f"{why[0].upper()}{why[1:]}.")
    try:
        with timed(seconds, "sync"):
            synced = sync(settings, records=records, progress=progress)
    except OneRecordImpossible as error:
        raise NotInPart(str(error)) from error
    report = FastReport(synced)
    if synced.unchanged and _is_up_to_date(settings, synced.number):
        return report
    try:
        with timed(seconds, "build"):
            report.built, stage = build_part(settings, records, progress=progress)
    except WholeBuildNeeded as error:
        raise NotInPart(str(error)) from error
    with timed(seconds, "index"):
        report.indexed = _index(settings, stage, progress)
    differ = _differ(stage)
    _tell(report, differ)
    with timed(seconds, "check"):
        # Where a page went away, somebody else's may lead there.
        report.checked = check(settings, stage, only_changes=not _gone(differ))
    if report.checked.errors:
        return report
    with timed(seconds, "publish"):
        report.release = _publish(settings, stage)
    return report


def _is_up_to_date(settings: Settings, sync: int) -> bool:
    from content_sync.release.releases import live

    release = live(settings)
    return release is not None and int(release.info().get("sync") or 0) >= sync


def _index(settings: Settings, stage: Any, progress: Any) -> Any:
    from content_sync.indexing import index_release

    try:
        return index_release(settings, stage, progress)
    except BaseException:
        stage.discard()
        raise


def _publish(settings: Settings, stage: Any) -> int:
    from content_sync.agent.publishing import check_may_publish
    from content_sync.lock import check_held
    from content_sync.release.switch import prune, publish

    check_may_publish(settings)
    check_held(settings)
    release = publish(settings, stage)
    prune(settings, quickly=True)
    return release.number


def _differ(stage: Any) -> Any:
    from content_sync.release.manifest import compare

    return compare(stage.base.manifest_file, stage.manifest_file, touched=True)


def _gone(differ: Any) -> list[str]:
    gone = [p for p in differ.removed if p.startswith(_TREES) and not p.startswith(_SHARDS)]
    return [p for p in gone if not p.endswith(_SIBLINGS)]


def _tell(report: FastReport, differ: Any) -> None:
    new = [p for p in (*differ.added, *differ.changed) if p.startswith(_TREES)]
    pages = [p for p in (*new, *_gone(differ)) if p.endswith(".html")]
    report.pages = sorted({url_of(path) for path in pages})
    report.shards = sorted(p for p in new if p.startswith(_SHARDS) and not p.endswith(_SIBLINGS))
