"""A small site of records as they really come: long, empty, hostile, in every script.

They have the shapes that real data showed: markup and formulas in titles, ids that no file
system likes, 300 authors, dates that are missing or run backwards, names from right to left.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from content_sync.indexing import index_release
from content_sync.pages.site import build_site
from content_sync.release.stage import staged
from content_sync.release.switch import publish
from content_sync.settings import read_settings
from content_sync.sync import sync

CONF = """
from content_sync.site_defaults import *
SITENAME = "Institut für <Prüf> & “Mess”"
SITEURL = "https://publications.example"
WORKERS = 1
"""
CONTRACT = Path(__file__).parents[2] / "content_sync/source/sql/contract.sqlite.sql"

IDS = (
    *("a/b", "CON", "nul.txt", "Größe", "index", "MiXed.Case", "2024.acl-long.1", "x" * 190),
    *("..", "a b", "%41", "沈-1", "q?x=1#y", "&amp;", "'quoted\"", "-dash", "page", "all"),
)
TITLES = (
    "Fast<sub>er</sub> <script>alert(1)</script> &amp; {{ 7*7 }} $x^{2}$ \\emph{open",
    "O(n\\log n) is $\\mathcal{O}(n \\log n)$, and 5 < 6 > 4",
    "هالة السرياني: انجراف التلامس وما يخفيه",
    "A",
    "Author Index",
    "\u2067נוגה צור־ארזי\u2069 and e\u0301 decomposed",
    "W" * 130,
    " ".join(["A round robin on strength, resistance and thermal cycling"] * 8),
    "$\\frac{1}{2$ unbalanced % comment",
    "“None”",
)
NAMES = (
    "هالة السرياني",
    "沈若溪",
    "Word Alignment Based Parallel Corpora Evaluation",
    "O'Neil; Jr.",
)
TEXTS = (
    None,
    "None",
    "First <br/>line\n\nSecond $x_i$ & <b>bold\n\n\n\u200bThird",
    "long " * 900,
    "- a\n- b\n\n<img src=x onerror=alert(1)>",
)
GROUPS = ("Übergänge / <Light> & 'Sound'", "CON", "..", "a-b c", "A-B C", None, "x" * 180)


def write_source(path: Path) -> None:
    """Write the source database."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(CONTRACT.read_text(encoding="utf-8"))

        def add(view: str, **values: Any) -> None:
            columns, marks = ", ".join(values), ", ".join("?" * len(values))
            connection.execute(
                f"INSERT INTO {view} ({columns}) VALUES ({marks})",
                tuple(values.values()),
            )

        for i, one in enumerate(IDS):
            add("institutions", id=one, name=TITLES[i % len(TITLES)], city="Łódź", country="")
            add(
                *("people",),
                id=one,
                given_name=None if i % 3 else "Zoë",
                family_name=NAMES[i % len(NAMES)],
                institution_id=one,
                is_student=i % 2,
            )
            add(
                "venues",
                id=one,
                name=TITLES[-i % len(TITLES)],
                short_name="V&<>" if i % 2 else None,
            )
            add("topics", id=one, name=TITLES[i % len(TITLES)], parent_id=IDS[(i + 1) % len(IDS)])
            _add_work(add, i, one)
            _add_project(add, i, one)
            _add_event(add, i, one)
        for position in range(300):
            add(
                "publication_people",
                publication_id=IDS[0],
                position=position,
                person_id=IDS[position] if position < len(IDS) else None,
                name=f"{NAMES[position % len(NAMES)]} {position}",
            )


def _add_work(add: Any, i: int, one: str) -> None:
    add(
        "publications",
        id=one,
        title=TITLES[i % len(TITLES)],
        abstract=TEXTS[i % len(TEXTS)],
        kind=("thesis", "report", "dataset", "conference paper")[i % 4],
        year=None if i % 4 == 0 else 1900 + i * 7,
        month=i % 12 or None,
        venue_id=one if i % 3 else None,
        pages=("1-2", "S. 3ff", "<i>iv</i>")[i % 3],
        doi="10.1000/a<b>&c" if i % 2 else None,
        url="https://example.org/?a=1&b=<2>" if i % 2 else None,
        language=("en", "ara", "und", None)[i % 4],
        licence=("CC-BY-4.0", "ask & see", None)[i % 3],
        access=("public", "abstract", "members")[i % 3],
        status=("current", "corrected", "retracted", "withdrawn")[i % 4],
        status_reason='because <b>of</b> & "that"',
        replaced_by=IDS[(i + 2) % len(IDS)] if i % 4 else None,
    )
    add("publication_topics", publication_id=one, topic_id=IDS[i // 2])
    add("project_publications", project_id=IDS[i // 3], publication_id=one)
    if i:
        add("publication_people", publication_id=one, position=1, person_id=one, name=NAMES[i % 4])


def _add_project(add: Any, i: int, one: str) -> None:
    add(
        "projects",
        id=one,
        title=TITLES[i % len(TITLES)],
        summary=TEXTS[i % len(TEXTS)],
        programme=GROUPS[i % len(GROUPS)],
        theme=GROUPS[-i % len(GROUPS)],
        starts_on=(None, "2020-01-01", "2023-05-05")[i % 3],
        ends_on=(None, "2022-12-31", "2021-01-01")[i % 3],  # one ends before it starts
        status=(None, "running", "ended", "stopped", "planned")[i % 5],
        budget=(0, 1234567.5, None)[i % 3],
        currency="EUR",
        lead_person_id=one if i % 2 else None,
        institution_id=one,
        access=("public", "members")[i % 5 == 4],
    )
    for k in range(i % 4):
        key = f"{one}/D {k}"
        add(
            "deliverables",
            id=key,
            project_id=one,
            title=TITLES[(i + k) % len(TITLES)],
            due_on=(None, "2021-06-30", "2031-01-31")[k % 3],
            submitted_on=(None, "2021-06-30", "2019-01-01")[(i + k) % 3],
            accepted_on=("2022-02-28", None)[k % 2],
            status=(None, "dropped", "submitted")[(i + k) % 3],
            access=("public", "members")[k % 2],
        )
        add("deliverable_publications", deliverable_id=key, publication_id=IDS[(i + k) % 7])
    add("project_people", project_id=one, person_id=one, role="co-lead & more", position=1)


def _add_event(add: Any, i: int, one: str) -> None:
    add(
        "events",
        id=one,
        title=TITLES[i % len(TITLES)],
        description=TEXTS[i % len(TEXTS)],
        starts_at=(None, "2031-03-30T02:30", "2019-10-27", "2031-01-01T09:00")[i % 4],
        ends_at=(None, "2031-03-30T01:00", "2019-10-29", None)[i % 4],
        timezone=("Europe/Berlin", None, "Asia/Kathmandu")[i % 3],
        place="Aula; \\ “Große” <b>, room 1",
        status=("planned", "postponed", "cancelled", "planned")[i % 4],
        capacity=(None, 0, 40)[i % 3],
        registration_closes_at=(None, "2030-12-24T18:00", "2030-12-24")[i % 3],
        access=("public", "members")[i % 5 == 4],
    )
    add("event_organisers", event_id=one, person_id=one)
    for k in range(i % 3):
        session = f"{one}-{k}"
        add(
            "event_sessions",
            id=session,
            event_id=one,
            title=TITLES[(i + k) % len(TITLES)],
            starts_at=(None, "2031-03-30T09:00")[k],
            position=k,
        )
        add("session_speakers", session_id=session, position=1, person_id=None, name=NAMES[k])
        add("session_publications", session_id=session, publication_id=IDS[(i + k) % len(IDS)])


def publish_nasty_site(root: Path) -> Path:
    """Build and publish the site in `root`; return the folder of its release."""
    for folder in ("content/pages", "content/news"):
        (root / folder).mkdir(parents=True)
    (root / "pelicanconf.py").write_text(CONF, encoding="utf-8")
    write_source(root / "source.sqlite")
    settings = replace(read_settings(root), source="sqlite:///source.sqlite")
    sync(settings, accept=True)
    build_site(settings)
    index_release(settings, staged(settings))
    stage = staged(settings)
    assert stage is not None
    publish(settings, stage)
    return (root / "output" / "current").resolve()
