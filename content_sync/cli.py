"""The command line: parses, calls, prints. Heavy imports stand inside the commands, so that
`--help` answers at once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from content_sync import __version__, steps, summary
from content_sync.agent.commands import agent_commands
from content_sync.commandline import fail, locked, settings_of, site_option, start, told
from content_sync.cvbook.commands import book
from content_sync.importing.commands import import_command
from content_sync.mirror.commands import mirror
from content_sync.operations.commands import backup, restore, usage
from content_sync.source.commands import diff, source
from content_sync.travelling.commands import edition, proceedings
from deploy.signin.commands import signin
from dynamic.commands import privacy, service
from dynamic.cv.commands import cv
from search.commands import bench


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nightpress")
def main() -> None:
    """Nightpress turns a database of publications into a static site with search, every night.

    The whole job is one command:

    \b
        nightpress nightly     sync, build, index, check, publish
        nightpress serve       look at the result
    """


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", default="Your institute", show_default=True, help="Name of the site.")
@click.option("--url", default="", help="Public address, such as https://publications.example.")
@told
def init(folder: Path, name: str, url: str) -> None:
    """Make a site folder: settings with every choice explained, and sample prose.

    Example: nightpress init publications --name "Institute of Tides" --url https://tides.example
    """
    from content_sync.new_site import make_site

    make_site(folder, name=name, url=url)
    click.echo(f"Made a site in {folder}. Next:\n  cd {folder}\n  nightpress nightly")


@main.command()
@site_option
@click.option(
    "--publications", "-n", default=600, show_default=True, type=click.IntRange(1, 1_000_000)
)
@click.option("--seed", default=1994, show_default=True, help="Same seed, same bytes.")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Database file to write.")
@told
def demo(site: Path, publications: int, seed: int, target: Path | None) -> None:
    """Make the demo source: a fictional research consortium in an SQLite database.

    Example: nightpress demo --publications 50000 --seed 7
    """
    settings = settings_of(site)
    steps.make_demo(settings, publications=publications, seed=seed, target=target)


@main.command()
@site_option
@click.option("--accept", is_flag=True, help="Land what a guard refused, as it was read then.")
@told
def sync(site: Path, accept: bool) -> None:
    """Read what is new, changed or gone in the source into the snapshot.

    Example: NIGHTPRESS_SOURCE="Driver=ODBC Driver 18 for SQL Server;Server=…" nightpress sync
    """
    settings = start(site)
    with locked(settings, "sync"):
        click.echo(summary.sync_words(steps.read_source(settings, accept)))


@main.command()
@site_option
@click.option("--full", is_flag=True, help="Look at every page, not only at what was touched.")
@told
def build(site: Path, full: bool) -> None:
    """Render the pages of the snapshot into a new release, not yet live.

    Example: nightpress build --full
    """
    settings = start(site)
    with locked(settings, "build"):
        report, number = steps.build_pages(settings, full)
        click.echo(f"Release {number}: {summary.build_words(report)}")


@main.command()
@site_option
@told
def index(site: Path) -> None:
    """Build the search index of the release that was built last.

    Example: nightpress index
    """
    settings = start(site)
    with locked(settings, "index"):
        click.echo(summary.index_words(steps.build_index(settings)))


@main.command()
@site_option
@click.option("--full", is_flag=True, help="Read every file again and compare its hash.")
@told
def check(site: Path, full: bool) -> None:
    """Verify the release that was built last, or else the live one.

    Example: nightpress check --full
    """
    settings = start(site)
    with locked(settings, "check"):
        report = steps.verify(settings, full)
    click.echo(summary.check_words(report))
    if report.errors:
        sys.exit(1)


@main.command()
@site_option
@told
def publish(site: Path) -> None:
    """Switch the release that was built last live, if it verifies.

    Example: nightpress publish
    """
    settings = start(site)
    with locked(settings, "publish"):
        report = steps.verify(settings)
        if report.errors:
            click.echo(summary.check_words(report))
            fail("The release does not verify; the live site is as it was.", 1)
        number = steps.switch_live(settings)
        click.echo(f"Release {number} is live.")


@main.command()
@site_option
@click.option("--reason", default="", help="For the audit log.")
@told
def rollback(site: Path, reason: str) -> None:
    """Take the live site back to the release before.

    Example: nightpress rollback
    """
    settings = start(site)
    with locked(settings, "rollback"):
        from content_sync.release.switch import rollback as go_back

        release = go_back(settings)
        click.echo(f"Release {release.number} is live again.")
    from content_sync.agent.commands import this_user
    from content_sync.agent.store import audit

    audit(settings, this_user(), "rollback", f"release {release.number}", reason)


@main.command()
@site_option
@click.option("--full", is_flag=True, help="Look at every page, not only at what was touched.")
@click.option("--accept", is_flag=True, help="Go on although more is gone than the guard allows.")
@click.option("--record", multiple=True, help="Bring this record alone, as type:id, in seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@told
def nightly(site: Path, full: bool, accept: bool, record: tuple[str, ...], as_json: bool) -> None:
    """Run the whole job: sync, build, index, check, publish.

    A failure at any step leaves the live site as it was. With --record only that record is read,
    and its pages made and indexed; where that cannot be, the whole job is run and says why.

    Example: nightpress nightly --site /srv/publications
    """
    from content_sync.nightly import run_night

    settings = start(site, as_json=as_json)
    run_night(settings, full=full, accept=accept, records=record, as_json=as_json)


@main.command()
@site_option
@told
def spare(site: Path) -> None:
    """Make a copy of the live release ready, from which the next one takes its files.

    With it one record goes live in seconds. The agent does it whenever nothing else runs. It
    costs no space: files are hard links.

    Example: nightpress spare
    """
    from content_sync.release.spare import make_spare

    settings = start(site)
    with locked(settings, "spare"):
        made = make_spare(settings)
    click.echo("A copy of the live release stands ready." if made else "There was nothing to do.")


@main.command()
@site_option
@click.option("--port", type=int, help="Default: 8000, and 8443 for the stack.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--stack", is_flag=True, help="Start Apache with sign-in and all that is behind it.")
@told
def serve(site: Path, host: str, port: int | None, stack: bool) -> None:
    """Show the live release's public pages on this machine.

    With --stack, members' pages, sign-in and the service too, on loopback and with a
    throwaway certificate.

    Example: nightpress serve --port 8080
    """
    if stack:
        from content_sync.operations.show import show_stack

        show_stack(settings_of(site), port=port or 8443)
        return
    port = port or 8000
    from content_sync.release.preview import serve as preview
    from content_sync.release.stage import live

    settings = settings_of(site)
    if live(settings) is None:
        fail("Nothing is published yet. Run 'nightpress nightly' first.", 1)
    click.echo(f"{settings.sitename}: http://{host}:{port}/  (Ctrl+C ends it)", err=True)
    preview(settings, host=host, port=port)


@main.command()
@site_option
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000))
@click.option("--members", is_flag=True, help="Search members' records too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each result.")
@told
def search(site: Path, query: tuple[str, ...], limit: int, members: bool, as_json: bool) -> None:
    """Search the live release from the terminal.

    Words, "phrases", -word, and fields: author: title: venue: year:2019..2023 topic: doi:

    Example: nightpress search author:brzękowicz copper drift
    """
    from content_sync.indexing import search_release

    results = search_release(settings_of(site), " ".join(query), limit=limit, members=members)
    if as_json:
        for hit in results.hits:
            click.echo(json.dumps(_hit_fields(hit), ensure_ascii=False))
        return
    if not results.hits:
        click.echo("Nothing found.")
        return
    click.echo(f"{results.total:,} found")
    for hit in results.hits:
        _show_hit(hit)


def _hit_fields(hit: Any) -> dict[str, Any]:
    from dataclasses import asdict

    fields = {n: v for n, v in asdict(hit).items() if not n.endswith("_marks")}
    fields["score"] = round(hit.score, 3)
    return {n: v for n, v in fields.items() if v not in (None, "", (), [])}


def _show_hit(hit: Any) -> None:
    mark = {"retracted": " † retracted", "corrected": " ‡ corrected"}.get(hit.status, "")
    if hit.access == "members":
        mark += " § members"
    click.echo(f"\n{hit.rank:>3}. {click.style(hit.title, bold=True)}{mark}")
    people = ", ".join(hit.people[:6])
    if len(hit.people) > 6:
        people += f" and {len(hit.people) - 6} more"
    where = " ".join(str(part) for part in (hit.venue, hit.year) if part)
    for line in (people, where, hit.snippet):
        if line:
            click.echo(f"     {line}")
    click.echo(f"     {hit.id}  {hit.url}")


@main.command()
@site_option
@click.option("--json", "as_json", is_flag=True)
@told
def status(site: Path, as_json: bool) -> None:
    """Say what is live, how old its data is, and what stands ready.

    Example: nightpress status --json
    """
    from content_sync.agent.told import read_facts

    facts = read_facts(settings_of(site))
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    for name, value in facts.items():
        if not isinstance(value, dict | list):
            click.echo(f"{name.replace('_', ' '):<18}{'–' if value is None else value}")


main.add_command(signin)


def _add(command: click.Command) -> click.Command:
    """Let what a command of another module raises end in one line, too."""
    if command.callback and not isinstance(command, click.Group):
        command.callback = told(command.callback)
    for below in getattr(command, "commands", {}).values():
        _add(below)
    return command


for _command in agent_commands:
    main.add_command(_add(_command))
main.add_command(bench)
main.add_command(import_command)
main.add_command(service)
main.add_command(_add(diff))
main.add_command(_add(source))
cv.add_command(book)
main.add_command(cv)
main.add_command(privacy)
main.add_command(_add(usage))
main.add_command(_add(backup))
main.add_command(_add(restore))
main.add_command(_add(mirror))
main.add_command(_add(edition))
main.add_command(_add(proceedings))


if __name__ == "__main__":
    main()
