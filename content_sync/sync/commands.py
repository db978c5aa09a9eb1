"""The command `nightpress diff`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The site's folder, which holds pelicanconf.py (default: this one).",
)
@click.option("--now", "read_now", is_flag=True, help="Read the source in any case.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page, too."
)
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1), help="Rows of each sort."
)
def diff(site: Path, read_now: bool, html: Path | None, limit: int) -> None:
    """Show what the refused sync would have changed, or what a sync would change now.

    Nothing is landed: 'nightpress sync --accept' does that, with exactly what was shown.

    Example: nightpress diff --html diff.html
    """
    from content_sync.settings import read_settings
    from content_sync.sync import difference, refusal

    settings = read_settings(site)
    refused = None if read_now else difference.diff_refused(settings, samples=limit)
    found = refused or difference.diff_now(settings, samples=limit)
    click.echo(difference.as_text(found).strip("\n"))
    if html:
        from content_sync.standalone import render

        page = found if limit >= 200 else None
        if page is None:
            page = (
                difference.diff_refused(settings, samples=200)
                if refused
                else difference.diff_now(settings, samples=200)
            )
        html.write_text(render("diff.html", diff=page), "utf-8")
        click.echo(f"\nThe page: {html}", err=True)
    if refused:
        refusal.looked_at(settings, refused.digest)
