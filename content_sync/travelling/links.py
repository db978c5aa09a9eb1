"""Pages of a site made to work from a folder: every address becomes a file beside the page."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from html import escape, unescape

from content_sync.release.addresses import file_of

_ATTRIBUTE = re.compile(r'(\s)(href|src|action|data-[a-z]+)="(/[^"]*)"')
_SERVER_ONLY = re.compile(
    r'<link rel="(?:preload|search|alternate|prefetch)"[^>]*>\n?|\sdata-withdrawn="[^"]*"'
)
_NAMES = re.compile(r'<script [^>]*src="[^"]*/js/names\.[^"]*"></script>\n?')
_PREFETCH = re.compile(r'\sdata-then="[^"]*"')
_URL = re.compile(r"""url\(["']?(/[^"')]*)["']?\)""")
_MODULE = re.compile(r'<script type="module"')
_SCRIPTS = "search-index-scripts/"


class Folder:
    """Which files the folder has, and where links lead that have none in it."""

    def __init__(self, has: Callable[[str], bool], siteurl: str, *, members: bool) -> None:
        self._has = has
        self._siteurl = siteurl
        self._members = members

    def page(self, path: str, html: str) -> str:
        """Return the page at `path` (tree included) with links to files."""
        html = _SERVER_ONLY.sub("", _PREFETCH.sub("", html))
        # Nothing can be fetched from a folder; the field for names then leads to the search.
        html = _NAMES.sub("", html)
        # Browsers load no module from a folder; the site's page scripts import nothing.
        html = _MODULE.sub("<script defer", html)
        start = path.rpartition("/")[0]

        def replaced(found: re.Match[str]) -> str:
            space, name, value = found.groups()
            if name == "data-index":
                root = escape(os.path.relpath("public", start))
                return f'{space}data-index="{root}/{_SCRIPTS}" data-root="{root}"'
            if name == "data-members":
                if not self._members:
                    return ""
                return f'{space}data-members="{os.path.relpath("members", start)}/{_SCRIPTS}"'
            return f'{space}{name}="{escape(self._target(unescape(value), start))}"'

        return _ATTRIBUTE.sub(replaced, html)

    def style(self, path: str, css: str) -> str:
        """Return the stylesheet at `path` with fonts and pictures as files beside it."""
        start = path.rpartition("/")[0]
        return _URL.sub(lambda found: f'url("{self._target(found[1], start)}")', css)

    def _target(self, address: str, start: str) -> str:
        path, mark, rest = re.match(r"([^?#]*)([?#]?)(.*)", address, re.DOTALL).groups()  # type: ignore[union-attr]
        for file in self._files(path):
            if self._has(file):
                return os.path.relpath(file, start or ".").replace(os.sep, "/") + mark + rest
        return (self._siteurl + address) if self._siteurl else "#"

    def _files(self, path: str) -> list[str]:
        found = [file_of(path)]
        if path.startswith("/members/"):
            found.append(file_of(path[len("/members") :]))
        return found
