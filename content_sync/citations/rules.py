"""What citation indexes and reference managers want of a record: faults of the data.

A broken rule stops nothing: the record is shown as it is, and stands on the data-quality page.
How the pages tell machines of a record is for the tests to check.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple


class Rule(NamedTuple):
    """One rule over the snapshot; the statement yields key and reason of what breaks it."""

    name: str
    says: str
    view: str
    column: str
    sql: str


class Fault(NamedTuple):
    """One record that breaks a rule."""

    view: str
    key: str
    column: str
    rule: str
    reason: str


_CITED = "kind NOT IN ('dataset', 'software', 'other', 'proceedings')"
_SHOWN = "status <> 'withdrawn'"

RULES = (
    Rule(
        "work_without_people",
        "A work that is cited has authors or editors: Google Scholar leaves out one that has none.",
        "publications",
        "id",
        f"""
        SELECT id, 'a ' || kind || ' without author or editor' FROM publications p
        WHERE {_SHOWN} AND {_CITED} AND NOT EXISTS
            (SELECT 1 FROM publication_people WHERE publication_id = p.id)""",  # noqa: S608
    ),
    Rule(
        "work_without_year",
        "A work that is cited has a year.",
        "publications",
        "year",
        f"""
        SELECT id, 'no year' FROM publications
        WHERE {_SHOWN} AND {_CITED} AND year IS NULL""",  # noqa: S608
    ),
    Rule(
        "paper_without_container",
        "A journal article or conference paper says where it was published.",
        "publications",
        "published_in",
        f"""
        SELECT id, 'neither a venue nor published_in' FROM publications
        WHERE {_SHOWN} AND kind IN ('journal article', 'conference paper')
        AND venue_id IS NULL AND published_in IS NULL""",  # noqa: S608
    ),
    Rule(
        "work_without_institution",
        "A report or thesis names the institution: its publisher.",
        "publications",
        "publisher",
        f"""
        SELECT id, 'a ' || kind || ' without publisher' FROM publications
        WHERE {_SHOWN} AND kind IN ('report', 'thesis') AND publisher IS NULL""",  # noqa: S608
    ),
    Rule(
        "title_in_capitals",
        "A title is not written in capitals throughout: citations cannot bring it down again.",
        "publications",
        "title",
        f"""
        SELECT id, 'all capitals: ' || substr(title, 1, 60) FROM publications
        WHERE {_SHOWN} AND length(title) > 15 AND title = upper(title)
        AND title <> lower(title) AND instr(title, ' ') > 0""",  # noqa: S608
    ),
    Rule(
        "title_ends_with_a_stop",
        "A title does not end with a full stop: every style of citation sets its own.",
        "publications",
        "title",
        f"""
        SELECT id, 'ends: …' || substr(title, -30) FROM publications
        WHERE {_SHOWN} AND title LIKE '%.' AND title NOT LIKE '%..'
        AND title NOT LIKE '%etc.' AND title NOT LIKE '%._.'""",  # noqa: S608
    ),
    Rule(
        "abstract_says_nothing",
        "An abstract is one, and no word that stands for none.",
        "publications",
        "abstract",
        f"""
        SELECT id, '"' || trim(abstract) || '" is no abstract' FROM publications
        WHERE {_SHOWN} AND lower(trim(abstract, ' .-'))
        IN ('', 'none', 'n/a', 'na', 'null', 'tba', 'tbd', 'no abstract', 'abstract')""",  # noqa: S608
    ),
    Rule(
        "pages_run_backwards",
        "The last page does not come before the first.",
        "publications",
        "pages",
        f"""
        SELECT id, pages FROM publications
        WHERE {_SHOWN} AND pages GLOB '[0-9]*-*[0-9]'
        AND trim(substr(pages, instr(pages, '-')), '-') NOT GLOB '*[^0-9]*'
        AND length(trim(substr(pages, instr(pages, '-')), '-'))
            >= length(CAST(CAST(pages AS INTEGER) AS TEXT))
        AND CAST(trim(substr(pages, instr(pages, '-')), '-') AS INTEGER)
            < CAST(pages AS INTEGER)""",  # noqa: S608
    ),
    Rule(
        "doi_of_two_works",
        "A DOI belongs to one work.",
        "publications",
        "doi",
        f"""
        SELECT p.id, p.doi || ' is also that of ' || q.id FROM publications p
        JOIN (SELECT lower(doi) AS name, min(id) AS first, max(id) AS last FROM publications
              WHERE doi IS NOT NULL AND {_SHOWN} GROUP BY 1 HAVING count(*) > 1) twice
        ON twice.name = lower(p.doi)
        JOIN publications q ON q.id = CASE WHEN p.id = first THEN last ELSE first END
        WHERE p.status <> 'withdrawn'""",  # noqa: S608
    ),
    Rule(
        "name_is_no_name",
        "The name of an author is that of one person: no digits, no list, no sentence.",
        "publication_people",
        "name",
        """
        SELECT publication_id || '/' || role || '/' || position, name FROM publication_people
        WHERE name GLOB '*[0-9]*' OR name LIKE '%;%' OR name LIKE '% et al%'
        OR length(name) - length(replace(name, ' ', '')) > 5""",
    ),
    Rule(
        "status_without_a_reason",
        "A work that was corrected, retracted or withdrawn says when and why.",
        "publications",
        "status_reason",
        """
        SELECT id, status || CASE WHEN status_reason IS NULL THEN ', no reason' ELSE '' END
            || CASE WHEN status_date IS NULL THEN ', no date' ELSE '' END
        FROM publications WHERE status <> 'current'
        AND (status_reason IS NULL OR status_date IS NULL)""",
    ),
    Rule(
        "file_too_large_for_scholar",
        "Google Scholar reads PDFs of at most 5 MB.",
        "publications",
        "file_path",
        """
        SELECT p.id, round(f.size / 1000000.0, 1) || ' MB' FROM publications p
        JOIN cache.full_texts f ON f.publication_id = p.id
        WHERE f.size > 5000000 AND f.ending = '.pdf' AND p.access = 'public'""",
    ),
)


def find_faults(connection: sqlite3.Connection) -> Iterator[Fault]:
    """Yield what breaks the rules in a snapshot that has the cache attached."""
    for rule in RULES:
        for key, reason in connection.execute(f"{rule.sql} ORDER BY 1"):
            yield Fault(rule.view, str(key), rule.column, rule.name, str(reason))


def rules_in_words() -> dict[str, str]:
    """Return what each rule says, by its name."""
    return {rule.name: rule.says for rule in RULES}
