"""Answer queries from Whoosh indexes: find, rank, and show why.

Ranking is BM25F over title, people and abstract, computed here from Whoosh's postings:
words of one document's fields are weighed and added before they saturate, words repeated
in the query count as often, and short queries reward works that have more of their words.
"""

from __future__ import annotations

import heapq
import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex
from whoosh.reading import IndexReader, MultiReader, TermNotFound

from search.documents import Document, parse_document
from search.highlight import Span, highlight, snippet
from search.index import partition_folders, read_layout
from search.language import Filter, Query, parse_query, parse_years
from search.schema import (
    RANKED_FIELDS,
    STEMS,
    TEXT_FIELDS,
    UNSTEMMED,
    field_text,
    handle,
    is_publication,
    is_retracted,
    text_terms,
    title_key,
    unpack_lengths,
    unpack_year,
)
from search.words import index_words, split_words

WEIGHTS = {"title": 8.0, "people": 2.0}
"""How much a word in a field counts; 1 in all others."""
SATURATION = 2.0
LENGTH_SHARE = 0.7
COORDINATION = 0.5
"""Exponent of the share of a query's words that a document has …"""
LONGEST_COORDINATED = 6
"""… for queries of at most so many words."""
RETRACTED_FACTOR = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One result, with what a list shows of it."""

    rank: int
    score: float
    id: str
    type: str
    url: str
    title: str
    people: tuple[str, ...]
    venue: str
    venue_short: str
    year: int | None
    kind: str
    doi: str
    status: str
    access: str
    exact: bool
    """Whether the query is the id, the DOI or all the words of the title."""
    title_marks: tuple[Span, ...]
    """Start and end of the query's words in the title."""
    snippet: str
    """A part of the abstract around the query's words; empty without an abstract."""
    snippet_marks: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One page of the results of a query."""

    query: Query
    total: int
    page: int
    hits: tuple[Hit, ...]


class Index:
    """One or several indexes, read as one. Made by `open_index`."""

    def __init__(self, leaves: list[IndexReader], totals: list[int], documents: int) -> None:
        self.reader = MultiReader(leaves)
        self.documents = documents
        self._leaves = [_Leaf(r, base) for r, base in self.reader.leaf_readers()]
        self._averages = [max(total / max(documents, 1), 1.0) for total in totals]
        for leaf in self._leaves:
            leaf.averages = self._averages

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all files."""
        self.reader.close()

    def documents_with(self, field: str, term: str) -> set[int]:
        """Return the documents that have a term in a field."""
        found: set[int] = set()
        for leaf in self._leaves:
            matcher = leaf.postings(field, term)
            if matcher:
                found.update(leaf.base + number for number in matcher.all_ids())
        return found

    def documents_with_phrase(self, field: str, terms: list[str]) -> set[int]:
        """Return the documents that have the terms of a phrase side by side in a field."""
        found: set[int] = set()
        for leaf in self._leaves:
            candidates = leaf.having_all(field, terms)
            ends: dict[int, set[int]] = {}
            for i, term in enumerate(terms):
                if not candidates:
                    break
                here = leaf.positions(field, term, candidates)
                if i:
                    here = {
                        number: {p for p in positions if p - 1 in ends[number]}
                        for number, positions in here.items()
                    }
                ends = {number: positions for number, positions in here.items() if positions}
                candidates = set(ends)
            found.update(leaf.base + number for number in candidates)
        return found

    def documents_of_years(self, first: int, last: int) -> set[int]:
        """Return the documents of the years from `first` to `last`."""
        return {
            leaf.base + number
            for leaf in self._leaves
            for number in leaf.numbers()
            if first <= (unpack_year(leaf.facts[number]) or -1) <= last
        }

    def documents_whose_key(self, field: str, accepts: Callable[[str], bool]) -> set[int]:
        """Return the documents with a whole value in a field that `accepts` takes."""
        found: set[int] = set()
        keys = {key for leaf in self._leaves for key in leaf.keys(field) if accepts(key)}
        for key in keys:
            found |= self.documents_with(field, key)
        return found

    def all_documents(self) -> set[int]:
        """Return every document."""
        return {leaf.base + number for leaf in self._leaves for number in leaf.numbers()}

    def weigh(self, word: str) -> dict[int, float]:
        """Return document → how much it is about a folded word, before saturation."""
        found: dict[int, float] = {}
        stem = STEMS[word]
        get = found.get
        for leaf in self._leaves:
            base = leaf.base
            for field in RANKED_FIELDS:
                matcher = leaf.postings(field, word if field in _PLAIN else stem)
                if not matcher:
                    continue
                norms = leaf.norms(field)
                if norms is None:
                    for number in matcher.all_ids():
                        found[base + number] = get(base + number, 0.0) + 1.0
                    continue
                while matcher.is_active():
                    number = matcher.id()
                    doc = base + number
                    found[doc] = get(doc, 0.0) + matcher.weight() * norms[number]
                    matcher.next()
        return found

    @cached_property
    def retracted(self) -> set[int]:
        """The documents that are retracted works."""
        return {
            leaf.base + number
            for leaf in self._leaves
            for number, facts in enumerate(leaf.facts)
            if is_retracted(facts)
        }

    def facts(self, document: int) -> int:
        """Return the packed facts of a document, see `search.schema`."""
        leaf = self._leaf(document)
        return leaf.facts[document - leaf.base]

    def turn(self, document: int) -> int:
        """Return a number by which documents of the same rank are ordered."""
        leaf = self._leaf(document)
        return leaf.turns[document - leaf.base]

    def fetch(self, document: int) -> Document:
        """Return the document as it was indexed."""
        return parse_document(self.reader.stored_fields(document)["document"])

    def _leaf(self, document: int) -> _Leaf:
        low, high = 0, len(self._leaves)
        while high - low > 1:
            middle = (low + high) // 2
            if self._leaves[middle].base <= document:
                low = middle
            else:
                high = middle
        return self._leaves[low]


def open_index(folders: Iterable[Path]) -> Index:
    """Open the indexes in `folders`, to be searched as one, for a `with` block.

    Raises SearchError if one is missing or of another schema version.
    """
    leaves: list[IndexReader] = []
    totals = [0] * len(TEXT_FIELDS)
    documents = 0
    for folder in folders:
        layout = read_layout(folder)
        for facts, path in zip(layout.partitions, partition_folders(folder, layout), strict=True):
            documents += facts.documents
            totals = [a + b for a, b in zip(totals, facts.lengths, strict=True)]
            reader = FileIndex(FileStorage(str(path))).reader()
            leaves += [leaf for leaf, _ in reader.leaf_readers() if leaf.doc_count()]
    return Index(leaves, totals, documents)


def search(index: Index, text: str, *, limit: int = 10, page: int = 1) -> Results:
    """Return a page of the documents that answer `text`, best first.

    A document whose id, DOI or whole title the text is comes first. A query without words
    to rank by lists the newest first. No text is an error.
    """
    query = parse_query(text)
    exact = _exact(index, query.text)
    scores = _ranked(index, query)
    for document in exact:
        scores.setdefault(document, 0.0)
    limit, page = max(limit, 1), max(page, 1)

    def order(document: int) -> tuple[int, float, int, int]:
        newest = unpack_year(index.facts(document))
        return -exact.get(document, 0), -scores[document], -newest, index.turn(document)

    best = sorted(_candidates(scores, exact, limit * page), key=order)[: limit * page]
    hits = (
        _hit(index, query, document, rank, scores[document], document in exact)
        for rank, document in enumerate(best[limit * (page - 1) :], limit * (page - 1) + 1)
    )
    return Results(query=query, total=len(scores), page=page, hits=tuple(hits))


# Fields of whole values and of names, in which words are not stemmed.
_FIELDS = {"author": "people", "topic": "topics", "institution": "institutions"}
_PLAIN = UNSTEMMED | {"venue", "year"}


class _Leaf:
    """One segment: Whoosh's reader, and its columns once they are needed."""

    def __init__(self, reader: IndexReader, base: int) -> None:
        self.reader = reader
        self.base = base
        self.averages: list[float] = []
        self._norms: dict[str, array[float]] = {}

    @cached_property
    def facts(self) -> list[int]:
        return list(self.reader.column_reader("facts", translate=False).load())

    @cached_property
    def turns(self) -> array[int]:
        turns: array[int] = self.reader.column_reader("turn", translate=False).load()
        return turns

    def numbers(self) -> Iterable[int]:
        numbers: Iterable[int] = self.reader.all_doc_ids()
        return numbers

    def keys(self, field: str) -> Iterator[str]:
        return (key.decode() for key in self.reader.lexicon(field))

    def postings(self, field: str, term: str) -> Any:
        try:
            return self.reader.postings(field, term)
        except TermNotFound:
            return None

    def having_all(self, field: str, terms: list[str]) -> set[int]:
        """Return the numbers of the documents that have all terms in a field."""
        having: set[int] | None = None
        for term in dict.fromkeys(terms):
            matcher = self.postings(field, term)
            numbers = set(matcher.all_ids()) if matcher else set()
            having = numbers if having is None else having & numbers
        return having or set()

    def positions(self, field: str, term: str, wanted: set[int]) -> dict[int, set[int]]:
        """Return where a term stands in a field of the wanted documents, all of which have it."""
        found: dict[int, set[int]] = {}
        matcher = self.postings(field, term)
        while matcher.is_active():
            number = matcher.id()
            if number in wanted:
                if matcher.value_as("is_complete"):
                    found[number] = set(matcher.value_as("positions"))
                else:
                    found[number] = self._positions_in_text(field, term, number)
            matcher.next()
        return found

    def _positions_in_text(self, field: str, term: str, number: int) -> set[int]:
        document = parse_document(self.reader.stored_fields(number)["document"])
        terms = text_terms(field_text(document, field), stemmed=field not in UNSTEMMED)
        return {position for word, position in terms if word == term}

    def norms(self, field: str) -> array[float] | None:
        """Return what one occurrence in each document's field counts; None: always 1."""
        if field not in TEXT_FIELDS:
            return None
        if not self._norms:
            self._norms = {name: array("d") for name in TEXT_FIELDS}
            factors = [
                (self._norms[name].append, WEIGHTS.get(name, 1.0), LENGTH_SHARE / average)
                for name, average in zip(TEXT_FIELDS, self.averages, strict=True)
            ]
            for facts in self.facts:
                for (append, weight, share), length in zip(
                    factors, unpack_lengths(facts), strict=True
                ):
                    append(weight / (1.0 - LENGTH_SHARE + share * length))
        return self._norms[field]


def _candidates(scores: dict[int, float], exact: dict[int, int], wanted: int) -> Iterable[int]:
    """Return all documents that can be among the first, ties included."""
    if len(scores) <= wanted:
        return scores
    least = heapq.nlargest(wanted, scores.values())[-1]
    best = {document for document, score in scores.items() if score >= least}
    return best | exact.keys()


def _exact(index: Index, text: str) -> dict[int, int]:
    """Return document → how well it is named: 3 and 2 by its title, 1 by its id or DOI.

    A publication's title outranks the title of anything else.
    """
    exact: dict[int, int] = {}
    name = handle(text)
    if name:
        exact |= dict.fromkeys(index.documents_with("handle", name), 1)
    key = title_key(text)
    if key:
        for document in index.documents_with("title_key", key):
            exact[document] = 3 if is_publication(index.facts(document)) else 2
    return exact


def _ranked(index: Index, query: Query) -> dict[int, float]:
    """Return document → score of all that match a query."""
    allowed = _filtered(index, query)
    if not query.words:
        if allowed is None:
            allowed = index.all_documents() if query.everything else set()
        return dict.fromkeys(allowed, 0.0)
    scores: dict[int, float] = {}
    matched: Counter[int] = Counter()
    counts = Counter(query.words)
    for word, repeats in counts.items():
        weights = index.weigh(word)
        if not weights:
            continue
        rarity = math.log(1 + (index.documents - len(weights) + 0.5) / (len(weights) + 0.5))
        factor = repeats * rarity * (SATURATION + 1)
        documents = weights.keys() if allowed is None else weights.keys() & allowed
        for document in documents:
            weight = weights[document]
            score = factor * weight / (SATURATION + weight)
            scores[document] = scores.get(document, 0.0) + score
        if 1 < len(counts) <= LONGEST_COORDINATED:
            matched.update(documents)
    for document, count in matched.items():
        if count < len(counts):
            scores[document] *= (count / len(counts)) ** COORDINATION
    for document in index.retracted & scores.keys():
        scores[document] *= RETRACTED_FACTOR
    if query.everything:
        for document in index.all_documents() if allowed is None else allowed:
            scores.setdefault(document, 0.0)
    return scores


def _filtered(index: Index, query: Query) -> set[int] | None:
    """Return the documents that meet all conditions; None if there are none."""
    allowed: set[int] | None = None
    for condition in query.filters:
        if not condition.negated:
            found = _meeting(index, condition)
            allowed = found if allowed is None else allowed & found
    for condition in query.filters:
        if condition.negated:
            if allowed is None:
                allowed = index.all_documents()
            allowed -= _meeting(index, condition)
    return allowed


def _meeting(index: Index, condition: Filter) -> set[int]:
    """Return the documents that meet a condition, its negation left aside."""
    field, text = condition.field, condition.text
    if field == "year":
        years = parse_years(text)
        return index.documents_of_years(*years) if years else set()
    if field in ("id", "doi"):
        return index.documents_with("handle", handle(text))
    if field in ("type", "access", "status"):
        return index.documents_with(field, text.lower())
    if field in ("venue", "kind"):
        wanted = " ".join(split_words(text))
        return index.documents_whose_key(
            field, lambda key: bool(wanted) and f" {wanted} " in f" {key} "
        )
    fields = [_FIELDS.get(field, field)] if field else RANKED_FIELDS
    found: set[int] = set()
    for name in fields:
        found |= _having(index, name, index_words(text), phrase=condition.phrase)
    return found


def _having(index: Index, field: str, words: list[str], *, phrase: bool) -> set[int]:
    terms = words if field in _PLAIN else [STEMS[word] for word in words]
    if not terms:
        return set()
    if len(terms) == 1:
        return index.documents_with(field, terms[0])
    if field in ("venue", "year"):
        return index.documents_with(field, " ".join(words))
    if phrase:
        return index.documents_with_phrase(field, terms)
    return set.intersection(*(index.documents_with(field, term) for term in set(terms)))


def _hit(index: Index, query: Query, number: int, rank: int, score: float, exact: bool) -> Hit:
    document = index.fetch(number)
    stems = frozenset(STEMS[word] for word in query.words)
    extract, marks = snippet(document.abstract, stems)
    return Hit(
        rank=rank,
        score=score,
        id=document.id,
        type=document.type,
        url=document.url,
        title=document.title,
        people=document.people,
        venue=document.venue,
        venue_short=document.venue_short,
        year=document.year,
        kind=document.kind,
        doi=document.doi,
        status=document.status,
        access=document.access,
        exact=exact,
        title_marks=highlight(document.title, stems),
        snippet=extract,
        snippet_marks=marks,
    )
