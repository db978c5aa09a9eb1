"""How the postings of a partition lie on disk: Whoosh's own codec, but for the lists themselves.

Whoosh takes postings one by one, sorts them through temporary files and pickles them in blocks,
which was most of the work of an index. Here a partition's postings are gathered by their terms
as the documents come, and each list is written at once: numbers, impacts, positions.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import Any

from whoosh.codec.base import PostingsWriter
from whoosh.codec.whoosh3 import W3Codec, W3FieldWriter, W3TermInfo
from whoosh.matching import ListMatcher

from search.encoding import split_positions

Gathered = Mapping[str, Mapping[str, list[Any]]]
"""Field → term → number, impact and positions of each document, one after the other; in fields
of whole values only the numbers."""
WORDS = ("text", "names")
"""The fields with impacts and positions."""
_LENGTH = 4
"""Bytes of the length that stands before a list."""


class Codec(W3Codec):
    """Whoosh's codec with lists that were gathered beforehand.

    Lengths of fields are part of the impacts already, so Whoosh need not look them up.
    """

    length_stats = False

    def __init__(self, gathered: Gathered | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.gathered: Gathered = {} if gathered is None else gathered
        self.lists: Lists | None = None
        """What writes the lists of the current field."""

    def __reduce__(self) -> tuple[type[Codec], tuple[()]]:
        # The index keeps its codec, without what was gathered.
        return Codec, ()

    def field_writer(self, storage: Any, segment: Any) -> FieldWriter:
        return FieldWriter(self, storage, segment)

    def postings_writer(self, dbfile: Any, byteids: bool = False) -> Lists:
        self.lists = Lists(dbfile)
        return self.lists

    def postings_reader(
        self, dbfile: Any, terminfo: Any, format_: Any, term: Any = None, scorer: Any = None
    ) -> ListMatcher:
        # What Whoosh reads back as the length of a list is no number, so a list says its own.
        start, _ = terminfo.extent()
        count = terminfo.doc_frequency()
        length = int.from_bytes(dbfile.get(start, _LENGTH), "little")
        content = bytes(dbfile.get(start + _LENGTH, length))
        numbers = array("I")
        numbers.frombytes(content[: 4 * count])
        impacts = places = None
        if length > 4 * count:
            impacts = content[4 * count : 5 * count]
            places = split_positions(content[5 * count :])
        return ListMatcher(
            numbers, impacts, places, format_, scorer=scorer, term=term, terminfo=terminfo
        )


class FieldWriter(W3FieldWriter):
    """Writes what was gathered, field by field."""

    def __init__(self, codec: Codec, storage: Any, segment: Any) -> None:
        super().__init__(codec, storage, segment)  # type: ignore[no-untyped-call]
        self._own = codec

    def add_postings(self, schema: Any, lengths: Any, items: Iterable[Any]) -> None:
        for field, terms in sorted(self._own.gathered.items()):
            if not terms:
                continue
            self.start_field(field, schema[field])  # type: ignore[no-untyped-call]
            assert self._own.lists is not None
            put = self._own.lists.put_words if field in WORDS else self._own.lists.put_numbers
            for term in sorted(terms):
                self.start_term(term.encode())  # type: ignore[no-untyped-call]
                put(terms[term])
                self.finish_term()  # type: ignore[no-untyped-call]
            self.finish_field()  # type: ignore[no-untyped-call]


class Lists(PostingsWriter):
    """Writes whole posting lists."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._start = file.tell()
        self._info: Any = None

    def start_postings(self, format_: Any, terminfo: Any) -> None:
        """Whoosh's announcement of a term; its list follows whole."""

    def put_words(self, found: list[Any]) -> None:
        """Write numbers, impacts and positions."""
        numbers, impacts = array("I", found[::3]), bytes(found[1::3])
        self._write(numbers, b"".join((numbers, impacts, *found[2::3])), sum(impacts), max(impacts))

    def put_numbers(self, found: list[int]) -> None:
        """Write numbers alone."""
        numbers = array("I", found)
        self._write(numbers, numbers.tobytes(), len(found), 1)

    def finish_postings(self) -> Any:
        """Return what Whoosh keeps of the list in its dictionary of terms."""
        return self._info

    def written(self) -> bool:
        return True

    def add_posting(self, id_: Any, weight: Any, vbytes: Any, length: Any = None) -> None:
        raise TypeError("lists are written whole: Whoosh has no posting of its own to add")

    def _write(self, numbers: array[int], content: bytes, weight: int, most: int) -> None:
        self._file.write(len(content).to_bytes(_LENGTH, "little"))
        self._file.write(content)
        self._info = W3TermInfo(
            weight=weight, df=len(numbers), maxweight=most, minid=numbers[0], maxid=numbers[-1]
        )
        self._info.set_extent(self._start, _LENGTH + len(content))
        self._start += _LENGTH + len(content)
