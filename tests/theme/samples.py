"""Contexts for every template: rich, empty, long and hostile records.

They follow the contract between the pages code and the theme: plain values, `Markup` for
finished list items only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from content_sync.pages.charts import bar_chart, states_chart, years_chart
from content_sync.pages.render import part_of
from content_sync.site_defaults import JINJA_ENVIRONMENT

THEME = Path(__file__).resolve().parents[2] / "theme"
Context = dict[str, Any]

HOSTILE = '"><script>alert(1)</script><b onmouseover=x> {{ 7*7 }} & \'"'
LONG_TITLE = (
    "A round robin on the strength, resistance and thermal cycling of hybrid-bonded copper "
    "interconnect in 41 laboratories, with recommendations for specimen geometry, sample size, "
    "censoring and reporting, an open data set of 1.3 million resistance traces, and an account "
    "of what each laboratory did otherwise where the agreed procedure left room for judgement, "
    "from surface finish to what counts as failure at all"
)
TITLES = (
    "Early resistance drift as a predictor of electromigration failure in 18 nm copper lines",
    "Grain-boundary grooving in ruthenium lines below 12 nm pitch",
    "Does pulsed current heal? A replication over 4,800 test structures",
    "Self-heating corrections for accelerated tests at 300 °C and above",
    "Molybdenum as a drop-in via metal: two years of field returns",
    LONG_TITLE,
    "Fuse-based repair after assembly",
    "انجراف التلامس وما يخفيه: Contact drift",
)
NAMES = (
    "Hala Suryani",
    "Tomasz Brzękowicz",
    "Shen Ruoxi",
    "Ylva Sørgaard-Teixeira",
    "هالة السرياني",
    "נוגה צור־ארזי",
    "Adéọlá Ògúnṣọlá-Bright",
    "沈若溪",
)
ABSTRACT = (
    "Electromigration lifetimes are usually extrapolated from tests that run until the line "
    "opens. We ask how much of the answer is already there in the first two per cent of the "
    "test. On 3,840 copper lines of 18 nm width, stressed at 270–330 °C, the slope of resistance "
    "against time between minutes 10 and 90 predicts the time to failure with a median error of "
    "11 %, provided that the drift of the sensing contacts is removed first.",
    "The relation fails in a way that one can see: lines with a void under the via show no early "
    "drift and are flagged by their noise instead. A test of 600 hours becomes one of twelve.",
)


def environment() -> Environment:
    """Return the templates as the build loads them, with what every page may show."""
    env = Environment(loader=FileSystemLoader(THEME / "templates"), **JINJA_ENVIRONMENT)
    env.globals.update(
        SITENAME="Ellmark Consortium",
        SITEURL="https://publications.ellmark.example",
        DEFAULT_LANG="en",
        is_demo=False,
        nav=[
            {"title": title, "url": f"/{title.lower()}/", "section": title.lower()}
            for title in ("Publications", "Topics", "Projects", "People", "Events")
        ],
        asset=lambda name: f"/assets/{name}",
        generator="Nightpress 0.1.0",
    )
    env.globals["part"] = part_of(env)
    env.globals["bar_chart"] = bar_chart
    return env


def samples(env: Environment) -> Iterator[tuple[str, str, Context]]:
    """Yield template, name of the sample and context, for every page that the theme has."""
    for name in ("rich", "empty", "long", "hostile"):
        common = _common(name)
        for template, make in _MAKERS.items():
            yield template, name, common | make(env, name)
    yield "tombstone.html", "gone", _common("gone") | {"gone": {"url": "/publications/x/"}}
    retracted = _common("retracted") | _publication(env, "rich")
    retracted["pub"]["banner"] = BANNERS["retracted"]
    yield "publication.html", "retracted", retracted
    members = _common("members") | _publication(env, "rich")
    members["pub"] |= {"file": None, "file_for_members": True}
    yield "publication.html", "members", members | {"audience": "members", "root": "/members"}


def hostile(value: Any) -> Any:
    """Return the value with markup in every text that a record may hold."""
    if isinstance(value, Markup) or (
        isinstance(value, dict) and ("iso" in value or "cls" in value)
    ):
        return value  # dates and marks are put into words by our own code
    if isinstance(value, str):
        return value + HOSTILE if value else value
    if isinstance(value, dict):
        return {
            k: v if k in _OURS or k.endswith(("url", "href", "page")) else hostile(v)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [hostile(v) for v in value]
    return value


# Made by our own code, never by a record.
_OURS = frozenset({"href", "id", "iso", "cls", "long", "kind", "section", "language", "pdf"})


def day(iso: str, text: str) -> Context:
    return {"iso": iso, "text": text}


BANNERS = {
    "corrected": {
        "kind": "corrected",
        "word": "Corrected",
        "reason": "Table 2: activation energy 0.91 eV, was 0.19 eV.",
        "date": day("2026-10-30", "30 October 2026"),
        "replacement": None,
    },
    "retracted": {
        "kind": "retracted",
        "word": "Retracted",
        "reason": "The pulse generator was set to half the stated duty cycle in 1,900 runs.",
        "date": day("2026-11-02", "2 November 2026"),
        "replacement": {"title": TITLES[1], "href": "/publications/b/"},
    },
}
BANNERS["withdrawn"] = BANNERS["retracted"] | {"kind": "withdrawn", "word": "Withdrawn"}


def _common(name: str) -> Context:
    return {
        "audience": "public",
        "root": "",
        "section": "publications",
        "canonical": f"/sample/{name}/",
        "title": LONG_TITLE if name == "long" else f"A {name} page",
        "description": "" if name == "empty" else "What this page shows.",
        "noindex": False,
    } | (hostile({"title": "t", "description": "d"}) if name == "hostile" else {})


def _people(n: int) -> list[Context]:
    return [
        {"name": NAMES[i % len(NAMES)], "href": f"/people/p{i}/" if i % 4 else ""} for i in range(n)
    ]


def _cards(env: Environment, name: str, n: int, first: int = 0) -> list[Markup]:
    card = env.get_template("card.html")
    made = []
    for i in range(first, first + n):
        w = {
            "href": f"/publications/w{i}/",
            "title": TITLES[i % len(TITLES)],
            "struck": i % 8 == 2,
            "by": ", ".join(NAMES[: 1 + i % 6]) + (" and 290 more" if i % 8 == 5 else ""),
            "where": f"SIPR {2026 - i // 9}" if i % 3 else "Journal of Device Lifetimes 13, 2026",
            "pages": f"{i * 12 + 1}–{i * 12 + 11}",
            "pdf": f"/publications/w{i}/w{i}.pdf" if i % 4 != 3 else "",
            "marks": [
                *([{"cls": "retracted", "text": "† Retracted"}] if i % 8 == 2 else []),
                *([{"cls": "corrected", "text": "‡ Corrected"}] if i % 8 == 0 else []),
                *([{"cls": "members", "text": "§ Members"}] if i % 4 == 3 else []),
            ],
        }
        if name == "hostile":
            w = hostile(w)
        made.append(Markup(card.render(w=w)))
    return made


def _groups(env: Environment, name: str, headings: list[str], each: int = 5) -> list[Context]:
    if name == "empty":
        return []
    return [
        {
            "heading": hostile(h) if name == "hostile" and h else h,
            "n": each,
            "id": f"y{i + 1}",
            "cards": _cards(env, name, each, i * each),
        }
        for i, h in enumerate(headings)
    ]


def _pager(name: str) -> Context | None:
    if name == "empty":
        return None
    return {
        "page": 2,
        "pages": 9,
        "prev": "/a/",
        "next": "/a/3/",
        "links": [
            {"text": "1", "href": "/a/", "current": False},
            {"text": "2", "href": "/a/2/", "current": True},
            {"text": "…", "href": "", "current": False},
            {"text": "9", "href": "/a/9/", "current": False},
        ],
    }


def _shaped(name: str, rich: Context, empty: Context) -> Context:
    if name == "empty":
        return empty
    return hostile(rich) if name == "hostile" else rich


def _publication(env: Environment, name: str) -> Context:
    people = _people(300 if name == "long" else 7)
    empty: Context = {
        "id": "EL-2026-0417",
        "kind": "other",
        "long": "",
        "title": "A",
        "authors": [],
        "editors": [],
        "author_count": 0,
        "affiliations": [],
        "venue": None,
        "published_in": None,
        "volume": None,
        "issue": None,
        "pages": None,
        "publisher": None,
        "date": None,
        "year_href": "",
        "doi": None,
        "doi_url": None,
        "url": None,
        "language": None,
        "licence": None,
        "file": None,
        "file_for_members": False,
        "abstract": [],
        "topics": [],
        "projects": [],
        "deliverables": [],
        "events": [],
        "banner": None,
        "replaces": [],
        "meta": [],
        "links": [],
        "json_ld": "",
        "styles": [],
        "exports": [],
    }
    rich = empty | {
        "kind": "conference paper",
        "title": LONG_TITLE if name == "long" else TITLES[0],
        "long": "long" if name == "long" else "",
        "authors": people,
        "editors": _people(2),
        "author_count": len(people),
        "affiliations": [
            {"name": "Tarvik Institute of Technology", "people": ["Suryani", "Shen"]},
            {"name": "Polytechnic of Łużna", "people": ["Brzękowicz"]},
        ],
        "venue": {"name": "Symposium on Interconnect", "href": "/venues/sipr/2026/"},
        "published_in": "Symposium on Interconnect and Packaging Reliability 2026",
        "volume": "12",
        "issue": "3",
        "pages": "1–14",
        "publisher": "Ellmark Consortium",
        "date": day("2026-09-15", "15 September 2026"),
        "year_href": "/years/2026/",
        "doi": "10.5555/el.2026.0417",
        "doi_url": "https://doi.org/10.5555/el.2026.0417",
        "url": "https://example.org/a/very/long/address/of/the/same/work/el-2026-0417",
        "language": "en",
        "licence": {"name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
        "file": {"href": "/publications/a/a.pdf", "type": "PDF", "size": "2.1 MB"},
        "abstract": [] if name == "long" else list(ABSTRACT),
        "deliverables": [{"id": "D1", "title": LONG_TITLE, "href": "/projects/p/#d-d1"}],
        "events": [{"title": "Winter Review", "href": "/events/w/"}],
        "topics": [
            {"name": "Electromigration", "href": "/topics/em/"},
            {"name": "Accelerated test", "href": "/topics/at/"},
        ],
        "projects": [{"name": "Faults that announce themselves", "href": "/projects/p/"}],
        "banner": BANNERS["corrected"],
        "replaces": [{"title": TITLES[2], "href": "/publications/c/"}],
        "meta": [["citation_title", TITLES[0]], ["og:title", TITLES[0]]],
        "links": [
            ["cite-as", "https://doi.org/10.5555/el.2026.0417", ""],
            ["describedby", "/citations/a.bib", "application/x-bibtex"],
        ],
        "json_ld": Markup('{"@context": "https://schema.org"}'),
        "styles": [
            {
                "name": "APA",
                "text": "Suryani, H., & Brzękowicz, T. (2026). Early resistance drift as a "
                "predictor of electromigration failure. https://doi.org/10.5555/el.2026.0417",
            }
        ],
        "exports": [{"name": "BibTeX", "href": "/citations/a.bib", "type": "application/x-bibtex"}],
    }
    if name == "hostile":
        # Names of tags are ours, their content is not.
        own = {"meta": [["citation_title", HOSTILE]], "links": [["cite-as", HOSTILE, ""]]}
        return {"pub": hostile(rich) | own}
    return {"pub": _shaped(name, rich, empty)}


def _tombstone(env: Environment, name: str) -> Context:
    pub = _publication(env, name)["pub"]
    if name != "empty":
        banner = BANNERS["withdrawn"]
        pub["banner"] = hostile(banner) if name == "hostile" else banner
    gone_facts = ("abstract", "file", "file_for_members", "topics", "projects", "deliverables")
    for gone in (*gone_facts, "events", "licence"):
        pub.pop(gone)
    return {"pub": pub, "noindex": True}


def _person(env: Environment, name: str) -> Context:
    empty: Context = {
        "id": "hala-suryani",
        "name": "H",
        "long": "",
        "native": [],
        "role_line": "",
        "institution": None,
        "orcid": None,
        "orcid_url": None,
        "home_page": None,
        "is_student": False,
        "variants": [],
        "counts": {"works": 0, "projects": 0},
        "span": "",
        "timeline": None,
        "exports": [],
        "coauthors": None,
        "projects": [],
    }
    rich = empty | {
        "name": "Hala Suryani",
        "native": ["هالة السرياني"],
        "role_line": "Professor of device reliability",
        "institution": {"name": "Tarvik Institute of Technology", "href": "/institutions/t/"},
        "orcid": "0000-0000-0417-2207",
        "orcid_url": "https://orcid.org/0000-0000-0417-2207",
        "home_page": "https://example.org/~hala",
        "variants": ["H. Suryani", "Hāla as-Suryānī"],
        "counts": {"works": 1042 if name == "long" else 15, "projects": 2},
        "span": "from 2013 to 2026",
        "timeline": {
            "width": 72.0,
            "height": 40,
            "first": "2024",
            "last": "2026",
            "says": "Works per year from 2024 to 2026: 9 works in 2026 at most",
            "bars": [
                {"x": 24.0 * n, "y": 30 - 10 * n, "width": 22.5, "height": 10 + 10 * n, "says": "3"}
                for n in range(3)
            ],
        },
        "exports": [
            {"name": n, "href": f"/citations/people/h.{n}", "type": "text/plain"}
            for n in ("BibTeX", "RIS", "CSL-JSON")
        ],
        "coauthors": {
            "n": 230,
            "people": [
                {"name": n, "href": f"/people/{i}/", "n": 14 - i} for i, n in enumerate(NAMES)
            ],
        },
        "projects": [
            {
                "title": "Faults that announce themselves",
                "href": "/projects/p/",
                "role": "lead",
                "when": "April 2024 to March 2027",
            }
        ],
    }
    years = [str(2026 - i) for i in range(30 if name == "long" else 3)]
    groups = _groups(env, name, [*years, "No date"])
    return {"person": _shaped(name, rich, empty) | {"groups": groups}, "section": "people"}


def _tools() -> list[Context]:
    return [
        {
            "label": "Order",
            "links": [
                {"text": "printed", "href": "/a/", "current": True},
                {"text": "title", "href": "/a/title/", "current": False},
            ],
        },
        {"label": "", "links": [{"text": "All years", "href": "/venues/a/", "current": False}]},
    ]


def _listing(env: Environment, name: str) -> Context:
    rich = {
        "kind": "SIPR",
        "heading": LONG_TITLE if name == "long" else "Symposium on Interconnect 2026",
        "long": "long" if name == "long" else "",
        "lead": "46 works",
        "tools": _tools(),
        "facts": [
            {"label": "Held", "items": [{"text": "Gdańsk", "href": ""}]},
            {"label": "Editors", "items": [{"text": n, "href": "/people/a/"} for n in NAMES[:2]]},
        ],
    }
    empty = {"kind": "Year", "heading": "1850", "long": "", "lead": "", "tools": [], "facts": []}
    headings = [""] if name == "long" else ["Electromigration and metals", "Dielectrics", "Test"]
    return _shaped(name, rich, empty) | {
        "groups": _groups(env, name, headings, 40 if name == "long" else 8),
        "pager": _pager(name),
        "same_venue": name == "rich",
    }


def _entries(env: Environment, name: str) -> Context:
    entries: list[Context] = [
        {"text": "Interconnect", "href": "/topics/i/", "n": 11204, "level": 0},
        {"text": "Electromigration", "href": "/topics/e/", "n": 152, "level": 1},
        {"text": "Void growth", "href": "/topics/v/", "n": 0, "level": 2},
        {"text": "Faults that announce themselves", "href": "/projects/p/", "note": "running"},
        {
            "text": LONG_TITLE,
            "href": "/projects/q/",
            "note": "ended, April 2020 to March 2023",
            "marks": [{"cls": "members", "text": "§ Members"}],
        },
    ]
    rich = {
        "kind": "Section",
        "heading": "Topics",
        "lead": "412 topics",
        "tools": _tools(),
        "groups": [
            {"heading": "", "n": 5, "id": "t1", "entries": entries},
            {"heading": "Reliability", "n": 50, "id": "t2", "entries": entries * 10},
        ],
        "columns": {"rich": 2, "long": 3}.get(name, "row"),
        "names": "/people/names/",
    }
    empty = {
        "kind": "Section",
        "heading": "Topics",
        "lead": "",
        "tools": [],
        "groups": [],
        "columns": 1,
    }
    return _shaped(name, rich, empty) | {"pager": _pager(name), "section": "topics"}


def _changes(env: Environment, name: str) -> Context:
    cards = _cards(env, name, 3)
    fields = [
        {"label": "Title", "old": TITLES[0], "new": LONG_TITLE, "moved": ""},
        {"label": "DOI", "old": "10.1/x", "new": "", "moved": ""},
        {"label": "Due", "old": "2026-01-01", "new": "2026-03-01", "moved": "59 days later"},
    ]
    plain = {
        "id": "D-1",
        "title": "D-1",
        "change": "moved",
        "card": "",
        "href": "/projects/p/",
        "fields": fields,
    }
    project = {"title": TITLES[2], "href": "/projects/p/"}
    groups = [
        _changes_of("New works", [{"card": cards[0], "fields": []}]),
        _changes_of("Changed works", [{"card": card, "fields": fields} for card in cards]),
        _changes_of(
            "Withdrawn works", [plain | {"href": "", "title": TITLES[1], "change": "withdrawn"}]
        ),
        _changes_of("No longer public", [plain | {"change": "gone", "href": "", "fields": []}]),
        _changes_of("Deliverables moved", [plain | {"title": TITLES[3], "project": project}]),
    ]
    days = [
        {
            "day": {"iso": f"2026-11-{24 - n:02}", "text": f"{24 - n} November 2026"},
            "n": 9,
            "groups": groups,
        }
        for n in range(12 if name == "long" else 2)
    ]
    base: Context = {
        "data_iso": "2026-11-24T02:14:11+00:00",
        "data_time": "02:14",
        "data_date": {"iso": "2026-11-24", "text": "24 November 2026"},
        "built": {"iso": "2026-11-24", "text": "24 November 2026"},
        "feed": "/changes/changes.atom",
        "json": "/changes/changes.json",
    }
    jumps = [{"text": d["day"]["text"], "n": 9, "href": f"#d{d['day']['iso']}"} for d in days]  # type: ignore[index]
    rich = {"title": "What changed", "days": days, "all_days": jumps}
    empty: Context = {"title": "What changed", "days": [], "all_days": []}
    return base | _shaped(name, rich, empty) | {"pager": _pager(name), "section": ""}


def _changes_of(heading: str, entries: list[Context]) -> Context:
    return {"heading": heading, "n": 1200, "more": 900, "entries": entries}


def _year_counts(name: str) -> list[Context]:
    n = {"empty": 0, "long": 72}.get(name, 9)
    return [{"year": str(2026 - i), "n": 1204 - i, "href": f"/years/{2026 - i}/"} for i in range(n)]


def _publications(env: Environment, name: str) -> Context:
    return {
        "heading": "Publications",
        "lead": "48,317 works, here the newest 50",
        "newest": [] if name == "empty" else _cards(env, name, 50 if name == "long" else 9),
        "years": _year_counts(name),
        "venues_href": "" if name == "empty" else "/venues/",
    }


def _venue(env: Environment, name: str) -> Context:
    rich = {
        "name": LONG_TITLE if name == "long" else "Symposium on Interconnect",
        "long": "long" if name == "long" else "",
        "short_name": "SIPR",
        "issn": "1234-5678",
        "url": "https://example.org/sipr",
    }
    empty = {"name": "V", "long": "", "short_name": None, "issn": None, "url": None}
    return {
        "venue": _shaped(name, rich, empty),
        "lead": "46 works",
        "years": _year_counts(name),
        "groups": _groups(env, name, ["2026", "2025", "No date"]),
    }


def _topic(env: Environment, name: str) -> Context:
    rich = {
        "topic": {"name": "Electromigration", "path": [{"name": "Interconnect", "href": "/t/"}]},
        "children": [{"name": f"Narrower {i}", "href": f"/t/{i}/", "n": i} for i in range(7)],
        "lead": "152 works",
        "chart": years_chart([(2020, 4), (2022, 120), (2026, 28)]),
    }
    empty = {"topic": {"name": "T", "path": []}, "children": [], "lead": ""}
    return _shaped(name, rich, empty) | {
        "groups": _groups(env, name, ["2026", "2025"]),
        "pager": _pager(name),
        "section": "topics",
    }


def _institution(env: Environment, name: str) -> Context:
    rich: Context = {
        "institution": {
            "name": "Tarvik Institute of Technology",
            "long": "",
            "ror": "05dxps055",
            "ror_url": "https://ror.org/05dxps055",
            "place": "Tarvik, Norway",
            "is_member_company": True,
        },
        "people": [
            {"name": NAMES[i % 8], "href": f"/people/{i}/", "note": "student" if i % 3 else ""}
            for i in range(300 if name == "long" else 11)
        ],
        "projects": [
            {"title": "Faults", "href": "/projects/p/", "when": "since April 2024"},
            {"title": LONG_TITLE, "href": "/projects/q/", "when": ""},
        ],
        "lead": "11 people, 2 projects, 91 works, here the newest 50",
    }
    empty: Context = {
        "institution": {
            "name": "I",
            "long": "",
            "ror": None,
            "ror_url": None,
            "place": "",
            "is_member_company": False,
        },
        "people": [],
        "projects": [],
        "lead": "",
    }
    groups = _groups(env, name, ["2026", "2025"])
    return _shaped(name, rich, empty) | {"groups": groups, "section": "people"}


def _project(env: Environment, name: str) -> Context:
    due = day("2026-10-12", "12 October 2026")
    plan = [
        ("D1", "Review of early indicators", due, "accepted", False, "6 days early"),
        ("D9", "Round robin, 41 laboratories", due, "in review", False, "47 days late"),
        ("D10", "In-field monitor, layout", None, "late since 12 October 2026", True, ""),
        ("D11", LONG_TITLE, None, "planned", False, ""),
    ]
    empty: Context = {
        "id": "P-2207",
        "title": "P",
        "long": "",
        "summary": [],
        "programme": None,
        "theme": None,
        "starts": None,
        "ends": None,
        "status": None,
        "budget": "",
        "url": None,
        "lead": None,
        "institution": None,
        "team": [],
        "deliverables": [],
        "deliverables_hidden": False,
        "says": "",
        "owed": "",
        "lanes": False,
        "ticks": [],
        "history": [],
        "earlier": [],
        "events": [],
        "works": "0 works",
    }
    rich = empty | {
        "title": LONG_TITLE if name == "long" else "Faults that announce themselves",
        "long": "long" if name == "long" else "",
        "summary": list(ABSTRACT),
        "programme": {"name": "Interconnect", "href": "/programmes/i/"},
        "theme": {"name": "Reliability and test", "href": "/themes/r/"},
        "starts": day("2024-04", "April 2024"),
        "ends": day("2027-03", "March 2027"),
        "status": "running",
        "budget": "EUR 1,200,000",
        "url": "https://example.org/project",
        "lead": {"name": "Hala Suryani", "href": "/people/a/"},
        "institution": {"name": "Tarvik Institute of Technology", "href": "/institutions/t/"},
        "team": [p | {"href": "/people/x/", "role": "researcher"} for p in _people(9)],
        "deliverables": [
            {
                "id": key,
                "title": title,
                "due": due,
                "submitted": submitted,
                "accepted": submitted if state == "accepted" else None,
                "state": state,
                "late": late,
                "slip": slip,
                "slug": key.lower(),
                "marks": {"due": "20.0%", "submitted": "40.0%", "accepted": "41.5%"}
                if submitted
                else {"due": "20.0%", "open": late},
                "works": [{"title": TITLES[0], "href": "/publications/a/"}] if slip else [],
            }
            for key, title, submitted, state, late, slip in plan
        ],
        "says": "4 deliverables: 1 accepted, 1 in review, 1 late, 1 to come.",
        "owed": "1 of 4 accepted, 1 late",
        "lanes": name != "long",
        "ticks": [{"at": "31.0%", "year": "2026"}],
        "history": [
            {"date": due, "steps": [{"text": "Handed in: Review", "slug": "d1"}]},
            {"date": day("2024-04-01", "1 Apr 2024"), "steps": [{"text": "Started", "slug": ""}]},
        ],
        "earlier": [{"date": due, "steps": [{"text": "Started", "slug": ""}]}],
        "events": [{"title": "Winter Review", "href": "/events/w/", "when": "2027", "n": 2}],
        "works": "5 works",
    }
    cards = [] if name == "empty" else _cards(env, name, 5)
    return {"project": _shaped(name, rich, empty) | {"cards": cards}, "section": "projects"}


def _theme(env: Environment, name: str) -> Context:
    charts = [
        states_chart(Counter({"accepted": 12, "late": 2})),
        years_chart([(2020, 4), (2022, 1204), (2026, 7)]),
    ]
    project = {
        "title": LONG_TITLE,
        "href": "/projects/p/",
        "lead": {"name": NAMES[4], "href": "/people/h/"},
        "when": "April 2024 to March 2027",
        "status": "running",
        "owed": "1 of 4 accepted, 1 late",
        "works": 1204,
    }
    bare = {
        "title": "B",
        "href": "/projects/b/",
        "lead": None,
        "when": "",
        "status": "",
        "owed": "",
    }
    theme = {
        "name": "Reliability and test",
        "href": "/themes/r/",
        "projects": 12,
        "running": 3,
        "owed": "all dropped",
        "works": 0,
    }
    empty: Context = {
        "kind": "Theme",
        "name": "T",
        "long": "",
        "above": [],
        "themes": [],
        "says": "1 project.",
        "owed": "",
        "n_projects": 1,
        "n_works": 0,
        "charts": [],
        "projects": [],
    }
    rich = empty | {
        "kind": "Programme" if name == "long" else "Theme",
        "name": LONG_TITLE if name == "long" else "Reliability and test",
        "long": "long" if name == "long" else "",
        "above": [] if name == "long" else [{"name": "Interconnect", "href": "/programmes/i/"}],
        "themes": [theme] * 3 if name == "long" else [],
        "says": "31 projects: 12 running, 19 ended.",
        "owed": "14 deliverables: 12 accepted, 2 late.",
        "n_projects": 31,
        "n_works": 1211,
        "projects": [project, bare | {"works": 0}],
    }
    shaped = _shaped(name, rich, empty)
    if name != "empty":
        shaped["charts"] = charts
    return {
        "group": shaped | {"cards": [] if name == "empty" else _cards(env, name, 9)},
        "feed": "" if name == "empty" else "/feeds/themes/r.atom",
        "pager": _pager(name),
        "section": "projects",
    }


def _event(env: Environment, name: str) -> Context:
    empty: Context = {
        "id": "E-2027-01",
        "title": "E",
        "long": "",
        "when": "",
        "starts": None,
        "ends": None,
        "place": None,
        "timezone": None,
        "status": "planned",
        "banner": None,
        "description": [],
        "capacity": None,
        "registration": {"opens": None, "closes": None, "state": "", "href": ""},
        "calendar": "",
        "organisers": [],
        "days": [],
        "past": False,
        "places": None,
        "participants": [],
    }
    work = {"title": TITLES[0], "href": "/publications/a/"}
    session: Context = {"time": "", "title": "Break", "place": None, "speakers": [], "works": []}
    rich = empty | {
        "title": "Winter Review and Student Day 2027",
        "when": "19 to 20 January 2027",
        "starts": "2027-01-19T09:00",
        "ends": "2027-01-20T15:00",
        "place": "Gdańsk and online",
        "timezone": "Europe/Warsaw",
        "status": "postponed",
        "banner": {"kind": "postponed", "word": "Postponed"},
        "description": list(ABSTRACT),
        "capacity": 40,
        "registration": {
            "opens": None,
            "closes": None,
            "state": "open until 8 January, 18:00",
            "href": "/services/events/w/register",
        },
        "calendar": "/events/w.ics",
        "places": {"text": "11 of 40 places left", "since": day("2026-11-22", "22 November 2026")},
        "participants": [{"name": name, "affiliation": "Polytechnic"} for name in NAMES],
        "organisers": _people(3),
        "days": [
            {
                "heading": "Tuesday 19 January 2027",
                "iso": "2027-01-19",
                "sessions": [
                    session | {"time": "09:00", "place": "Hall 2"},
                    session
                    | {"time": "10:00", "title": TITLES[0], "works": [work]}
                    | {"speakers": _people(2)},
                    session | {"time": "11:00", "title": "Posters", "works": [work, work]},
                ],
            },
            {"heading": "Time to be announced", "iso": "", "sessions": [session]},
        ],
    }
    shaped = _shaped(name, rich, empty)
    if name == "hostile":
        shaped |= {"starts": "2027-01-19T09:00", "days": shaped["days"]}
        for one in shaped["days"]:
            for entry in one["sessions"]:
                entry["time"] = entry["time"][:5]
    return {"event": shaped, "section": "events"}


def _home(env: Environment, name: str) -> Context:
    rich: Context = {
        "heading": "Research on semiconductors and computing, shared by 41 universities",
        "lead": "",
        "counts": [
            {"label": "Publications", "href": "/publications/", "text": "48,317 since 1994"},
            {"label": "Projects", "href": "/projects/", "text": "411, 62 running"},
            {"label": "People", "href": "/people/", "text": "9,204 in 312 institutions"},
            {"label": "Events", "href": "/events/", "text": "3 ahead, 165 past"},
        ],
        "newest_heading": "Newest",
        "news": [
            {
                "title": "A new look",
                "url": "/news/new-look/",
                "date": day("2026-11-01", "1 November 2026"),
            }
        ],
        "ahead": [
            {
                "date": day("2027-01-19", "19 January 2027"),
                "title": "Winter Review and Student Day",
                "href": "/events/w/",
                "place": "Gdańsk",
                "status": "postponed",
            }
        ],
        "themes": [{"name": f"Topic {i}", "href": f"/topics/{i}/", "n": 900 - i} for i in range(8)],
        "data_date": day("2026-11-22", "22 November 2026"),
    }
    empty: Context = {
        "heading": "Publications",
        "lead": "",
        "counts": [],
        "newest_heading": "",
        "news": [],
        "ahead": [],
        "themes": [],
        "data_date": None,
    }
    shaped = _shaped(name, rich, empty)
    if name == "hostile":
        shaped["news"] = [
            {"title": HOSTILE, "url": "/news/n/", "date": day("2026-11-01", "1 November 2026")}
        ]
    return shaped | {
        "title": "",
        "newest": [] if name == "empty" else _cards(env, name, 8),
        "section": "",
    }


def _article(name: str, number: int = 1) -> SimpleNamespace:
    return SimpleNamespace(
        title=HOSTILE if name == "hostile" else "A new look",
        url=f"news/new-look-{number}/",
        lang="en",
        date=datetime(2026, 11, number, tzinfo=UTC),
        modified=None,
        authors=["An Editor"],
        summary="<p>Pages have a <em>new</em> look.</p>",
        content="<p>Pages have a <em>new</em> look.</p>\n<h2>Why</h2>\n<ul><li>Because</li></ul>",
    )


# Pelican's own pages get no `root` and no `canonical`.
_PROSE: Context = {"title": None, "canonical": None, "root": None, "section": ""}

_MAKERS = {
    "publication.html": _publication,
    "tombstone.html": _tombstone,
    "person.html": _person,
    "listing.html": _listing,
    "entries.html": _entries,
    "publications.html": _publications,
    "venue.html": _venue,
    "topic.html": _topic,
    "institution.html": _institution,
    "project.html": _project,
    "theme.html": _theme,
    "event.html": _event,
    "home.html": _home,
    "changes.html": _changes,
    "search.html": lambda env, name: {"title": "Search", "section": "search"},
    "not_found.html": lambda env, name: {"title": "Not found", "section": "", "noindex": True},
    "article.html": lambda env, name: _PROSE | {"root": "", "article": _article(name)},
    "page.html": lambda env, name: _PROSE | {"root": "", "page": _article(name)},
    "news.html": lambda env, name: (
        _PROSE
        | {
            "root": "",
            "articles": [] if name == "empty" else [_article(name, 2), _article(name, 1)],
        }
    ),
}
