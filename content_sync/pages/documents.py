"""The documents: what search may know, one file of JSON lines for each bucket of ids.

A night rewrites only the buckets of changed records; the rest are hard links. Which bucket
a document belongs to depends on its id alone, so the files do not depend on the order or
the history of builds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson

AUDIENCES = ("public", "members")
_PER_BUCKET = 64
_BUFFER = 96_000_000
"""Bytes of documents held back, so that nearly every file is written once."""


def buckets_for(records: int) -> int:
    """Return the number of buckets for a site of so many records, a power of two."""
    buckets = 1
    while buckets * _PER_BUCKET < records:
        buckets *= 2
    return buckets


def bucket_of(document_id: str, buckets: int) -> int:
    """Return the bucket of a document."""
    digest = hashlib.blake2b(document_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % buckets


def encode(document: dict[str, Any]) -> bytes:
    """Return the line of a document."""
    return orjson.dumps(document) + b"\n"


class Documents:
    """The documents of a release being built, from nothing or from the last release's."""

    def __init__(self, root: Path, buckets: int, base: Path | None = None) -> None:
        self.root = root
        self.buckets = buckets
        self._lines: dict[tuple[str, int], list[tuple[str, bytes | None]]] = defaultdict(list)
        self._buffered = 0
        self._counts = dict.fromkeys(AUDIENCES, 0)
        self._flushed = False
        for audience in AUDIENCES:
            (root / audience).mkdir(parents=True, exist_ok=True)
        self.from_base = base is not None and self._take_over(base)

    def _take_over(self, base: Path) -> bool:
        """Link the last release's files; False if they are divided otherwise."""
        for audience in AUDIENCES:
            file = base / audience / "layout.json"
            layout = json.loads(file.read_bytes()) if file.is_file() else {}
            if layout.get("buckets") != self.buckets or "documents" not in layout:
                return False
            self._counts[audience] = layout["documents"]
        for audience in AUDIENCES:
            for file in sorted((base / audience).glob("*.jsonl")):
                _link(file, self.root / audience / file.name)
        return True

    def put(self, document_id: str, lines: list[tuple[str, bytes]]) -> None:
        """Set the lines of one document, (audience, line) pairs; none takes it away."""
        bucket = bucket_of(document_id, self.buckets)
        given = dict(lines)
        for audience in AUDIENCES:
            line = given.get(audience)
            if line is not None or self.from_base:
                self._lines[audience, bucket].append((document_id, line))
                if line is not None:
                    self._counts[audience] += not self.from_base
                    self._buffered += len(line)
        if self._buffered > _BUFFER and not self.from_base:
            self._flush()

    def finish(self) -> dict[str, int]:
        """Write what is left; return the number of documents for each audience."""
        if self.from_base:
            for (audience, bucket), changes in self._lines.items():
                self._counts[audience] += self._rewrite(self._file(audience, bucket), changes)
        elif self._flushed:
            self._flush()
            for audience in AUDIENCES:
                for file in (self.root / audience).glob("*.jsonl"):
                    _sort(file)
        else:
            for changes in self._lines.values():
                changes.sort()
            self._flush()
        for audience in AUDIENCES:
            (self.root / audience / "layout.json").write_text(
                json.dumps({"buckets": self.buckets, "documents": self._counts[audience]}) + "\n"
            )
        return self._counts

    def _file(self, audience: str, bucket: int) -> Path:
        return self.root / audience / f"{bucket:04d}.jsonl"

    def _flush(self) -> None:
        for (audience, bucket), changes in self._lines.items():
            with self._file(audience, bucket).open("ab") as file:
                file.writelines(line for _, line in changes if line is not None)
        self._lines.clear()
        self._buffered = 0
        self._flushed = True

    def _rewrite(self, file: Path, changes: list[tuple[str, bytes | None]]) -> int:
        """Write a bucket with these changes; return how many documents more it has."""
        old = file.read_bytes().splitlines(keepends=True) if file.exists() else []
        by_id: dict[str, bytes | None] = {orjson.loads(line)["id"]: line for line in old}
        by_id.update(changes)
        lines = [line for _, line in sorted(by_id.items()) if line is not None]
        if lines != old:
            file.unlink(missing_ok=True)  # the file of the last release keeps its bytes
            if lines:
                file.write_bytes(b"".join(lines))
        return len(lines) - len(old)


def _sort(file: Path) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    ordered = sorted(lines, key=lambda line: orjson.loads(line)["id"])
    if ordered != lines:
        file.write_bytes(b"".join(ordered))


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(source, target)
