"""Bring the snapshot up to date with the source: `night.py` leads, the others do a part each."""

from content_sync.sync.night import Progress, SyncReport, ViewCounts, sync

__all__ = ["Progress", "SyncReport", "ViewCounts", "sync"]
