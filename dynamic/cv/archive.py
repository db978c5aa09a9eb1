"""Everything that is kept about a person's CV, as a file that they take along."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from flask import Response

from dynamic.cv import shelf
from dynamic.cv.companies import name_of
from dynamic.cv.consent import CONSENTS
from dynamic.cv.download import pieces, private, safe_name
from dynamic.cv.models import AccountPerson, Cv
from dynamic.database import db


def facts(cv: Cv) -> dict[str, Any]:
    """Return all that the tables hold about a CV, in words that need no manual."""
    tie = db.session.get(AccountPerson, cv.subject)
    return {
        "id": cv.id,
        "account": cv.subject,
        "name": cv.name,
        "email": cv.email,
        "degree": cv.degree,
        "field": cv.field,
        "graduation": cv.graduation,
        "topics": cv.topics.splitlines(),
        "availability": cv.availability.split(),
        "available_from": cv.available_from or None,
        "links": cv.links.splitlines(),
        "shown_to": cv.shown_to,
        "companies_chosen": cv.named("chosen"),
        "companies_blocked": cv.named("blocked"),
        "consent": {
            "version": cv.consent,
            "given": cv.consented.isoformat(),
            "text": CONSENTS[cv.consent],
        },
        "file": {
            "name": cv.file_name,
            "type": cv.kind,
            "size": cv.size,
            "sha256": cv.sha256.hex(),
            "pages": cv.pages,
            "scanned_for_viruses": cv.is_scanned,
            "uploaded": cv.uploaded.isoformat(),
            "text": cv.text,
        },
        "kept_until": cv.expires.isoformat(),
        "changed": cv.changed.isoformat(),
        "being_withdrawn_since": cv.leaving.isoformat() if cv.leaving else None,
        "opened": [
            {"company": name_of(one.company), "when": one.opened.isoformat(), "what": one.what}
            for one in cv.receipts
        ],
        "person": {"id": tie.person_id, "since": tie.tied.isoformat()} if tie else None,
    }


def write(cv: Cv, target: BinaryIO) -> None:
    """Write the archive: `cv.json` and the file as it was sent."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cv.json", json.dumps(facts(cv), ensure_ascii=False, indent=2) + "\n")
        with archive.open(safe_name(cv.file_name, cv.kind), "w") as member:
            for piece in _pieces(cv):
                member.write(piece)


def send(cv: Cv) -> Response:
    """Return the archive as an answer."""
    file = tempfile.SpooledTemporaryFile(1 << 20)  # noqa: SIM115 - closed when it was sent
    write(cv, cast(BinaryIO, file))
    size = file.tell()
    file.seek(0, io.SEEK_SET)
    response = Response(pieces(cast(BinaryIO, file)), mimetype="application/zip")
    response.headers["Content-Length"] = str(size)
    return private(response, "my-cv.zip")


def _pieces(cv: Cv) -> Iterator[bytes]:
    return pieces(shelf.store().open(cv.object))
