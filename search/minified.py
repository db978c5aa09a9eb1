"""Scripts and stylesheets made small: short names for what nobody else sees, no comments.

The minifier is a library in Go, which brings a runtime with threads of its own. It works in a
process that ends when it is done, and one that does not answer, or not whole, is asked once more.
What it answered is kept, so that it is asked when scripts or sheets have changed, and no other
night.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path

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
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(3)
with open(sys.argv[1], "w", encoding="utf-8") as answer:
    json.dump(found, answer)
"""
_REFUSED = 3


def minified(sources: Mapping[str, str], kept: Path | None = None) -> dict[str, str]:
    """Return files that mean the same, by name; those that are no scripts or sheets as they are.

    `kept` is a file that remembers the last answer. Where the minifier does not answer all are
    as they are: a night does not fail for larger scripts. Raises SearchError for one that cannot
    be read as what its name says.
    """
    asked = {
        name: (_TYPES[ending], source)
        for name, source in sorted(sources.items())
        if (ending := name.rpartition(".")[2]) in _TYPES
    }
    content = orjson.dumps([_PROGRAM, metadata.version("tdewolff-minify"), asked])
    digest = hashlib.sha256(content).hexdigest()
    small = _remembered.get(digest) or _read(kept, digest)
    if small is None:
        small = _ask(orjson.dumps(asked), asked.keys())
        if small is not None and kept is not None:
            _write(kept, digest, small)
    if small is None:
        log.warning("Scripts and stylesheets stay large: the minifier does not answer.")
        return dict(sources)
    _remembered.clear()
    _remembered[digest] = small
    return {**sources, **small}


_remembered: dict[str, dict[str, str]] = {}


def _ask(asked: bytes, names: Collection[str]) -> dict[str, str] | None:
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        for _ in range(2):
            try:
                done = subprocess.run(
                    [sys.executable, "-c", _PROGRAM, str(answer)],
                    input=asked,
                    capture_output=True,
                    check=False,
                    timeout=_PATIENCE,
                )
            except subprocess.TimeoutExpired:
                continue
            if done.returncode == _REFUSED:
                said = done.stderr.decode(errors="replace").strip()
                raise SearchError(f"Scripts and stylesheets cannot be made small: {said[-400:]}")
            with suppress(OSError, ValueError):
                small: dict[str, str] = orjson.loads(answer.read_bytes())
                if small.keys() == set(names):
                    return small
    return None


def _read(kept: Path | None, digest: str) -> dict[str, str] | None:
    if kept is None:
        return None
    with suppress(OSError, ValueError, LookupError, TypeError):
        found = orjson.loads(kept.read_bytes())
        if found["digest"] == digest:
            small: dict[str, str] = found["small"]
            return small
    return None


def _write(kept: Path, digest: str, small: Mapping[str, str]) -> None:
    fresh = kept.with_name(f"{kept.name}.{os.getpid()}.new")
    with suppress(OSError):  # without it, the next build asks again
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(orjson.dumps({"digest": digest, "small": small}))
        fresh.replace(kept)
