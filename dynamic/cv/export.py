"""What the nightly job may know of CVs: the table `cvs` of var/service-export.sqlite.

Whoever builds the CV book leaves out what has expired since the export was written, and obeys
var/cvbook-denied.txt over this table (gate.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import select

from dynamic.cv.companies import companies
from dynamic.cv.models import AVAILABILITY, DEGREES, AccountPerson, Cv
from dynamic.database import db, now
from dynamic.service_export import Table

COLUMNS = (
    "id TEXT PRIMARY KEY",  # random; folder name in the books
    "name TEXT NOT NULL",
    "email TEXT NOT NULL",  # confirmed by the identity provider
    "person_id TEXT",  # tied to the account by staff; NULL: see people_accounts
    "degree TEXT NOT NULL",  # in words
    "field TEXT NOT NULL",
    "graduation TEXT NOT NULL",  # 2027-09
    "topics TEXT NOT NULL",  # JSON list
    "availability TEXT NOT NULL",  # JSON list, in words
    "available_from TEXT NOT NULL",  # 2027-09 or empty
    "links TEXT NOT NULL",  # JSON list
    "companies TEXT NOT NULL",  # JSON list of the slugs that may see it
    "object TEXT NOT NULL",  # name in the CV store
    "kind TEXT NOT NULL",  # pdf, docx
    "sha256 TEXT NOT NULL",  # of the file, hexadecimal
    "size INTEGER NOT NULL",
    "pages INTEGER",
    "uploaded TEXT NOT NULL",  # UTC, ISO 8601
    "expires TEXT NOT NULL",
)


def rows() -> Iterator[tuple[object, ...]]:
    """Yield the row of each CV that some member company may see today."""
    known = companies()
    ties = {tie.subject: tie.person_id for tie in db.session.scalars(select(AccountPerson))}
    shown = select(Cv).where(Cv.leaving.is_(None), Cv.expires > now()).order_by(Cv.id)
    for cv in db.session.scalars(shown):
        readers = sorted(company for company in known if cv.may_read(company))
        if not readers:
            continue
        yield (
            cv.id,
            cv.name,
            cv.email,
            ties.get(cv.subject),
            DEGREES[cv.degree],
            cv.field,
            cv.graduation,
            json.dumps(cv.topics.splitlines(), ensure_ascii=False),
            json.dumps([AVAILABILITY[key] for key in cv.availability.split()]),
            cv.available_from,
            json.dumps(cv.links.splitlines(), ensure_ascii=False),
            json.dumps(readers),
            cv.object,
            cv.kind,
            cv.sha256.hex(),
            cv.size,
            cv.pages,
            cv.uploaded.isoformat(),
            cv.expires.isoformat(),
        )


CVS = Table(COLUMNS, rows)
