"""What a topic's page shows: its place in the tree and the works on it and below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from content_sync.machines.feeds import feed_url
from content_sync.pages.access import ROOT
from content_sync.pages.charts import years_chart
from content_sync.pages.listings import (
    NEWEST_FIRST,
    WORK_COLUMNS,
    by_year,
    paged_pages,
)
from content_sync.pages.model import Context, Made
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import counted
from content_sync.urls import record_url

# UNION and not UNION ALL, so that a circle of parents ends.
_BELOW = """
WITH RECURSIVE below (id) AS (
    SELECT ? UNION SELECT t.id FROM topics t JOIN below b ON t.parent_id = b.id
)"""

_WORKS = f"""{_BELOW}
SELECT {WORK_COLUMNS} FROM cache.works w
WHERE w.visible > 0 AND w.id IN (
    SELECT pt.publication_id FROM publication_topics pt JOIN below b ON b.id = pt.topic_id
) ORDER BY {NEWEST_FIRST}"""  # noqa: S608

_COUNT = f"""{_BELOW}
SELECT count(DISTINCT CASE WHEN w.visible = 2 THEN w.id END), count(DISTINCT w.id)
FROM below b JOIN publication_topics pt ON pt.topic_id = b.id
JOIN cache.works w ON w.id = pt.publication_id AND w.visible > 0"""  # noqa: S608

_CHILDREN = "SELECT id, name FROM topics WHERE parent_id = ? ORDER BY name, id"

_TOPICS = "SELECT * FROM topics t WHERE t.id IN :ids ORDER BY t.id"


def works_below(reader: Reader, topic_id: str) -> tuple[int, int]:
    """Return how many works on a topic and below it the public and the members see."""
    row = reader.connection.execute(_COUNT, (topic_id,)).fetchone()
    return row[0], row[1]


def make_topics(reader: Reader, ids: list[str]) -> Iterator[tuple[str, Made]]:
    """Yield the pages and the document of each topic."""
    for row in reader.rows(_TOPICS, ids):
        works = reader.connection.execute(_WORKS, (row["id"],)).fetchall()
        children = reader.connection.execute(_CHILDREN, (row["id"],)).fetchall()
        counts = {child["id"]: works_below(reader, child["id"]) for child in children}
        url = record_url("topic", row["id"])

        def context(
            audience: str,
            shown: list[Row],
            row: Row = row,
            children: list[Row] = children,
            counts: dict[str, tuple[int, int]] = counts,
        ) -> Context:
            root = ROOT[audience]
            return {
                "topic": {"name": row["name"], "path": _path(reader, row, root)},
                "children": [
                    {
                        "name": child["name"],
                        "href": root + record_url("topic", child["id"]),
                        "n": counts[child["id"]][0 if audience == "public" else 1],
                    }
                    for child in children
                ],
                "lead": counted(len(shown), "work"),
                "chart": years_chart(sorted(Counter(w["year"] for w in shown).items()))
                if reader.makes("charts")
                else None,
                "feed": feed_url("topic", row["id"]) if audience == "public" and shown else "",
            }

        made = Made(
            pages=list(
                paged_pages(
                    reader,
                    works,
                    url=url,
                    section="topics",
                    record=f"topic:{row['id']}",
                    title=row["name"],
                    context=context,
                    groups=by_year,
                    order="newest first",
                    template="topic.html",
                    empty=True,
                )
            )
        )
        made.documents.append(
            (
                "public",
                {
                    "id": f"topic:{row['id']}",
                    "type": "topic",
                    "url": url,
                    "title": row["name"],
                    "access": "public",
                    "status": "current",
                },
            )
        )
        yield row["id"], made


def _path(reader: Reader, row: Row, root: str) -> list[Context]:
    """Return the topics above, from the top of the tree down."""
    path: list[Context] = []
    seen = {row["id"]}
    parent = row["parent_id"]
    while parent and parent not in seen:
        seen.add(parent)
        above = reader.connection.execute(
            "SELECT id, name, parent_id FROM topics WHERE id = ?", (parent,)
        ).fetchone()
        if above is None:
            break
        path.insert(0, {"name": above["name"], "href": root + record_url("topic", above["id"])})
        parent = above["parent_id"]
    return path
