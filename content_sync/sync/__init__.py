"""Bring the snapshot up to date with the source: `night.py` leads, the others do a part each."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from content_sync.sync.night import Progress, SyncReport, ViewCounts, sync

__all__ = ["Progress", "SyncReport", "ViewCounts", "sync"]


def __getattr__(name: str) -> Any:
    """Return what `night.py` has: those who make pages need none of it, nor its drivers."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from content_sync.sync import night

    return getattr(night, name)
