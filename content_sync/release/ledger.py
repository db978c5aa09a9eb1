"""Redirects, tombstones and the promise that no published URL ends in a bare 404."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from content_sync.release.addresses import file_of, is_reserved, url_of
from content_sync.release.crawl import Finding
from content_sync.release.departed import GONE_FILE, MEMBERS, REDIRECTS_FILE, read_redirects


def check_redirects(
    root: Path, pages: Mapping[str, bool], ledger: Mapping[str, int]
) -> Iterator[Finding]:
    """Yield redirects that lead nowhere or in a circle, cover something or stand twice.

    `pages` maps each file of the release to whether it is a tombstone; `ledger` holds the
    files of all URLs ever published.
    """
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
        if is_reserved(path) and not of_members and file_of(path) not in ledger:
            yield Finding(REDIRECTS_FILE, old, "it covers a reserved path")
        if any(file_of(form) in pages for form in (path, path.rstrip("/") + "/")):
            yield Finding(REDIRECTS_FILE, old, "it covers an existing page")
        target = unquote(new.partition("#")[0].partition("?")[0])
        if target in sources or new in sources:
            yield Finding(REDIRECTS_FILE, old, f"it leads to another redirect, {new}")
        elif not _answers(target, pages):
            yield Finding(REDIRECTS_FILE, old, f"it leads to {new}, which does not exist")


def check_ledger(
    root: Path, pages: Mapping[str, bool], ledger: Mapping[str, int]
) -> Iterator[Finding]:
    """Yield published URLs that are no page, redirect or tombstone, and tombstones amiss."""
    redirects = {old for old, _ in _redirects(root)}
    gone = set(_lines(root / GONE_FILE))
    for url in sorted(gone):
        if url.endswith("/") and file_of(url) not in pages:
            yield Finding(GONE_FILE, url, "the tombstone has no page")
    for path, is_tombstone in pages.items():
        if is_tombstone and url_of(path) not in gone:
            yield Finding(GONE_FILE, url_of(path), "the tombstone's page would be answered 200")
    for path, release in ledger.items():
        if path in pages:
            continue
        url = url_of(path)
        forms = {url, url.removeprefix("/members")} if path.startswith("members/") else {url}
        if forms & redirects or forms & gone or any(file_of(form) in pages for form in forms):
            continue
        yield Finding(
            url, "", f"published since release {release}, now no page, redirect or tombstone"
        )


def _answers(url: str, pages: Mapping[str, bool]) -> bool:
    if file_of(url) in pages:
        return True
    return url.startswith("/members/") and file_of(url.removeprefix("/members")) in pages


def _redirects(root: Path) -> list[tuple[str, str]]:
    file = root / REDIRECTS_FILE
    return read_redirects(file.read_text("utf-8")) if file.exists() else []


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.exists() else []
