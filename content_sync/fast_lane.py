"""One record live in seconds: its rows are read, its pages made and indexed, nothing else.

The steps are those of the night, each told to look at little: `sync` reads the records by their
keys, the build looks at what they touch and works upon a copy of the live release that stands
ready (`release/spare.py`), the index gets a small segment, the check reads what was written. The
outcome is a release like any other. What cannot be done so raises NotInPart, and the night does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from content_sync.errors import NightpressError
from content_sync.release.addresses import COMPRESSED, url_of
from content_sync.settings import Settings
from content_sync.terminal import timed

Record = tuple[str, str]
MOST = 20
"""Records in one go; for more a whole build is no slower."""
_TREES = ("public/", "members/")
_SHARDS = ("public/search-index/", "members/search-index/")


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
    from content_sync.release.spare import WholeBuildNeeded
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
    _tell(report, stage)
    with timed(seconds, "check"):
        report.checked = _check(settings, stage)
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


def _check(settings: Settings, stage: Any) -> Any:
    from content_sync.release.verify import check
    from content_sync.release.verify_part import check_part

    if _departed(stage):
        return check(settings, stage)  # somebody else's page may lead there
    return check_part(settings, stage, list(stage.written.values()))


def _publish(settings: Settings, stage: Any) -> int:
    from content_sync.agent.publishing import check_may_publish
    from content_sync.lock import check_held
    from content_sync.release.switch import prune, publish

    check_may_publish(settings)
    check_held(settings)
    release = publish(settings, stage, changed=[*stage.written, *stage.removed])
    prune(settings)
    return release.number


def _departed(stage: Any) -> list[str]:
    return [p for p in stage.removed if p.startswith(_TREES) and not p.endswith((".br", ".gz"))]


def _tell(report: FastReport, stage: Any) -> None:
    new = [e for e in stage.written.values() if e.path.startswith(_TREES)]
    new = [e for e in new if e.records != COMPRESSED and _differs(stage, e)]
    pages = [e.path for e in new if e.path.endswith(".html")]
    gone = [p for p in _departed(stage) if p.endswith(".html")]
    report.pages = sorted({url_of(path) for path in (*pages, *gone)})
    report.shards = sorted(e.path for e in new if e.path.startswith(_SHARDS))


def _differs(stage: Any, entry: Any) -> bool:
    before = stage.base_entry(entry.path)
    return before is None or before.sha256 != entry.sha256
