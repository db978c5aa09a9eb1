"""The edition: the whole site in one ZIP file that opens and searches from a folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from content_sync.errors import NightpressError, ReleaseError
from content_sync.release import manifest
from content_sync.release.addresses import COMPRESSED, GONE
from content_sync.release.releases import Release, live
from content_sync.settings import Settings
from content_sync.travelling.links import Folder
from content_sync.travelling.signature import (
    fingerprint,
    is_signed,
    public_pem,
    sign,
    signing_key,
)
from search.offline import write_scripts

KEY_FILE = "edition-key.pem"
MANIFEST = "MANIFEST.json"
SIGNATURE = "MANIFEST.sig"
PUBLIC_KEY = "PUBLIC-KEY.pem"
_NOT_INSIDE = ("data/", "feeds/", "sitemaps/", "search-index/")
_NOT_INSIDE_FILES = frozenset(
    {"404.html", "robots.txt", "sitemap.xml", "opensearch.xml", ".well-known/security.txt"}
)
_PACKED = (".pdf", ".woff2", ".png", ".jpg", ".jpeg", ".zip", ".docx")
_MOST_MANIFEST = 500_000_000

Progress = Callable[[int, int], None]


class Made(NamedTuple):
    """An edition that was written."""

    file: Path
    files: int
    bytes: int
    fingerprint: str


class Verified(NamedTuple):
    """An edition that holds what its maker put in."""

    release: int
    audience: str
    files: int
    fingerprint: str
    is_known_key: bool
    """Whether the key is the one that was given, or this site's own."""


def make_edition(
    settings: Settings,
    target: Path,
    *,
    members: bool = False,
    full_texts: bool = True,
    progress: Progress | None = None,
) -> Made:
    """Write the live release as one ZIP file and return what was done.

    Raises ReleaseError without a live release, or when a record was withdrawn after it was
    built: what is withdrawn never leaves the site.
    """
    release = live(settings)
    if release is None:
        raise ReleaseError("There is no live release.", hint="Run 'nightpress nightly' first.")
    _refuse_withdrawn(settings)
    paths = _paths(release, members=members, full_texts=full_texts)
    folder = Folder(set(paths).__contains__, settings.siteurl, members=members)
    name = re.sub(r"\.zip$", "", target.name)
    built = str(release.info().get("built", ""))
    stamp = tuple(int(x) for x in re.findall(r"\d+", built)[:6]) or (1980, 1, 1, 0, 0, 0)
    listed: dict[str, dict[str, object]] = {}
    key = signing_key(settings.var / KEY_FILE)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:

            def put(path: str, content: bytes, *, is_listed: bool = True) -> None:
                item = zipfile.ZipInfo(f"{name}/{path}", stamp)  # type: ignore[arg-type]
                item.external_attr = 0o644 << 16
                is_packed = path.endswith(_PACKED)
                item.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
                archive.writestr(item, content)
                if is_listed:
                    digest = hashlib.sha256(content).hexdigest()
                    listed[path] = {"size": len(content), "sha256": digest}

            for number, path in enumerate(paths, 1):
                content = (release.root / path).read_bytes()
                if path.endswith(".html"):
                    content = folder.page(path, content.decode()).encode()
                elif path.endswith(".css"):
                    content = folder.style(path, content.decode()).encode()
                put(path, content)
                if progress and (number % 200 == 0 or number == len(paths)):
                    progress(number, len(paths))
            for path, content in _search(release, members=members):
                put(path, content)
            first = "members/index.html" if members and "members/index.html" in paths else ""
            put("start.html", _start(settings.sitename, first or "public/index.html").encode())
            text = json.dumps(
                {
                    "edition": 1,
                    "site": settings.sitename,
                    "siteurl": settings.siteurl,
                    "release": release.number,
                    "built": built,
                    "audience": "members" if members else "public",
                    "files": dict(sorted(listed.items())),
                },
                ensure_ascii=False,
                indent=0,
            ).encode()
            put(MANIFEST, text, is_listed=False)
            put(SIGNATURE, sign(key, text), is_listed=False)
            put(PUBLIC_KEY, public_pem(key), is_listed=False)
        draft.replace(target)
    except OSError as error:
        raise NightpressError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return Made(target, len(listed), target.stat().st_size, fingerprint(public_pem(key)))


def verify_edition(file: Path, trusted: bytes | None) -> Verified:
    """Check an edition's signature and the digest of every file in it.

    `trusted` is the public key that must have signed it, in PEM; None trusts the one inside,
    which tells only that nothing was damaged. Raises NightpressError that names what is wrong.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _verify(file, archive, trusted)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise NightpressError(f"{file} is no edition, or it is damaged: {error}.") from error


def _verify(file: Path, archive: zipfile.ZipFile, trusted: bytes | None) -> Verified:
    names = archive.namelist()
    if len(set(names)) != len(names):
        raise NightpressError(f"{file}: a file is in it twice.")
    root = names[0].partition("/")[0] if names else ""
    if f"{root}/{MANIFEST}" not in names or archive.getinfo(f"{root}/{MANIFEST}").file_size > (
        _MOST_MANIFEST
    ):
        raise NightpressError(f"{file} is no edition: it has no manifest.")
    text = archive.read(f"{root}/{MANIFEST}")
    own = archive.read(f"{root}/{PUBLIC_KEY}")
    pem = trusted or own
    if not is_signed(pem, archive.read(f"{root}/{SIGNATURE}"), text):
        raise NightpressError(
            f"{file} is not signed by {'this key' if trusted else 'the key inside'}.",
            hint="Do not use it: it was changed, or somebody else made it.",
        )
    about = json.loads(text)
    listed = {f"{root}/{path}": facts for path, facts in about["files"].items()}
    extra = set(names) - set(listed) - {f"{root}/{n}" for n in (MANIFEST, SIGNATURE, PUBLIC_KEY)}
    missing = set(listed) - set(names)
    if extra or missing:
        wrong = sorted(extra | missing)[0]
        word = "is in it but not in its manifest" if extra else "is missing"
        raise NightpressError(f"{file}: {wrong} {word}.")
    for path, facts in listed.items():
        digest = hashlib.sha256()
        with archive.open(path) as content:
            while piece := content.read(1 << 20):
                digest.update(piece)
        if digest.hexdigest() != facts["sha256"]:
            raise NightpressError(f"{file}: {path} was changed.")
    return Verified(
        about["release"], about["audience"], len(listed), fingerprint(pem), trusted is not None
    )


def _refuse_withdrawn(settings: Settings) -> None:
    file = settings.var / "live" / "withdrawn.json"
    if not file.is_file():
        return
    try:
        withdrawn = json.loads(file.read_text("utf-8"))["withdrawn"]
    except (ValueError, KeyError, OSError) as error:
        raise ReleaseError(f"{file} cannot be read, so nothing may leave the site.") from error
    if withdrawn:
        raise ReleaseError(
            f"{len(withdrawn)} records were withdrawn at once, such as {withdrawn[0]}; the live"
            " release still holds them.",
            hint="Withdraw them in the source, run 'nightpress nightly', and lift them here.",
        )


def _paths(release: Release, *, members: bool, full_texts: bool) -> list[str]:
    """Return the files of the release that go into the edition."""
    gone = set(_entries(release, "gone/"))
    trees = ("public", "members") if members else ("public",)
    found = []
    with manifest.Manifest(release.manifest_file) as listing:
        for entry in listing.entries():
            tree, _, name = entry.path.partition("/")
            if (
                tree not in trees
                or entry.records == COMPRESSED
                or entry.records.startswith(GONE)
                or f"gone/{entry.path}" in gone
                or name.startswith(_NOT_INSIDE)
                or name in _NOT_INSIDE_FILES
                or (not full_texts and name.startswith("publications/") and name.endswith(_PACKED))
            ):
                continue
            found.append(entry.path)
    return found


def _entries(release: Release, prefix: str) -> Iterator[str]:
    with manifest.Manifest(release.manifest_file) as listing:
        yield from listing.paths(prefix)


def _search(release: Release, *, members: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the index as scripts, which a page in a folder may load."""
    for tree in ("public", "members") if members else ("public",):
        index = release.root / tree / "search-index"
        if not index.is_dir():
            continue
        with TemporaryDirectory() as folder:
            bare = Path(folder) / "bare"
            bare.mkdir()
            for file in index.rglob("*"):
                if file.is_file() and not file.name.endswith((".br", ".gz")):
                    copy = bare / file.relative_to(index)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    copy.symlink_to(file)
            scripts = Path(folder) / "scripts"
            write_scripts(bare, scripts)
            for script in sorted(path for path in scripts.rglob("*") if path.is_file()):
                name = script.relative_to(scripts).as_posix()
                yield f"{tree}/search-index-scripts/{name}", script.read_bytes()


def _start(sitename: str, first: str) -> str:
    from html import escape

    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(sitename)}</title>\n"
        f'<meta http-equiv="refresh" content="0; url={first}">\n</head>\n<body>\n'
        f'<p><a href="{first}">{escape(sitename)}</a></p>\n</body>\n</html>\n'
    )
