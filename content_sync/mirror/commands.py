"""The command `nightpress mirror`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from content_sync.commandline import site_option


@click.command()
@site_option
@click.option("--to", default="", help="s3://bucket/prefix, instead of MIRROR.")
@click.option("--private", default="", help="A private bucket for members' and staff's pages.")
@click.option("--purge", is_flag=True, help="Keep nothing old: no earlier files, no versions.")
@click.option("--adopt", is_flag=True, help="Take a place over that holds other objects.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def mirror(site: Path, to: str, private: str, purge: bool, adopt: bool, as_json: bool) -> None:
    """Copy the live public pages to an S3 bucket, for a CDN or a standby.

    Only what differs is sent: new files first, then pages, the pointer and deletions last. A run
    that is killed is gone on with by the next. Credentials come from AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY, the server's address from S3_ENDPOINT_URL in pelicanconf.py.

    Example: nightpress mirror --to s3://publications
    """
    from content_sync.mirror.run import mirror as copy
    from content_sync.settings import read_settings
    from content_sync.terminal import Progress, start_logging

    settings = read_settings(site)
    start_logging(settings.var, quiet=False, json=as_json)
    progress = Progress()
    try:
        reports = copy(
            settings, to=to, private=private, purge=purge, adopt=adopt, progress=progress
        )
    finally:
        progress.close()
    for report in reports:
        if as_json:
            click.echo(json.dumps(asdict(report)))
            continue
        versions = f", {report.versions:,} old versions removed" if report.versions else ""
        click.echo(
            f"{report.place}: release {report.release}, {report.objects:,} objects;"
            f" {report.sent:,} sent ({report.bytes / 1e6:,.1f} MB), {report.deleted:,} deleted,"
            f" {report.kept:,} of earlier pages kept for a day{versions}."
        )
