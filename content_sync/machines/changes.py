"""What each night changed, for `/changes/`: works new, corrected, withdrawn; deliverables moved.

A build compares what it shows with what the history and the last release hold: the public
exports of works (`catalogue.py`; their old fields stand in the last release) and the facts of
deliverables. The differences are of today. The release carries them, and the history takes
them over when it goes live.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import defaultdict
from typing import Any, NamedTuple

import orjson

from content_sync.machines.catalogue import Catalogue, Stamp
from content_sync.machines.oai import bucket_of
from content_sync.machines.records import Record, read_records
from content_sync.pages.reader import Reader
from content_sync.records import Status
from content_sync.release import history
from content_sync.release.stage import Stage, write_file
from content_sync.settings import Settings

_BATCH = 2000
_OLD = "catalogue/members"

_DELIVERABLES = """
SELECT d.id, d.project_id, d.title, d.due_on, d.submitted_on, d.accepted_on, d.status,
       d.access = 'public' AND p.access = 'public' AS public
FROM deliverables d JOIN projects p ON p.id = d.project_id ORDER BY d.id"""

_FOR_MEMBERS = """
SELECT id, coalesce(members, public) AS item FROM cache.works WHERE visible = 1 ORDER BY id"""

_KINDS = ("deliverable", "members")
"""What the history keeps facts of."""

_FACTS = ("due_on", "submitted_on", "accepted_on", "status")


class Change(NamedTuple):
    """What one day did to one record."""

    day: str
    type: str
    id: str
    audience: str
    change: str
    """new, corrected, withdrawn or gone; of a deliverable also moved."""
    fields: dict[str, list[Any]]
    """Field → what it was and what it is; empty where only the change is known."""


def find_changes(
    settings: Settings, stage: Stage, reader: Reader, catalogue: Catalogue, day: str
) -> list[Change]:
    """Return the changes of the last days, today's among them.

    What is new since the release that is live is written into the stage for the history.
    """
    with history.open_history(settings.history) as connection:
        told = [Change(*row[:5], json.loads(row[5])) for row in history.changes(connection)]
        had = {kind: history.known(connection, kind) for kind in _KINDS}
    now: dict[str, dict[str, Any]] = {
        "deliverable": {row["id"]: _facts(row) for row in reader.rows(_DELIVERABLES)},
        "members": {row["id"]: _digest(row["item"]) for row in reader.rows(_FOR_MEMBERS)},
    }
    today = [
        *_works(stage, reader, catalogue, day),
        *_moved(had["deliverable"], now["deliverable"], day),
        *_works_for_members(had["members"], now["members"], day),
    ]
    known = {(c.type, c.id, c.audience): c for c in told if c.day == day}
    merged = [_merged(known.get((c.type, c.id, c.audience)), c) for c in today]
    _hand_over(stage, merged, had, now)
    renewed = {(c.type, c.id, c.audience) for c in merged}
    kept = [c for c in told if c.day != day or (c.type, c.id, c.audience) not in renewed]
    found = [c for c in (*merged, *kept) if c.change]
    return sorted(found, key=lambda c: (c.day, c.type, c.change, c.id, c.audience))


def _works(stage: Stage, reader: Reader, catalogue: Catalogue, day: str) -> list[Change]:
    """Return what today did to works that everyone sees or saw."""
    if not catalogue.before and len(catalogue.changed) == len(catalogue.stamps):
        return []  # the first release: everything is new, and nothing has changed
    before = catalogue.before
    old = _old_records(stage, [s for s in catalogue.changed if s.id in before])
    withdrawn = {
        row["id"]
        for row in reader.rows(
            "SELECT id FROM publications WHERE status = ? AND access <> 'members'",
            None,
            Status.WITHDRAWN,
        )
    }
    found = []
    for stamps in in_batches_of(catalogue.changed):
        new = read_records(reader, [s.id for s in stamps if not s.deleted])
        for stamp in stamps:
            known = before.get(stamp.id)
            fields: dict[str, list[Any]] = {}
            if stamp.deleted:
                change = "withdrawn" if stamp.id in withdrawn else "gone"
            elif known is None or known.deleted:
                change = "new"
            else:
                change = "corrected"
                fields = _differences(old.get(stamp.id), new[stamp.id])
            found.append(Change(day, "publication", stamp.id, "public", change, fields))
    return found


def in_batches_of(stamps: list[Stamp]) -> list[list[Stamp]]:
    """Return the stamps in lists that can be read at once."""
    return [stamps[i : i + _BATCH] for i in range(0, len(stamps), _BATCH)]


def _old_records(stage: Stage, stamps: list[Stamp]) -> dict[str, Record]:
    """Return the records as the last release exported them."""
    folder = stage.base.root / _OLD if stage.base else None
    if folder is None or not stamps or not folder.is_dir():
        return {}
    digits = max((len(file.stem) for file in folder.glob("*.gz")), default=1)
    wanted: dict[str, set[str]] = defaultdict(set)
    for stamp in stamps:
        wanted[bucket_of(stamp.id, digits)].add(stamp.id)
    found: dict[str, Record] = {}
    for bucket, ids in wanted.items():
        file = folder / f"{bucket}.gz"
        if file.is_file():
            for line in zlib.decompress(file.read_bytes(), 31).splitlines():
                record = orjson.loads(line)
                if record["id"] in ids:
                    found[record["id"]] = record
    return found


_NOT_TOLD = frozenset({"id", "url"})


def _differences(old: Record | None, new: Record) -> dict[str, list[Any]]:
    if old is None:
        return {}
    names = [n for n in dict.fromkeys((*new, *old)) if n not in _NOT_TOLD]
    return {n: [old.get(n), new.get(n)] for n in names if old.get(n) != new.get(n)}


def _facts(row: Any) -> dict[str, Any]:
    facts = {name: row[name] for name in _FACTS}
    return facts | {"project": row["project_id"], "public": bool(row["public"])}


def _moved(had: dict[str, Any], now: dict[str, Any], day: str) -> list[Change]:
    """Return what became of deliverables, for those who see them both then and now."""
    found: list[Change] = []
    if not had:
        return found  # the first release that knows of any
    for one in sorted(had.keys() | now.keys()):
        old, new = had.get(one), now.get(one)
        if old == new:
            continue
        fields: dict[str, list[Any]] = {}
        if old is None:
            assert new is not None
            change, audience = "new", "public" if new["public"] else "members"
        elif new is None:
            change, audience = "gone", "public" if old["public"] else "members"
        else:
            fields = {n: [old[n], new[n]] for n in _FACTS if old[n] != new[n]}
            change = "moved" if "due_on" in fields else "corrected"
            audience = "public" if old["public"] and new["public"] else "members"
            if not fields:
                # Only who may see it changed: for everyone it came, or went.
                change, audience = ("new" if new["public"] else "gone"), "public"
                if old["public"] == new["public"]:
                    continue
        found.append(Change(day, "deliverable", one, audience, change, fields))
    return found


def _works_for_members(had: dict[str, Any], now: dict[str, Any], day: str) -> list[Change]:
    """Return what became of works for members; of these it is not known what changed in them."""
    if not had:
        return []
    what = {one: "new" if one not in had else "corrected" for one in now}
    changed = [one for one in now if had.get(one) != now[one]]
    gone = [one for one in had if one not in now]
    return [
        Change(day, "publication", one, "members", what.get(one, "gone"), {})
        for one in sorted((*changed, *gone))
    ]


def _digest(item: str) -> str:
    return hashlib.blake2b(item.encode(), digest_size=12).hexdigest()


def _merged(earlier: Change | None, later: Change) -> Change:
    """Return two changes of one day as one; no change at all where the second undid the first.

    Of a record that went, nothing of what it said is told.
    """
    if earlier is None or not earlier.change:
        return later
    fields = {name: list(pair) for name, pair in earlier.fields.items()}
    for name, (old, new) in later.fields.items():
        fields[name] = [fields[name][0] if name in fields else old, new]
    fields = {name: pair for name, pair in fields.items() if pair[0] != pair[1]}
    change = later.change
    if earlier.change == "new":
        change, fields = ("" if later.change in ("gone", "withdrawn") else "new"), {}
    elif earlier.change in ("gone", "withdrawn"):
        change = "corrected" if later.change == "new" else later.change
    elif later.fields and not fields:
        change = ""
    if later.change in ("gone", "withdrawn"):
        fields = {}
    return later._replace(change=change, fields=fields)


def _hand_over(
    stage: Stage,
    changes: list[Change],
    had: dict[str, dict[str, Any]],
    now: dict[str, dict[str, Any]],
) -> None:
    """Write down what the history takes over when the release goes live."""
    lines = [["change", *c[:5], json.dumps(c.fields, sort_keys=True)] for c in changes]
    for kind in _KINDS:
        before, after = had[kind], now[kind]
        for one in sorted(before.keys() | after.keys()):
            if before.get(one) != after.get(one):
                facts = json.dumps(after[one], sort_keys=True) if one in after else ""
                lines.append([kind, one, facts])
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    stage.add([write_file(stage.root, history.CHANGES_FILE, text.encode())])
