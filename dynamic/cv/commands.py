"""The commands `nightpress cv …` of the service; the nightly job adds `book`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click

from content_sync.commandline import site_option


@click.group()
def cv() -> None:
    """Keep the CVs of students and the books that companies read.

    Example: nightpress cv book
    """


@cv.command()
@site_option
def receipts(site: Path) -> None:
    """Read from Apache's log which company opened which CV.

    Example: nightpress cv receipts --site /srv/site
    """
    from dynamic.cv.receipts import read_receipts

    with _context(site):
        click.echo(f"{_told(read_receipts):,} openings of CVs are new.")


@cv.command()
@site_option
def tend(site: Path) -> None:
    """Remind and purge, finish withdrawals, delete files that no CV names any more.

    The service's worker does the same every few minutes.

    Example: nightpress cv tend --site /srv/site
    """
    from dynamic.cv.upkeep import tend as run

    with _context(site):
        done = _told(run)
    click.echo(", ".join(f"{number:,} {name}" for name, number in done.items()) + ".")


@cv.command()
@site_option
def demo(site: Path) -> None:
    """Send the CVs of a few fictional students in, for a look.

    Example: nightpress cv demo
    """
    from dynamic.cv.demo import send_demo_cvs

    with _context(site):
        click.echo(f"{_told(send_demo_cvs):,} fictional CVs are there.")


def before_books(site: Path) -> str:
    """Bring receipts and export up to date for the night; return what was wrong, or nothing."""
    from dynamic.commands import beside_the_night
    from dynamic.cv.receipts import read_receipts
    from dynamic.service_export import write_export

    def work() -> None:
        read_receipts()
        write_export()

    return beside_the_night(site, work)


def _context(site: Path) -> AbstractContextManager[Any]:
    from dynamic.app import create_app
    from dynamic.database import working
    from dynamic.settings import read_service_settings

    settings = _told(lambda: read_service_settings(site, answers=False))
    return working(create_app(settings))


def _told(call: Any) -> Any:
    from dynamic.errors import ServiceError

    try:
        return call()
    except ServiceError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(error.exit_code) from None
