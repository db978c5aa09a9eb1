"""What a release looks like in a bucket: keys, types, how long each may be kept, in what order.

A page `publications/x.html` answers `/publications/x/`, which S3's website hosting and most
CDNs look for at `publications/x/index.html`: so that is its key. Compressed siblings have no
address and stay at home; the CDN compresses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from content_sync.release.addresses import COMPRESSED, GONE, url_of
from content_sync.release.manifest import Manifest
from content_sync.release.releases import Release

PUBLIC = ("public",)
PRIVATE = ("members", "staff")
OWN = ".nightpress/"
"""Below it lie the objects that tell of the mirror itself."""
POINTER = f"{OWN}release.json"
MARK = f"{OWN}mirror.json"

FOREVER = "public, max-age=31536000, immutable"
PAGE = "public, max-age=60, must-revalidate"
NEVER = "private, no-store"

_HASHED = re.compile(r"assets/.*\.[0-9a-f]{10}(?:\.[a-z0-9]+|/[^/]+)|search-index/[^/]+/.+")

_TYPES = {
    "atom": "application/atom+xml",
    "bib": "application/x-bibtex; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "gz": "application/gzip",
    "html": "text/html; charset=utf-8",
    "ico": "image/vnd.microsoft.icon",
    "ics": "text/calendar; charset=utf-8",
    "jpg": "image/jpeg",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "md": "text/markdown; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "pdf": "application/pdf",
    "png": "image/png",
    "ris": "application/x-research-info-systems; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff2": "font/woff2",
    "xml": "application/xml; charset=utf-8",
}
_OTHER = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Object:
    """One file as it is to lie in a bucket."""

    key: str
    path: str
    """The file, relative to its release."""
    size: int
    sha256: str
    type: str
    cache: str

    @property
    def stamp(self) -> str:
        """Tells this object from one with other bytes or other headers."""
        return f"{self.sha256} {self.type} {self.cache}"

    @property
    def turn(self) -> int:
        """When it is sent: first what nothing names yet, last what names all the rest."""
        if self.cache == FOREVER:
            return 0
        if self.key.startswith(("search-index/", "sitemaps/")) or self.key == "robots.txt":
            return 2
        return 1


def objects_of(
    release: Release, trees: Collection[str], withdrawn: Collection[str]
) -> Iterator[Object]:
    """Yield the objects of some trees of a release, but for the pages of withdrawn records.

    `withdrawn` are their addresses, such as `/publications/x/`. Tombstones stay at home too:
    a bucket cannot answer 410, and 404 is nearer to it than 200.
    """
    hidden = tuple(withdrawn)
    with Manifest(release.manifest_file) as manifest:
        for tree in trees:
            for entry in manifest.entries(f"{tree}/"):
                if entry.records == COMPRESSED or entry.records.startswith(GONE):
                    continue
                url = url_of(entry.path)
                if hidden and is_hidden(url, hidden):
                    continue
                yield Object(
                    key_of(url),
                    entry.path,
                    entry.size,
                    entry.sha256.hex(),
                    type_of(entry.path),
                    cache_of(entry.path),
                )


def is_hidden(url: str, withdrawn: tuple[str, ...]) -> bool:
    """Tell whether an address is a withdrawn record's, or lies below it."""
    for tree in PRIVATE:
        url = url.removeprefix(f"/{tree}") if url.startswith(f"/{tree}/") else url
    return f"{url.rstrip('/')}/".startswith(withdrawn)


def key_of(url: str) -> str:
    """Return the key below which website hosting looks for an address."""
    return f"{url[1:]}index.html" if url.endswith("/") else url[1:]


def type_of(path: str) -> str:
    """Return the content type, the same that Apache sends."""
    if path.endswith("SUMS"):
        return _TYPES["txt"]
    return _TYPES.get(path.rpartition(".")[2], _OTHER)


def cache_of(path: str) -> str:
    """Return how long caches may keep it, the same that Apache says."""
    tree, _, name = path.partition("/")
    if tree != "public":
        return NEVER
    return FOREVER if _HASHED.fullmatch(name) else PAGE
