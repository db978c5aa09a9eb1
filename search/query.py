"""Answer queries from Whoosh indexes: find, rank, and show why.

The ranking is that of the browsers' engine (`search/client/`), from the same impacts: see
`search.ranking`. Words are looked up in Whoosh, by what `search.lookup` says they stand for.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from search import ranking
from search.documents import Document, parse_document
from search.highlight import Span, highlight, snippet
from search.language import SENTENCE, Filter, Query, parse_query, parse_years
from search.layout import partition_folders, read_layout
from search.leaves import Leaf, find_phrase
from search.lookup import Lookup, Meaning
from search.partitions import open_partition
from search.schema import PEOPLE_SHOWN, STEMS, handle, place_of
from search.words import index_words, split_words, title_words

_WINDOW = 10
"""Results among which a title that is the whole query comes first."""

Address = tuple[int, int]
"""Segment and number of a document."""


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


@dataclass(slots=True)
class _Segment:
    """A segment's partitions, and which of its documents a later segment has anew."""

    leaves: list[Leaf]
    dead: frozenset[int]


class Index:
    """One or several indexes, read as one. Made by `open_index`."""

    def __init__(self, segments: list[_Segment], documents: int) -> None:
        self.segments = segments
        self.documents = documents
        self.lookup = Lookup([[leaf.words for leaf in s.leaves] for s in segments])

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all files."""
        for segment in self.segments:
            for leaf in segment.leaves:
                leaf.close()

    def leaves(self) -> Iterator[tuple[int, Leaf]]:
        """Yield every partition with the number of its segment."""
        for number, segment in enumerate(self.segments):
            for leaf in segment.leaves:
                yield number, leaf

    def impacts(self, field: str, term: str) -> dict[Address, int]:
        """Return how much a term of `text` or `names` counts in each document that has it."""
        return {
            (segment, number): impact
            for segment, leaf in self.leaves()
            for number, impact in leaf.impacts(field, term)
        }

    def with_key(self, field: str, key: str) -> set[Address]:
        """Return the documents that have a whole value in a field."""
        return {
            (segment, number)
            for segment, leaf in self.leaves()
            for number in leaf.numbers(field, key)
        }

    def whose_key(self, field: str, accepts: Callable[[str], bool]) -> set[Address]:
        """Return the documents with a whole value in a field that `accepts` takes."""
        return {
            (segment, number)
            for segment, leaf in self.leaves()
            for key in leaf.keys(field)
            if accepts(key)
            for number in leaf.numbers(field, key)
        }

    def all_documents(self) -> set[Address]:
        """Return every document."""
        return {
            (segment, number)
            for segment, leaf in self.leaves()
            for number in leaf.all_numbers()
            if number not in self.segments[segment].dead
        }

    def living(self, addresses: Iterable[Address]) -> set[Address]:
        """Return those that no later segment has anew."""
        return {a for a in addresses if a[1] not in self.segments[a[0]].dead}

    def fetch(self, address: Address) -> Document:
        """Return the document as it was indexed."""
        segment, number = address
        leaves = self.segments[segment].leaves
        leaf = next(leaf for leaf in reversed(leaves) if leaf.first <= number)
        return parse_document(leaf.stored(number))

    def year(self, address: Address) -> int:
        """Return a document's year, 0 for none."""
        return self.fetch(address).year or 0


def open_index(folders: Iterable[Path]) -> Index:
    """Open the indexes in `folders`, to be searched as one, for a `with` block.

    Raises SearchError if one is missing or of another schema version.
    """
    segments: list[_Segment] = []
    documents = 0
    for folder in folders:
        layout = read_layout(folder)
        documents += layout.documents
        for segment in layout.segments:
            leaves = [
                Leaf(open_partition(path), first, path)
                for path, first in zip(
                    partition_folders(folder, segment), segment.firsts, strict=True
                )
            ]
            segments.append(_Segment(leaves, frozenset(segment.dead)))
    return Index(segments, documents)


def search(
    index: Index, text: str, *, limit: int = 10, page: int = 1, prefix: bool = False
) -> Results:
    """Return a page of the documents that answer `text`, best first.

    A document whose id or DOI the text is comes first, and of the best ten one whose whole
    title it is. A query without words to rank by lists the newest first. No text is an
    error. With `prefix` the last word may be unfinished.
    """
    query = parse_query(text)
    meanings = index.lookup.meanings(query, prefix=prefix)
    named = index.living(_named(index, query.text))
    scores = _ranked(index, query, meanings)
    for address in named:
        scores.setdefault(address, 0)
    limit, page = max(limit, 1), max(page, 1)
    years = not query.words and not named

    def order(address: Address) -> tuple[int, int, int, int, int]:
        year = index.year(address) if years else 0
        return address not in named, -year, -scores[address], -address[0], address[1]

    best = sorted(_candidates(scores, named, max(limit * page, _WINDOW)), key=order)
    shown = [(address, index.fetch(address)) for address in best[: max(limit * page, _WINDOW)]]
    if query.words:
        words = [meaning.written() for meaning in meanings if not meaning.is_pair]
        shown = _best_ten(query.text, words, shown, scores, named)
    begin = limit * (page - 1)
    marked = _marked(index, meanings)
    hits = (
        _hit(query, document, rank, scores[address], address in named, marked)
        for rank, (address, document) in enumerate(shown[begin : begin + limit], begin + 1)
    )
    return Results(query=query, total=len(scores), page=page, hits=tuple(hits))


def _best_ten(
    text: str,
    words: list[frozenset[str]],
    shown: list[tuple[Address, Document]],
    scores: dict[Address, int],
    named: set[Address],
) -> list[tuple[Address, Document]]:
    """Move up what has the words as they are written, and before all what is named whole.

    A publication's title outranks the title of anything else.
    """
    title = title_words(text)

    def place(item: tuple[Address, Document]) -> tuple[int, int]:
        address, document = item
        have = {
            word
            for part in (document.title, *document.people[:PEOPLE_SHOWN])
            for word in index_words(part)
        }
        same = sum(not word.isdisjoint(have) for word in words)
        score = ranking.in_this_form(scores[address], same, len(words))
        if title and title_words(document.title) == title:
            return (1 if document.type == "publication" else 2), -score
        return (0 if address in named else 3), -score

    return sorted(shown[:_WINDOW], key=place) + shown[_WINDOW:]


def _candidates(scores: dict[Address, int], named: set[Address], wanted: int) -> Iterable[Address]:
    """Return all documents that can be among the first, ties included."""
    if len(scores) <= wanted:
        return scores
    least = heapq.nlargest(wanted, scores.values())[-1]
    return {a for a, score in scores.items() if score >= least} | named


def _named(index: Index, text: str) -> set[Address]:
    """Return the documents whose id or DOI the text is."""
    name = handle(text)
    return index.with_key("handle", name) if name else set()


def _ranked(index: Index, query: Query, meanings: list[Meaning]) -> dict[Address, int]:
    """Return document → score of all that match a query."""
    allowed = _filtered(index, query)
    if not query.words:
        if allowed is None:
            allowed = index.all_documents() if query.everything else set()
        return dict.fromkeys(index.living(allowed), 0)
    scores: dict[Address, int] = {}
    matched: Counter[Address] = Counter()
    for meaning in meanings:
        weights: dict[Address, int] = {}
        for field, term, rare, share in meaning.lists(index.documents):
            spelling = _spelling(index, query, meaning) if share == 1 and field else None
            for address, impact in index.impacts(field, term).items():
                value = rare * impact
                if share != 1:
                    value = int(value * share)
                if spelling:
                    value = int(value * spelling(address))
                if value > weights.get(address, 0):
                    weights[address] = value
        for address, weight in weights.items():
            scores[address] = scores.get(address, 0) + weight * meaning.repeats
        if not meaning.is_pair:
            matched.update(weights.keys())
    words = sum(not meaning.is_pair for meaning in meanings)
    if 1 < words <= ranking.LONGEST_COORDINATED:
        for address, score in scores.items():
            scores[address] = ranking.coordinate(score, matched[address], words)
    found = index.living(scores if allowed is None else scores.keys() & allowed)
    answer = {address: scores[address] for address in found}
    if query.everything:
        for address in index.all_documents() if allowed is None else index.living(allowed):
            answer.setdefault(address, 0)
    return answer


def _spelling(index: Index, query: Query, meaning: Meaning) -> Callable[[Address], float] | None:
    """Return what a document counts less for that writes a word with other accents."""
    spellings = index.lookup.spellings(meaning.word)
    if not spellings:
        return None
    wanted = query.spellings.get(meaning.word)
    if wanted:
        same = index.with_key("spelling", wanted)
        with_any = {
            segment
            for segment, leaf in index.leaves()
            if any(s in leaf.words.spellings.get(meaning.word, ()) for s in spellings)
        }
        return lambda a: 1 if a in same or a[0] not in with_any else ranking.OTHER_SPELLING
    other = set().union(*(index.with_key("spelling", s) for s in spellings))
    return lambda a: ranking.OTHER_SPELLING if a in other else 1


def _filtered(index: Index, query: Query) -> set[Address] | None:
    """Return the documents that meet all conditions; None if there are none.

    In a sentence, phrases that no document has are only words.
    """
    found = _meeting_all(index, query.filters)
    if found is None or found:
        return found
    others = tuple(c for c in query.filters if c.field or c.negated or not c.phrase)
    quoted = {word for c in query.filters if c not in others for word in index_words(c.text)}
    if sum(word not in quoted for word in query.words) <= SENTENCE:
        return found
    return _meeting_all(index, others) if len(others) < len(query.filters) else found


def _meeting_all(index: Index, conditions: tuple[Filter, ...]) -> set[Address] | None:
    if not conditions:
        return None
    allowed: set[Address] | None = None
    for condition in conditions:
        if not condition.negated:
            found = _meeting(index, condition)
            allowed = found if allowed is None else allowed & found
    if allowed is None:
        allowed = index.all_documents()
    for condition in conditions:
        if condition.negated:
            allowed -= _meeting(index, condition)
    return index.living(allowed)


def _meeting(index: Index, condition: Filter) -> set[Address]:
    """Return the documents that meet a condition, its negation left aside."""
    field, text = condition.field, condition.text
    if field == "year":
        years = parse_years(text)
        if not years:
            return set()
        return index.whose_key("year", lambda key: years[0] <= int(key) <= years[1])
    if field in ("id", "doi"):
        return index.with_key("handle", handle(text))
    if field in ("type", "access", "status"):
        return index.with_key(field, text.lower())
    if field in ("venue", "kind"):
        wanted = " ".join(split_words(text))
        return index.whose_key(field, lambda key: bool(wanted) and f" {wanted} " in f" {key} ")
    words = index_words(text)[:30]
    if not words:
        return set()
    found: set[Address] = set()
    known = index.lookup.is_known
    for segment, leaf in index.leaves():
        numbers: set[int] = set()
        if field in ("", "author"):
            numbers |= _having(leaf, "names", words, condition.phrase, lambda _: True)
        if field != "author" and all(map(known, words)):
            stems = [STEMS[word] for word in words]
            inside = (lambda p: place_of(p) == field) if field else (lambda _: True)
            numbers |= _having(leaf, "text", stems, condition.phrase, inside)
        found |= {(segment, number) for number in numbers}
    return found


def _having(
    leaf: Leaf, field: str, terms: list[str], phrase: bool, allowed: Callable[[int], bool]
) -> set[int]:
    positions: list[dict[int, list[int]]] = [leaf.positions(field, term) for term in terms]
    if phrase and len(terms) > 1:
        return find_phrase(positions, allowed)
    return {
        number
        for number in set.intersection(*(set(found) for found in positions))
        if all(any(map(allowed, found[number])) for found in positions)
    }


def _marked(index: Index, meanings: list[Meaning]) -> frozenset[str]:
    forms = {form for meaning in meanings for form in meaning.forms()}
    return frozenset(STEMS[form] for form in forms)


def _hit(
    query: Query, document: Document, rank: int, score: int, exact: bool, stems: frozenset[str]
) -> Hit:
    extract, marks = snippet(document.abstract, stems)
    title = title_words(query.text)
    return Hit(
        rank=rank,
        score=score / 1000,
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
        exact=exact or (bool(title) and title_words(document.title) == title),
        title_marks=highlight(document.title, stems),
        snippet=extract,
        snippet_marks=marks,
    )
