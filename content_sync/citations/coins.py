"""A reference as a ContextObject in a span (COinS): how lists tell Zotero what they hold."""

from __future__ import annotations

from urllib.parse import urlencode

from content_sync.citations.reference import Reference
from content_sync.pages.maths import without_latex
from content_sync.records import Kind

_GENRES = {
    Kind.JOURNAL_ARTICLE: ("journal", "article"),
    Kind.CONFERENCE_PAPER: ("book", "proceeding"),
    Kind.PROCEEDINGS: ("book", "conference"),
    Kind.BOOK: ("book", "book"),
    Kind.BOOK_CHAPTER: ("book", "bookitem"),
    Kind.REPORT: ("book", "report"),
    Kind.THESIS: ("dissertation", ""),
    Kind.PATENT: ("patent", ""),
}
_MOST_AUTHORS = 10


def to_coins(work: Reference, names: list[str]) -> str:
    """Return what the `title` of the span holds; names end after ten, as in the list.

    The authors' names are given as printed: a list item depends on the work alone, and not
    on what the records of its people say.
    """
    name, genre = _GENRES.get(work.kind, ("dc", ""))
    title = without_latex(work.title)
    if work.mark:
        title = f"{work.mark}: {title}"
    pairs = [("ctx_ver", "Z39.88-2004"), ("rft_val_fmt", f"info:ofi/fmt:kev:mtx:{name}")]
    if work.doi:
        pairs.append(("rft_id", f"info:doi/{work.doi}"))
    elif work.url:
        pairs.append(("rft_id", work.url))
    pairs.append(("rft.genre", genre))
    if name == "dc":
        pairs.append(("rft.title", title))
    elif name == "journal" or genre in ("proceeding", "bookitem"):
        pairs.append(("rft.atitle", title))
        pairs.append(("rft.jtitle" if name == "journal" else "rft.btitle", work.container))
    else:
        pairs.append(("rft.btitle" if name == "book" else "rft.title", title))
    pairs += [("rft.date", _date(work)), ("rft.volume", work.volume), ("rft.issue", work.issue)]
    pairs += [("rft.spage", work.first_page), ("rft.epage", work.last_page)]
    author = "rft.creator" if name == "dc" else "rft.au"
    pairs += [(author, one) for one in names[:_MOST_AUTHORS]]
    return urlencode([(key, value) for key, value in pairs if value])


def _date(work: Reference) -> str:
    if not work.year:
        return ""
    return f"{work.year:04d}-{work.month:02d}" if work.month else f"{work.year:04d}"
