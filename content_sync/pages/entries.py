"""Pages that the site has beside its records': how they look, and lists of all of one kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from content_sync.pages.access import AUDIENCES, ROOT, visible
from content_sync.pages.listings import NEWEST_FIRST, WORK_COLUMNS, pager
from content_sync.pages.model import Context, Page
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import counted

ENTRIES_PER_PAGE = 200


def count(reader: Reader, sql: str, *values: Any) -> int:
    """Return the number that a statement counts."""
    return int(reader.connection.execute(sql, values).fetchone()[0])


def members_have_works(reader: Reader) -> bool:
    """Tell whether members see other works than everyone."""
    return bool(
        count(
            reader,
            "SELECT EXISTS (SELECT 1 FROM cache.works WHERE visible = 1 OR members IS NOT NULL)",
        )
    )


def newest_works(reader: Reader, n: int) -> list[Row]:
    """Return the newest works for the public and the newest for members, in one order."""
    sql = f"SELECT {WORK_COLUMNS} FROM cache.works w WHERE w.visible >= ? "  # noqa: S608
    order = f"ORDER BY {NEWEST_FIRST} LIMIT ?"
    public = reader.connection.execute(sql + order, (2, n)).fetchall()
    everyone = reader.connection.execute(sql + order, (1, n)).fetchall()
    seen = {w["id"] for w in everyone}
    return everyone + [w for w in public if w["id"] not in seen]


def audiences_for(members_too: bool) -> tuple[str, ...]:
    """Return whom a page is made for; members have their own only where it is another."""
    return AUDIENCES if members_too else AUDIENCES[:1]


def own_page(
    url: str, audience: str, template: str, context: Context, records: Sequence[str] = ()
) -> Page:
    """Return a page of the site's own."""
    base = {"noindex": False, "description": "", "section": ""}
    return Page(
        url=url,
        audience=audience,
        template=template,
        context=base | context,
        records=tuple(records),
    )


def group_of(heading: str, group_id: str, entries: list[Context]) -> Context:
    """Return entries under one heading."""
    return {"heading": heading, "n": len(entries), "id": group_id, "entries": entries}


def entries_page(
    url: str,
    audience: str,
    *,
    section: str,
    heading: str,
    lead: str,
    groups: list[Context],
    columns: int | str = 1,
    tools: Sequence[tuple[str, str]] = (),
    pages: Context | None = None,
    title: str = "",
    names: str = "",
    records: Sequence[str] = (),
) -> Page:
    """Return a page of groups of entries: a name that leads somewhere, with a note or a number."""
    links = [
        {"text": text, "href": ROOT[audience] + href, "current": False} for text, href in tools
    ]
    return own_page(
        url,
        audience,
        "entries.html",
        {
            "section": section,
            "title": title or heading,
            "kind": "",
            "heading": heading,
            "lead": lead,
            "tools": [{"label": "", "links": links}] if links else [],
            "groups": groups,
            "pager": pages,
            "columns": columns,
            "names": names,
        },
        records,
    )


def listing(
    rows: list[Row],
    url: str,
    section: str,
    heading: str,
    record_type: str,
    *,
    heading_of: Callable[[Row], str],
    entry_of: Callable[[Row, str], Context],
    href_of: Callable[[Row], str] = lambda row: "",
    tools: Sequence[tuple[str, str]] = (),
    columns: int = 1,
) -> Iterator[Page]:
    """Yield the pages that list all records of one type, grouped under headings."""
    if not rows:
        return
    for audience in audiences_for(any(r["access"] != "public" for r in rows)):
        root = ROOT[audience]
        seen = [r for r in rows if visible(r["access"], audience)]
        pages = max(1, -(-len(seen) // ENTRIES_PER_PAGE))
        for number in range(1, pages + 1):
            shown = seen[(number - 1) * ENTRIES_PER_PAGE : number * ENTRIES_PER_PAGE]
            groups: list[Context] = []
            for text, group in groupby(shown, heading_of):
                members = list(group)
                entries = [entry_of(r, root) for r in members]
                made = group_of(text, f"g{len(groups) + 1}", entries)
                if href := href_of(members[0]):
                    made["href"] = root + href
                groups.append(made)
            yield entries_page(
                url if number == 1 else f"{url}page/{number}/",
                audience,
                section=section,
                heading=heading,
                title=heading if number == 1 else f"{heading}, page {number}",
                lead=counted(len(seen), record_type),
                groups=groups,
                columns=columns,
                tools=tools,
                pages=pager(root + url, number, pages, between="page/"),
                records=[f"{record_type}:{r['id']}" for r in shown],
            )
