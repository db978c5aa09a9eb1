"""What becomes of URLs that are no page any more: redirects and tombstones.

Every URL ever published stays a page, a redirect (`redirects.txt`) or a tombstone, answered 410
(`gone.txt`). The old paths that the source names join the redirects.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from content_sync.errors import ReleaseError
from content_sync.release.addresses import COMPRESSED, GONE, file_of, is_reserved, url_of
from content_sync.release.redirect_map import LONGEST
from content_sync.release.serving import mark_gone, write_maps
from content_sync.release.stage import Stage, write_file
from content_sync.settings import Settings
from content_sync.urls import PLURALS, record_url

REDIRECTS_FILE = "redirects.txt"
GONE_FILE = "gone.txt"
MEMBERS = "/members/"


class Refused(NamedTuple):
    """A redirect of the source that the site does not follow."""

    old_path: str
    target: str
    reason: str


class Departed(NamedTuple):
    """What `settle` decided."""

    redirects: int
    gone: int
    tombstones_written: int
    refused: list[Refused]


def settle(
    settings: Settings,
    stage: Stage,
    render_gone: Callable[[str], bytes],
    *,
    gone_key: bytes | None = None,
    also_gone: Iterable[str] = (),
) -> Departed:
    """Write redirects, tombstones and the lists of both into `stage`.

    To be called when all pages are in the stage's manifest, Pelican's own too, and before
    `finish`. `render_gone` gives the page for a URL that is gone; with `gone_key`, a digest of
    all that such a page depends on, those of the base that carry it are kept. `also_gone` names
    URLs that have a page of their own and are to be answered 410 with it.
    """
    site = _Site(stage)
    departed = [_Row(*row) for row in stage.departed(settings.history)]
    site.departed = {row.path for row in departed}
    accepted, refused = _source_redirects(settings, site, {url_of(row.path) for row in departed})

    site.tombs = {
        row.path for row in departed if _is_buried(row, site) and url_of(row.path) not in accepted
    }
    redirects = dict(accepted)
    gone = set(also_gone)
    for row in departed:
        url = url_of(row.path)
        if row.path in site.tombs:
            gone.add(url)
        elif url not in redirects and not _has_public_twin(row.path, site):
            target = _leads_to(row, site)
            if target is None:
                gone.add(url)
            else:
                redirects[url] = target
    written = _bury(stage, site, render_gone, gone_key)
    _write_lists(stage, dict(_kept_from_strangers(dict(_flatten(redirects)), site)), gone)
    return Departed(len(redirects), len(gone), written, refused)


def read_redirects(text: str) -> list[tuple[str, str]]:
    """Return the pairs of old and new path that a `redirects.txt` holds, in its order."""
    pairs = (line.partition("\t") for line in text.splitlines() if line)
    return [(old, new) for old, _, new in pairs]


class _Row(NamedTuple):
    """One URL of the ledger."""

    path: str
    kind: str
    record: str


class _Site:
    """What the stage answers: pages and other files by path, tombstones apart."""

    def __init__(self, stage: Stage) -> None:
        self.pages = _Pages(stage)
        self.carried = {entry.path: entry.key for entry in stage.tombstones()}
        self.tombs: set[str] = set()
        self.departed: set[str] = set()

    def answers(self, path: str) -> bool:
        return path in self.pages or path in self.tombs


class _Pages:
    """The paths of all files that answer, looked up where they are asked for."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def __contains__(self, path: str) -> bool:
        if not path.startswith(("public/", "members/")):
            return False
        entry = self._stage.get(path)
        return entry is not None and not entry.records.startswith((GONE, COMPRESSED))


def _is_buried(row: _Row, site: _Site) -> bool:
    """Whether a departed URL gets a tombstone: a record or a page of prose that is nowhere."""
    if row.kind not in {"record", "prose"} or not row.path.endswith(".html"):
        return False
    return not _has_public_twin(row.path, site) and _members_twin(row.path) not in site.pages


def _has_public_twin(path: str, site: _Site) -> bool:
    """Whether the server answers a members' URL with the public page of the same path."""
    return path.startswith("members/") and f"public/{path[8:]}" in site.pages


def _members_twin(path: str) -> str:
    tree, _, name = path.partition("/")
    return f"members/{name}" if tree == "public" else ""


def _leads_to(row: _Row, site: _Site) -> str | None:
    """Where a departed URL that gets no tombstone redirects to; None: nowhere, it is gone."""
    twin = _members_twin(row.path)
    if twin in site.pages:
        return url_of(twin)
    if row.kind == "file":
        page = row.path.rpartition("/")[0] + ".html"
        return next((url_of(p) for p in (page, _members_twin(page)) if site.answers(p)), None)
    return _first_page(row.path, site)


def _first_page(path: str, site: _Site) -> str:
    """The nearest page above a listing page, which for its further pages is its first one."""
    tree, _, name = path.partition("/")
    steps = name.removesuffix(".html").split("/")
    for depth in range(len(steps) - 1, 0, -1):
        url = f"/{'/'.join(steps[:depth])}/"
        for prefix in dict.fromkeys(("" if tree == "public" else f"/{tree}", "")):
            if site.answers(file_of(prefix + url)):
                return prefix + url
    return "/"


def _bury(
    stage: Stage, site: _Site, render_gone: Callable[[str], bytes], gone_key: bytes | None
) -> int:
    """Write the tombstones that are new or whose look changed; remove those of URLs that live."""
    stage.remove(sorted(site.carried.keys() - site.tombs))
    kept = {p for p, key in site.carried.items() if gone_key is not None and key == gone_key}
    new = sorted(site.tombs - kept)
    stage.add(
        write_file(stage.root, path, render_gone(url_of(path)), gone_key, f"{GONE}{url_of(path)}")
        for path in new
    )
    return len(new)


def _write_lists(stage: Stage, redirects: dict[str, str], gone: set[str]) -> None:
    lines = "".join(f"{old}\t{new}\n" for old, new in sorted(redirects.items()))
    stage.add(
        (
            write_file(stage.root, REDIRECTS_FILE, lines.encode()),
            write_file(stage.root, GONE_FILE, "".join(f"{url}\n" for url in sorted(gone)).encode()),
        )
    )
    write_maps(stage, redirects)
    mark_gone(stage, gone)


def _flatten(redirects: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each redirect with its last target, so that no reader takes two steps."""
    for old in redirects:
        new, seen = redirects[old], {old}
        while new in redirects and new not in seen:
            seen.add(new)
            new = redirects[new]
        yield old, new


def _kept_from_strangers(redirects: dict[str, str], site: _Site) -> Iterator[tuple[str, str]]:
    """Yield the redirects, those to what was never public under an old path below /members.

    There the guard stands before the map. Answered to everyone, old paths that count through the
    records of another system would tell which of them are for members, and their ids.
    """
    for old, new in redirects.items():
        is_for_members = new.startswith(MEMBERS) and not old.startswith(MEMBERS)
        if is_for_members and file_of(old) not in site.departed:
            old = MEMBERS.rstrip("/") + old
        yield old, new


# Redirects of the source


def _source_redirects(
    settings: Settings, site: _Site, departed: set[str]
) -> tuple[dict[str, str], list[Refused]]:
    """Return the source's redirects that can be followed, and the others with the reason."""
    accepted: dict[str, str] = {}
    refused: list[Refused] = []
    rows = _redirect_rows(settings)
    known = departed | {path for old, _ in rows if (path := _old_path(settings, old))}
    for old, target in rows:
        old_path = _old_path(settings, old)
        reason = _refuse_source(old_path, site)
        new = None
        if not reason and old_path in accepted:
            reason = "another old path reads the same"
        if not reason:
            new = _target(target, site, known)
            reason = "" if new else "it leads to no page of the site"
        if new and old_path and len(old_path.encode()) + len(new.encode()) > LONGEST:
            reason = f"it is longer than {LONGEST} bytes"
        if reason or new is None or old_path is None:
            refused.append(Refused(old, target, reason))
        else:
            accepted[old_path] = new
    for old_path, reason in sorted(_unending(accepted, site, departed).items()):
        refused.append(Refused(old_path, accepted.pop(old_path), reason))
    return accepted, refused


def _redirect_rows(settings: Settings) -> list[tuple[str, str]]:
    if not settings.snapshot.exists():
        return []
    try:
        with contextlib.closing(
            sqlite3.connect(settings.snapshot.resolve().as_uri() + "?mode=ro", uri=True)
        ) as snapshot:
            return snapshot.execute(
                "SELECT old_path, target FROM redirects ORDER BY old_path"
            ).fetchall()
    except sqlite3.Error as error:
        raise ReleaseError(f"{settings.snapshot} cannot be read: {error}.") from error


_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")


def _old_path(settings: Settings, text: str) -> str | None:
    """The path that the server compares: decoded, on this site, with its query if it has one."""
    text = text.strip()
    if settings.siteurl and text.startswith(settings.siteurl + "/"):
        text = text[len(settings.siteurl) :]
    if not text.startswith("/") or text.startswith("//"):
        return None
    path, mark, query = text.partition("?")
    path = unicodedata.normalize("NFC", unquote(path))
    if _CONTROL.search(path) or _CONTROL.search(query) or {".", ".."} & set(path.split("/")):
        return None
    return path + mark + query


def _refuse_source(old_path: str | None, site: _Site) -> str:
    """Why an old path cannot be redirected, or ''."""
    if old_path is None:
        return "it is no path of this site"
    path = old_path.partition("?")[0]
    if is_reserved(path):
        return "it belongs to a part of the site that must not be covered"
    for form in (path, path.rstrip("/") + "/"):
        file = file_of(form)
        # The file of a departed page may stay as its tombstone, under a URL of its own.
        if file in site.pages or (file in site.departed and url_of(file) != form):
            return f"it covers the page {form}"
    return ""


def _target(text: str, site: _Site, known: set[str]) -> str | None:
    """The URL that the target of a redirect names, or None when the site has nothing there."""
    text = text.strip()
    record_type, colon, record_id = text.partition(":")
    rest = ""
    if colon and record_type in PLURALS:
        urls = [record_url(record_type, record_id)]
    else:
        parts = urlsplit(text)
        if parts.scheme or parts.netloc or not text.startswith("/") or _CONTROL.search(text):
            return None
        path = unquote(parts.path)
        rest = (parts.query and f"?{parts.query}") + (parts.fragment and f"#{parts.fragment}")
        urls = [path] if path.endswith("/") else [path, path + "/"]
    for url in urls:
        for candidate in (url, f"/members{url}"):
            if file_of(candidate) in site.pages:
                return quote(candidate, safe="/~!$&'()*+,;=:@") + rest
        if url in known:
            return url
    return None


def _unending(accepted: dict[str, str], site: _Site, departed: set[str]) -> dict[str, str]:
    """The redirects that end nowhere, with the reason: in a circle, or in a refused one."""
    wrong: dict[str, str] = {}
    for old in accepted:
        new, seen = accepted[old], {old}
        while new in accepted and new not in seen:
            seen.add(new)
            new = accepted[new]
        if new in seen:
            wrong[old] = "it leads in a circle"
        elif file_of(unquote(urlsplit(new).path)) not in site.pages and new not in departed:
            wrong[old] = "it leads to no page of the site"
    return wrong
