"""gzip's format (RFC 1952), written without a name and with no time: the same bytes every time.

Intel's library needs an eighth of zlib's time at level 6 for files that are a twelfth larger. It
chooses among forms of its code by what the processor can, so machines of different kinds may write
different bytes for the same content; what they hold is the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from isal import isal_zlib

_LEVEL = 2
"""Where its curve bends: level 3 takes twice the time for a fiftieth less."""
_FORMAT = 31
"""zlib's word for gzip's format and the widest window."""


def gzipped(content: bytes, *, best: bool = False) -> bytes:
    """Return the content as one gzip member; with `best` as small as zlib can."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, _FORMAT) if best else _squeeze()
    return bytes(squeeze.compress(content) + squeeze.flush())


def gzipped_chunks(chunks: Iterable[bytes]) -> bytes:
    """Return content that comes in pieces as one gzip member."""
    squeeze = _squeeze()
    return b"".join((*map(squeeze.compress, chunks), squeeze.flush()))


def gunzipped(data: bytes) -> bytes:
    """Return what one gzip member holds, and nothing behind it.

    Raises ValueError when it is damaged, cut off, or goes on after its end.
    """
    expand = zlib.decompressobj(_FORMAT)
    try:
        content = expand.decompress(data) + expand.flush()
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not expand.eof or expand.unused_data:
        raise ValueError("it is cut off, or goes on after its end")
    return content


def _squeeze() -> isal_zlib.Compress:
    return isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _FORMAT)
