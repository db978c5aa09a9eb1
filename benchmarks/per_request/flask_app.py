"""Flask at its leanest: hand-written SQL on a kept connection, Jinja, one view.

NIGHTPRESS_PEER_DATABASE=acl.sqlite waitress-serve benchmarks.per_request.flask_app:app
"""

from __future__ import annotations

import os
import sqlite3
import threading
from itertools import groupby
from typing import Any

from flask import Flask, abort, render_template

from benchmarks.bench_site import SITENAME
from benchmarks.per_request.words import NAV, printed_date, reference
from content_sync.urls import slug

app = Flask(__name__)
_local = threading.local()


@app.get("/publications/<record_id>/")
def publication(record_id: str) -> str:
    """Answer with the page of one publication."""
    row = _rows(
        "SELECT p.*, v.name AS venue_name FROM publications p"
        " LEFT JOIN venues v ON v.id = p.venue_id WHERE p.id = ?",
        record_id,
    )
    if not row:
        abort(404)
    authors = _rows(
        "SELECT person_id, name, affiliation FROM publication_people"
        " WHERE publication_id = ? AND role = 'author' ORDER BY position",
        record_id,
    )
    topics = _rows(
        "SELECT t.id, t.name FROM publication_topics pt JOIN topics t ON t.id = pt.topic_id"
        " WHERE pt.publication_id = ? ORDER BY t.name",
        record_id,
    )
    projects = _rows(
        "SELECT p.id, p.title FROM project_publications pp JOIN projects p ON p.id = pp.project_id"
        " WHERE pp.publication_id = ? AND p.access = 'public' ORDER BY p.title",
        record_id,
    )
    return render_template("publication.html", **_context(row[0], authors, topics, projects))


def _context(
    p: sqlite3.Row,
    authors: list[sqlite3.Row],
    topics: list[sqlite3.Row],
    projects: list[sqlite3.Row],
) -> dict[str, Any]:
    place = p["published_in"] or p["venue_name"] or p["publisher"] or ""
    by_place = sorted((a for a in authors if a["affiliation"]), key=lambda a: str(a["affiliation"]))
    url = p["url"]
    return {
        "sitename": SITENAME,
        "nav": [{"url": address, "title": title} for address, title in NAV],
        "id": p["id"],
        "kind": (p["kind"] or "publication").capitalize(),
        "title": p["title"],
        "description": (p["abstract"] or "")[:160],
        "meta": [
            {"name": "citation_title", "content": p["title"]},
            *({"name": "citation_author", "content": a["name"]} for a in authors),
            {"name": "citation_publication_date", "content": p["year"] or ""},
        ],
        "authors": [
            {
                "name": a["name"],
                "href": f"/people/{slug(a['person_id'])}/" if a["person_id"] else "",
                "comma": ", " if i < len(authors) else "",
            }
            for i, a in enumerate(authors, 1)
        ],
        "affiliations": [
            {"name": name, "people": ", ".join(a["name"] for a in group)}
            for name, group in groupby(by_place, key=lambda a: a["affiliation"])
        ],
        "place": place,
        "venue": {
            "href": f"/venues/{slug(p['venue_id'])}/",
            "year_href": f"/venues/{slug(p['venue_id'])}/{p['year']}/",
        }
        if p["venue_id"]
        else None,
        "volume": p["volume"],
        "issue": p["issue"],
        "pages": p["pages"],
        "publisher": p["publisher"],
        "date": printed_date(p["year"], p["month"], p["day"]),
        "doi": p["doi"],
        "url": url,
        "host": url.split("/")[2] if url and url.count("/") > 1 else url,
        "abstract": [part for part in (p["abstract"] or "").split("\n\n") if part],
        "topics": [
            {
                "href": f"/topics/{slug(t['id'])}/",
                "name": t["name"],
                "comma": ", " if i < len(topics) else "",
            }
            for i, t in enumerate(topics, 1)
        ],
        "projects": [{"href": f"/projects/{slug(x['id'])}/", "name": x["title"]} for x in projects],
        "cite": reference([a["name"] for a in authors], p["year"], p["title"], place, p["pages"]),
    }


def _rows(sql: str, *values: str) -> list[sqlite3.Row]:
    connection = getattr(_local, "connection", None)
    if connection is None:
        connection = sqlite3.connect(os.environ["NIGHTPRESS_PEER_DATABASE"])
        connection.row_factory = sqlite3.Row
        _local.connection = connection
    found: list[sqlite3.Row] = connection.execute(sql, values).fetchall()
    return found
