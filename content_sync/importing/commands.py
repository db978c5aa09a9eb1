"""The command `nightpress import`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from content_sync.commandline import site_option


@click.command("import")
@site_option
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--access",
    type=click.Choice(["public", "abstract", "members"]),
    default="public",
    show_default=True,
    help="Who may see works whose file does not say.",
)
@click.option("--replace", is_flag=True, help="Remove works that are in none of the files.")
def import_command(site: Path, files: tuple[Path, ...], access: str, replace: bool) -> None:
    """Fill the site's own source from BibTeX, CSL-JSON, CSV or NDJSON files.

    A work that was imported before is found again by its id (the citation key) and changed in
    place. A site with works of its own shows these instead of the demo.

    Example: nightpress import references.bib reports.csv
    """
    from content_sync.errors import NightpressError
    from content_sync.importing.files import import_files
    from content_sync.settings import read_settings
    from content_sync.terminal import Progress

    progress = Progress()
    try:
        settings = read_settings(site)
        if settings.source:
            click.echo(
                "Note: NIGHTPRESS_SOURCE names a database, which the site reads instead.", err=True
            )
        report = import_files(
            files,
            settings.own_source,
            access=access,
            replace=replace,
            progress=lambda done, total: progress("import", done, total),
        )
    except NightpressError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    finally:
        progress.close()
    for line in report.refused[:20]:
        click.echo(f"Left out: {line}", err=True)
    if len(report.refused) > 20:
        click.echo(f"… and {len(report.refused) - 20:,} more left out", err=True)
    gone = f", {report.gone:,} removed" if replace else ""
    click.echo(
        f"{report.added:,} works added, {report.changed:,} changed, {report.unchanged:,} as before"
        f"{gone}; {len(report.refused):,} left out. They are in {settings.own_source}."
    )
    click.echo("Next: nightpress nightly")
