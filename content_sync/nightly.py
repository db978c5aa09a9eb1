"""The whole job, step by step: only here stands their order.

A failure at any step leaves the live site as it was. What comes after the switch (the service, the
CV books, the mirror) is no failure of the night.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from content_sync import steps
from content_sync.agent.publishing import publishing_lock
from content_sync.commandline import fail, locked
from content_sync.cvbook import commands, has_cvs
from content_sync.errors import NightpressError
from content_sync.fast_lane import NotInPart, parse, publish_records
from content_sync.pages.site import nothing_to_do
from content_sync.summary import check_words, tell_night
from content_sync.terminal import Progress, log, timed
from dynamic.commands import after_release, before_build
from dynamic.cv.commands import before_books

if TYPE_CHECKING:
    from content_sync.settings import Settings


def run_night(
    settings: Settings, *, full: bool, accept: bool, records: tuple[str, ...], as_json: bool
) -> None:
    """Run sync, build, index, check and publish, or bring `records` alone where that can be."""
    seconds: dict[str, float] = {}
    with locked(settings, "nightly"):
        if records and not full and not accept and _fast(settings, records, seconds, as_json):
            return
        _tell_service(before_build(settings.site))
        log.info("Reading the source")
        with timed(seconds, "sync"):
            synced = steps.read_source(settings, accept)
        if not full and synced.unchanged and nothing_to_do(settings):
            _tell_service(after_release(settings.site))
            books = _cv_books(settings, seconds)
            mirrored = _mirror(settings, seconds)
            tell_night(
                *(settings, synced, seconds, as_json),
                skipped=True,
                books=books,
                mirrored=mirrored,
            )
            return
        log.info("Building the pages")
        with timed(seconds, "build"):
            built, number = steps.build_pages(settings, full, prove=True)
        log.info("Building the search index")
        with timed(seconds, "index"):
            indexed = steps.build_index(settings)
        log.info("Checking release %s", number)
        with timed(seconds, "check"):
            checked = steps.verify(settings)
        if checked.errors:
            click.echo(check_words(checked), err=True)
            fail(
                f"Release {number} does not verify; the live site is as it was."
                " The list is in var/check-report.txt.",
                1,
            )
        if why := publishing_lock(settings):
            tell_night(
                *(settings, synced, seconds, as_json),
                built=built,
                indexed=indexed,
                checked=checked,
                held=f"Release {number} stands ready and is not live. {why}.",
            )
            return
        with timed(seconds, "publish"):
            steps.switch_live(settings)
        _tell_service(after_release(settings.site))
        books = _cv_books(settings, seconds)
        mirrored = _mirror(settings, seconds)
        tell_night(
            settings,
            synced,
            seconds,
            as_json,
            mirrored=mirrored,
            built=built,
            indexed=indexed,
            checked=checked,
            books=books,
        )


def _fast(
    settings: Settings, records: tuple[str, ...], seconds: dict[str, float], as_json: bool
) -> bool:
    """Bring some records alone to the live site; return False where the whole job is needed."""
    wanted = parse(records)
    if why := publishing_lock(settings):
        log.info("A whole build: %s.", why)
        return False
    progress = Progress()
    try:
        done = publish_records(settings, wanted, seconds, progress)
    except NotInPart as error:
        log.info("A whole build: %s", error)
        return False
    finally:
        progress.close()
    if done.checked and done.checked.errors:
        click.echo(check_words(done.checked), err=True)
        fail("The release does not verify; the live site is as it was.", 1)
    tell_night(
        *(settings, done.synced, seconds, as_json),
        built=done.built,
        indexed=done.indexed,
        checked=done.checked,
        skipped=done.release is None,
        part=done.facts(),
    )
    return True


def _tell_service(said: str) -> None:
    """Log what the service could not do beside the night, which is no failure of the night."""
    if said:
        log.warning(said)


def _mirror(settings: Settings, seconds: dict[str, float]) -> str:
    """Bring the mirror up to date, if there is one, and say what came of it.

    The release is live by now: a bucket that does not answer is no failure of the night.
    """
    if not settings.mirror:
        return ""
    from content_sync.mirror.run import mirror as copy

    log.info("Copying to the mirror")
    progress = Progress()
    try:
        with timed(seconds, "mirror"):
            reports = copy(settings, progress=progress)
    except NightpressError as error:
        log.warning("The mirror is as it was, or half-way: %s", error)
        return f"not up to date: {error}"
    finally:
        progress.close()
    return "; ".join(f"{r.place}: {r.sent:,} sent, {r.deleted:,} deleted" for r in reports)


def _cv_books(settings: Settings, seconds: dict[str, float]) -> Any:
    """Bring receipts and books of CVs up to date, if the service takes any.

    The release is live by now, whatever becomes of the books.
    """
    if not has_cvs(settings):
        return None
    log.info("Writing the CV books")
    with timed(seconds, "CVs"):
        if problem := before_books(settings.site):
            log.warning("%s", problem)
        return commands.write(settings)
