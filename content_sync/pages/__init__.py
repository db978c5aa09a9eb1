"""The Pelican plugin: `PLUGINS = ["content_sync.pages"]` adds the pages of all records."""

from __future__ import annotations


def register() -> None:
    """Connect the generator of record pages to Pelican."""
    from content_sync.pages.generator import connect

    connect()
