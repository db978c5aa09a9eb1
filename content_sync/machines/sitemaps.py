"""The sitemap index, sitemaps of at most 50,000 pages each, and robots.txt."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import repeat
from urllib.parse import quote

from content_sync.machines.catalogue import Catalogue
from content_sync.machines.files import Files
from content_sync.machines.records import xml_text
from content_sync.pages.listings import BY_TITLE
from content_sync.release.addresses import GONE, url_of
from content_sync.release.stage import Stage

MOST_URLS = 50_000
_LEFT_OUT = frozenset({"/404.html", "/search/", "/google.html"})
_PLAIN = re.compile(r"[A-Za-z0-9/._-]*")
_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def write_sitemaps(
    files: Files, stage: Stage, catalogue: Catalogue, *, siteurl: str, gone: Iterable[str]
) -> None:
    """Write the sitemaps of all public pages, `gone` ones apart, and what names them.

    A page's lastmod is the day on which the newest of the works that it shows came to be as it
    is; a page that shows none has no lastmod.
    """
    left_out = _LEFT_OUT | set(gone)
    base = xml_text(siteurl)
    by_part: dict[str, list[str]] = defaultdict(list)
    newest: dict[str, str] = defaultdict(str)
    days = {f"publication:{s.id}": s.day for s in catalogue.stamps.values() if not s.deleted}
    day_of = days.get
    for path, records in stage.pages("public/"):
        if records.startswith(GONE):
            continue
        url = url_of(path)
        if url in left_out or f"/{BY_TITLE}/" in url:
            continue
        own, more, others = records.partition("\n")
        day = days.get(own, "")
        # A publication's own page names other works too, which do not make it newer.
        if more and not (own.startswith("publication:") and url.startswith("/publications/")):
            day = max(day, *map(day_of, others.split("\n"), repeat("")))
        part = url.split("/", 2)[1] if url.count("/") > 2 else "pages"
        lines = by_part[part]
        lastmod = f"<lastmod>{day}</lastmod>" if day else ""
        address = base + (url if _PLAIN.fullmatch(url) else xml_text(quote(url)))
        name = f"{part}-{len(lines) // MOST_URLS + 1}"
        lines.append(f"<url><loc>{address}</loc>{lastmod}</url>\n")
        if day > newest[name]:
            newest[name] = day
    index = []
    for part, lines in sorted(by_part.items()):
        for start in range(0, len(lines), MOST_URLS):
            name = f"{part}-{start // MOST_URLS + 1}"
            body = "".join(lines[start : start + MOST_URLS])
            text = (
                f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {_NAMESPACE}>\n{body}</urlset>\n'
            )
            files.put(f"public/sitemaps/{name}.xml", [text], text.encode)
            lastmod = f"<lastmod>{newest[name]}</lastmod>" if newest[name] else ""
            address = xml_text(f"{siteurl}/sitemaps/{name}.xml")
            index.append(f"<sitemap><loc>{address}</loc>{lastmod}</sitemap>\n")
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex {_NAMESPACE}>\n'
        f"{''.join(index)}</sitemapindex>\n"
    )
    files.put("public/sitemap.xml", [text], text.encode)


def robots(siteurl: str) -> str:
    """Return robots.txt: what needs a sign-in is not for crawlers, the rest is."""
    closed = ("/members/", "/staff/", "/services/", "/signin/", "/signout/", "/live/", "/cvs/")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    if siteurl:
        lines += ["", f"Sitemap: {siteurl}/sitemap.xml"]
    return "\n".join(lines) + "\n"
