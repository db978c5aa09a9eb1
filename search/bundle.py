"""The browser's code as a few classic scripts, made from the modules in `search/client/`.

Imported modules would cost a slow line one round trip for each level of imports, and pages
opened from a folder may not load modules at all. So each entry module and what it imports
become one script, each module a function of its own. `search.minified` makes it small.

Modules may use `import { a, b as c } from "./x.js"` and export functions, classes, constants
and lists of names. Anything else is refused rather than translated wrongly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from search.errors import SearchError

ENTRIES = {"search.js": "main.js", "engine.js": "worker.js", "saving.js": "saving.js"}
"""The scripts, and the module that each begins with."""

_IMPORT = re.compile(
    r'^import\s*(?:\{(?P<names>[^}]*)\}\s*from\s*)?"\./(?P<file>[\w.-]+\.js)";?[ \t]*$',
    re.MULTILINE,
)
_EXPORT_LIST = re.compile(r"^export\s*\{(?P<names>[^}]*)\};?[ \t]*$", re.MULTILINE)
_EXPORT = re.compile(
    r"^export\s+(?P<what>(?:async\s+)?function\s*\*?|class|const)\s*(?P<name>[\w$]+)", re.MULTILINE
)
_COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b.{0,60}|\bimport\s*[(.].{0,60}", re.MULTILINE)
_NAME = re.compile(r"([\w$]+)(?:\s+as\s+([\w$]+))?")


def bundle_client(client: Path) -> dict[str, str]:
    """Return the scripts of the search page by name."""
    return {name: bundle(client / entry) for name, entry in ENTRIES.items()}


def bundle(entry: Path) -> str:
    """Return one script that does what the module `entry` does.

    Raises SearchError for a module that is missing, imports in a circle, or uses syntax that
    is not understood here.
    """
    bundled = _Bundle(entry.parent)
    bundled.add(entry.name, ())
    return f'(()=>{{"use strict";\n{"".join(bundled.parts)}}})();\n'


@dataclass(slots=True)
class _Bundle:
    folder: Path
    parts: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """File → what the constants that hold its exports begin with."""

    def add(self, file: str, importers: tuple[str, ...]) -> str:
        """Add a module after those that it imports; return what its exports begin with."""
        if file in importers:
            raise SearchError(f"Modules import each other: {' → '.join((*importers, file))}.")
        if file not in self.names:
            try:
                source = (self.folder / file).read_text(encoding="utf-8")
            except OSError as error:
                raise SearchError(f"The module {self.folder / file} cannot be read.") from error
            body = _IMPORT.sub(lambda found: self._import(found, (*importers, file)), source)
            self.names[file] = f"m{len(self.names)}$"
            self.parts.append(_module(file, body, self.names[file]))
        return self.names[file]

    def _import(self, found: re.Match[str], importers: tuple[str, ...]) -> str:
        module = self.add(found["file"], importers)
        if not found["names"]:
            return ""
        pairs = [f"{b or a}={module}{a}" for a, b in _NAME.findall(found["names"])]
        return f"const {','.join(pairs)};"


def _module(file: str, body: str, prefix: str) -> str:
    exported = {found["name"]: found["name"] for found in _EXPORT.finditer(body)}
    body = _EXPORT.sub(lambda found: f"{found['what']} {found['name']}", body)
    for found in _EXPORT_LIST.finditer(body):
        exported |= {b or a: a for a, b in _NAME.findall(found["names"])}
    body = _EXPORT_LIST.sub("", body)
    if left := _LEFT_OVER.search(_COMMENT.sub("", body)):
        raise SearchError(f"{file}: {left[0]!r} cannot be bundled.")
    # A list and not an object, so that no name of an export has to stay.
    outside = ",".join(prefix + name for name in exported)
    made = f"(()=>{{\n{body}\nreturn [{','.join(exported.values())}]}})();\n"
    return f"const [{outside}]={made}" if exported else made
