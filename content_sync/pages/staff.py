"""Pages for staff, in the tree `staff/`: problems in the data, and whether all of it is shown.

They are made anew with every build. Nothing of them is ever written below `public/`.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from content_sync.citations.rules import Fault, find_faults, rules_in_words
from content_sync.pages.wording import iso_in_words
from content_sync.release import history
from content_sync.source.convert import rules
from content_sync.sync.touch import RECORD_TYPES
from content_sync.urls import PLURALS, page_file, record_url

if TYPE_CHECKING:
    from content_sync.pages.build import Build

SHOWN = 200
"""Problems of one rule that stand on the page; the file of all has the rest."""

URLS = ("/", "/data-quality/", "/completeness/")
_CSV = "data-quality/problems.csv"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS problems (
    view TEXT NOT NULL, key TEXT NOT NULL, "column" TEXT NOT NULL, rule TEXT NOT NULL,
    first_seen TEXT NOT NULL,  -- the day of the sync that first saw it
    PRIMARY KEY (view, key, "column", rule)
) WITHOUT ROWID
"""


_FOUND = """
CREATE TEMP TABLE found (
    view TEXT NOT NULL, key TEXT NOT NULL, "column" TEXT NOT NULL, rule TEXT NOT NULL,
    reason TEXT NOT NULL, first_seen TEXT NOT NULL, PRIMARY KEY (view, key, "column", rule)
) WITHOUT ROWID
"""


def write_staff(build: Build, root: Path, completeness: dict[str, Any]) -> None:
    """Write the staff's pages of a release into `root`, its folder `staff/`."""
    faults = list(find_faults(build.reader.connection))
    problems = remember_problems(
        build.settings.history, build.settings.snapshot, build.today, faults
    )
    groups = _groups(build.reader.connection, problems)
    _write(root / _CSV, _as_csv(problems))
    total = len(problems)
    pages = {
        "/": (
            "staff.html",
            {
                "title": "Staff",
                "heading": "For staff",
                "problems": total,
                "completeness": completeness,
            },
        ),
        "/data-quality/": (
            "staff_quality.html",
            {
                "title": "Data quality",
                "total": total,
                "groups": groups,
                "shown": SHOWN,
                "csv": f"/staff/{_CSV}",
            },
        ),
        "/completeness/": ("staff_completeness.html", {"title": "Completeness", **completeness}),
    }
    for url, (template, context) in pages.items():
        _write(root / page_file(url), build.render_staff(url, template, context))


def remember_problems(
    ledger: Path, snapshot: Path, today: str, faults: Iterable[Fault] = ()
) -> list[dict[str, str]]:
    """Bring the history's list of problems up to date and return it, the newest first.

    These are the problems that the last sync found, and `faults`, which this build found. A
    problem that is mended is forgotten; if it comes again, it is a new one.
    """
    with history.open_history(ledger) as connection:
        connection.execute(_SCHEMA)
        connection.execute("ATTACH DATABASE ? AS s", (f"{snapshot.resolve().as_uri()}?mode=ro",))
        connection.execute(_FOUND)
        connection.execute(
            """
            INSERT INTO temp.found
            SELECT p.view, p.key, p."column", p.rule, p.reason,
                   coalesce(substr(n.finished, 1, 10), ?)
            FROM s.problems AS p LEFT JOIN s.syncs AS n ON n.number = p.first_seen
            """,
            (today,),
        )
        connection.executemany(
            "INSERT OR IGNORE INTO temp.found VALUES (?, ?, ?, ?, ?, ?)",
            ((*fault, today) for fault in faults),
        )
        connection.execute(
            """
            DELETE FROM main.problems AS p WHERE NOT EXISTS (
                SELECT 1 FROM temp.found AS q WHERE q.view = p.view AND q.key = p.key
                AND q."column" = p."column" AND q.rule = p.rule)
            """
        )
        connection.execute(
            """
            INSERT INTO main.problems
            SELECT view, key, "column", rule, first_seen FROM temp.found
            WHERE true ON CONFLICT DO NOTHING
            """
        )
        rows = connection.execute(
            """
            SELECT p.rule, p.view, p.key, p."column", p.reason, m.first_seen
            FROM temp.found AS p JOIN main.problems AS m USING (view, key, "column", rule)
            ORDER BY m.first_seen DESC, p.view, p.key, p."column"
            """
        ).fetchall()
    names = ("rule", "view", "key", "column", "reason", "first_seen")
    return [dict(zip(names, row, strict=True)) for row in rows]


def rule_in_words(rule: str) -> str:
    """Return what a rule says: the docstring of its function, or the text beside it."""
    said = _OTHER_RULES.get(rule) or rules().get(rule) or rules_in_words().get(rule) or rule
    return " ".join(said.split())


_OTHER_RULES = {
    "required": "Without this value a record cannot be shown: it is left out.",
    "reference": "A record that is named exists; until then the page shows no link.",
    "circle": "No topic stands below itself.",
    "many_people": "A publication with very many people may be one by mistake.",
    "no_key": "Every row has a key.",
    "duplicate_key": "No two rows of a view have the same key.",
}


def _groups(connection: sqlite3.Connection, problems: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return the rules that are broken, the one broken most first, with some of the rows."""
    by_rule: dict[str, list[dict[str, str]]] = {}
    for problem in problems:
        by_rule.setdefault(problem["rule"], []).append(problem)
    return [
        {
            "rule": rule,
            "id": f"rule-{rule.replace('_', '-')}",
            "says": rule_in_words(rule),
            "n": len(found),
            "oldest": iso_in_words(min(one["first_seen"] for one in found)),
            "rows": [
                {
                    **one,
                    "first_seen": iso_in_words(one["first_seen"]),
                    "href": _address(connection, one["view"], one["key"]),
                }
                for one in found[:SHOWN]
            ],
        }
        for rule, found in sorted(by_rule.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _address(connection: sqlite3.Connection, view: str, key: str) -> str:
    """Return the page of a record, as members see it, if it has one."""
    if view not in PLURALS.values():
        return ""
    known = connection.execute(f"SELECT 1 FROM main.{view} WHERE id = ?", (key,)).fetchone()  # noqa: S608
    return f"/members{record_url(RECORD_TYPES[view], key)}" if known else ""


def _as_csv(problems: list[dict[str, str]]) -> bytes:
    """Return all problems as a file for a spreadsheet; no cell of it is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["first seen", "view", "key", "column", "rule", "problem"])
    for one in problems:
        cells = (one[name] for name in ("first_seen", "view", "key", "column", "rule", "reason"))
        writer.writerow(list(map(_harmless, cells)))
    return text.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def staff_files() -> Iterator[str]:
    """Yield the files that every release has for staff, relative to it."""
    yield from (f"staff/{page_file(url)}" for url in URLS)
    yield f"staff/{_CSV}"
