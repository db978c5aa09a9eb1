"""What the listing of one year's works shows."""

from __future__ import annotations

from collections.abc import Iterator

from content_sync.pages.access import ROOT
from content_sync.pages.listings import WORK_COLUMNS, by_month, paged_pages
from content_sync.pages.model import Context, Made
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import counted

_WORKS = f"""
SELECT {WORK_COLUMNS} FROM cache.works w WHERE w.year = ? AND w.visible > 0
ORDER BY substr(w.date, 1, 7) DESC, w.venue_id, w.in_print, w.id"""  # noqa: S608


def make_years(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the pages of each year; `undated` holds the works without one."""
    for year in ids:
        works = reader.connection.execute(
            _WORKS, (0 if year == "undated" else int(year),)
        ).fetchall()
        heading = "Publications without a date" if year == "undated" else f"Publications of {year}"

        def context(audience: str, shown: list[Row], heading: str = heading) -> Context:
            return {
                "kind": "Year",
                "heading": heading,
                "long": "",
                "lead": counted(len(shown), "work"),
                "tools": [
                    {
                        "label": "",
                        "links": [
                            {
                                "text": "All years",
                                "href": f"{ROOT[audience]}/publications/",
                                "current": False,
                            }
                        ],
                    }
                ],
                "facts": [],
            }

        pages = paged_pages(
            reader,
            works,
            url=f"/years/{year}/",
            section="publications",
            record=f"year:{year}",
            title=heading,
            context=context,
            groups=by_month,
            order="by month",
        )
        yield year, Made(pages=list(pages))
