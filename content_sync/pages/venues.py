"""What the pages of venues and of their years show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from content_sync.citations.lists import export_files, export_links
from content_sync.machines.feeds import feed_url
from content_sync.pages.access import AUDIENCES, ROOT
from content_sync.pages.listings import (
    NEWEST,
    NEWEST_FIRST,
    WORK_COLUMNS,
    by_container,
    by_year,
    counts_by_year,
    members_see_more,
    paged_pages,
    works_for,
)
from content_sync.pages.model import Context, Made, Page
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import counted, title_length
from content_sync.urls import record_url, slug

_VENUES = "SELECT * FROM venues v WHERE v.id IN :ids ORDER BY v.id"

_WORKS = f"""
SELECT w.venue_id, {WORK_COLUMNS} FROM cache.works w
WHERE w.venue_id IN :ids AND w.visible > 0 ORDER BY {NEWEST_FIRST}"""  # noqa: S608

_WORKS_OF_YEAR = f"""
SELECT {WORK_COLUMNS} FROM cache.works w
WHERE w.venue_id = ? AND w.year = ? AND w.visible > 0 ORDER BY w.in_print, w.id"""  # noqa: S608


def make_venues(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield each venue's overview: its years, and all works or the newest."""
    works = reader.grouped(_WORKS, ids)
    for row in reader.rows(_VENUES, ids):
        made = Made()
        url = record_url("venue", row["id"])
        for audience in AUDIENCES:
            if audience == "public" or members_see_more(works[row["id"]]):
                made.pages.append(
                    _overview(row, url, audience, works_for(works[row["id"]], audience))
                )
        made.documents.append(
            (
                "public",
                {
                    "id": f"venue:{row['id']}",
                    "type": "venue",
                    "url": url,
                    "title": row["name"],
                    "names": [row["short_name"]] if row["short_name"] else [],
                    "access": "public",
                    "status": "current",
                },
            )
        )
        yield row["id"], made


def _overview(row: Row, url: str, audience: str, works: list[Row]) -> Page:
    root = ROOT[audience]
    shown = works if len(works) <= NEWEST else works[:NEWEST]
    lead = counted(len(works), "work")
    if len(shown) < len(works):
        lead += f", here the newest {len(shown)}"
    return Page(
        url=url,
        audience=audience,
        template="venue.html",
        context={
            "section": "publications",
            "title": row["name"],
            "description": f"{row['name']}: {counted(len(works), 'work')}",
            "noindex": False,
            "feed": feed_url("venue", row["id"]) if audience == "public" and works else "",
            "venue": {
                "name": row["name"],
                "long": title_length(row["name"]),
                "short_name": row["short_name"],
                "issn": row["issn"],
                "url": row["url"],
            },
            "lead": lead,
            "years": counts_by_year(works, root + url),
            "groups": by_year(shown, audience),
        },
        records=(f"venue:{row['id']}", *(f"publication:{w['id']}" for w in shown)),
    )


def make_venue_years(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the listing of one venue's works of one year; ids are `venue/2019`."""
    for one in ids:
        venue_id, _, year = one.rpartition("/")
        rows = reader.rows(_VENUES, [venue_id])
        if not rows:
            yield one, Made()
            continue
        works = reader.connection.execute(
            _WORKS_OF_YEAR, (venue_id, 0 if year == "undated" else int(year))
        ).fetchall()
        yield (
            one,
            Made(
                pages=list(_listing(reader, rows[0], year, works)),
                files=export_files(reader, works, _exports(venue_id, year), f"venue:{venue_id}"),
            ),
        )


def _exports(venue_id: str, year: str) -> str:
    return f"venues/{slug(venue_id)}/{year}"


def _listing(reader: Reader, venue: Row, year: str, works: Sequence[Row]) -> Iterator[Page]:
    base = record_url("venue", venue["id"])
    when = "no date" if year == "undated" else year
    heading = f"{venue['name']} {when}" if when == year else f"{venue['name']}, {when}"

    def context(audience: str, shown: list[Row]) -> Context:
        root = ROOT[audience]
        return {
            "kind": venue["short_name"] or "Venue",
            "heading": heading,
            "long": title_length(heading),
            "lead": counted(len(shown), "work"),
            "same_venue": True,
            "exports": export_links(reader, works, audience, _exports(venue["id"], year)),
            "tools": [
                {
                    "label": "",
                    "links": [
                        {"text": "All years", "href": root + base, "current": False},
                        {
                            "text": f"All of {when}" if when == year else "All without date",
                            "href": f"{root}/years/{year}/",
                            "current": False,
                        },
                    ],
                }
            ],
            "facts": [],
        }

    return paged_pages(
        reader,
        works,
        url=f"{base}{year}/",
        section="publications",
        record=f"venue:{venue['id']}",
        title=heading,
        context=context,
        groups=by_container,
        order="as printed",
    )
