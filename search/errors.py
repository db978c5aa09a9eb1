"""What can go wrong with documents folders and indexes."""

from __future__ import annotations

from content_sync.errors import NightpressError


class SearchError(NightpressError):
    """A documents folder or an index is missing, damaged or of another version."""
