"""The citations of a list of works as one file for each format: of a person, a venue's year …

They are put together of the files of the single works, which are there when lists are made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import partial

from content_sync.pages.access import ROOT
from content_sync.pages.listings import members_see_more, works_for
from content_sync.pages.model import Context, File
from content_sync.pages.reader import Reader, Row
from content_sync.pages.so_far import FilesSoFar, Known
from content_sync.urls import slug

FORMATS = {
    "bib": ("BibTeX", "application/x-bibtex"),
    "ris": ("RIS", "application/x-research-info-systems"),
    "json": ("CSL-JSON", "application/json"),
}
"""Ending of a file → name and media type of its format."""

FOLDER = "citations"
_LEAST = 2
"""Works from which on a list has files of its own: those of a single work are there anyway."""


def export_links(reader: Reader, rows: Sequence[Row], audience: str, name: str) -> list[Context]:
    """Return the links from a page to the citations of the works that it lists."""
    works = works_for(rows, audience)
    if not works or not reader.makes("citations"):
        return []
    if len(works) < _LEAST:
        root = ROOT["public" if works[0]["visible"] == 2 else "members"]
        name = slug(works[0]["id"])
    else:
        root = ROOT[audience if any(w["visible"] == 1 for w in works) else "public"]
    return [
        {"name": said, "href": f"{root}/{FOLDER}/{name}.{ending}", "type": media_type}
        for ending, (said, media_type) in FORMATS.items()
    ]


def export_files(reader: Reader, rows: Sequence[Row], name: str, record: str) -> list[File]:
    """Return the files of a list's works, for everyone and, where they have more, for members."""
    files: list[File] = []
    if not reader.makes("citations"):
        return files
    audiences = ("public", "members") if members_see_more(rows) else ("public",)
    for audience in audiences:
        works = works_for(rows, audience)
        if len(works) < _LEAST or (
            audience == "members" and not any(w["visible"] == 1 for w in works)
        ):
            continue
        for ending in FORMATS:
            path = f"{FOLDER}/{name}.{ending}"
            singles = [(_ROOTS[w["visible"]], f"{FOLDER}/{slug(w['id'])}.{ending}") for w in works]
            known = reader.files.look(singles)
            key = digest_of(one.sha256 for one in known)
            content = partial(_content, reader.files, audience, path, singles, known, ending)
            files.append(File(audience, path, content, record, key))
    return files


_ROOTS = {1: "members", 2: "public"}


def digest_of(digests: Iterable[bytes]) -> bytes:
    """Return what tells a list of works from every other, given the digests of their files."""
    return hashlib.blake2b(b"".join(digests), digest_size=16).digest()


def _content(
    files: FilesSoFar,
    audience: str,
    path: str,
    singles: list[tuple[str, str]],
    known: list[Known],
    ending: str,
) -> bytes:
    """Put a list together: of what it held in the last release, and of what is new."""
    before, _, after = AROUND[ending]
    held = files.before(audience, path) or b""
    pieces = split_members(held[len(before) : len(held) - len(after)], ending)
    return join(
        [
            one.content or pieces.get(one.sha256) or files.read(*single)
            for single, one in zip(singles, known, strict=True)
        ],
        ending,
    )


AROUND = {"bib": (b"", b"\n", b""), "ris": (b"", b"", b""), "json": (b"[\n", b",\n", b"\n]\n")}
"""Ending of a file → what stands before, between and after the works of a list."""


def join(files: Sequence[bytes], ending: str) -> bytes:
    """Return the files of single works as one of the same format."""
    before, _, after = AROUND[ending]
    return before + join_members(files, ending) + after


def join_members(files: Sequence[bytes], ending: str) -> bytes:
    """Return the files of single works as a part of one, without what stands around it."""
    between = AROUND[ending][1]
    return between.join(file[2:-3] for file in files) if ending == "json" else between.join(files)


def split_members(content: bytes, ending: str) -> dict[bytes, bytes]:
    """Return the files that `join_members` joined, by their SHA-256.

    Where a text looks like the end of a file it is parted there, and comes under a digest that
    no file has.
    """
    before, _, after = AROUND[ending]
    if ending == "ris":
        parts = [part + _RIS_END for part in content.split(_RIS_END)]
    elif ending == "bib":
        first, *more = content.split(b"\n\n@")
        parts = [part + b"\n" for part in (first, *(b"@" + part for part in more))]
        parts[-1] = parts[-1][:-1]
    else:
        first, *more = content.split(b",\n{")
        parts = [before + part + after for part in (first, *(b"{" + part for part in more))]
    return {hashlib.sha256(part).digest(): part for part in parts}


_RIS_END = b"\r\nER  - \r\n\r\n"
