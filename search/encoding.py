"""The bytes of the files for browsers: whole numbers, posting lists, positions, texts.

`client/bytes.js` and `client/postings.js` read what is written here.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from itertools import accumulate

from search.primed import pack_after, phrases, unpack_after
from search.ranking import LEVELS

IMPACT_SHIFT = 32
_RESULTS = "d/"
_NUMBERS = [bytes([n]) if n < 128 else bytes([n & 127 | 128, n >> 7]) for n in range(1 << 14)]


def seal(path: str, content: bytes) -> bytes:
    """Return a file's content, compressed, after a checksum of it and of the file's own path.

    A file that is cut short, damaged or another one's is recognised by it.
    """
    if path.startswith(_RESULTS):
        packed = pack_after(_usual(), content)
    else:
        packed = zlib.compress(content, 9)
    return zlib.adler32(packed, zlib.adler32(path.encode())).to_bytes(4, "little") + packed


def unseal(path: str, sealed: bytes) -> bytes:
    """Return the content of a sealed file. Raises ValueError if it is damaged."""
    packed = sealed[4:]
    if zlib.adler32(packed, zlib.adler32(path.encode())) != int.from_bytes(sealed[:4], "little"):
        raise ValueError(f"{path} is damaged")
    return unpack_after(_usual(), packed) if path.startswith(_RESULTS) else zlib.decompress(packed)


def _usual() -> bytes:
    """Return what files of results may repeat."""
    return phrases("PHRASES") + phrases("ROWS")


def number(value: int) -> bytes:
    """Return a whole number in groups of seven bits, the lowest first."""
    if value < 1 << 14:
        return _NUMBERS[value]
    digits = bytearray()
    while value >= 128:
        digits.append(value & 127 | 128)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def text(value: str) -> bytes:
    """Return a text after its length in bytes."""
    content = value.encode()
    return number(len(content)) + content


def sized(content: bytes) -> bytes:
    """Return bytes after their length."""
    return number(len(content)) + content


def steps(numbers: Iterable[int]) -> bytes:
    """Return rising numbers, each as the step from the one before."""
    pieces: list[bytes] = []
    before = 0
    for value in numbers:
        pieces.append(number(value - before))
        before = value
    return b"".join(pieces)


def posting_key(document: int, impact: int) -> int:
    """Return what orders postings: the highest impact first, then the lowest number."""
    return (LEVELS - impact) << IMPACT_SHIFT | document


def postings(keys: Sequence[int]) -> bytes:
    """Return sorted posting keys: for each impact the impact, how many, and the numbers."""
    pieces: list[bytes] = []
    mask = (1 << IMPACT_SHIFT) - 1
    i, end = 0, len(keys)
    while i < end:
        level = keys[i] >> IMPACT_SHIFT
        j = i
        numbers: list[bytes] = []
        before = 0
        while j < end and keys[j] >> IMPACT_SHIFT == level:
            document = keys[j] & mask
            step = document - before
            numbers.append(_NUMBERS[step] if step < 16384 else number(step))
            before = document
            j += 1
        pieces += (bytes([LEVELS - level]), number(j - i), *numbers)
        i = j
    return b"".join(pieces)


def positions(at: Sequence[int]) -> bytes:
    """Return positions as steps, each doubled and one more if another follows."""
    pieces = []
    before = 0
    for i, position in enumerate(at):
        pieces.append(number((position - before) << 1 | (i + 1 < len(at))))
        before = position
    return b"".join(pieces)


def decode_positions(content: bytes) -> list[int]:
    """Return the positions of which `positions` made bytes."""
    found: list[int] = []
    value = shift = position = 0
    for byte in content:
        value |= (byte & 127) << shift
        if byte >= 128:
            shift += 7
            continue
        position += value >> 1
        found.append(position)
        value = shift = 0
    return found


def split_positions(content: bytes) -> list[bytes]:
    """Return those of each document by themselves, of positions that were joined."""
    return _PLACES.findall(content)


def _one_of(values: Iterable[int]) -> bytes:
    return b"[" + b"".join(b"\\x%02x" % value for value in values) + b"]"


def _first(odd: int) -> bytes:
    """Return what matches a number whose lowest bit is so."""
    short, long = _one_of(range(odd, 128, 2)), _one_of(range(128 + odd, 256, 2))
    return b"(?:%s|%s[\\x80-\\xff]*[\\x00-\\x7f])" % (short, long)


# A position is doubled, and one more if another follows in the same document.
_PLACES = re.compile(_first(1) + b"*" + _first(0))


def front_coded(words: Sequence[str]) -> str:
    """Return sorted words as lines, each without what it shares with the one before.

    The first character of a line says how many UTF-16 units are shared.
    """
    lines: list[str] = []
    before = ""
    for word in words:
        shared = 0
        most = min(len(word), len(before), 60)
        while shared < most and word[shared] == before[shared] and word[shared] < "\ud800":
            shared += 1
        lines.append(chr(48 + shared) + word[shared:])
        before = word
    return "\n".join(lines)


def from_front_coded(text: str) -> list[str]:
    """Return the words of `front_coded`."""
    words: list[str] = []
    before = ""
    for line in text.split("\n") if text else ():
        before = before[: ord(line[0]) - 48] + line[1:]
        words.append(before)
    return words


class Reader:
    """Reads, from the beginning, what the functions above wrote.

    Raises IndexError or ValueError where the bytes end too early.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    @property
    def done(self) -> bool:
        return self.at >= len(self.content)

    def byte(self) -> int:
        value = self.content[self.at]
        self.at += 1
        return value

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def part(self, length: int) -> bytes:
        found = self.content[self.at : self.at + length]
        if len(found) < length:
            raise ValueError("a file of words is cut short")
        self.at += length
        return found

    def sized(self) -> bytes:
        return self.part(self.number())

    def steps(self) -> list[int]:
        return list(accumulate(self.number() for _ in range(self.number())))


def order(word: str) -> str:
    """Return what orders words as JavaScript does, by their UTF-16 units."""
    if word.isascii() or max(word) <= "\uffff":
        return word
    return "".join(map(_units, word))


def _units(char: str) -> str:
    code = ord(char) - 0x10000
    return char if code < 0 else chr(0xD800 + (code >> 10)) + chr(0xDC00 + (code & 0x3FF))
