"""What both servers show alike: words of a page that are not in the database."""

from __future__ import annotations

NAV = (
    ("/publications/", "Publications"),
    ("/topics/", "Topics"),
    ("/projects/", "Projects"),
    ("/people/", "People"),
    ("/events/", "Events"),
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def printed_date(year: int | None, month: int | None, day: int | None) -> dict[str, str] | None:
    """Return a date as it is printed and as machines read it, as exact as it is known."""
    if year is None:
        return None
    if month is None:
        return {"iso": f"{year}", "text": f"{year}"}
    if day is None:
        return {"iso": f"{year}-{month:02}", "text": f"{MONTHS[month - 1]} {year}"}
    return {"iso": f"{year}-{month:02}-{day:02}", "text": f"{day} {MONTHS[month - 1]} {year}"}


def reference(
    authors: list[str], year: int | None, title: str, place: str, pages: str | None
) -> str:
    """Return a reference in plain words, as the page gives it to copy."""
    names = authors[:20]
    by = ", ".join(names[:-1]) + f" & {names[-1]}" if len(names) > 1 else "".join(names)
    where = f" {place}" + (f", {pages}" if pages else "") + "." if place else ""
    return f"{by} ({year or 'n.d.'}). {title}.{where}"
