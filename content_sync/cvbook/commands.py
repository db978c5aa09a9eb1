"""The command `nightpress cv book`, and the same as a step of the night."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from content_sync.commandline import site_option

_NAMED = 10


@click.command()
@site_option
def book(site: Path) -> None:
    """Write the books from which member companies read CVs.

    Every night does it too.

    Example: nightpress cv book --site /srv/site
    """
    from content_sync.errors import NightpressError
    from content_sync.lock import lock
    from content_sync.settings import read_settings

    try:
        settings = read_settings(site)
        with lock(settings, "cv book"):
            report = write(settings)
    except NightpressError as error:
        click.echo(f"nightpress: {error}", err=True)
        raise SystemExit(error.exit_code) from None
    click.echo(words(report))


def write(settings: Any) -> Any:
    """Write the books; log each CV whose file could not be had."""
    from content_sync.cvbook.book import write_books
    from content_sync.pages.build import today_in
    from content_sync.terminal import log

    report = write_books(settings, today=today_in(settings.timezone))
    if report:
        for cv_id, reason in [*report.missing.items()][:_NAMED]:
            log.warning("CV %s is in no book tonight: %s", cv_id, reason)
    return report


def words(report: Any) -> str:
    """Return one line on what came of the books."""
    if report is None:
        return "No CVs are exported by the service."
    text = (
        f"{report.cvs:,} CV{'' if report.cvs == 1 else 's'}, {report.verified:,} verified,"
        f" for {report.companies:,} companies"
    )
    if report.missing:
        text += f"; {len(report.missing):,} left out, see the log"
    return f"{text}."
