"""Proceedings: one PDF (WeasyPrint) or EPUB (pandoc) of an event or a theme."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from content_sync.errors import NightpressError
from content_sync.pages.access import effective, visible
from content_sync.pages.build import today_in
from content_sync.pages.maths import with_mathml, without_latex
from content_sync.pages.reader import Reader, Row, open_reader
from content_sync.pages.wording import date_in_words, moment_in_words, paragraphs, span_in_words
from content_sync.records import Status
from content_sync.settings import Settings
from content_sync.site_defaults import THEME
from content_sync.urls import name_slug, record_url, slug

_WORKS = """
SELECT p.*, v.name AS venue_name FROM publications p LEFT JOIN venues v ON v.id = p.venue_id
WHERE p.id IN :ids ORDER BY p.title COLLATE NOCASE, p.id"""
_FONTS = Path(THEME) / "static" / "fonts"
_OWN = "https://fonts.invalid/"
_SHOWN = 5

_STYLE = """
@font-face { font-family: Press; font-style: normal; src: url(press-serif-latin.woff2); }
@font-face { font-family: "Press more"; font-style: normal; src: url(press-serif-latin-ext.woff2); }
@font-face { font-family: Slanted; font-style: italic; src: url(press-serif-italic-latin.woff2); }
@font-face { font-family: "Slanted more"; font-style: italic;
  src: url(press-serif-italic-latin-ext.woff2); }
@page { size: A4; margin: 24mm 22mm 26mm;
  @bottom-center { content: counter(page); font: 9pt Press, serif; } }
@page :first { @bottom-center { content: none } }
html { font: 10.5pt/1.45 Press, "Press more", Georgia, "DejaVu Serif", serif; }
h1 { font-size: 26pt; line-height: 1.15; margin: 60mm 0 6mm; font-weight: 400; }
h2 { font-size: 15pt; break-before: page; margin: 0 0 5mm; font-weight: 400; }
h3 { font-size: 12.5pt; line-height: 1.25; margin: 9mm 0 1.5mm; font-weight: 600;
  break-after: avoid; }
p { margin: 0 0 2mm; hyphens: auto; text-align: justify; orphans: 3; widows: 3; }
.by, .where, .toc p, .agenda p { text-align: left; hyphens: manual; }
.by, mi { font-family: Slanted, "Slanted more", "DejaVu Serif", serif; font-style: italic; }
.where { font-size: 9pt; } .mark { font-weight: 700; }
a { color: inherit; text-decoration: none; }
.toc a::after { content: leader(". ") target-counter(attr(href), page); }
.agenda h4 { margin: 5mm 0 .5mm; font-size: 11pt; font-weight: 600; break-after: avoid; }
"""

# WeasyPrint takes the elements of MathML for words in a row: ten to the fifth would read 105.
_MATHS_STYLE = """
msup > :nth-child(2), msubsup > :nth-child(3), mover > :nth-child(2), munderover > :nth-child(3)
  { vertical-align: super; font-size: 72%; line-height: 0; }
msub > :nth-child(2), msubsup > :nth-child(2), munder > :nth-child(2), munderover > :nth-child(2)
  { vertical-align: sub; font-size: 72%; line-height: 0; }
mfrac > :first-child::after { content: "\\2215"; }
mfrac > mrow::before, msqrt::before, mroot > :first-child::before { content: "("; }
mfrac > mrow::after, msqrt::after, mroot > :first-child::after { content: ")"; }
mfrac > mrow:first-child::after { content: ")\\2215"; }
msqrt::before { content: "\\221A("; }
mroot::before { content: "\\221A"; }
mroot > :nth-child(2) { vertical-align: super; font-size: 72%; line-height: 0; }
mtd + mtd::before { content: " "; }
mtr + mtr::before { content: "; "; }
"""

_EPUB_STYLE = "h1, h2, h3 { line-height: 1.2 } p { margin: 0 0 .5em } .by { font-style: italic }"


@dataclass
class _Session:
    title: str
    when: str
    place: str
    speakers: list[str]
    works: list[str] = field(default_factory=list)


@dataclass
class _Volume:
    title: str
    lead: str
    text: list[str]
    sessions: list[_Session]
    works: list[str]


def make_proceedings(settings: Settings, name: str, output: Path, *, members: bool = False) -> int:
    """Write the proceedings of an event or a theme; return how many works are in them.

    An event is named by its id, a theme by its name, and both by the last part of their address.

    Raises NightpressError when there is no such event or theme, when it has no works, and when
    the program is missing that makes such a file.
    """
    ending = output.suffix.lower()
    if ending not in (".pdf", ".epub"):
        raise NightpressError(f"{output} is neither .pdf nor .epub.", hint="Name it so.")
    cache = settings.var / "cache.sqlite"
    if not (settings.snapshot.is_file() and cache.is_file()):
        raise NightpressError(
            "There are no records yet.", hint="Run 'nightpress nightly' once before."
        )
    today = today_in(settings.timezone).isoformat()
    reader = open_reader(settings.snapshot, cache, today)
    try:
        audience = "members" if members else "public"
        volume = _event(reader, name, audience) or _theme(reader, name, audience)
        if volume is None:
            raise NightpressError(
                f"There is no event and no theme {name!r}.", hint=_what_there_is(reader, audience)
            )
        works = _works(reader, volume.works, audience)
        if volume.sessions:  # in the order in which they were heard
            heard = {one: number for number, one in enumerate(volume.works)}
            works.sort(key=lambda work: heard[work[0]["id"]])
        if not works and not volume.sessions:
            raise NightpressError(f"{volume.title} has no works and no agenda.")
        html = _html(settings, volume, works)
    finally:
        reader.connection.close()
    output.parent.mkdir(parents=True, exist_ok=True)
    if ending == ".pdf":
        _write_pdf(html, output)
    else:
        _write_epub(html, volume.title, settings.sitename, output)
    return len(works)


def _what_there_is(reader: Reader, audience: str) -> str:
    rows = reader.rows("SELECT id, access FROM events ORDER BY starts_at DESC, id", None)
    events = [row["id"] for row in rows if visible(row["access"], audience)][:_SHOWN]
    rows = reader.rows("SELECT DISTINCT theme, access FROM projects WHERE theme <> ''", None)
    themes = sorted({row["theme"] for row in rows if visible(row["access"], audience)})[:_SHOWN]
    return (
        f"Events, the latest first: {', '.join(events) or 'none'}."
        f" Themes: {', '.join(themes) or 'none'}."
    )


def _event(reader: Reader, name: str, audience: str) -> _Volume | None:
    rows = reader.rows("SELECT * FROM events ORDER BY id <> ?, id", None, name)
    named = [row for row in rows if name in (row["id"], slug(row["id"]))]
    if not named or not visible(named[0]["access"], audience):
        return None
    event = named[0]
    sessions = reader.rows(
        "SELECT * FROM event_sessions WHERE event_id = ? ORDER BY starts_at, position, id",
        None,
        event["id"],
    )
    ids = [s["id"] for s in sessions]
    speakers = reader.grouped(
        "SELECT session_id, name FROM session_speakers WHERE session_id IN :ids"
        " ORDER BY session_id, position",
        ids,
    )
    linked = reader.grouped(
        "SELECT session_id, publication_id FROM session_publications WHERE session_id IN :ids"
        " ORDER BY session_id, publication_id",
        ids,
    )
    found = [
        _Session(
            s["title"],
            moment_in_words(s["starts_at"]),
            s["place"] or "",
            [row["name"] for row in speakers[s["id"]]],
            [row["publication_id"] for row in linked[s["id"]]],
        )
        for s in sessions
    ]
    lead = ", ".join(
        part
        for part in (span_in_words(event["starts_at"], event["ends_at"]), event["place"] or "")
        if part
    )
    works = list(dict.fromkeys(one for session in found for one in session.works))
    return _Volume(event["title"], lead, paragraphs(event["description"]), found, works)


def _theme(reader: Reader, name: str, audience: str) -> _Volume | None:
    rows = reader.rows(
        "SELECT DISTINCT p.id, p.theme, p.title, p.access, pp.publication_id FROM projects p"
        " LEFT JOIN project_publications pp ON pp.project_id = p.id WHERE p.theme <> ''",
        None,
    )
    seen = [
        row
        for row in rows
        if name in (row["theme"], name_slug(row["theme"])) and visible(row["access"], audience)
    ]
    if not seen:
        return None
    titles = sorted({without_latex(row["title"]) for row in seen})
    works = [row["publication_id"] for row in seen if row["publication_id"]]
    lead = f"Works of the projects {'; '.join(titles)}"
    return _Volume(seen[0]["theme"], lead, [], [], works)


def _works(reader: Reader, ids: list[str], audience: str) -> list[tuple[Row, list[str]]]:
    names = reader.grouped(
        "SELECT publication_id, name FROM publication_people WHERE publication_id IN :ids"
        " AND role = 'author' ORDER BY publication_id, position",
        ids,
    )
    return [
        (row, [n["name"] for n in names[row["id"]]])
        for row in reader.rows(_WORKS, ids)
        if row["status"] != Status.WITHDRAWN
        and visible(effective(row["access"], row["public_on"], reader.today), audience)
    ]


def _html(settings: Settings, volume: _Volume, works: list[tuple[Row, list[str]]]) -> str:
    place = {row["id"]: f"w{number}" for number, (row, _) in enumerate(works, 1)}
    titles = {row["id"]: without_latex(row["title"]) for row, _ in works}

    def link(one: str) -> str:
        return f'<p><a href="#{place[one]}">{escape(titles[one])}</a></p>'

    def session(s: _Session) -> str:
        title, works = without_latex(s.title), [one for one in s.works if one in place]
        heading = escape(title)
        if [titles[one] for one in works] == [title]:  # the talk on a paper has its name
            heading, works = f'<a href="#{place[works[0]]}">{heading}</a>', []
        facts = escape(", ".join(x for x in (s.when, s.place, *s.speakers) if x))
        return f"<h4>{heading}</h4><p>{facts}</p>{''.join(map(link, works))}"

    agenda = "".join(map(session, volume.sessions))
    body = "".join(
        f'<h3 id="{place[row["id"]]}">{with_mathml(row["title"])}</h3>'
        + (
            f'<p class="mark">{row["status"].capitalize()}:'
            f" {escape(row['status_reason'] or '')}</p>"
            if row["status"] != Status.CURRENT
            else ""
        )
        + (f'<p class="by">{escape(", ".join(names))}</p>' if names else "")
        + f'<p class="where">{_where(settings, row)}</p>'
        + "".join(f"<p>{with_mathml(text)}</p>" for text in paragraphs(row["abstract"]))
        for row, names in works
    )
    about = "".join(f"<p>{escape(text)}</p>" for text in volume.text)
    parts = [
        f"<h1>{escape(volume.title)}</h1><p class='by'>{escape(volume.lead)}</p>"
        f"<p>{escape(settings.sitename)}</p>{about}",
        f"<h2>Contents</h2><div class='toc'>{''.join(map(link, place))}</div>" if works else "",
        f"<h2>Agenda</h2><div class='agenda'>{agenda}</div>" if agenda else "",
        f"<h2>Abstracts</h2>{body}" if works else "",
    ]
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{escape(volume.title)}</title><meta name='author'"
        f" content='{escape(settings.sitename, quote=True)}'>"
        f"<style>{_STYLE}{_MATHS_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _where(settings: Settings, row: Row) -> str:
    date = date_in_words(row["year"], row["month"], row["day"])
    facts = [
        row["published_in"] or row["venue_name"] or row["kind"].capitalize(),
        row["volume"] and f"volume {row['volume']}",
        row["pages"] and f"pages {row['pages']}",
        date and date["text"],
    ]
    words = escape(", ".join(str(fact) for fact in facts if fact))
    address = f"https://doi.org/{row['doi']}" if row["doi"] else ""
    if not address and settings.siteurl:
        address = settings.siteurl + record_url("publication", row["id"])
    return f"{words}. {escape(address)}" if address else f"{words}."


def _write_pdf(html: str, output: Path) -> None:
    try:
        from weasyprint import HTML  # type: ignore[import-untyped]
        from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]
    except (ImportError, OSError) as error:
        raise NightpressError(
            f"WeasyPrint, which makes PDFs, cannot be used: {error}.",
            hint="pip install 'nightpress[proceedings]', and on Debian"
            " apt install libpango-1.0-0 libpangoft2-1.0-0; or ask for an .epub.",
        ) from error

    class Fonts(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
            name = url.removeprefix(_OWN)
            if name not in {file.name for file in _FONTS.glob("*.woff2")}:
                raise ValueError(f"{url} is not fetched: proceedings are made of records alone")
            return URLFetcherResponse(url, (_FONTS / name).read_bytes())

    HTML(string=html, base_url=_OWN, url_fetcher=Fonts()).write_pdf(str(output))


def _write_epub(html: str, title: str, author: str, output: Path) -> None:
    pandoc = shutil.which("pandoc")
    if pandoc is None:
        raise NightpressError(
            "pandoc, which makes EPUBs, is not installed.",
            hint="On Debian: apt install pandoc; elsewhere https://pandoc.org/installing.html.",
        )
    with TemporaryDirectory() as folder:
        source = Path(folder) / "volume.html"
        source.write_text(html, encoding="utf-8")
        command = [pandoc, "--from=html", "--to=epub3", "--toc", "--toc-depth=3"]
        command += [f"--metadata=title:{title}", f"--metadata=author:{author}", "--mathml"]
        style = Path(folder) / "volume.css"
        style.write_text(_EPUB_STYLE, encoding="utf-8")
        command += ["--css", str(style), "--output", str(output.absolute()), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NightpressError(f"pandoc says: {done.stderr.strip()}.")
