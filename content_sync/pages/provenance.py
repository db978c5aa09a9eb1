"""Where a work comes from and where it was shown: the deliverables it answers, its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from content_sync.pages.access import ROOT, visible
from content_sync.pages.model import Context
from content_sync.pages.reader import Reader, Row
from content_sync.records import Access
from content_sync.urls import record_url, slug

_DELIVERABLES = """
SELECT r.publication_id, d.id, d.title, d.access, p.id AS project_id, p.access AS project_access
FROM deliverable_publications r JOIN deliverables d ON d.id = r.deliverable_id
JOIN projects p ON p.id = d.project_id
WHERE r.publication_id IN :ids ORDER BY d.id"""

_EVENTS = """
SELECT r.publication_id, e.id, e.title, e.access
FROM session_publications r JOIN event_sessions s ON s.id = r.session_id
JOIN events e ON e.id = s.event_id
WHERE r.publication_id IN :ids GROUP BY r.publication_id, e.id ORDER BY e.starts_at, e.id"""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What one work was handed in as, and the events that had it on their agenda."""

    deliverables: Sequence[Row] = ()
    events: Sequence[Row] = ()

    @property
    def members_see_more(self) -> bool:
        """Whether some of it is for members only."""
        return any(
            not _is_public(row["access"]) or not _is_public(row["project_access"])
            for row in self.deliverables
        ) or any(not _is_public(row["access"]) for row in self.events)

    def seen_by(self, audience: str) -> tuple[Context, tuple[str, ...]]:
        """Return what an audience's page shows of it, and the records that this names."""
        root = ROOT[audience]
        deliverables = [
            d
            for d in self.deliverables
            if visible(d["access"], audience) and visible(d["project_access"], audience)
        ]
        events = [e for e in self.events if visible(e["access"], audience)]
        shown: Context = {
            "deliverables": [
                {
                    "id": d["id"],
                    "title": d["title"],
                    "href": f"{root}{record_url('project', d['project_id'])}#d-{slug(d['id'])}",
                }
                for d in deliverables
            ],
            "events": [
                {"title": e["title"], "href": root + record_url("event", e["id"])} for e in events
            ],
        }
        records = [f"deliverable:{d['id']}" for d in deliverables]
        return shown, (*records, *(f"event:{e['id']}" for e in events))


def read_provenance(reader: Reader, ids: Sequence[str]) -> dict[str, Provenance]:
    """Return the provenance of those publications that have any."""
    if not reader.makes("lineage"):
        return {}
    deliverables = reader.grouped(_DELIVERABLES, ids)
    events = reader.grouped(_EVENTS, ids)
    return {
        one: Provenance(deliverables.get(one, ()), events.get(one, ()))
        for one in deliverables.keys() | events.keys()
    }


def _is_public(access: str) -> bool:
    return access == Access.PUBLIC
