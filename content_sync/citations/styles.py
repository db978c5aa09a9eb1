"""A reference as text in the styles of APA, IEEE and Chicago (author-date).

A citation processor needs 0.2 to 1.4 ms for a work and style, more than the rest of the
work's page; docs/decisions/2026-11-24-citations.md has the figures, and says how this is
held against a processor's output.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from content_sync.citations.reference import Name, Reference
from content_sync.pages.maths import without_latex
from content_sync.records import Kind

_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_SHORT = "Jan. Feb. Mar. Apr. May June July Aug. Sept. Oct. Nov. Dec.".split()
_IN_BOOKS = (Kind.CONFERENCE_PAPER, Kind.BOOK_CHAPTER)
_ALONE = (Kind.BOOK, Kind.PROCEEDINGS, Kind.REPORT, Kind.THESIS)
_DATED = (Kind.PRESENTATION, Kind.OTHER)
_SPOKEN = {
    Kind.REPORT: "Report",
    Kind.THESIS: "Thesis",
    Kind.PRESENTATION: "Presentation",
    Kind.PATENT: "Patent",
    Kind.DATASET: "Data set",
    Kind.SOFTWARE: "Computer software",
}


_ON, _OFF = "\ue000", "\ue001"  # for private use: no record's text means anything by them
_MARKED = re.compile(f"{_ON}([^{_ON}{_OFF}]*){_OFF}")


def styled(work: Reference) -> list[tuple[str, Markup]]:
    """Return the name of each style and the reference in it, with its italics."""
    title = without_latex(work.title)
    if work.mark:
        title = f"{work.mark}: {title}"
    return [
        ("APA", _shown(_apa(work, title))),
        ("IEEE", _shown(_ieee(work, title))),
        ("Chicago", _shown(_chicago(work, title))),
    ]


def _shown(text: str) -> Markup:
    return Markup(_MARKED.sub(r"<i>\1</i>", str(escape(text))))  # noqa: S704 - escaped before


def _italic(text: str) -> str:
    """Return a text marked for italics."""
    return f"{_ON}{text}{_OFF}" if text else ""


def _apa(work: Reference, title: str) -> str:
    by = _apa_names([_initials_last(n) for n in work.authors])
    edited = not by and bool(work.editors)
    if edited:
        by = _apa_names([_initials_last(n) for n in work.editors])
        by += " (Eds.)" if len(work.editors) > 1 else " (Ed.)"
    date = str(work.year) if work.year else "n.d."
    unpaged = work.kind == Kind.CONFERENCE_PAPER and not work.first_page
    if (unpaged or work.kind in _DATED) and work.year and work.month:
        day = f" {work.day}" if work.day else ""
        date += f", {_MONTHS[work.month - 1]}{day}"
    said = f" [{_SPOKEN[work.kind]}]" if work.kind in _SPOKEN else ""
    where: list[str] = []
    if work.kind == Kind.CONFERENCE_PAPER and work.container and (edited or not work.editors):
        where = [_listed([_italic(work.container), work.pages])]
    elif work.kind in _IN_BOOKS and work.container:
        editors = "" if edited or not work.editors else f"{_apa_editors(work.editors)}, "
        pages = f" ({_pp(work)} {work.pages})" if work.first_page else ""
        where = [f"In {editors}{_italic(work.container)}{pages}", work.publisher]
    elif work.kind == Kind.JOURNAL_ARTICLE:
        volume = _italic(work.volume) + (f"({work.issue})" if work.issue else "")
        where = [_listed([_italic(work.container), volume, work.pages])]
    else:
        where = [work.container, work.publisher]
        title = _italic(title)
    parts = [f"{title}{said}", *where] if not by else [by, f"({date})", f"{title}{said}", *where]
    if not by:
        parts.insert(1, f"({date})")
    return _sentences([*parts]) + _link(work)


def _ieee(work: Reference, title: str) -> str:
    by = _ieee_names([_initials_first(n) for n in work.authors])
    if not by and work.editors:
        by = _ieee_names([_initials_first(n) for n in work.editors])
        by += ", Eds." if len(work.editors) > 1 else ", Ed."
    month = _SHORT[work.month - 1] if work.month else ""
    date = " ".join(part for part in (month, str(work.year or "")) if part)
    pages = f"{_pp(work)} {work.pages}" if work.first_page else ""
    volume = f"vol. {work.volume}" if work.volume else ""
    issue = f"no. {work.issue}" if work.issue else ""
    doi = f"doi: {work.doi}." if work.doi else ""
    link = doi or (f"Available: {work.url}" if work.url else "")
    quoted = f"“{title}{'' if title[-1] in '?!.' else ','}”"
    if work.kind in _IN_BOOKS and work.container:
        rest = [f"in {_italic(work.container)}", volume, issue, work.publisher, date, pages]
    elif work.kind == Kind.JOURNAL_ARTICLE:
        rest = [_italic(work.container), volume, issue, pages, date]
    else:
        quoted = _italic(title) if work.kind in _ALONE else quoted
        said = _SPOKEN.get(work.kind, "")
        rest = [work.container, work.publisher, said, volume, issue, date]
    start = f"{by}, {quoted}" if by else quoted
    ending = _listed(rest)
    if not quoted.rstrip(_OFF).endswith("”") and ending:
        start += "," if title[-1] not in "?!." else ""
    text = " ".join(part for part in (start, ending) if part)
    stop = ", " if doi and ending else _stop(text) + " "
    return (text + stop + link).strip() if link else text + _stop(text)


def _chicago(work: Reference, title: str) -> str:
    people, said = work.authors, ""
    if not people and work.editors:
        people, said = work.editors, ", eds" if len(work.editors) > 1 else ", ed"
    by = _chicago_names(people) + (said if people else "")
    date = str(work.year) if work.year else "n.d."
    end = "" if title[-1] in "?!." else "."
    quoted = _italic(title) if work.kind in (Kind.BOOK, Kind.PROCEEDINGS) else f"“{title}{end}”"
    volume = work.volume + (f" ({work.issue})" if work.issue else "")
    if work.kind in _IN_BOOKS and work.container:
        editors = f", edited by {_and([_plain(n) for n in work.editors])}" if work.editors else ""
        editors = "" if said else editors
        container = _italic(work.container)
        where = [_listed([f"In {container}{editors}", _short_pages(work)]), work.publisher]
    elif work.kind == Kind.JOURNAL_ARTICLE:
        pages = f": {_short_pages(work)}" if work.first_page else ""
        where = [" ".join(part for part in (_italic(work.container), volume) if part) + pages]
    else:
        kind = _SPOKEN.get(work.kind, "")
        where = [kind, work.container, work.publisher]
    parts = [by, date, quoted, *where] if by else [quoted, date, *where]
    return _sentences(parts) + _link(work, stop=True)


def _initials(given: str) -> str:
    words = re.split(r"[\s]+", given)
    return " ".join(
        "-".join(f"{part[0]}." for part in word.split("-") if part) for word in words if word
    )


def _initials_last(name: Name) -> str:
    if name.literal:
        return name.literal
    return ", ".join(p for p in (name.family, _initials(name.given), name.suffix) if p)


def _initials_first(name: Name) -> str:
    if name.literal:
        return name.literal
    text = f"{_initials(name.given)} {name.family}".strip()
    return f"{text} {name.suffix}".rstrip()


def _plain(name: Name) -> str:
    return name.literal or " ".join(p for p in (name.given, name.family, name.suffix) if p)


def _apa_names(names: list[str]) -> str:
    if len(names) > 20:
        return f"{', '.join(names[:19])}, … {names[-1]}"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])}, & {names[-1]}"


def _apa_editors(editors: tuple[Name, ...]) -> str:
    names = [_initials_first(n) for n in editors]
    text = f"{', '.join(names[:-1])}{',' if len(names) > 2 else ''} & {names[-1]}"
    return f"{text} (Eds.)" if len(names) > 1 else f"{names[0]} (Ed.)"


def _ieee_names(names: list[str]) -> str:
    if len(names) > 6:
        return f"{names[0]} et al."
    return _and(names)


def _chicago_names(people: tuple[Name, ...]) -> str:
    if not people:
        return ""
    first = people[0]
    names = [first.literal or ", ".join(p for p in (first.family, first.given, first.suffix) if p)]
    names += [_plain(n) for n in people[1:]]
    if len(names) > 10:
        return f"{', '.join(names[:7])}, et al"
    if len(names) == 2:
        return f"{names[0]}, and {names[1]}"
    return _and(names)


def _and(names: list[str]) -> str:
    if len(names) < 3:
        return " and ".join(names)
    return f"{', '.join(names[:-1])}, and {names[-1]}"


def _pp(work: Reference) -> str:
    return "pp." if work.last_page else "p."


def _short_pages(work: Reference) -> str:
    """Return the pages as Chicago shortens them: 243–47, 101–8, 1496–1504."""
    first, last = work.first_page, work.last_page
    if not (first.isdecimal() and last.isdecimal() and len(first) == len(last)):
        return work.pages
    if int(first) < 100 or int(first) % 100 == 0 or int(first) >= int(last):
        return work.pages
    same = next(i for i, (a, b) in enumerate(zip(first, last, strict=True)) if a != b)
    digits = len(last) - same
    if int(first) % 100 >= 10:
        digits = max(digits, 2)
    return f"{first}–{last[-digits:]}"


def _listed(parts: list[str]) -> str:
    return ", ".join(part for part in parts if part)


def _sentences(parts: list[str]) -> str:
    text = ""
    for part in parts:
        if part:
            text += f"{' ' if text else ''}{part}{_stop(part)}"
    return text


def _stop(text: str) -> str:
    text = text.rstrip(_OFF)
    return "" if text.rstrip("”’)")[-1:] in ".?!" and not text.endswith(")") else "."


def _link(work: Reference, *, stop: bool = False) -> str:
    link = f"https://doi.org/{work.doi}" if work.doi else work.url
    return f" {link}{'.' if stop else ''}" if link else ""
