"""The steps of the job as commands run them: each shows how far it is and logs its notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from content_sync.commandline import NAMED

if TYPE_CHECKING:
    from content_sync.settings import Settings


def make_demo(
    settings: Settings, *, publications: int = 600, seed: int = 1994, target: Path | None = None
) -> None:
    """Write the demo source, by default where a site without a source reads it."""
    from content_sync.demo import write_demo
    from content_sync.terminal import Progress

    target = target or settings.demo_source
    files = target.with_name(f"{target.stem}-files")
    progress = Progress()
    report = write_demo(
        target,
        files,
        publications=publications,
        seed=seed,
        progress=lambda done, total: progress("demo", done, total),
    )
    progress.close()
    click.echo(f"Demo source: {report.publications:,} publications in {target}", err=True)


def read_source(settings: Settings, accept: bool) -> Any:
    """Read the source into the snapshot; a site without a source gets the demo first."""
    from content_sync.sync import sync as run_sync
    from content_sync.terminal import Progress, log

    if settings.reads_demo and not settings.demo_source.is_file():
        make_demo(settings)
    progress = Progress()
    try:
        report = run_sync(settings, accept=accept, progress=progress)
    finally:
        progress.close()
    for note in report.notes:
        log.info("Note: %s", note)
    return report


def build_pages(settings: Settings, full: bool, *, prove: bool = False) -> tuple[Any, int]:
    """Render a new release and return the report and its number."""
    from content_sync.pages.site import build_site
    from content_sync.terminal import Progress, log

    progress = Progress()
    try:
        report, number = build_site(
            settings, full=full, progress=progress, prove=_prove(settings) if prove else None
        )
    finally:
        progress.close()
    for publication, path, reason in report.full_texts.missing[:NAMED]:
        log.info("Full text of %s is missing: %s: %s", publication, path, reason)
    for refused in report.redirects_refused[:NAMED]:
        log.info("Redirect not followed: %s", refused)
    return report, number


def _prove(settings: Settings) -> Callable[[Path, str], dict[str, Any]]:
    """Return what compares a finished build with the source, and tells what it found."""
    from content_sync.sync.proof import prove
    from content_sync.terminal import log

    def compare(root: Path, date: str) -> dict[str, Any]:
        found = prove(settings, root, date)
        if found["state"] != "complete":
            log.warning("Is everything shown? %s", found["says"])
        return found

    return compare


def build_index(settings: Settings) -> Any:
    """Build the search index of the staged release."""
    from content_sync.indexing import index_release
    from content_sync.release.stage import staged
    from content_sync.terminal import Progress

    progress = Progress()
    try:
        return index_release(settings, staged(settings), progress)
    finally:
        progress.close()


def verify(settings: Settings, full: bool = False) -> Any:
    """Verify the staged release, or else the live one."""
    from content_sync.errors import ReleaseError
    from content_sync.processes import processes
    from content_sync.release.stage import live, staged
    from content_sync.release.verify import check

    release = staged(settings) or live(settings)
    if release is None:
        raise ReleaseError("There is no release to check.", hint="Run 'nightpress build' first.")
    with processes(settings) as executor:
        return check(settings, release, full=full, executor=executor)


def switch_live(settings: Settings) -> int:
    """Switch the staged release live and return its number."""
    from content_sync.agent.publishing import check_may_publish
    from content_sync.errors import ReleaseError
    from content_sync.lock import check_held
    from content_sync.release.stage import staged
    from content_sync.release.switch import prune
    from content_sync.release.switch import publish as switch

    stage = staged(settings)
    if stage is None:
        raise ReleaseError("No release is staged.", hint="Run 'nightpress build' first.")
    check_may_publish(settings)
    check_held(settings)
    release = switch(settings, stage)
    prune(settings)
    return release.number
