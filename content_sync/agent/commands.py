"""The agent's commands: run it, ask it, and what staff can do to the live site at once."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from content_sync.commandline import site_option

if TYPE_CHECKING:
    from content_sync.settings import Settings

_reason = click.option("--reason", required=True, help="Why: it stands in the audit log.")


def this_user() -> str:
    """Return who types, for the audit log."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return f"user {os.getuid() if hasattr(os, 'getuid') else '?'} (command line)"


@click.command()
@site_option
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of AGENT_PORT.")
@click.option("--no-schedule", is_flag=True, help="Only what is asked for; no night of its own.")
def agent(site: Path, port: int | None, no_schedule: bool) -> None:
    """Run the nights and the rebuilds that staff ask for, one at a time.

    Example: NIGHTPRESS_PROXY_SECRET=… nightpress agent --site /srv/publications
    """
    from content_sync.agent.serving import serve

    serve(_settings(site), port=port, schedule=not no_schedule)


@click.command()
@site_option
@click.option("--full", is_flag=True, help="Look at every page, not only at what was touched.")
@click.option("--record", default="", help="The record that it is for, as type:id.")
@click.option("--accept", is_flag=True, help="Approve what a guard stopped: see 'nightpress diff'.")
@_reason
def rebuild(site: Path, full: bool, record: str, accept: bool, reason: str) -> None:
    """Ask the agent for a build; it joins the one that waits.

    Example: nightpress rebuild --record publication:2024.report-17 --reason "Wrong title"
    """
    from content_sync.agent import queue, told
    from content_sync.agent.where import where_is

    settings = _settings(site)
    if record:
        where_is(settings, record)
    build = queue.ask(settings, this_user(), reason, full=full, record=record, accept=accept)
    click.echo(f"Build {build.id} carries it.")
    if told.agent_of(settings) is None:
        click.echo("No agent runs: it waits until 'nightpress agent' does.", err=True)


@click.command()
@site_option
@_reason
def cancel(site: Path, reason: str) -> None:
    """Cancel the build that waits.

    Example: nightpress cancel --reason "Not needed"
    """
    from content_sync.agent import queue

    click.echo(f"Build {queue.cancel(_settings(site), this_user(), reason).id} is cancelled.")


@click.command("lock")
@site_option
@_reason
def lock_command(site: Path, reason: str) -> None:
    """Lock publishing: builds go on, the live site stays as it is.

    Example: nightpress lock --reason "Press conference until noon"
    """
    from content_sync.agent.publishing import lock_publishing

    lock_publishing(_settings(site), this_user(), reason)
    click.echo("Publishing is locked.")


@click.command("unlock")
@site_option
@click.option("--reason", default="", help="For the audit log.")
def unlock_command(site: Path, reason: str) -> None:
    """Let builds go live again.

    Example: nightpress unlock
    """
    from content_sync.agent.publishing import unlock_publishing

    was = unlock_publishing(_settings(site), this_user(), reason)
    click.echo("Publishing is open." if was else "It was open.")


@click.command()
@site_option
@click.argument("record")
@click.option("--undo", is_flag=True, help="Show it again.")
@click.option(
    "--kind",
    type=click.Choice(["withdrawn", "erased", "legal"]),
    default="withdrawn",
    show_default=True,
    help="What its page says; 'erased' is for personal data: see 'nightpress purge'.",
)
@_reason
def withdraw(site: Path, record: str, undo: bool, kind: str, reason: str) -> None:
    """Withdraw RECORD (type:id) now: it answers 410 and leaves the search, before any build.

    Example: nightpress withdraw publication:2024.report-17 --reason "Patent pending"
    """
    from content_sync.agent import publishing_acts as acts

    settings = _settings(site)
    if undo:
        was = acts.bring_back(settings, record, this_user(), reason)
        click.echo(f"{record} is shown again." if was else f"{record} was not withdrawn.")
        return
    done = acts.withdraw(settings, record, kind, this_user(), reason)
    click.echo(f"{record} is withdrawn." if done else f"{record} was withdrawn already.")


@click.command()
@site_option
@_reason
def purge(site: Path, reason: str) -> None:
    """Remove kept releases that hold pages of erased records. It cannot be taken back.

    Example: nightpress purge --reason "Erasure asked for on 3 May"
    """
    from content_sync.agent import publishing_acts as acts

    settings = _settings(site)
    gone = acts.purge(settings, this_user(), reason)
    names = ", ".join(str(number) for number in gone)
    click.echo(f"Removed: releases {names}." if gone else "No kept release holds an erased record.")
    if settings.mirror or settings.mirror_private:
        click.echo("The mirror holds what the live release holds, and no older version.")


@click.command()
@site_option
@click.argument("text", default="")
@click.option("--clear", is_flag=True, help="Take the notice away.")
def notice(site: Path, text: str, clear: bool) -> None:
    """Show TEXT as a line on every page, at once; without it, say what is shown.

    Example: nightpress notice "Sign-in is down until noon."
    """
    from content_sync.agent import publishing_acts as acts
    from content_sync.operations import overlay

    settings = _settings(site)
    if text or clear:
        acts.set_notice(settings, "" if clear else text, this_user())
    found = overlay.notice(settings)
    click.echo(f"{found.text}  (since {found.since})" if found.text else "There is no notice.")


@click.command()
@site_option
@click.argument("record")
@click.option("--json", "as_json", is_flag=True)
def where(site: Path, record: str, as_json: bool) -> None:
    """Say what became of the last edit of RECORD (type:id).

    Example: nightpress where publication:2024.report-17
    """
    from content_sync.agent.where import as_json as to_json
    from content_sync.agent.where import where_is

    found = where_is(_settings(site), record)
    click.echo(to_json(found) if as_json else found.says)


@click.command()
@site_option
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 100_000))
def audit(site: Path, most: int) -> None:
    """Say who did what, when and why, the newest first.

    Example: nightpress audit --most 20
    """
    from content_sync.agent.store import audit_log

    for line in audit_log(_settings(site), most):
        why = f": {line['why']}" if line["why"] else ""
        click.echo(f"{line['at'][:16]}  {line['who']}  {line['action']}  {line['what']}{why}")


@click.command()
@site_option
@click.option("--name", required=True, help="Whose it is, so that it can be revoked.")
@click.option("--revoke", is_flag=True, help="Revoke the tokens of that name.")
def tray(site: Path, name: str, revoke: bool) -> None:
    """Give an address of cctray.xml for a tray program; it is shown once.

    Example: nightpress tray --name "Wall screen"
    """
    from content_sync.agent import tokens

    settings = _settings(site)
    if revoke:
        click.echo(f"{tokens.revoke(settings, name, this_user())} revoked.")
        return
    token = tokens.give(settings, name, this_user())
    click.echo(f"{settings.siteurl}/staff/agent/tray/{token}/cctray.xml")


agent_commands = (
    *(agent, rebuild, cancel, lock_command, unlock_command, withdraw, purge),
    *(notice, where, audit, tray),
)


def _settings(site: Path) -> Settings:
    from content_sync.settings import read_settings

    return read_settings(site)
