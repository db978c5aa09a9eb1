"""Releases as the build makes them, small: a service file and documents."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from copy import deepcopy
from pathlib import Path
from typing import Any

BUCKETS = 4

PUBLICATION = {
    "id": "publication:EL-2026-17",
    "type": "publication",
    "url": "/publications/el-2026-17_u/",
    "title": "Copper drift in narrow lines",
    "people": ["Ada Lovelace", "Łukasz Żak"],
    "venue": "Ellmark Reports",
    "year": 2026,
    "date": "2026-03",
    "kind": "report",
    "topics": ["Interconnect"],
    "abstract": "Lines drift.\n\nWe measured how far.",
    "doi": "10.5555/el.17",
    "access": "public",
    "status": "current",
}
MEMBERS_PUBLICATION = {
    "id": "publication:secret-1",
    "type": "publication",
    "url": "/publications/secret-1/",
    "title": "For members alone",
    "people": ["Ada Lovelace"],
    "year": 2025,
    "kind": "report",
    "access": "members",
    "status": "current",
}
PROJECT = {
    "id": "project:drift",
    "type": "project",
    "url": "/projects/drift/",
    "title": "Drift",
    "people": ["Ada Lovelace"],
    "abstract": "Why lines drift.",
    "date": "2025-01-01",
    "access": "public",
    "status": "current",
}
EVENT_DOCUMENT = {
    "id": "event:E-2027-01",
    "type": "event",
    "url": "/events/e-2027-01_u/",
    "title": "Winter Review 2027",
    "date": "2027-01-19",
    "venue": "Gdańsk and online",
    "abstract": "Two days.",
    "access": "public",
    "status": "current",
}
EVENT = {
    "id": "E-2027-01",
    "slug": "e-2027-01_u",
    "title": "Winter Review 2027",
    "starts": "2027-01-19T09:00",
    "ends": "2027-01-20T16:00",
    "timezone": "Europe/Warsaw",
    "place": "Gdańsk and online",
    "status": "planned",
    "capacity": 40,
    "registration_opens": "2026-10-01T09:00",
    "registration_closes": "2027-01-08T18:00",
    "answers_kept_days": 30,
    "access": "public",
    "url": "/events/e-2027-01_u/",
    "organisers": [
        {"id": "ada-lovelace", "name": "Ada Lovelace", "addresses": ["ada@people.example"]}
    ],
    "sessions": [
        {
            "id": "E-2027-01-S01",
            "title": "Opening",
            "starts": "2027-01-19T09:00",
            "ends": "2027-01-19T09:30",
            "place": "Hall 2",
        }
    ],
    "questions": [
        {
            "name": "badge_name",
            "label": "Name, as it should stand on your badge",
            "type": "text",
            "required": True,
            "help": "",
            "choices": [],
        },
        {
            "name": "attendance",
            "label": "How will you take part?",
            "type": "choice",
            "required": True,
            "help": "",
            "choices": ["On site", "Online"],
        },
        {
            "name": "food",
            "label": "What should we know about food and access?",
            "type": "long text",
            "required": False,
            "help": "Optional.",
            "choices": [],
        },
    ],
    "consents": [
        {
            "name": "listing",
            "label": "List my name among those who come.",
            "required": False,
            "help": "",
        }
    ],
}
DELIVERABLE = {
    "id": "D1.1",
    "slug": "d1.1_u",
    "project_id": "drift",
    "title": "Map of drift",
    "due": "2026-06-30",
    "submitted": None,
    "accepted": None,
    "status": "planned",
    "access": "members",
    "url": "/members/projects/drift/#deliverables",
}

COMPANIES = [
    {"slug": "acme", "id": "acme", "name": "Acme Devices"},
    {"slug": "borealis", "id": "borealis", "name": "Borealis GmbH"},
    {"slug": "cygnus", "id": "cygnus", "name": "Cygnus & Söhne"},
]


class Releases:
    """The releases below an output folder; `publish` makes one more and makes it live."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.number = 0
        self.documents = {
            d["id"]: deepcopy(d)
            for d in (PUBLICATION, MEMBERS_PUBLICATION, PROJECT, EVENT_DOCUMENT)
        }
        self.events = {EVENT["id"]: deepcopy(EVENT)}
        self.deliverables = {DELIVERABLE["id"]: deepcopy(DELIVERABLE)}
        self.companies = deepcopy(COMPANIES)

    @property
    def root(self) -> Path:
        """The live release's folder."""
        return self.output / "releases" / str(self.number)

    def publish(self) -> int:
        """Make a release of what is here now, and switch to it; return its number."""
        self.number += 1
        (self.root / "service").mkdir(parents=True)
        (self.root / "service" / "records.json").write_text(json.dumps(self._service_file()))
        lines: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        for key, document in sorted(self.documents.items()):
            audience = "members" if document["access"] == "members" else "public"
            line = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
            lines[audience, _bucket(key)].append(line + b"\n")
        for audience in ("public", "members"):
            folder = self.root / "documents" / audience
            folder.mkdir(parents=True)
            (folder / "layout.json").write_text(json.dumps({"buckets": BUCKETS}))
        for (audience, bucket), found in lines.items():
            file = self.root / "documents" / audience / f"{bucket:04d}.jsonl"
            file.write_bytes(b"".join(found))
        fresh = self.output / "fresh"
        fresh.symlink_to(Path("releases") / str(self.number))
        fresh.replace(self.output / "current")
        return self.number

    def _service_file(self) -> dict[str, Any]:
        return {
            "version": 1,
            "release": self.number,
            "sitename": "Ellmark Consortium",
            "siteurl": "https://publications.example",
            "timezone": "Europe/Berlin",
            "language": "en",
            "is_demo": False,
            "assets": {
                "css/press.css": "/assets/css/press.0a.css",
                "css/forms.css": "/assets/css/forms.0a.css",
                "fonts/press-serif-latin.woff2": "/assets/fonts/serif.0a.woff2",
                "images/icon.svg": "/assets/images/icon.0a.svg",
            },
            "nav": [
                {"section": "publications", "title": "Publications", "url": "/publications/"},
                {"section": "events", "title": "Events", "url": "/events/"},
            ],
            "footer_links": [{"title": "Search", "url": "/search/"}],
            "events": list(self.events.values()),
            "deliverables": list(self.deliverables.values()),
            "companies": self.companies,
        }


def _bucket(key: str) -> int:
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % BUCKETS
