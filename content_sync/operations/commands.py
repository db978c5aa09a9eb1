"""The command `nightpress usage`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from content_sync.commandline import site_option

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("logs", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@site_option
@click.option("--from", "first", type=_DAY, help="The first day that counts.")
@click.option("--to", "last", type=_DAY, help="The last day that counts.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="0: all.")
@click.option("--json", "as_json", is_flag=True)
def usage(
    logs: tuple[Path, ...],
    site: Path,
    first: datetime | None,
    last: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Count how often each record was read, from Apache's access logs and without robots.

    LOGS are files, oldest first, plain or .gz (default: var/log/apache-access.log* of the
    site). Nobody is followed: requests are counted, and who asked is kept nowhere.

    Example: nightpress usage --from 2026-11-01 --to 2026-11-30
    """
    from content_sync.errors import ConfigurationError
    from content_sync.operations.usage import logs_of, read_usage
    from content_sync.settings import read_settings

    files = list(logs) or logs_of(read_settings(site).var / "log")
    if not files:
        raise ConfigurationError(
            "There is no access log of Apache in var/log.", hint="Name the logs as arguments."
        )
    found = read_usage(files, first and first.date(), last and last.date())
    rows = found.records[: limit or None]
    if as_json:
        records = [
            {"url": url, "pages": found.pages[url], "files": found.files[url]} for url in rows
        ]
        facts = {"records": records, "robots": found.robots, "unread_lines": found.unread}
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"{'pages':>8} {'files':>8}  record")
    for url in rows:
        click.echo(f"{found.pages[url]:>8} {found.files[url]:>8}  {url}")
    click.echo(
        f"{found.pages.total()} pages and {found.files.total()} files of"
        f" {len(found.records)} records were read; {found.robots} requests of robots are left out.",
        err=True,
    )
    if found.unread:
        click.echo(f"{found.unread} lines are not of the site's log format.", err=True)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@site_option
def backup(folder: Path, site: Path) -> None:
    """Write a backup into FOLDER: all that cannot be made again from the source.

    History, agent, service, sign-in, CVs, overlay, secrets, prose and settings, in one file that
    only its owner can read. Keep it as carefully as the CVs that it holds.

    Example: nightpress backup /mnt/backups
    """
    from content_sync.operations.backup import back_up
    from content_sync.settings import read_settings

    done = back_up(read_settings(site), folder)
    click.echo(f"{done.file}: {done.members:,} files, {done.cvs:,} CVs, {done.size / 1e6:,.1f} MB.")


@click.command()
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False))
@site_option
@click.option("--replace", is_flag=True, help="The folder holds a site: replace its state.")
@click.option(
    "--denied",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A newer var/cvbook-denied.txt: CVs in it stay away.",
)
def restore(archive: Path, site: Path, replace: bool, denied: Path | None) -> None:
    """Restore ARCHIVE, which 'nightpress backup' wrote, into a site folder.

    Nothing that was withdrawn since comes back where the folder, or --denied, knows of it. The
    next night then makes the snapshot and the release anew.

    Example: nightpress restore /mnt/backups/nightpress-20261124T023000Z.tar --site /srv/new
    """
    from content_sync.operations.restore import restore as bring_back

    done = bring_back(archive, site, replace=replace, denied=denied)
    click.echo(
        f"Restored {done.members:,} files and {done.cvs:,} CVs, as of {done.made};"
        f" {done.kept_away:,} CVs that were withdrawn since stay away.\n"
        "Next: nightpress nightly"
    )
