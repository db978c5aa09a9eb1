"""What the index holds of a document: fields, and how text becomes their terms.

Whoosh runs text through a chain of generators, token by token. Here one function folds,
splits and stems a whole text at once, and fields hand Whoosh the finished postings; the
same function stands behind Whoosh's analyser and filter interfaces for everything else.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from typing import Any

import Stemmer
from whoosh import analysis, columns, fields, formats
from whoosh.codec.whoosh3 import W3Codec

from search.documents import Document
from search.words import index_words, split_words, squeeze, title_words

SCHEMA_VERSION = 1
"""Raised whenever an index built before would answer differently: it is then rebuilt."""

TEXT_FIELDS = ("title", "people", "abstract")
"""The fields whose lengths count in ranking."""

WORD_FIELDS = (*TEXT_FIELDS, "topics", "institutions")
"""The fields of words with positions."""

RANKED_FIELDS = (*WORD_FIELDS, "venue", "year")
"""The fields in which a plain word of a query is looked up."""

UNSTEMMED = frozenset({"people", "institutions"})
"""Names are not words of a language."""

_GAP = 16


class Stems(dict[str, str]):
    """Folded word → its English Snowball stem, worked out once for each process."""

    def __init__(self) -> None:
        super().__init__()
        self._stem = Stemmer.Stemmer("english", 0).stemWord

    def __missing__(self, word: str) -> str:
        stem: str = self._stem(word)
        if len(self) < 300_000:
            self[word] = stem
        return stem


STEMS = Stems()


def text_terms(value: str | Iterable[str], *, stemmed: bool) -> list[tuple[str, int]]:
    """Return the terms of a text, or of several, with their positions.

    Texts of several stand apart, so that no phrase reaches from one into the next.
    """
    texts = (value,) if isinstance(value, str) else value
    terms: list[tuple[str, int]] = []
    base = 0
    for text in texts:
        words = index_words(text)
        if stemmed:
            words = [STEMS[word] for word in words]
        terms += zip(words, range(base, base + len(words)), strict=True)
        base += len(words) + _GAP
    return terms


class FoldTokenizer(analysis.Tokenizer):
    """Whoosh's tokenizer interface to the same words that fields index."""

    def __call__(self, value: str, **kwargs: Any) -> Iterator[analysis.Token]:
        token: Any = analysis.Token(**kwargs)
        token.boost = 1.0
        token.stopped = False
        for position, word in enumerate(index_words(value)):
            token.text = token.original = word
            token.pos = position
            yield token


class StemFilter(analysis.Filter):
    """Whoosh's filter interface to the stemmer in C."""

    is_morph = True

    def __call__(self, tokens: Iterable[Any]) -> Iterator[analysis.Token]:
        for token in tokens:
            token.text = STEMS[token.text]
            yield token


class Occurrences(formats.Format):
    """Posting values of fixed size: the first four positions of a term, 16 bits each.

    Whoosh pickles values of varying size one by one, which takes most of the time and
    space of an index; values of fixed size it joins. The few documents with more than four
    occurrences say so, and who looks for a phrase there reads the stored text.
    """

    posting_size = 8

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def word_values(
        self, value: str | Iterable[str], analyzer: Any, **kwargs: Any
    ) -> Iterator[tuple[str, int, float, bytes]]:
        stemmed = any(isinstance(item, StemFilter) for item in getattr(analyzer, "items", ()))
        for term, positions in gather(text_terms(value, stemmed=stemmed)).items():
            yield term, len(positions), float(len(positions)), self.encode(positions)

    def encode(self, positions: list[int]) -> bytes:
        """Return four positions; unused ones are _NO_POSITION, the last may be _AND_MORE."""
        count = len(positions)
        if count == 1 and positions[0] < _MORE:
            return _ALONE[positions[0]]
        slots = [min(position, _LAST_POSITION) for position in positions[:4]]
        if count > 4:
            slots[3] = _MORE
        return _FOUR.pack(*slots, *(_NONE,) * (4 - count))

    def decode_positions(self, value: bytes) -> list[int]:
        return [position for position in _FOUR.unpack(value) if position <= _LAST_POSITION]

    def decode_is_complete(self, value: bytes) -> bool:
        """Return whether the positions are all there are."""
        return bool(_FOUR.unpack(value)[3] != _MORE)


_FOUR = struct.Struct("<4H")
_NONE = 0xFFFF
_MORE = 0xFFFE
_LAST_POSITION = 0xFFFD
_ALONE = [_FOUR.pack(position, _NONE, _NONE, _NONE) for position in range(_MORE)]


def gather(terms: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Return term → positions, in order of first appearance."""
    found: dict[str, list[int]] = {}
    for term, position in terms:
        if term in found:
            found[term].append(position)
        else:
            found[term] = [position]
    return found


class Words(fields.FieldType):
    """A field of words with positions, found in any order or as phrases."""

    def __init__(self, *, stemmed: bool) -> None:
        analyzer = FoldTokenizer() | StemFilter() if stemmed else FoldTokenizer()
        self.occurrences = Occurrences()
        super().__init__(format=self.occurrences, analyzer=analyzer)  # type: ignore[no-untyped-call]
        self.stemmed = stemmed

    def index(
        self, value: str | Iterable[str], **kwargs: Any
    ) -> list[tuple[bytes, int, float, bytes]]:
        encode = self.occurrences.encode
        return [
            (term.encode(), len(positions), float(len(positions)), encode(positions))
            for term, positions in gather(text_terms(value, stemmed=self.stemmed)).items()
        ]


class Keys(fields.FieldType):
    """A field of whole values, found only as they are: ids, keys, names of venues."""

    def __init__(self, *, unique: bool = False) -> None:
        super().__init__(format=formats.Existence(), analyzer=analysis.IDAnalyzer(), unique=unique)  # type: ignore[no-untyped-call]

    def index(
        self, value: str | Iterable[str], **kwargs: Any
    ) -> list[tuple[bytes, int, float, bytes]]:
        values = (value,) if isinstance(value, str) else value
        return [(key.encode(), 1, 1.0, b"") for key in dict.fromkeys(values) if key]


class Codec(W3Codec):
    """Whoosh's own codec, without looking up a length for each posting.

    Lengths stand exactly in the column `facts` instead.
    """

    length_stats = False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]


def make_schema() -> fields.Schema:
    """Return the schema of the index."""
    return fields.Schema(
        id=Keys(unique=True),
        handle=Keys(),
        title_key=Keys(),
        title=Words(stemmed=True),
        people=Words(stemmed=False),
        abstract=Words(stemmed=True),
        topics=Words(stemmed=True),
        institutions=Words(stemmed=False),
        venue=Keys(),
        year=Keys(),
        kind=Keys(),
        type=Keys(),
        access=Keys(),
        status=Keys(),
        document=fields.STORED(),
        facts=fields.COLUMN(columns.NumericColumn("Q")),
        turn=fields.COLUMN(columns.NumericColumn("I")),
    )


def index_fields(document: Document, line: bytes) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Return what to hand to Whoosh for a document, and its lengths in TEXT_FIELDS.

    `line` is the document's own line: what is stored to show a result.
    """
    lengths = (
        len(index_words(document.title)),
        sum(len(index_words(name)) for name in field_text(document, "people")),
        len(index_words(document.abstract)),
    )
    values: dict[str, Any] = {
        "id": document.id,
        "handle": handles(document),
        "title_key": title_keys(document),
        **{field: field_text(document, field) for field in WORD_FIELDS},
        "venue": [" ".join(split_words(v)) for v in (document.venue_short, document.venue)],
        "year": str(document.year) if document.year is not None else None,
        "kind": " ".join(split_words(document.kind)),
        "type": document.type,
        "access": document.access,
        "status": document.status,
        "document": line,
        "facts": pack_facts(document, lengths),
        "turn": int.from_bytes(hashlib.blake2b(document.id.encode(), digest_size=4).digest()),
    }
    present = {name: value for name, value in values.items() if value not in ("", (), None)}
    return present, lengths


def field_text(document: Document, field: str) -> str | tuple[str, ...]:
    """Return the text or texts of a document that one of WORD_FIELDS holds."""
    if field == "people" and document.type != "publication":
        return document.people + document.names
    text: str | tuple[str, ...] = getattr(document, field)
    return text


def title_keys(document: Document) -> list[str]:
    """Return the keys of a document's title, as shown and as its source writes it."""
    written = document.names if document.type == "publication" else ()
    return [title_key(title) for title in (document.title, *written)]


def handles(document: Document) -> list[str]:
    """Return the forms of a document's id and DOI that find exactly it."""
    exact = [document.id, document.record_id, document.doi]
    return [handle(value) for value in exact if value]


def handle(text: str) -> str:
    """Return the comparable form of an id or a DOI, which may come as a link."""
    text = squeeze(text).lower()
    for prefix in ("https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "doi:"):
        text = text.removeprefix(prefix)
    return text


def title_key(title: str) -> str:
    """Return the one term that stands for all words of a title."""
    words = title_words(title)
    if len(words) <= 100:
        return words
    return words[:68] + hashlib.blake2b(words.encode(), digest_size=16).hexdigest()


def pack_facts(document: Document, lengths: Iterable[int]) -> int:
    """Return lengths of title, people and abstract, the year and two marks as one number."""
    title, people, abstract = lengths
    return (
        min(title, 0x3FF)
        | min(people, 0x3FF) << 10
        | min(abstract, 0xFFFF) << 20
        | ((document.year or 0) & 0x3FFF) << 36
        | (document.status == "retracted") << 50
        | (document.type == "publication") << 51
    )


def unpack_lengths(facts: int) -> tuple[int, int, int]:
    """Return the lengths of title, people and abstract."""
    return facts & 0x3FF, facts >> 10 & 0x3FF, facts >> 20 & 0xFFFF


def unpack_year(facts: int) -> int:
    """Return the year, 0 for none."""
    return facts >> 36 & 0x3FFF


def is_retracted(facts: int) -> bool:
    """Return whether the document is a retracted work."""
    return bool(facts >> 50 & 1)


def is_publication(facts: int) -> bool:
    """Return whether the document is a publication."""
    return bool(facts >> 51 & 1)
