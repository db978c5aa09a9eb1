"""Old addresses as a file that Apache looks up in a few microseconds, however many there are.

Apache reads a text map line by line, which takes 30 ms at 300,000 lines for every address that
is not found. A map in the SDBM format, which every Apache can read, is two files: `.dir` is a
tree of bits that leads from a key's hash to a page, `.pag` holds the pages of 1,024 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from operator import mul
from pathlib import Path

LONGEST = 1000
"""Bytes that an old address and its target may have together."""

_PAGE = 1024
_BLOCK = 4096
_DEPTH = 24


def write_map(target: Path, pairs: Mapping[bytes, bytes]) -> tuple[Path, Path]:
    """Write `pairs` to `target` with the endings .pag and .dir; return these two files.

    The same pairs give the same bytes. Raises ValueError when a pair is longer than `LONGEST`.
    """
    items: list[_Item] = []
    for key, value in sorted(pairs.items()):
        if len(key) + len(value) > LONGEST:
            raise ValueError(f"{key[:60]!r}… is too long for a map")
        # A byte above 127 counts as negative where C's char has a sign, as on Intel, and not
        # on ARM. Such a key stands where either will look.
        places = {_hash(key)} if key.isascii() else {_hash(key), _hash_signed(key)}
        items += [(place, key, value) for place in sorted(places)]
    pages: dict[int, bytes] = {}
    bits: set[int] = set()
    _divide(items, 0, 0, 0, pages, bits)
    directory = bytearray(-(-(max(bits) // 8 + 1) // _BLOCK) * _BLOCK if bits else 0)
    for bit in bits:
        directory[bit // 8] |= 1 << bit % 8
    files = target.with_name(target.name + ".pag"), target.with_name(target.name + ".dir")
    for file in files:
        file.unlink(missing_ok=True)  # it may be a link into another release
    with files[0].open("wb") as pag:
        for number, page in sorted(pages.items()):
            pag.seek(number * _PAGE)  # pages between them stay holes
            pag.write(page)
    files[1].write_bytes(directory)
    return files


_Item = tuple[int, bytes, bytes]


def _divide(
    items: list[_Item], node: int, depth: int, place: int, pages: dict[int, bytes], bits: set[int]
) -> None:
    """Give the items one page if they fit, or else divide them by the next bit of their hash."""
    if sum(len(key) + len(value) + 4 for _, key, value in items) + 2 <= _PAGE:
        if items:
            pages[place] = _page(items)
        return
    if depth == _DEPTH:
        raise ValueError("too many addresses have the same hash")
    bits.add(node)
    bit = 1 << depth
    zeros = [item for item in items if not item[0] & bit]
    ones = [item for item in items if item[0] & bit]
    _divide(zeros, 2 * node + 1, depth + 1, place, pages, bits)
    _divide(ones, 2 * node + 2, depth + 1, place | bit, pages, bits)


def _page(items: list[_Item]) -> bytes:
    """Return a page: offsets from its front, keys and values from its end."""
    page = bytearray(_PAGE)
    offset, offsets = _PAGE, []
    seen: set[bytes] = set()
    for _, key, value in items:
        if key in seen:
            continue
        seen.add(key)
        for part in (key, value):
            offset -= len(part)
            page[offset : offset + len(part)] = part
            offsets.append(offset)
    struct.pack_into(f"<{len(offsets) + 1}h", page, 0, len(offsets), *offsets)
    return bytes(page)


def _hash(key: bytes) -> int:
    return int(sum(map(mul, key, _POWERS[-len(key) :]))) & 0xFFFFFFFF


def _hash_signed(key: bytes) -> int:
    signed = (byte - 256 if byte > 127 else byte for byte in key)
    return int(sum(map(mul, signed, _POWERS[-len(key) :]))) & 0xFFFFFFFF


_POWERS = [pow(65599, n, 1 << 32) for n in range(LONGEST, -1, -1)]
