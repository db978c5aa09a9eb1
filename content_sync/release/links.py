"""Links of a page: found fast, and looked at closely where one seems broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import unquote, urljoin

_LINKS = (b"href=", b"src=", b"action=", b"formaction=", b"poster=", b"srcset=")
_SPACE = frozenset(b" \n\t\r\f\"'/")

_CSS_URL = re.compile(rb"""(?:url\(\s*|@import\s+)["']?([^"')\s;]+)""")
_JS_IMPORT = re.compile(rb"""\b(?:from|import)\s*\(?\s*["'](\.{0,2}/[^"']+)["']""")


class Link(NamedTuple):
    """One link of a page, as written, and whether it stands in a record's text or prose."""

    target: str
    in_prose: bool


def scan(html: bytes) -> set[bytes] | None:
    """Return the raw link targets of a page, or None where it needs a closer look.

    Quick where every link attribute is written as templates do, in lower case, after a space
    and in double quotation marks; slower where the counts show that one is not.
    """
    links = _HREF.findall(html)
    if len(links) != html.count(b"href="):
        return _scan_slowly(html)
    sources = _SRC.findall(html)
    actions = _ACTION.findall(html)
    if (
        len(sources) != html.count(b"src")
        or len(actions) != html.count(b"action=")
        or b"poster=" in html
    ):
        return _scan_slowly(html)
    return {*links, *sources, *actions}


def names_any(html: bytes, targets: frozenset[bytes]) -> bool:
    """Whether a page may hold one of `targets` as a link; only a no is certain."""
    if any(not target.endswith(b"/") for target in targets):
        found = scan(html)
        return found is None or not found.isdisjoint(targets)
    links = _HREF.findall(html)  # only anchors lead to pages
    return not targets.isdisjoint(links) or len(links) != html.count(b"href=")


_HREF = re.compile(rb' href="([^"]*)"')
_SRC = re.compile(rb' src="([^"]*)"')
_ACTION = re.compile(rb' action="([^"]*)"')


def _scan_slowly(html: bytes) -> set[bytes] | None:
    """Return what `scan` does; None where a value has no quotation marks or is a list."""
    found: set[bytes] = set()
    for name in _LINKS:
        pieces = html.split(name)
        before = pieces[0][-1:]
        for piece in pieces[1:]:
            if before and before[0] in _SPACE:
                end = piece.find(piece[:1], 1) if piece[:1] in _MARKS else -1
                if end < 0 or (name == b"srcset=" and b" " in piece[:end]):
                    return None
                found.add(piece[1:end])
            before = piece[-1:]
    return found


_MARKS = (b'"', b"'")


def close_look(html: bytes) -> list[Link]:
    """Return every link of a page in its order, read by a parser."""
    reader = _LinkReader()
    reader.feed(html.decode("utf-8", "replace"))
    reader.close()
    return reader.links


def has_id(html: bytes, fragment: bytes) -> bool:
    """Whether an element of the page carries the id (or old name) `fragment`."""
    return any(
        f" {attribute}={mark}".encode() + fragment + mark.encode() in html
        for attribute in ("id", "name")
        for mark in ('"', "'")
    )


def stylesheet_links(css: bytes) -> set[bytes]:
    """Return what a stylesheet refers to."""
    return set(_CSS_URL.findall(css))


def module_links(script: bytes) -> set[bytes]:
    """Return the paths that an ES module imports."""
    return set(_JS_IMPORT.findall(script))


def internal(target: str, page_url: str, siteurl: str) -> str | None:
    """Return the absolute path on this site that a link leads to, decoded; None if elsewhere.

    The fragment and the query are left out; a link to a place on the same page gives ''.
    """
    target = unescape(target).strip()
    if siteurl and (target == siteurl or target.startswith(tuple(siteurl + c for c in "/?#"))):
        target = target[len(siteurl) :] or "/"
    if not target or target.startswith("#"):
        return ""
    if _ELSEWHERE.match(target):
        return None
    path = re.split("[?#]", urljoin(page_url, target), maxsplit=1)[0]
    return unquote(path)


# Another host, or a scheme: mailto:, data:, javascript:, https: …
_ELSEWHERE = re.compile(r"//|[A-Za-z][A-Za-z0-9+.-]*:")

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source"}
    | {"track", "wbr"}
)
_ATTRIBUTES = frozenset({"href", "src", "action", "formaction", "poster"})


class _LinkReader(HTMLParser):
    """Collects links, and minds which elements stand at or below `data-prose`."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[Link] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        inside = self._in_prose() or any(name == "data-prose" for name, _ in attrs)
        for name, value in attrs:
            if value is not None:
                self.links.extend(Link(target, inside) for target in _targets(name, value))
        if tag not in _VOID:
            self._open.append((tag, inside))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return

    def _in_prose(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def _targets(name: str, value: str) -> Iterator[str]:
    if name in _ATTRIBUTES:
        yield value
    elif name == "srcset":
        for candidate in re.split(r",\s+", value):
            if candidate.strip():
                yield candidate.split()[0]
