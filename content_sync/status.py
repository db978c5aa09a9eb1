"""What there is to say of a site and of a night, as plain facts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from content_sync.release.stage import live, releases, staged
from content_sync.settings import Settings


def read_status(settings: Settings) -> dict[str, Any]:
    """Return what is live, how old it and its data are, and what stands ready."""
    release = live(settings)
    info = release.info() if release else {}
    stage = staged(settings)
    counts = info.get("counts", {})
    return {
        "site": settings.sitename,
        "source": _source(settings),
        "live_release": release.number if release else None,
        "built": info.get("built"),
        "age_hours": _hours_since(info.get("built")),
        "sync": info.get("sync"),
        "publications": counts.get("publications"),
        "members_only": counts.get("members_publications"),
        "demo_data": info.get("is_demo"),
        "releases_kept": ", ".join(str(r.number) for r in releases(settings)) or None,
        "staged": stage.number if stage else None,
        "mirror": _mirror(settings),
    }


def night_facts(
    settings: Settings,
    synced: Any,
    built: Any,
    indexed: Any,
    checked: Any,
    seconds: dict[str, float],
    skipped: bool,
) -> dict[str, Any]:
    """Return the summary of one run of the nightly job."""
    release = live(settings)
    facts: dict[str, Any] = {
        "release": release.number if release else None,
        "skipped": skipped,
        "seconds": seconds,
        "sync": {
            "number": synced.number,
            "rows": synced.rows,
            "added": synced.added,
            "changed": synced.changed,
            "gone": synced.gone,
            "left_out": synced.left_out,
            "problems": synced.problems,
            "views": {name: _plain(counts) for name, counts in synced.views.items()},
        },
    }
    if built:
        facts["build"] = {
            "full": built.full,
            "looked_at": built.looked_at,
            "written": built.written,
            "pages": built.pages,
            "unchanged": built.unchanged,
            "removed": built.removed,
            "shared": built.shared,
            "documents": built.documents,
            "full_texts": built.full_texts.present,
            "full_texts_brought": built.full_texts.brought,
            "full_texts_missing": len(built.full_texts.missing),
        }
        facts["index"] = _plain(indexed)
        facts["check"] = {
            **checked.counts,
            "errors": len(checked.errors),
            "warnings": len(checked.warnings),
        }
    return facts


def _mirror(settings: Settings) -> str | None:
    if not settings.mirror:
        return None
    from content_sync.mirror.state import last_run

    found = last_run(settings.var / "mirror.sqlite", settings.mirror)
    return f"release {found[0]} since {found[1]}" if found else "never copied"


def _plain(record: Any) -> Any:
    from dataclasses import asdict

    return asdict(record)


def _hours_since(moment: str | None) -> float | None:
    if not moment:
        return None
    return round((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds() / 3600, 1)


def _source(settings: Settings) -> str:
    if settings.source:
        return "configured"
    return "imported works" if settings.own_source.is_file() else "embedded demo"
