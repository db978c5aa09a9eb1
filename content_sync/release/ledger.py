"""Redirects, tombstones and the promise that no published URL ends in a bare 404."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from content_sync.release import history, manifest
from content_sync.release.addresses import COMPRESSED, file_of, is_reserved, url_of
from content_sync.release.crawl import Finding
from content_sync.release.departed import GONE_FILE, MEMBERS, REDIRECTS_FILE, read_redirects


class Published:
    """The files of a release, looked up where they are asked for, and all URLs ever published."""

    def __init__(self, manifest_file: Path, history_file: Path) -> None:
        with history.open_history(history_file):
            pass  # there is one from here on
        self._files = sqlite3.connect(manifest.read_only(manifest_file), uri=True)
        self._files.execute("ATTACH ? AS history", (f"{history_file.resolve().as_uri()}?mode=ro",))

    def has(self, path: str) -> bool:
        """Tell whether the release has a file, tombstones included."""
        return self._files.execute(f"{_FILE} = ?", (path,)).fetchone() is not None

    def tombstones(self) -> list[str]:
        """Return the files of pages that say that a URL is gone."""
        return self._column(f"SELECT path FROM files WHERE {manifest.IS_GONE}")  # noqa: S608

    def was_published(self, path: str) -> bool:
        row = self._files.execute("SELECT 1 FROM urls WHERE path = ?", (path,)).fetchone()
        return row is not None

    def departed(self) -> list[tuple[str, int]]:
        """Return the files of URLs that were published and are not there, with the release."""
        urls = history.urls_to_ask(self._files, "history")
        return self._files.execute(
            f"SELECT path, first_release FROM {urls} AS u WHERE NOT EXISTS ({_FILE} = u.path)"  # noqa: S608
            " ORDER BY path"
        ).fetchall()

    def close(self) -> None:
        self._files.close()

    def _column(self, query: str, *values: str) -> list[str]:
        return [value for (value,) in self._files.execute(query, values)]


_FILE = f"SELECT 1 FROM files AS f WHERE f.records <> '{COMPRESSED}' AND f.path"  # noqa: S608


def check_redirects(root: Path, site: Published) -> Iterator[Finding]:
    """Yield redirects that lead nowhere or in a circle, cover something or stand twice."""
    pairs = _redirects(root)
    sources = {old for old, _ in pairs}
    seen: set[str] = set()
    for old, new in pairs:
        if old in seen:
            yield Finding(REDIRECTS_FILE, old, "the path stands twice")
        seen.add(old)
        path = old.partition("?")[0]
        if not path.startswith("/") or not new.startswith("/") or new.startswith("//"):
            yield Finding(REDIRECTS_FILE, old, "it does not stay on the site")
            continue
        of_members = path.startswith(MEMBERS) and new.startswith(MEMBERS)
        if is_reserved(path) and not of_members and not site.was_published(file_of(path)):
            yield Finding(REDIRECTS_FILE, old, "it covers a reserved path")
        if any(site.has(file_of(form)) for form in (path, path.rstrip("/") + "/")):
            yield Finding(REDIRECTS_FILE, old, "it covers an existing page")
        target = unquote(new.partition("#")[0].partition("?")[0])
        if target in sources or new in sources:
            yield Finding(REDIRECTS_FILE, old, f"it leads to another redirect, {new}")
        elif not _answers(target, site):
            yield Finding(REDIRECTS_FILE, old, f"it leads to {new}, which does not exist")


def check_ledger(root: Path, site: Published) -> Iterator[Finding]:
    """Yield published URLs that are no page, redirect or tombstone, and tombstones amiss."""
    redirects = {old for old, _ in _redirects(root)}
    gone = set(_lines(root / GONE_FILE))
    for url in sorted(gone):
        if url.endswith("/") and not site.has(file_of(url)):
            yield Finding(GONE_FILE, url, "the tombstone has no page")
    for path in site.tombstones():
        if url_of(path) not in gone:
            yield Finding(GONE_FILE, url_of(path), "the tombstone's page would be answered 200")
    for path, release in site.departed():
        url = url_of(path)
        forms = {url, url.removeprefix("/members")} if path.startswith("members/") else {url}
        if forms & redirects or forms & gone or any(site.has(file_of(form)) for form in forms):
            continue
        yield Finding(
            url, "", f"published since release {release}, now no page, redirect or tombstone"
        )


def _answers(url: str, site: Published) -> bool:
    if site.has(file_of(url)):
        return True
    return url.startswith("/members/") and site.has(file_of(url.removeprefix("/members")))


def _redirects(root: Path) -> list[tuple[str, str]]:
    file = root / REDIRECTS_FILE
    return read_redirects(file.read_text("utf-8")) if file.exists() else []


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.exists() else []
