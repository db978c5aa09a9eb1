"""Records as the live release shows them: what feedback is about and is prefilled with.

Fields of publications, projects, people and so on are read from the release's documents:
lines of JSON in `documents/<audience>/<bucket>.jsonl`, where the bucket follows from the
record's id. Events and deliverables come from the service file, `dynamic/site.py`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import g, has_request_context

from dynamic.identity import Reader
from dynamic.site import Site, current_site

MEMBERS = frozenset({"member", "staff"})
"""Groups whose readers see members' records, as Apache's rule for /members/ has it."""

DOCUMENT_TYPES = ("publication", "project", "event", "person", "venue", "topic", "institution")
_LONGEST_ID = 400


@dataclass(frozen=True, slots=True)
class Record:
    """One record as a page shows it."""

    type: str
    id: str
    title: str
    url: str
    """Path of its page, as this audience opens it."""
    is_public: bool
    facts: dict[str, Any]
    """Its document, or what the service file says of it."""

    @property
    def key(self) -> str:
        """`type:id`, the record's name everywhere."""
        return f"{self.type}:{self.id}"


def sees_members_records(reader: Reader | None) -> bool:
    """Tell whether a reader may see what is for members only."""
    return reader is not None and not reader.groups.isdisjoint(MEMBERS)


def find_record(
    record_type: str, record_id: str, *, for_members: bool | None = None, site: Site | None = None
) -> Record | None:
    """Return a record of the live release, or None if there is none that the reader may see.

    `for_members` says whether members' records are looked at too; by default the reader of
    this request decides. What a reader may not see and what does not exist look the same.
    """
    site = site or current_site()
    if for_members is None:
        for_members = has_request_context() and sees_members_records(g.get("reader"))
    if not 0 < len(record_id) <= _LONGEST_ID:
        return None
    if record_type == "deliverable":
        found = site.deliverables.get(record_id)
        return _visible("deliverable", found, for_members) if found else None
    if record_type not in DOCUMENT_TYPES:
        return None
    document = find_document(site.folder, f"{record_type}:{record_id}", for_members=for_members)
    if document is None:
        return None
    is_public = document.get("access") != "members"
    facts = site.events.get(record_id, {}) | document if record_type == "event" else document
    return Record(
        type=record_type,
        id=record_id,
        title=str(document.get("title") or document.get("name") or record_id),
        url=("" if is_public else "/members") + str(document["url"]),
        is_public=is_public,
        facts=facts,
    )


def find_document(release: Path, document_id: str, *, for_members: bool) -> dict[str, Any] | None:
    """Return one document of a release, from the members' files too if `for_members`."""
    for audience in ("public", "members") if for_members else ("public",):
        folder = release / "documents" / audience
        try:
            buckets = json.loads((folder / "layout.json").read_bytes())["buckets"]
            lines = (folder / f"{_bucket(document_id, buckets):04d}.jsonl").read_bytes()
        except FileNotFoundError:
            continue
        wanted = json.dumps(document_id, ensure_ascii=False).encode()
        for line in lines.splitlines():
            # Most lines are of other records: parse only those that hold the id at all.
            if wanted in line:
                document = json.loads(line)
                if document.get("id") == document_id:
                    return document  # type: ignore[no-any-return]
    return None


def has_full_text(site: Site, url: str) -> bool:
    """Tell whether the release holds a full text of the publication whose page is at `url`."""
    page = url.removeprefix("/members").strip("/")
    for tree in ("public", "members"):
        folder = site.folder / tree / page
        if folder.is_dir() and any(file.is_file() for file in folder.iterdir()):
            return True
    return False


def _visible(record_type: str, found: dict[str, Any], for_members: bool) -> Record | None:
    is_public = found["access"] == "public"
    if not is_public and not for_members:
        return None
    return Record(
        type=record_type,
        id=found["id"],
        title=found["title"],
        url=found["url"],
        is_public=is_public,
        facts=found,
    )


def _bucket(document_id: str, buckets: int) -> int:
    # The same rule as in content_sync/pages/documents.py: the parts meet at files.
    digest = hashlib.blake2b(document_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % buckets
