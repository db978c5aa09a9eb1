"""Scripts and stylesheets made small: short names for what nobody else sees, no comments.

The minifier is a library in Go, which brings a runtime with threads of its own. It works in a
process that ends when it is done, and a process that does not answer is asked once more.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache

import orjson

from search.errors import SearchError

log = logging.getLogger("nightpress.search")

_TYPES = {"js": "text/javascript", "css": "text/css"}
_PATIENCE = 20
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

    Where the minifier does not answer all are as they are: a night does not fail for larger
    scripts. Raises SearchError for one that cannot be read as what its name says.
    """
    asked = {
        name: (_TYPES[ending], source)
        for name, source in sources.items()
        if (ending := name.rpartition(".")[2]) in _TYPES
    }
    return {**sources, **_made_small(tuple(sorted(asked.items())))} if asked else dict(sources)


@lru_cache(maxsize=4)
def _made_small(asked: tuple[tuple[str, tuple[str, str]], ...]) -> Mapping[str, str]:
    for _ in range(2):
        try:
            done = subprocess.run(
                [sys.executable, "-c", _PROGRAM],
                input=orjson.dumps(dict(asked)),
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
            )
        except subprocess.TimeoutExpired:
            continue
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise SearchError(f"Scripts and stylesheets cannot be made small: {said[-400:]}")
        small: dict[str, str] = orjson.loads(done.stdout)
        return small
    log.warning("Scripts and stylesheets stay as large as they are: the minifier does not answer.")
    return {}
