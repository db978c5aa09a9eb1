"""Scripts and stylesheets made small: short names for what nobody else sees, no comments.

The minifier is a library in Go, which brings a runtime with threads of its own. It works in a
process that ends when it is done, and a process that does not answer is asked once more.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import orjson

from search.errors import SearchError

_TYPES = {"js": "text/javascript", "css": "text/css"}
_PATIENCE = 60
"""Seconds; usually it takes a fifth of one."""
_PROGRAM = """
import json, sys, minify
found = {}
for name, (kind, source) in json.load(sys.stdin.buffer).items():
    try:
        found[name] = minify.string(kind, source)
    except ValueError as error:
        sys.exit(f"{name}: {error}")
sys.stdout.buffer.write(json.dumps(found).encode())
"""


def minified(sources: Mapping[str, str]) -> dict[str, str]:
    """Return files that mean the same, by name; those that are no scripts or sheets as they are.

    Raises SearchError for one that cannot be read as what its name says.
    """
    asked = {
        name: (_TYPES[ending], source)
        for name, source in sources.items()
        if (ending := name.rpartition(".")[2]) in _TYPES
    }
    if not asked:
        return dict(sources)
    for _ in range(2):
        try:
            done = subprocess.run(
                [sys.executable, "-c", _PROGRAM],
                input=orjson.dumps(asked),
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
            )
        except subprocess.TimeoutExpired:
            continue
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise SearchError(f"Scripts and stylesheets cannot be made small: {said[-400:]}")
        return {**sources, **orjson.loads(done.stdout)}
    raise SearchError("Scripts and stylesheets cannot be made small: the minifier does not answer.")
