"""Lists of works: ordered, grouped, cut into pages, for each audience."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from markupsafe import Markup

from content_sync.pages.access import AUDIENCES, ROOT
from content_sync.pages.compiled import as_markup
from content_sync.pages.model import Context, Page
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import MONTHS, counted

PER_PAGE = 100
"""Works on one page of a listing."""

NEWEST = 50
"""Works on an overview page that leads to full listings."""

LEAST_TO_ORDER = 20
"""Works from which on a listing can be had by title too."""

BY_TITLE = "by-title"
"""Where the pages of a listing by title stand below its own."""

WORK_COLUMNS = (
    "w.id, w.year, w.date, w.venue_id, w.in_print, w.visible, w.public, w.members, w.sort_title"
)
"""What a statement must select of cache.works for its rows to be listed."""

NEWEST_FIRST = "w.year = 0, w.year DESC, w.date DESC, w.in_print, w.id"
"""Undated works come last."""

_MONTHS_KNOWN = 7  # length of 2019-07


def works_for(rows: Iterable[Row], audience: str) -> list[Row]:
    """Return the works that this audience sees."""
    least = 2 if audience == "public" else 1
    return [row for row in rows if row["visible"] >= least]


def members_see_more(rows: Iterable[Row]) -> bool:
    """Tell whether a list of these works is another list for members."""
    return any(row["visible"] == 1 or row["members"] is not None for row in rows)


def card(row: Row, audience: str) -> Markup:
    """Return the finished list item of a work."""
    html = row["public"]
    if audience == "members" and row["members"] is not None:
        html = row["members"]
    return as_markup(html)  # rendered and escaped by the template of list items


def by_year(rows: Sequence[Row], audience: str) -> list[Context]:
    """Return one group for each year."""
    return _grouped(rows, audience, lambda row: str(row["year"] or "No date"), "y")


def by_month(rows: Sequence[Row], audience: str) -> list[Context]:
    """Return one group for each month, the latest first."""

    def month(row: Row) -> str:
        known = len(row["date"]) >= _MONTHS_KNOWN
        return MONTHS[int(row["date"][5:7]) - 1] if known else "Month not known"

    return _grouped(rows, audience, month, "m")


def by_container(rows: Sequence[Row], audience: str) -> list[Context]:
    """Return one group for each proceedings, book or issue."""
    return _grouped(rows, audience, lambda row: row["in_print"].partition("\t")[0], "p")


def by_letter(rows: Sequence[Row], audience: str) -> list[Context]:
    """Return one group for each first letter of titles."""

    def letter(row: Row) -> str:
        first = row["sort_title"][:1]
        return first.upper() if "a" <= first <= "z" else "Other"

    return _grouped(rows, audience, letter, "t")


def ungrouped(rows: Sequence[Row], audience: str) -> list[Context]:
    """Return the works as one group without a heading."""
    return _grouped(rows, audience, lambda row: "", "w")


def _grouped(
    rows: Sequence[Row], audience: str, heading: Callable[[Row], str], prefix: str
) -> list[Context]:
    groups: list[Context] = []
    for text, members in groupby(rows, heading):
        cards = [card(row, audience) for row in members]
        groups.append(
            {"heading": text, "n": len(cards), "id": f"{prefix}{len(groups) + 1}", "cards": cards}
        )
    return groups


def counts_by_year(rows: Sequence[Row], base: str) -> list[Context]:
    """Return each year with its number of works and its listing below the path `base`."""
    counts: dict[int, int] = {}
    for row in rows:
        counts[row["year"]] = counts.get(row["year"], 0) + 1
    return [
        {
            "year": str(year) if year else "No date",
            "n": n,
            "href": f"{base}{year or 'undated'}/",
        }
        for year, n in sorted(counts.items(), key=lambda item: (item[0] == 0, -item[0]))
    ]


def paged_pages(
    reader: Reader,
    rows: Sequence[Row],
    *,
    url: str,
    section: str,
    record: str,
    title: str,
    context: Callable[[str, list[Row]], Context],
    groups: Callable[[Sequence[Row], str], list[Context]],
    template: str = "listing.html",
    order: str,
    empty: bool = False,
    more_for_members: bool = False,
) -> Iterator[Page]:
    """Yield the pages of one listing for each audience, in its own order and by title.

    `context(audience, works)` gives what stands on every page of it beside the list; `order`
    is what the list's own order is called. With `empty` the first page is made although there
    is no work to list.
    """
    for audience in AUDIENCES:
        works = works_for(rows, audience)
        if audience == "members" and not (more_for_members or members_see_more(rows)):
            continue
        if not works and not empty:
            continue
        common = context(audience, works)
        orders = [(url, order, title, works, groups)]
        if len(works) >= LEAST_TO_ORDER and reader.makes("orders"):
            ordered = sorted(works, key=lambda row: (row["sort_title"], row["id"]))
            orders.append(
                (f"{url}{BY_TITLE}/", "by title", f"{title}, by title", ordered, by_letter)
            )
        pages = max(1, -(-len(works) // PER_PAGE))
        for base, _, name, listed, grouped in orders:
            tools = [*common.get("tools", ()), *_orders(orders, base, ROOT[audience])]
            for number in range(1, pages + 1):
                shown = listed[(number - 1) * PER_PAGE : number * PER_PAGE]
                yield Page(
                    url=base if number == 1 else f"{base}{number}/",
                    audience=audience,
                    template=template,
                    context={
                        "section": section,
                        "title": name if number == 1 else f"{name}, page {number}",
                        "description": f"{title}: {counted(len(works), 'work')}",
                        # One order is enough for search engines.
                        "noindex": base != url,
                        **common,
                        "tools": tools,
                        "same_venue": common.get("same_venue", False) and base == url,
                        "groups": grouped(shown, audience),
                        "pager": pager(ROOT[audience] + base, number, pages),
                    },
                    records=(record, *(f"publication:{row['id']}" for row in shown)),
                )


_Order = tuple[str, str, str, Sequence[Row], Callable[[Sequence[Row], str], list[Context]]]


def _orders(orders: Sequence[_Order], current: str, root: str) -> list[Context]:
    """Return the links from one order of a listing to the other."""
    if len(orders) == 1:
        return []
    links = [
        {"text": order, "href": root + url, "current": url == current}
        for url, order, _, _, _ in orders
    ]
    return [{"label": "Order", "links": links}]


def pager(url: str, number: int, pages: int, *, between: str = "") -> Context | None:
    """Return the links from one page of a listing to the others, None for a single page.

    Page 1 stands at `url`, page 2 at `url` + `between` + `2/`.
    """
    if pages == 1:
        return None

    def href(n: int) -> str:
        return url if n == 1 else f"{url}{between}{n}/"

    near = {1, 2, number - 1, number, number + 1, pages - 1, pages}
    links: list[Context] = []
    last = 0
    for n in sorted(n for n in near if 1 <= n <= pages):
        if n > last + 1:
            links.append({"text": "…", "href": "", "current": False})
        links.append({"text": str(n), "href": href(n), "current": n == number})
        last = n
    return {
        "page": number,
        "pages": pages,
        "prev": href(number - 1) if number > 1 else "",
        "next": href(number + 1) if number < pages else "",
        "links": links,
    }
