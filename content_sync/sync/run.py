"""What the steps of one sync share, and what a sync reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from content_sync.records import VIEWS, View
from content_sync.settings import Settings
from content_sync.source.read import SourceView
from content_sync.source.session import Session

Progress = Callable[[str, int, int], None]
"""Called with a step (reading one view), rows read so far, and about how many there are."""

Count = Callable[[int], None]
"""Called with the number of rows that were read since the last call."""


@dataclass(slots=True, kw_only=True)
class ViewCounts:
    """What a sync found in one view; `rows` are those in the snapshot afterwards."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    gone: int = 0
    left_out: int = 0

    @property
    def differs(self) -> bool:
        return bool(self.added or self.changed or self.gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a sync did. `number` is that of the newest sync that changed anything."""

    number: int
    is_demo: bool
    views: dict[str, ViewCounts]
    problems: int
    unchanged: bool
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(counts.rows for counts in self.views.values())

    @property
    def added(self) -> int:
        return sum(counts.added for counts in self.views.values())

    @property
    def changed(self) -> int:
        return sum(counts.changed for counts in self.views.values())

    @property
    def gone(self) -> int:
        return sum(counts.gone for counts in self.views.values())

    @property
    def left_out(self) -> int:
        return sum(counts.left_out for counts in self.views.values())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the snapshot."""

    number: int
    problems: int
    unchanged: bool


@dataclass(slots=True)
class Run:
    """One sync under way."""

    settings: Settings
    session: Session
    found: dict[str, SourceView]
    accept: bool
    progress: Progress
    identity: str
    is_demo: bool
    floor: bytes | None = None
    """The least rowversion that could still be written when the reading began."""
    windows: dict[str, int] = field(default_factory=dict)
    """Views of which only a window is read, and how many nights ago all keys were."""
    records: tuple[tuple[str, str], ...] = ()
    """Type and id of the only records to read; empty: all."""
    agreed: set[str] = field(default_factory=set)
    """Views of which nothing is staged, for all their rows are as in the snapshot."""
    read_whole: set[str] = field(default_factory=set)
    """Views whose versions are not to be relied on in this run."""
    notes: list[str] = field(default_factory=list)
    started: str = field(default_factory=lambda: now())
    counts: dict[str, ViewCounts] = field(
        default_factory=lambda: {view.name: ViewCounts() for view in VIEWS}
    )

    @property
    def views(self) -> list[View]:
        """The views that the source has, in the order of the contract."""
        return [view for view in VIEWS if view.name in self.found]

    def counter(self, step: str, total: int) -> Count:
        """Return what tells `progress` of rows that were read."""
        done = 0

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            self.progress(step, done, max(total, done))

        return count


def now() -> str:
    """Return this moment as the snapshot writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
