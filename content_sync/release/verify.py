"""Whether a release may go live: files, links, audiences, counts, and every URL ever published."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from content_sync.errors import ReleaseError
from content_sync.release import manifest
from content_sync.release.addresses import GONE, WEB_TREES, url_of
from content_sync.release.compress import ENDINGS
from content_sync.release.crawl import Crawl, Finding, Page, crawl
from content_sync.release.file_checks import (
    check_digests,
    check_names,
    check_siblings,
    check_siblings_wholly,
    check_sizes,
    chunks,
    entries,
    missing,
    spread,
)
from content_sync.release.ledger import Published, check_ledger, check_redirects
from content_sync.release.releases import Release, is_complete, read_info, releases_folder
from content_sync.release.service_check import check_service_file
from content_sync.release.stage import Stage
from content_sync.release.visibility import Visibility, read_hidden, read_visibility
from content_sync.settings import Settings
from content_sync.urls import PLURALS, slug

__all__ = ["Finding", "Report", "check"]

REPORT_FILE = "check-report.txt"


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. Errors forbid to publish; warnings are for the editors."""

    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.errors

    def lines(self, limit: int = 20) -> list[str]:
        """Return the first `limit` errors, one a line, and how many more there are."""
        shown = [str(finding) for finding in self.errors[:limit]]
        if len(self.errors) > limit:
            shown.append(f"… and {len(self.errors) - limit} more errors in {REPORT_FILE}")
        return shown


def check(
    settings: Settings,
    target: Stage | Release,
    *,
    full: bool = False,
    only_changes: bool = False,
    executor: Executor | None = None,
) -> Report:
    """Check a finished stage or a release; write all that was found to `var/check-report.txt`.

    Looks into the pages that differ from the release it was built upon, and into the others for
    links to URLs that vanished. With `full`, or without a base, into all pages; with `full` it
    also compares every file's SHA-256, and unpacks what is compressed. With `only_changes`
    nothing else is looked at at all: all other files were checked in the release that they come
    from. Pages are read through `executor` where one is given.

    Raises ReleaseError when there is no manifest or no snapshot to check against.
    """
    if not is_complete(target.root):
        raise ReleaseError(
            f"Release {target.number} is not finished.", hint="Run 'nightpress build' first."
        )
    if not settings.snapshot.exists():
        raise ReleaseError(
            f"{settings.snapshot} does not exist.", hint="Run 'nightpress sync' first."
        )
    base = None if full else _base(settings, target)
    info = read_info(target.root)
    findings: list[Finding] = []
    with manifest.Manifest(target.manifest_file) as listing:
        knows = base is not None and listing.upon() == base.number
        differ = touched = None  # nothing to compare with: all is looked at
        if base is not None:
            differ = manifest.compare(base.manifest_file, target.manifest_file, touched=knows)
            touched = {*differ.added, *differ.changed}
        findings += check_sizes(target.root, entries(listing, touched))
        findings += check_siblings(target.root, listing, differ)
        findings += check_service_file(target.root, target.number)
        if only_changes and knows:
            counts, found = _check_changes(settings, target, entries(listing, touched), info)
        else:
            counts, found = _check_all(settings, target, listing, info)
        findings += found
        if full:
            findings += check_digests(target.root, listing.entries(), executor)
            findings += check_siblings_wholly(target.root, listing, executor)
        vanished, owners = _vanished(differ, listing, base)
        plan = Crawl(
            str(target.root),
            str(target.manifest_file),
            str(settings.snapshot),
            str(info["date"]),
            settings.siteurl,
            frozenset(vanished),
        )
        pages_read, found = _crawl(plan, listing, touched, owners, executor)
        findings += found
    counts["pages checked"] = pages_read
    report = Report(
        sorted(f for f in findings if f.is_error),
        sorted(f for f in findings if not f.is_error),
        counts,
    )
    _write(settings.var / REPORT_FILE, target.number, report)
    return report


def _check_changes(
    settings: Settings,
    target: Stage | Release,
    changed: Iterable[manifest.Entry],
    info: dict[str, Any],
) -> tuple[dict[str, int], list[Finding]]:
    """Compare the files that are new with what was listed, and with who may see them."""
    new = list(changed)
    findings = [missing(entry.path) for entry in new if not (target.root / entry.path).exists()]
    findings += check_digests(target.root, new, None)
    hidden = read_hidden(settings.snapshot, info.get("date"))
    for entry in new:
        findings += _check_hidden(entry.path, entry.records, hidden)
    return {"files": len(new)}, findings


def _check_all(
    settings: Settings, target: Stage | Release, listing: manifest.Manifest, info: dict[str, Any]
) -> tuple[dict[str, int], list[Finding]]:
    """Compare what the release holds with the disk, the snapshot and the ledger."""
    findings = list(check_names(target.root, listing))
    visibility = read_visibility(settings.snapshot, info.get("date"))
    counts, found = _check_records(listing, visibility)
    findings += found
    with contextlib.closing(Published(target.manifest_file, settings.history)) as published:
        findings += check_redirects(target.root, published)
        findings += check_ledger(target.root, published)
    findings += _check_completeness(info)
    return {**counts, "files": listing.totals().files}, findings


def _base(settings: Settings, target: Stage | Release) -> Release | None:
    number = read_info(target.root).get("base")
    folder = releases_folder(settings) / str(number)
    return Release(number, folder) if isinstance(number, int) and is_complete(folder) else None


def _check_records(
    listing: manifest.Manifest, visibility: Visibility
) -> tuple[dict[str, int], list[Finding]]:
    """Every record has its page in the tree of its audience and in no other."""
    found: list[Finding] = []
    pages: dict[tuple[str, str], set[str]] = {}
    for tree in WEB_TREES:
        for plural in PLURALS.values():
            own = pages[tree, plural] = set()
            for path, record in listing.pages_in(f"{tree}/{plural}/"):
                if _own_page(path, record):
                    own.add(record)
    hidden = visibility.hidden
    if hidden:
        for path, records in listing.naming_records("public/"):
            if not hidden.isdisjoint(records.split("\n")):
                found += _check_hidden(path, records, hidden)
    counts: dict[str, int] = {}
    for record_type, plural in PLURALS.items():
        public, members = pages["public", plural], pages["members", plural]
        counts[plural] = len(public | members)
        every = visibility.records[record_type]
        for record in sorted(every - hidden - public):
            found.append(Finding(f"/{plural}/", record, "the record has no public page"))
        for record in sorted((every & hidden) - members):
            found.append(Finding(f"/members/{plural}/", record, "the record has no members page"))
        for record in sorted((public | members) - every):
            found.append(Finding(f"/{plural}/", record, "a page of no record in the snapshot"))
    return counts, found


def _check_hidden(path: str, records: str, hidden: set[str]) -> Iterator[Finding]:
    """No public file shows what is for members only."""
    if path.startswith("public/") and not records.startswith(GONE):
        for record in hidden.intersection(records.split("\n")):
            yield Finding(path, record, "a public file shows a record for members only")


def _check_completeness(info: dict[str, Any]) -> Iterator[Finding]:
    """What the source was asked after the build: a record that is not shown forbids to publish.

    A row that differs does not: the release is no worse than the one that is live, and the
    next sync reads that view whole.
    """
    proof = info.get("completeness", {})
    for line in proof.get("not_shown", []):
        yield Finding("/staff/completeness/", "", line)
    for line in proof.get("findings", []):
        yield Finding("/staff/completeness/", "", line, is_error=False)


def _own_page(path: str, record: str) -> tuple[str, str] | None:
    """Tree and folder of a record's own page; None for other files that name the record."""
    if path.count("/") != 2 or not path.endswith(".html"):
        return None
    record_type, _, record_id = record.partition(":")
    plural = PLURALS.get(record_type)
    tree, _, name = path.partition("/")
    if plural is None:
        return None
    folder, _, stem = name[:-5].partition("/")
    if folder != plural or (stem != record_id and stem != slug(record_id)):
        return None
    return tree, plural


def _vanished(
    differ: manifest.Difference | None, listing: manifest.Manifest, base: Release | None
) -> tuple[set[bytes], set[str] | None]:
    """URLs that the base had and this release has not, or only a tombstone for.

    With them the records whose pages and files they were: only a page that names one of these
    can lead there, to its further pages only its own. None where a page is among them that
    others lead to and do not name. Feeds and assets are linked from pages that change with them.
    """
    if base is None or differ is None:
        return set(), set()
    gone = {
        path
        for path in differ.removed
        if path.startswith(("public/", "members/"))
        and "/search-index/" not in path
        and not path.endswith(ENDINGS)
    }
    for path in differ.changed:
        entry = listing.get(path)
        if entry is not None and entry.records.startswith(GONE):
            gone.add(path)
    owners: set[str] | None = set()
    with base.manifest() as before:
        for path in gone:
            entry = before.get(path)
            owner = entry.records.partition("\n")[0] if entry is not None else ""
            is_named = path.count("/") > 2 or owner.startswith(_NAMED)
            if owner and is_named and owners is not None:
                owners.add(owner)
            elif path.endswith(".html"):
                owners = None
    return {url_of(path).encode() for path in gone}, owners


_NAMED = ("publication:", "person:", "topic:", "project:", "institution:")


def _crawl(
    plan: Crawl,
    listing: manifest.Manifest,
    touched: set[str] | None,
    owners: set[str] | None,
    executor: Executor | None,
) -> tuple[int, list[Finding]]:
    """Follow the links of the pages that need it."""
    if touched is None:
        pages: Iterable[Page] = (
            Page(e.path, e.size, True) for e in listing.entries() if _is_read(e.path)
        )
    else:
        pages = some = list(_pages_of(plan, listing, touched, owners))
        plan = plan._replace(few=len(some) < _FEW)
    number = 0
    findings: list[Finding] = []

    def tasks() -> Iterator[tuple[Crawl, list[Page]]]:
        nonlocal number
        for chunk in chunks(pages):
            number += len(chunk)
            yield plan, chunk

    for found in spread(None if plan.few else executor, crawl, tasks()):
        findings += found
    return number, findings


def _pages_of(
    plan: Crawl, listing: manifest.Manifest, touched: set[str], owners: set[str] | None
) -> Iterator[Page]:
    wholly = {e.path: e.size for e in listing.keyless()}
    wholly |= {e.path: e.size for e in entries(listing, touched)}
    for path, size in sorted(wholly.items()):
        if _is_read(path):
            yield Page(path, size, True)
    if plan.vanished:
        for entry in _leading_there(listing, owners):
            if entry.path not in wholly and _is_read(entry.path):
                yield Page(entry.path, entry.size, False)


_FEW = 6000
"""Up to so many pages their links are looked up, instead of knowing all addresses."""


def _is_read(path: str) -> bool:
    return path.endswith((".html", ".css", ".js", ".mjs")) and path.startswith(
        ("public/", "members/", "staff/")
    )


def _leading_there(listing: manifest.Manifest, owners: set[str] | None) -> Iterator[manifest.Entry]:
    """Yield the pages that may lead to what became of these records.

    A page names the records that it leads to; those of the sections may leave some out.
    """
    if owners is None:
        yield from listing.entries()
        return
    paths = {
        path
        for path, records in listing.naming_records(some=owners)
        if not owners.isdisjoint(records.split("\n"))
    }
    paths.update(listing.paths_ending("index.html"))
    yield from filter(None, map(listing.get, sorted(paths)))


def _write(file: Path, number: int, report: Report) -> None:
    text = [f"Release {number}: {len(report.errors)} errors, {len(report.warnings)} warnings", ""]
    text += [f"error: {finding}" for finding in report.errors]
    text += [f"warning: {finding}" for finding in report.warnings]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(text) + "\n", "utf-8")
