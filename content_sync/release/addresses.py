"""URLs and the files of a release that answer them, in both directions."""

from __future__ import annotations

from content_sync.urls import page_file

WEB_TREES = ("public", "members", "staff")
"""Folders of a release that are served; `public` at /, the others below their own name."""

RESERVED = (
    "/assets/",
    "/search/",
    "/search-index/",
    "/members/",
    "/staff/",
    "/services/",
    "/.well-known/",
    "/live/",
    "/changes/",
    "/citations/",
    "/data/",
    "/feeds/",
    "/oai/",
    "/sitemaps/",
)
"""Paths that no redirect of the source may cover."""

GONE = "gone:"
"""What `records` of a tombstone starts with in the manifest; its URL follows."""

COMPRESSED = "compressed:"
"""What `records` of a compressed sibling is; it has no address of its own."""

_EXEMPT = (
    *(f"{tree}/{folder}/" for tree in WEB_TREES for folder in ("assets", "search-index")),
    "public/data/changes/",
    "public/data/citations/",
    "public/changes/",
    "public/people/names/",
    "members/changes/",
)


def url_of(path: str) -> str:
    """Return the URL that the file `path` of a release answers.

    `public/people/ada.html` is `/people/ada/`, `members/index.html` is `/members/`.
    """
    tree, _, name = path.partition("/")
    prefix = "" if tree == "public" else f"/{tree}"
    if name == "index.html":
        return f"{prefix}/"
    if name.endswith(".html"):
        folder, _, last = name.rpartition("/")
        if folder:
            if last != "index.html":
                return f"{prefix}/{name[:-5]}/"
            if "/" not in folder:
                return f"{prefix}/{folder}/"
    return f"{prefix}/{name}"


def file_of(url: str) -> str:
    """Return the file of a release, tree included, that answers the path `url`."""
    for tree in WEB_TREES[1:]:
        if url.startswith(f"/{tree}/"):
            return f"{tree}/{page_file(url[len(tree) + 1 :])}"
    return f"public/{page_file(url)}"


def is_exempt(path: str) -> bool:
    """Whether a file may vanish: hashed assets and search shards carry new names."""
    return path.startswith(_EXEMPT)


def is_reserved(url: str) -> bool:
    """Whether a path belongs to a part of the site that redirects must not cover."""
    return (url.rstrip("/") + "/").startswith(RESERVED)
