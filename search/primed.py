"""Short texts, compressed as if something came before them that they may repeat.

A few hundred bytes have little to repeat of themselves. What comes before is known to both
sides: usual phrases (`client/phrases.js`), and before an abstract its title. Browsers know no
dictionaries: to them it is a block of the compressed text that is stored as it is, and cut off.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

_PHRASES = Path(__file__).parent / "client" / "phrases.js"
TITLE_BYTES = 500
"""So much of a title may be repeated."""


def pack_after(before: bytes, content: bytes) -> bytes:
    """Return bytes compressed as if `before`, of at most 65,535 bytes, came first."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zdict=before)
    packed = squeeze.compress(content) + squeeze.flush()
    return packed + zlib.adler32(before + content).to_bytes(4, "big")


def unpack_after(before: bytes, packed: bytes) -> bytes:
    """Return what `pack_after` compressed. Raises ValueError if it is damaged."""
    size = len(before)
    lengths = size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
    try:
        return zlib.decompress(b"\x78\x01\x00" + lengths + before + packed)[size:]
    except zlib.error as error:
        raise ValueError(f"a compressed text is damaged: {error}") from error


def pack_abstract(title: str, abstract: str) -> bytes:
    """Return the bytes of an abstract, which may repeat usual phrases and its title."""
    return pack_after(_before(title), abstract.encode(errors="replace"))


def unpack_abstract(title: str, packed: bytes) -> str:
    """Return the abstract, as a browser finds it. Raises ValueError if it is damaged."""
    return unpack_after(_before(title), packed).decode()


@cache
def phrases(name: str) -> bytes:
    """Return the text of this name in `client/phrases.js`."""
    _, _, text = _PHRASES.read_text(encoding="utf-8").partition(f"{name} = `")
    return text.partition("`")[0].replace("\n", " ").encode()


def _before(title: str) -> bytes:
    return phrases("PHRASES") + title.encode(errors="replace")[:TITLE_BYTES]
