"""What the index holds of a document: fields, and how text becomes their terms.

Whoosh runs text through a chain of generators, token by token. Here one function folds,
splits and stems a whole text at once, and `search.codec` writes the finished postings; the
same function stands behind Whoosh's analyser and filter interfaces for everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import Stemmer
from whoosh import analysis, fields, formats

from search.documents import Document
from search.encoding import decode_positions, number, positions
from search.ranking import PART_OF_NAME, Averages, impact, norms
from search.words import index_words, spellings, split_words, squeeze

SCHEMA_VERSION = 7
"""Raised whenever an index built before would answer differently: it is then rebuilt."""

PLACES = {"title": 0, "venue": 1024, "topic": 2048, "institution": 3072, "abstract": 4096}
"""Where the positions of each part of a document's text begin."""
_PLACE_ENDS = {"title": 1024, "venue": 2048, "topic": 3072, "institution": 4096, "abstract": 65536}

PEOPLE_SHOWN = 10
"""Names that a list shows of a document."""

_GAP = 16
_FURTHEST = 0xFFFD


class Stems(dict[str, str]):
    """Folded word → its English Snowball stem, worked out once for each process."""

    def __init__(self) -> None:
        super().__init__()
        self._stem = Stemmer.Stemmer("english", 0).stemWord

    def __missing__(self, word: str) -> str:
        stem: str = word if " " in word else self._stem(word)
        if len(self) < 300_000:
            self[word] = stem
        return stem


STEMS = Stems()


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
    """Posting values: the positions of a term in a document, as `search.encoding` writes them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def word_values(
        self, value: str, analyzer: Any, **kwargs: Any
    ) -> Iterator[tuple[str, int, float, bytes]]:
        stemmed = any(isinstance(item, StemFilter) for item in getattr(analyzer, "items", ()))
        found: dict[str, list[int]] = {}
        for position, word in enumerate(index_words(value)):
            found.setdefault(STEMS[word] if stemmed else word, []).append(position)
        for term, places in found.items():
            yield term, len(places), 1.0, positions(places)

    def decode_positions(self, value: bytes) -> list[int]:
        return decode_positions(value)


class Words(fields.FieldType):
    """A field of words with positions and impacts, which `analyse` works out."""

    def __init__(self, *, stemmed: bool) -> None:
        analyzer = FoldTokenizer() | StemFilter() if stemmed else FoldTokenizer()
        super().__init__(format=Occurrences(), analyzer=analyzer)  # type: ignore[no-untyped-call]


class Keys(fields.FieldType):
    """A field of whole values, found only as they are: ids, keys, names of venues."""

    def __init__(self, *, unique: bool = False) -> None:
        super().__init__(format=formats.Existence(), analyzer=analysis.IDAnalyzer(), unique=unique)  # type: ignore[no-untyped-call]


def make_schema() -> fields.Schema:
    """Return the schema of the index."""
    return fields.Schema(
        id=Keys(unique=True),
        handle=Keys(),
        text=Words(stemmed=True),
        names=Words(stemmed=False),
        spelling=Keys(),
        venue=Keys(),
        year=Keys(),
        kind=Keys(),
        type=Keys(),
        access=Keys(),
        status=Keys(),
        document=fields.STORED(),
    )


Entry = tuple[str, int, bytes]
"""A term, its impact in a document, and its positions there."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the index holds of a document, beside the document itself."""

    words: dict[str, list[Entry]]
    """Of `text` and `names`, …"""
    keys: dict[str, list[str]]
    """… and of the fields of whole values."""
    forms: set[str]
    """Its folded words, those of texts before stemming, those of names alone and in pairs."""


def analyse(document: Document, averages: Averages) -> Analysis:
    """Return what the index holds of a document."""
    title = index_words(document.title)
    names = [index_words(name) for name in names_of(document)]
    abstract = index_words(document.abstract)
    per_title, per_name, per_abstract = norms(
        averages, len(title), sum(map(len, names)), len(abstract)
    )
    text: dict[str, list[int]] = {}
    weights: dict[str, float] = {}
    forms = set(title)
    forms.update(abstract)

    def add(words: list[str], base: int, end: int, weight: float) -> None:
        for position, word in enumerate(words, base):
            stem = STEMS[word]
            if stem in text:
                text[stem].append(position if position < end else end - 1)
                weights[stem] += weight
            else:
                text[stem] = [position if position < end else end - 1]
                weights[stem] = weight

    add(title, 0, 1024, per_title)
    for place, texts in _others(document):
        position = PLACES[place]
        for other in texts:
            words = index_words(other)
            forms.update(words)
            add(words, position, _PLACE_ENDS[place], 1.0)
            position += len(words) + _GAP
    add(abstract, PLACES["abstract"], _FURTHEST, per_abstract)

    people: dict[str, list[int]] = {}
    shares: dict[str, float] = {}
    position = 0
    for name in names:
        for place_of, word in enumerate(name, position):
            people.setdefault(word, []).append(min(place_of, _FURTHEST - 1))
        for pair, share in _pairs(name):
            people.setdefault(pair, []).append(min(position, _FURTHEST - 1))
            shares[pair] = max(shares.get(pair, 0.0), share)
        position += len(name) + _GAP
    spelt = [*spellings(document.title), *spellings(document.abstract)]
    for name_text in names_of(document):
        spelt += spellings(name_text)
    impacts = _Impacts(document)
    # Nearly every word stands in one place only.
    entries = [
        (stem, impacts[weights[stem]], number(at[0] << 1) if len(at) == 1 else positions(at))
        for stem, at in text.items()
    ]
    named = [
        (word, impacts[per_name * len(at) * shares.get(word, 1.0)], positions(at))
        for word, at in people.items()
    ]
    keys = {
        "id": [document.id],
        "handle": handles(document),
        "spelling": [spelling for _, spelling in spelt],
        "venue": [" ".join(split_words(v)) for v in (document.venue_short, document.venue)],
        "year": [str(document.year)] if document.year is not None else [],
        "kind": [" ".join(split_words(document.kind))],
        "type": [document.type],
        "access": [document.access],
        "status": [document.status],
    }
    whole = {name: list(dict.fromkeys(filter(None, values))) for name, values in keys.items()}
    return Analysis({"text": entries, "names": named}, whole, forms | people.keys())


class _Impacts(dict[float, int]):
    """Weight → impact in a document, in which many words weigh the same."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document

    def __missing__(self, weight: float) -> int:
        value = self[weight] = impact(weight, self._document)
        return value


def _pairs(name: list[str]) -> Iterator[tuple[str, float]]:
    """Yield the adjacent words of a name, and its first and last, and how much each counts."""
    if len(name) == 2:
        yield " ".join(name), 1.0
    elif len(name) > 2:
        yield f"{name[0]} {name[-1]}", 1.0
        for pair in pairwise(name):
            yield " ".join(pair), PART_OF_NAME


def names_of(document: Document) -> tuple[str, ...]:
    """Return the people of a document, or the names that a person goes by."""
    if document.type == "publication":
        return document.people
    own = (document.title,) if document.type == "person" else ()
    return own + document.people + document.names


def _others(document: Document) -> Iterator[tuple[str, list[str]]]:
    venue = [v for v in dict.fromkeys((document.venue_short, document.venue)) if v]
    if document.year is not None:
        venue.append(str(document.year))
    yield "venue", venue
    yield "topic", list(document.topics)
    yield "institution", list(document.institutions)


def place_of(position: int) -> str:
    """Return the part of a document's text that a position lies in."""
    if position < 1024:
        return "title"
    return _PLACE_NAMES[min(position >> 10, 4)]


_PLACE_NAMES = ("title", "venue", "topic", "institution", "abstract")


def handles(document: Document) -> list[str]:
    """Return the forms of a document's id and DOI that find exactly it."""
    # A title of symbols has no words to be found by.
    symbols = "" if index_words(document.title) else document.title
    exact = [document.id, document.record_id, document.doi, symbols]
    return list(dict.fromkeys(handle(value) for value in exact if value))


def handle(text: str) -> str:
    """Return the comparable form of an id or a DOI, which may come as a link."""
    text = squeeze(text).lower()
    for prefix in ("https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "doi:"):
        text = text.removeprefix(prefix)
    return text
