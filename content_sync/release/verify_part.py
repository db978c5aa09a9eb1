"""Whether a release may go live that differs from the one before it in a few files only.

The same rules as in `verify.py`, asked of the files that a fast build wrote. All others were
checked in the release that they come from. Where files went away, the whole check is made.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from content_sync.release.addresses import COMPRESSED, GONE, file_of
from content_sync.release.crawl import Crawl, Finding, LazySite, check_page
from content_sync.release.manifest import Entry, Manifest
from content_sync.release.releases import read_info
from content_sync.release.service_check import check_service_file
from content_sync.release.stage import Stage
from content_sync.release.verify import REPORT_FILE, Report, wrong_digests, wrong_siblings
from content_sync.release.visibility import read_visibility
from content_sync.settings import Settings


def check_part(settings: Settings, stage: Stage, written: Collection[Entry]) -> Report:
    """Check what a fast build wrote; the report's counts are of that alone."""
    info = read_info(stage.root)
    visibility = read_visibility(settings.snapshot, info.get("date"))
    files = [entry for entry in written if not entry.path.startswith("documents/")]
    findings: list[Finding] = []
    findings += _check_files(stage.root, files)
    findings += _check_hidden(files, visibility.hidden)
    findings += check_service_file(stage.root, stage.number)
    pages = [e for e in files if e.path.endswith(".html") and e.path.startswith(_TREES)]
    plan = Crawl(
        str(stage.root),
        str(stage.manifest_file),
        str(settings.snapshot),
        visibility.date,
        settings.siteurl,
        frozenset(),
    )
    with Manifest(stage.manifest_file) as listing:
        site = LazySite(plan, _Answers(listing), visibility.hidden)
        for entry in pages:
            findings += check_page(site, plan, entry, (stage.root / entry.path).read_bytes())
        counts = {"files": len(files), "pages checked": len(pages)}
    report = Report(
        sorted(f for f in findings if f.is_error),
        sorted(f for f in findings if not f.is_error),
        counts,
    )
    lines = [f"Release {stage.number}, a part: {len(report.errors)} errors", ""]
    lines += [f"{'error' if f.is_error else 'warning'}: {f}" for f in findings]
    (settings.var / REPORT_FILE).write_text("\n".join(lines) + "\n", "utf-8")
    return report


_TREES = ("public/", "members/")


class _Answers:
    """The URLs that a manifest has a file for, asked one by one."""

    def __init__(self, listing: Manifest) -> None:
        self._listing = listing

    def __contains__(self, url: object) -> bool:
        entry = self._find(url)
        return entry is not None and not entry.records.startswith(GONE)

    def is_tomb(self, url: bytes) -> bool:
        entry = self._find(url)
        return entry is not None and entry.records.startswith(GONE)

    def _find(self, url: object) -> Entry | None:
        assert isinstance(url, bytes)
        text = url.decode("utf-8", "replace")
        if not text.startswith("/"):
            return None
        entry = self._listing.get(file_of(text))
        return None if entry is None or entry.records == COMPRESSED else entry


def _check_files(root: Path, entries: list[Entry]) -> Iterator[Finding]:
    """Every file that was written is there, whole, and so is each compressed form of it."""
    for entry in entries:
        try:
            size = os.stat(f"{root}/{entry.path}").st_size  # noqa: PTH116
        except FileNotFoundError:
            yield Finding(entry.path, "", "the manifest lists it but it is missing")
            continue
        if size != entry.size:
            yield Finding(entry.path, "", f"it has {size} bytes instead of {entry.size}")
    for path in wrong_digests((str(root), [(e.path, e.sha256) for e in entries])):
        yield Finding(path, "", "its bytes are not those that the manifest lists")
    digests = {entry.path: entry.sha256 for entry in entries}
    siblings = [
        (e.path, digests[e.path[:-3]])
        for e in entries
        if e.records == COMPRESSED and e.path[:-3] in digests
    ]
    for path in wrong_siblings((str(root), siblings)):
        yield Finding(path, "", "it does not hold what the file beside it holds")


def _check_hidden(entries: list[Entry], hidden: set[str]) -> Iterator[Finding]:
    for entry in entries:
        if not entry.path.startswith("public/") or entry.records.startswith(GONE):
            continue
        for record in hidden.intersection(entry.records.split("\n")):
            yield Finding(entry.path, record, "a public file shows a record for members only")
