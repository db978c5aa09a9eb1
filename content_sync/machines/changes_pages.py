"""`/changes/`: what the last days changed, as pages, as a feed and as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import orjson

from content_sync.machines.changes import Change
from content_sync.machines.files import Files
from content_sync.machines.records import xml_text
from content_sync.pages.access import ROOT
from content_sync.pages.listings import WORK_COLUMNS, card, pager
from content_sync.pages.maths import without_latex
from content_sync.pages.model import Context
from content_sync.pages.reader import Reader, Row
from content_sync.pages.wording import counted, iso_in_words, time_in_words
from content_sync.urls import page_file, record_url, slug

URL = "/changes/"
FEED = "/changes/changes.atom"
JSON = "/changes/changes.json"
DAYS_SHOWN = 30
PER_PAGE = 150
MOST_OF_A_KIND = 300
"""Changes of one kind and day that are shown one by one; the files of a day hold all."""
_MOST_IN_FEED = 100
_LONGEST = 220

Render = Callable[[str, str, str, Context], bytes]
"""Makes a page of audience, URL, template and context."""

_WORKS = f"SELECT {WORK_COLUMNS} FROM cache.works w WHERE w.id IN :ids AND w.visible > 0"  # noqa: S608
_TITLES = "SELECT id, title, status FROM publications WHERE id IN :ids"
_DELIVERABLES = """
SELECT d.id, d.title, p.id AS project_id, p.title AS project
FROM deliverables d JOIN projects p ON p.id = d.project_id WHERE d.id IN :ids"""

_KINDS = (
    ("publication", "new", "New works", "New"),
    ("publication", "corrected", "Changed works", "Changed"),
    ("publication", "withdrawn", "Withdrawn works", "Withdrawn"),
    ("publication", "gone", "No longer public", "No longer public"),
    ("deliverable", "new", "New deliverables", "New deliverable"),
    ("deliverable", "moved", "Deliverables moved", "Deliverable moved"),
    ("deliverable", "corrected", "Deliverables: state", "Deliverable"),
    ("deliverable", "gone", "Deliverables dropped from the plan", "Deliverable gone"),
)
_LABELS = {
    "due_on": "Due",
    "submitted_on": "Submitted",
    "accepted_on": "Accepted",
    "published_in": "Published in",
    "full_text": "Full text",
    "doi": "DOI",
    "link": "Elsewhere",
    "status_reason": "Reason",
    "status_date": "Date of status",
    "replaced_by": "Replaced by",
}


def write_changes(
    files: Files,
    reader: Reader,
    changes: Sequence[Change],
    render: Render,
    *,
    siteurl: str,
    sitename: str,
    data_time: str,
    built: str,
) -> None:
    """Write the pages for everyone and, where members see more, for them; feed and JSON.

    `data_time` is when the data was read (UTC, ISO 8601) and `built` the date of the build:
    its time of day stands in no page, or the same records would give other bytes.
    """
    times = {
        "data_date": iso_in_words(data_time),
        "data_iso": data_time,
        "data_time": time_in_words(data_time),
        "built": iso_in_words(built),
    }
    for audience in ("public", "members"):
        seen = _last_days([c for c in changes if c.audience in ("public", audience)])
        if audience == "members" and len(seen) == len([c for c in seen if c.audience == "public"]):
            continue
        shown = _Shown(reader, seen, audience)
        days = _days(seen, shown)
        if audience == "public":
            _write_machine_files(files, days, siteurl, sitename, data_time, built)
        for number, pages, some in _cut(days):
            url = URL if number == 1 else f"{URL}{number}/"
            html = render(
                audience,
                url,
                "changes.html",
                times
                | {
                    "title": "What changed" if number == 1 else f"What changed, page {number}",
                    "days": some,
                    "all_days": _jumps(days, audience),
                    "pager": pager(ROOT[audience] + URL, number, pages),
                    "feed": FEED if audience == "public" else "",
                    "json": JSON,
                },
            )
            files.put(f"{audience}/{page_file(url)}", [html], lambda html=html: html)  # type: ignore[misc]
    files.finish("public/changes/", "members/changes/")


class _Shown:
    """What may be said of the records that changed, as they are now."""

    def __init__(self, reader: Reader, changes: Sequence[Change], audience: str) -> None:
        self._audience = audience
        works = sorted({c.id for c in changes if c.type == "publication"})
        least = 2 if audience == "public" else 1
        self._works = {r["id"]: r for r in reader.rows(_WORKS, works) if r["visible"] >= least}
        self._titles = {r["id"]: r for r in reader.rows(_TITLES, works)}
        plan = sorted({c.id for c in changes if c.type == "deliverable"})
        self._deliverables = {r["id"]: r for r in reader.rows(_DELIVERABLES, plan)}

    def entry(self, change: Change) -> Context | None:
        """Return what a page says of a change; None where that says nothing any more."""
        root = ROOT[self._audience]
        entry: Context = {
            "id": change.id,
            "type": change.type,
            "change": change.change,
            "day": change.day,
            "card": "",
            "href": "",
            "title": change.id,
            "project": None,
            "fields": [_field(n, old, new) for n, (old, new) in change.fields.items()],
            "values": change.fields,
        }
        if change.type == "deliverable":
            row = self._deliverables.get(change.id)
            if row is None:
                return entry | {"fields": [], "values": {}} if change.change == "gone" else None
            href = root + record_url("project", row["project_id"])
            return entry | {
                "title": row["title"],
                "href": href,
                "project": {"title": row["project"], "href": href},
            }
        work: Row | None = self._works.get(change.id)
        if change.change in ("new", "corrected"):
            if work is None:
                return None
            return entry | {
                "card": card(work, self._audience),
                "title": without_latex(self._titles[change.id]["title"]),
                "href": record_url("publication", change.id),
            }
        if work is not None:
            return None  # it is back
        row = self._titles.get(change.id)
        if change.change == "withdrawn" and row is not None and row["status"] == "withdrawn":
            # Its page stays and is answered 410.
            return entry | {"title": without_latex(row["title"])}
        return entry | {"change": "gone", "fields": [], "values": {}}


def _last_days(changes: Sequence[Change]) -> list[Change]:
    days = sorted({c.day for c in changes}, reverse=True)[:DAYS_SHOWN]
    return [c for c in changes if c.day in days]


def _days(changes: Sequence[Change], shown: _Shown) -> list[Context]:
    by_day: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_day[change.day].append(change)
    days = []
    for day, some in sorted(by_day.items(), reverse=True):
        groups: list[Context] = []
        for record_type, kind, heading, word in _KINDS:
            of_kind = [c for c in some if (c.type, c.change) == (record_type, kind)]
            entries = [e for c in of_kind[:MOST_OF_A_KIND] if (e := shown.entry(c))]
            more = max(0, len(of_kind) - MOST_OF_A_KIND)
            if entries:
                groups.append(
                    {
                        "heading": heading,
                        "word": word,
                        "n": len(entries) + more,
                        "more": more,
                        "entries": entries,
                    }
                )
        if groups:
            total = sum(int(g["n"]) for g in groups)
            days.append({"day": iso_in_words(day), "n": total, "groups": groups})
    return days


def _cut(days: list[Context]) -> Iterable[tuple[int, int, list[Context]]]:
    """Yield number, count and days of each page: whole groups, about so many entries."""
    pages: list[list[Context]] = [[]]
    room = PER_PAGE
    for day in days:
        for group in day["groups"]:
            size = len(group["entries"])
            if size > room and pages[-1]:
                pages.append([])
                room = PER_PAGE
            here = pages[-1]
            if not here or here[-1]["day"] != day["day"]:
                here.append(day | {"groups": []})
            here[-1]["groups"].append(group)
            day["page"] = day.get("page") or len(pages)
            room -= size
    for number, some in enumerate(pages, 1):
        yield number, len(pages), some


def _jumps(days: list[Context], audience: str) -> list[Context]:
    """Return the days with their numbers of changes, and where they stand."""
    list(_cut(days))
    root = ROOT[audience] + URL
    return [
        {
            "text": day["day"]["text"],
            "n": day["n"],
            "href": (root if day["page"] == 1 else f"{root}{day['page']}/")
            + f"#d{day['day']['iso']}",
        }
        for day in days
    ]


def _field(name: str, old: Any, new: Any) -> Context:
    before, after = _in_words(old), _in_words(new)
    if len(before) > _LONGEST or len(after) > _LONGEST:
        before, after = _around(before, after)
    moved = ""
    if name == "due_on" and old and new:
        days = (date.fromisoformat(new[:10]) - date.fromisoformat(old[:10])).days
        moved = f"{counted(abs(days), 'day')} {'later' if days > 0 else 'earlier'}"
    label = _LABELS.get(name, name.replace("_", " ").capitalize())
    return {"label": label, "old": before, "new": after, "moved": moved}


def _in_words(value: Any) -> str:
    if value in (None, "", []):
        return ""
    if isinstance(value, list):
        return ", ".join(v["name"] if isinstance(v, dict) else str(v) for v in value)
    return str(value)


def _around(old: str, new: str) -> tuple[str, str]:
    """Return long texts from shortly before where they begin to differ."""
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    start = max(0, new.rfind(" ", 0, max(0, same - 40)) + 1)

    def part(text: str) -> str:
        shown = text[start : start + _LONGEST]
        return ("… " if start else "") + shown + (" …" if start + _LONGEST < len(text) else "")

    return part(old), part(new)


def _write_machine_files(
    files: Files, days: list[Context], siteurl: str, sitename: str, data_time: str, built: str
) -> None:
    told = [
        {
            "day": e["day"],
            "type": e["type"],
            "id": e["id"],
            "change": e["change"],
            "title": e["title"] if e["change"] != "gone" else None,
            "url": siteurl + e["href"] if e["href"] else None,
            "fields": e["values"] or None,
        }
        for day in days
        for group in day["groups"]
        for e in group["entries"]
    ]
    document = {
        "data": data_time,
        "built": built,
        "changes": [{k: v for k, v in one.items() if v} for one in told],
    }
    content = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
    files.put(f"public{JSON}", [content], lambda: content)
    if siteurl:
        feed = _feed(days, siteurl, sitename)
        files.put(f"public{FEED}", [feed], lambda: feed)


def _feed(days: list[Context], siteurl: str, sitename: str) -> bytes:
    entries = [
        (group["word"], e) for day in days for group in day["groups"] for e in group["entries"]
    ][:_MOST_IN_FEED]
    updated = entries[0][1]["day"] if entries else "1970-01-01"
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>{xml_text(f'What changed: {sitename}')}</title><id>{xml_text(siteurl + FEED)}</id>"
        f'<link rel="self" type="application/atom+xml" href="{xml_text(siteurl + FEED)}"/>'
        f'<link rel="alternate" type="text/html" href="{xml_text(siteurl + URL)}"/>'
        f"<updated>{updated}T00:00:00Z</updated><author><name>{xml_text(sitename)}</name></author>"
    ]
    for word, e in entries:
        name = f"{e['day']}-{e['type']}-{slug(e['id'])}"
        link = siteurl + (e["href"] or URL)
        what = "; ".join(_sentence(f) for f in e["fields"])
        summary = f"<summary>{xml_text(what)}</summary>" if what else ""
        lines.append(
            f"<entry><title>{xml_text(f'{word}: ' + str(e['title']))}</title>"
            f"<id>{xml_text(f'{siteurl}{URL}#{name}')}</id>"
            f'<link rel="alternate" type="text/html" href="{xml_text(link)}"/>'
            f"<updated>{e['day']}T00:00:00Z</updated>{summary}</entry>"
        )
    return ("\n".join([*lines, "</feed>"]) + "\n").encode()


def _sentence(field: Context) -> str:
    moved = f" ({field['moved']})" if field["moved"] else ""
    return f"{field['label']}: {field['old'] or 'nothing'} → {field['new'] or 'nothing'}{moved}"
