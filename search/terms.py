"""The files of words, `t/` and `h/`, with their positions: as bytes and as what they say.

`search.shards` writes them, `search.removal` takes documents out of them, and
`client/segment.js` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from search import encoding
from search.encoding import Reader, front_coded, number, postings, sized, steps

HAS_TEXT, HAS_NAMES, NEAR_OWNER, FAR_OWNER, HAS_SPELLINGS = 1, 2, 4, 8, 16

BLOCK_POSTINGS = 28_000
"""Postings of a block: about 32 KB, because most steps take a byte."""


@dataclass(slots=True)
class PostingList:
    """How many documents have a word, which, and where it stands in each."""

    frequency: int
    content: bytes
    positions: bytes
    keys: list[int] = field(default_factory=list)
    """Its posting keys, kept while a list is written that needs several blocks."""


@dataclass(slots=True)
class Term:
    """What a file says of a form of a word."""

    form: str
    owner: str | None = None
    """The form of the same word at which the text's postings stand, if it is another."""
    text: PostingList | None = None
    names: PostingList | None = None
    spellings: dict[str, list[int]] = field(default_factory=dict)
    """With accents → documents."""


@dataclass(slots=True)
class Head:
    """A frequent word: its text's postings by falling impact, and its forms."""

    frequency: int
    blocks: list[tuple[int, bytes]]
    """Highest impact and postings of each."""
    positions: bytes
    forms: list[Term]


def cost_of(term: Term) -> int:
    """Return about how many bytes a term takes in a file, but for its letters."""
    size = 3 + sum(map(len, _entry(term)))
    if term.text:
        size += len(number(term.text.frequency)) + len(sized(term.text.content))
    elif term.owner is not None:
        size += len(encoding.text(term.owner))
    return size


def encode_terms(terms: list[Term]) -> tuple[bytes, bytes]:
    """Return the bytes of a file of words, and its section of the file of positions."""
    lines = front_coded([term.form for term in terms]).encode()
    pieces = [number(len(terms)), number(len(lines)), lines]
    positions: list[bytes] = []
    places: dict[str, int] = {}
    for place, term in enumerate(terms):
        places[term.form] = place
        flags = (term.names is not None) * HAS_NAMES | bool(term.spellings) * HAS_SPELLINGS
        own: tuple[bytes, ...] = ()
        if term.text:
            flags |= HAS_TEXT
            own = (number(term.text.frequency), sized(term.text.content))
            positions.append(sized(term.text.positions))
        elif term.owner in places:
            flags |= NEAR_OWNER
            own = (number(place - places[term.owner]),)
        elif term.owner is not None:
            flags |= FAR_OWNER
            own = (encoding.text(term.owner),)
        if term.names:
            positions.append(sized(term.names.positions))
        pieces += (bytes([flags]), *own, *_entry(term))
    return b"".join(pieces), sized(b"".join(positions))


def decode_terms(content: bytes, section: bytes) -> list[Term]:
    """Return what a file of words says; `section` is without its length."""
    reader, positions = Reader(content), Reader(section)
    count = reader.number()
    forms = encoding.from_front_coded(reader.sized().decode())
    if len(forms) != count:
        raise ValueError("the words of a file are not as many as it says")
    terms: list[Term] = []
    for form in forms:
        flags = reader.byte()
        term = Term(form)
        if flags & HAS_TEXT:
            term.text = PostingList(reader.number(), reader.sized(), positions.sized())
        elif flags & NEAR_OWNER:
            term.owner = terms[len(terms) - reader.number()].form
        elif flags & FAR_OWNER:
            term.owner = reader.sized().decode()
        _read_entry(reader, flags, term, positions)
        terms.append(term)
    return terms


def split_blocks(texts: PostingList | None) -> list[tuple[int, bytes]]:
    """Return postings in blocks of about 32 KB, with the highest impact of each.

    By falling impact: what has the word in its title or among its people comes first.
    """
    if texts is None:
        return []
    if not texts.keys:
        return [(32, texts.content)]
    found = []
    for i in range(0, len(texts.keys), BLOCK_POSTINGS):
        part = texts.keys[i : i + BLOCK_POSTINGS]
        found.append((32 - (part[0] >> encoding.IMPACT_SHIFT), postings(part)))
    return found


def encode_head(head: Head) -> tuple[bytes, bytes]:
    """Return the bytes of a frequent word's file, without its further blocks, and positions."""
    pieces = [number(head.frequency), number(len(head.blocks))]
    positions: list[bytes] = []
    for top, content in head.blocks[1:]:
        pieces += (number(top), number(len(content)))
    if head.blocks:
        pieces.append(sized(head.blocks[0][1]))
        positions.append(sized(head.positions))
    for term in head.forms:
        flags = (term.names is not None) * HAS_NAMES | bool(term.spellings) * HAS_SPELLINGS
        pieces += (bytes([flags]), *_entry(term))
        if term.names:
            positions.append(sized(term.names.positions))
    return b"".join(pieces), b"".join(positions)


def decode_head(
    content: bytes, positions: bytes, forms: Iterable[str]
) -> tuple[Head, list[tuple[int, int]]]:
    """Return a frequent word without the content of its further blocks, and of each of these
    the highest impact and the length.
    """
    reader, places = Reader(content), Reader(positions)
    head = Head(reader.number(), [], b"", [])
    count = reader.number()
    more = [(reader.number(), reader.number()) for _ in range(count - 1)]
    if count:
        head.blocks.append((32, reader.sized()))
        head.positions = places.sized()
    for form in forms:
        term = Term(form)
        _read_entry(reader, reader.byte(), term, places)
        head.forms.append(term)
    return head, more


def _entry(term: Term) -> list[bytes]:
    """Return the bytes of a form's names and spellings."""
    entry: list[bytes] = []
    if term.names:
        entry += (number(term.names.frequency), sized(term.names.content))
    if term.spellings:
        entry.append(number(len(term.spellings)))
        for spelling, documents in sorted(term.spellings.items()):
            entry += (encoding.text(spelling), number(len(documents)), steps(documents))
    return entry


def _read_entry(reader: Reader, flags: int, term: Term, positions: Reader) -> None:
    if flags & HAS_NAMES:
        term.names = PostingList(reader.number(), reader.sized(), positions.sized())
    if flags & HAS_SPELLINGS:
        for _ in range(reader.number()):
            spelling = reader.sized().decode()
            term.spellings[spelling] = reader.steps()
