"""The query language: what a reader's line of text asks for.

    deep learning            any of the words; works with more of them come first
    "neural network"         the words side by side
    -survey                  not this word
    author:lovelace title:engine venue:acl topic:parsing kind:report type:person
    year:2019 year:2019..2023 year:..1990 id:2020.acl-main.1 doi:10.1/x
    *                        everything

Whatever cannot be understood as syntax is words: every text is a query.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from search.words import index_words, spellings

LONGEST_QUERY = 10_000
"""Characters of a query that are read; the rest is ignored."""

MOST_WORDS = 100
"""Different words of a query that are looked up, …"""
MOST_REPEATS = 20
"""… each counted so often at most, …"""
MOST_FILTERS = 20
"""… and conditions that are met."""

FIELDS = frozenset(
    {
        "author", "title", "abstract", "venue", "year", "topic", "institution", "kind",
        "doi", "id", "type", "access", "status",
    }
)  # fmt: skip

# Words that say too little to rank by, unless a query has no others.
STOP_WORDS = frozenset(
    {
        "a", "able", "about", "across", "after", "all", "almost", "also", "am", "among", "an",
        "and", "any", "are", "as", "at", "be", "because", "been", "but", "by", "can",
        "cannot", "could", "dear", "did", "do", "does", "either", "else", "ever", "every",
        "for", "from", "get", "got", "had", "has", "have", "he", "her", "hers", "him", "his",
        "how", "however", "i", "if", "in", "into", "is", "it", "its", "just", "least", "let",
        "like", "likely", "may", "me", "might", "most", "must", "my", "neither", "no", "nor",
        "not", "of", "off", "often", "on", "only", "or", "other", "our", "own", "rather",
        "said", "say", "says", "she", "should", "since", "so", "some", "than", "that", "the",
        "their", "them", "then", "there", "these", "they", "this", "tis", "to", "too", "twas",
        "us", "wants", "was", "we", "were", "what", "when", "where", "which", "while", "who",
        "whom", "why", "will", "with", "would", "yet", "you", "your",
    }
)  # fmt: skip

# Words of the asking, not of what is asked for, and more little words: left out where a whole
# sentence asks.
SENTENCE = 6
"""A query of more words is a sentence."""
SENTENCE_WORDS = frozenset(
    """
    above again against already although always another anybody anyone anything around
    article articles available away became become becomes before began behind being below
    between beyond both came come comes concerning consider considered describe described
    describing different discuss discussed doing done down due during each enough etc even
    exist existing exists far few find found further furthermore gave give given gives
    giving go goes going gone good great hence here herself himself including indeed instead
    interested involved itself keep kind know known last later less made mainly make makes
    making many mean means meanwhile more moreover much myself namely near nearly need
    needed needs never new next nobody none nothing now nowhere obtain obtained once one
    ones onto others otherwise ought ours ourselves out over paper papers part particular
    particularly per perhaps please possible present presented previous put quite really
    regarding related same see seem seemed seems seen several shall show shown similar
    someone something sometimes still such sure take taken tell themselves thereby therefore
    thing things though three through throughout thus together took toward towards two under
    unless until up upon use used useful uses using usually various very via want way ways
    well went whatever whenever wherever whether whoever whole whose within without work
    works yes yours yourself
    """.split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition that results must meet, or must not."""

    field: str
    """A name of FIELDS, or empty for any text."""
    text: str
    phrase: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A parsed query."""

    text: str
    """The whole query as it was written, cut to LONGEST_QUERY."""
    words: tuple[str, ...]
    """Folded words to rank by, as often as they were written, stop words left out."""
    filters: tuple[Filter, ...]
    everything: bool
    """Whether `*` asks for all documents."""
    last: str
    """The last word, if it may go on; else empty."""
    spellings: dict[str, str]
    """Word → how it is written, with its accents."""


_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ufffd]")
_ENDS_OPEN = re.compile(r"[^\W_]$|[\u0300-\u036f]$")

_PART = re.compile(
    r"""
    (?P<minus>-)?
    (?:(?P<field>[A-Za-z]+):(?=[^\s]))?
    (?: "(?P<phrase>[^"]*)" | (?P<word>[^\s"]+) )
    """,
    re.VERBOSE,
)


def parse_query(text: str) -> Query:
    """Return what `text` asks for; no text is an error."""
    text = text[:LONGEST_QUERY].encode(errors="ignore").decode()  # no halves of characters
    readable = _CONTROLS.sub(" ", text)
    ranked: list[str] = []
    filters: list[Filter] = []
    everything = is_open = False
    for part in _PART.finditer(readable):
        field = (part["field"] or "").lower()
        phrase = part["phrase"]
        value = part["word"] if phrase is None else phrase
        is_open = False
        starts_word = part.start() == 0 or readable[part.start() - 1].isspace()
        negated = bool(part["minus"]) and starts_word
        if field not in FIELDS or not starts_word:
            if field:
                value = f"{field} {value}"
            field = ""
        if value == "*" and not field:
            everything = everything or not negated
            continue
        words = index_words(value)
        if field:
            filters.append(
                Filter(field=field, text=value, phrase=phrase is not None, negated=negated)
            )
            if field in ("title", "abstract", "author", "topic") and not negated:
                ranked += words
        elif not words:
            continue
        elif negated:
            filters.append(Filter(field="", text=value, phrase=len(words) > 1, negated=True))
        else:
            ranked += words
            if phrase is not None and len(words) > 1:
                filters.append(Filter(field="", text=value, phrase=True))
            is_open = phrase is None and part.end() == len(readable)
    words_told = _without_stop_words(ranked)
    goes_on = is_open and _ENDS_OPEN.search(readable) and words_told[-1:] == tuple(ranked[-1:])
    return Query(
        text=text,
        words=words_told,
        filters=tuple(filters[:MOST_FILTERS]),
        everything=everything,
        last=words_told[-1] if goes_on and words_told else "",
        spellings=dict(spellings(readable)),
    )


def parse_years(text: str) -> tuple[int, int] | None:
    """Return first and last year of `2019`, `2019..2023`, `2019..` or `..2023`."""
    match = re.fullmatch(r"(\d{1,4})?(\.\.|-)?(\d{1,4})?", text, re.ASCII)
    if not match or not (match[1] or match[3]):
        return None
    if not match[2]:
        return int(text), int(text)
    return int(match[1] or 0), int(match[3] or 9999)


def _without_stop_words(words: list[str]) -> tuple[str, ...]:
    telling = [word for word in words if word not in STOP_WORDS]
    if len(words) > SENTENCE:
        telling = [word for word in telling if word not in SENTENCE_WORDS] or telling
    counts: Counter[str] = Counter()
    result: list[str] = []
    for word in telling or words:
        if counts.get(word, 0) < MOST_REPEATS and (word in counts or len(counts) < MOST_WORDS):
            counts[word] += 1
            result.append(word)
    return tuple(result)
