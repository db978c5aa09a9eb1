"""Whether a release may go live: files, links, audiences, counts, and every URL ever published."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from content_sync.errors import ReleaseError
from content_sync.release import history, manifest
from content_sync.release.addresses import COMPRESSED, GONE, WEB_TREES, url_of
from content_sync.release.compress import ENDINGS, expand, plain_of
from content_sync.release.crawl import Crawl, Finding, Page, crawl
from content_sync.release.ledger import check_ledger, check_redirects
from content_sync.release.releases import Release, is_complete, read_info, releases_folder
from content_sync.release.service_check import check_service_file
from content_sync.release.stage import Stage, tree_files
from content_sync.release.visibility import Visibility, read_visibility
from content_sync.settings import Settings
from content_sync.urls import PLURALS, slug

__all__ = ["Finding", "Report", "check"]

REPORT_FILE = "check-report.txt"
_CHUNK = 2000


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
    executor: Executor | None = None,
) -> Report:
    """Check a finished stage or a release; write all that was found to `var/check-report.txt`.

    Looks into the pages that differ from the release it was built upon, and into the others for
    links to URLs that vanished. With `full`, or without a base, into all pages; with `full` it
    also compares every file's SHA-256. Pages are read through `executor` where one is given.

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
    differ = manifest.compare(base.manifest_file if base else None, target.manifest_file)
    visibility = read_visibility(settings.snapshot, read_info(target.root).get("date"))
    with history.open_history(settings.history) as ledger:
        urls: dict[str, int] = dict(ledger.execute(_URLS))

    findings: list[Finding] = []
    with manifest.Manifest(target.manifest_file) as listing:
        entries = list(listing.entries())
    touched = {*differ.added, *differ.changed}
    findings += _check_files(target.root, entries, None if full else touched)
    if full:
        findings += _check_digests(target.root, entries, executor)
    findings += _check_siblings(target.root, entries, None if full else touched, executor)
    counts, found = _check_records(entries, visibility)
    findings += found
    pages = {e.path: e.records.startswith(GONE) for e in entries if e.records != COMPRESSED}
    findings += check_redirects(target.root, pages, urls)
    findings += check_ledger(target.root, pages, urls)
    findings += _check_completeness(read_info(target.root))
    findings += check_service_file(target.root, target.number)

    vanished = _vanished(differ, entries, base)
    plan = Crawl(
        str(target.root),
        str(target.manifest_file),
        str(settings.snapshot),
        visibility.date,
        settings.siteurl,
        frozenset(vanished),
    )
    pages_read, found = _crawl(plan, entries, touched, executor)
    findings += found
    counts |= {"files": len(entries), "pages checked": pages_read}
    report = Report(
        sorted(f for f in findings if f.is_error),
        sorted(f for f in findings if not f.is_error),
        counts,
    )
    _write(settings.var / REPORT_FILE, target.number, report)
    return report


_URLS = "SELECT path, first_release FROM urls"


def _base(settings: Settings, target: Stage | Release) -> Release | None:
    number = read_info(target.root).get("base")
    folder = releases_folder(settings) / str(number)
    return Release(number, folder) if isinstance(number, int) and is_complete(folder) else None


def _check_files(
    root: Path, entries: list[manifest.Entry], touched: set[str] | None
) -> Iterator[Finding]:
    """Every listed file is there, with its size where it is new; no other file is."""
    listed = {entry.path for entry in entries}
    there = set(tree_files(root))
    for path in listed - there:
        yield Finding(path, "", "the manifest lists it but it is missing")
    for path in there - listed:
        yield Finding(path, "", "the manifest does not list it")
    for entry in entries:
        if (touched is None or entry.path in touched) and entry.path in there:
            size = os.stat(f"{root}/{entry.path}").st_size  # noqa: PTH116 - 225,000 files
            if size != entry.size:
                yield Finding(entry.path, "", f"it has {size} bytes instead of {entry.size}")


def _check_digests(
    root: Path, entries: list[manifest.Entry], executor: Executor | None
) -> Iterator[Finding]:
    """Every file's bytes are those that were listed."""
    tasks = ((str(root), [(e.path, e.sha256) for e in chunk]) for chunk in _chunks(entries))
    for wrong in executor.map(wrong_digests, tasks) if executor else map(wrong_digests, tasks):
        for path in wrong:
            yield Finding(path, "", "its bytes are not those that the manifest lists")


def wrong_digests(task: tuple[str, list[tuple[str, bytes]]]) -> list[str]:
    """Return the files of a folder whose bytes are not those of their digests."""
    root, files = task
    wrong = []
    for path, expected in files:
        with contextlib.suppress(FileNotFoundError), Path(root, path).open("rb") as file:
            if hashlib.file_digest(file, "sha256").digest() != expected:
                wrong.append(path)
    return wrong


def _check_siblings(
    root: Path, entries: list[manifest.Entry], touched: set[str] | None, executor: Executor | None
) -> Iterator[Finding]:
    """Every compressed file holds what the file beside it holds."""
    digests = {entry.path: entry.sha256 for entry in entries}
    wanted = []
    for entry in entries:
        if entry.records != COMPRESSED:
            continue
        plain = plain_of(entry.path)
        if not entry.path.endswith(ENDINGS) or plain not in digests:
            yield Finding(entry.path, "", "the file that it is a compressed form of is missing")
        elif touched is None or entry.path in touched or plain in touched:
            wanted.append((entry.path, digests[plain]))
    tasks = ((str(root), chunk) for chunk in _chunks(wanted))
    for wrong in executor.map(wrong_siblings, tasks) if executor else map(wrong_siblings, tasks):
        for path in wrong:
            yield Finding(path, "", "it does not hold what the file beside it holds")


def wrong_siblings(task: tuple[str, list[tuple[str, bytes]]]) -> list[str]:
    """Return the compressed files that do not hold the bytes of these digests."""
    root, files = task
    wrong = []
    for path, expected in files:
        try:
            content = expand(path, Path(root, path).read_bytes())
        except FileNotFoundError:
            continue  # told already, as a file that is missing
        except ValueError:
            content = b""
        if hashlib.sha256(content).digest() != expected:
            wrong.append(path)
    return wrong


def _check_records(
    entries: Iterable[manifest.Entry], visibility: Visibility
) -> tuple[dict[str, int], list[Finding]]:
    """Every record has its page in the tree of its audience and in no other."""
    found: list[Finding] = []
    pages: dict[tuple[str, str], set[str]] = {
        (tree, plural): set() for tree in WEB_TREES for plural in PLURALS.values()
    }
    hidden = visibility.hidden
    for path, _, _, _, records in entries:
        if not records or records == COMPRESSED or records.startswith(GONE):
            continue
        own = records.partition("\n")[0]
        own_page = _own_page(path, own)
        if own_page:
            pages[own_page].add(own)
        if hidden and path.startswith("public/"):
            for record in hidden.intersection(records.split("\n")):
                found.append(Finding(path, record, "a public file shows a record for members only"))
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
    record_type, _, record_id = record.partition(":")
    plural = PLURALS.get(record_type)
    tree, _, name = path.partition("/")
    if plural is None or not name.endswith(".html"):
        return None
    folder, _, stem = name[:-5].partition("/")
    if folder != plural or (stem != record_id and stem != slug(record_id)):
        return None
    return tree, plural


def _vanished(
    differ: manifest.Difference, entries: list[manifest.Entry], base: Release | None
) -> set[bytes]:
    """URLs that the base had and this release has not, or only a tombstone for."""
    if base is None:
        return set()
    gone = {
        path
        for path in differ.removed
        if path.startswith(("public/", "members/"))
        and "/search-index/" not in path
        and not path.endswith(ENDINGS)
    }
    changed = set(differ.changed)
    gone |= {e.path for e in entries if e.records.startswith(GONE) and e.path in changed}
    return {url_of(path).encode() for path in gone}


def _crawl(
    plan: Crawl, entries: list[manifest.Entry], touched: set[str], executor: Executor | None
) -> tuple[int, list[Finding]]:
    """Follow the links of the pages that need it."""
    wanted = [
        Page(e.path, e.size, e.path in touched or e.key is None)
        for e in entries
        if e.path.endswith((".html", ".css", ".js", ".mjs"))
        and e.path.startswith(("public/", "members/", "staff/"))
        and (plan.vanished or e.path in touched or e.key is None)
    ]
    tasks = [(plan, chunk) for chunk in _chunks(wanted)]
    results = executor.map(crawl, tasks) if executor else map(crawl, tasks)
    return len(wanted), [finding for found in results for finding in found]


_T = TypeVar("_T")


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _write(file: Path, number: int, report: Report) -> None:
    text = [f"Release {number}: {len(report.errors)} errors, {len(report.warnings)} warnings", ""]
    text += [f"error: {finding}" for finding in report.errors]
    text += [f"warning: {finding}" for finding in report.warnings]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(text) + "\n", "utf-8")
