"""The commands `nightpress source …` and `nightpress diff`: all about the source database."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from content_sync.commandline import site_option

_MARKS = {"ok": ("ok  ", "green"), "mind": ("mind", "yellow"), "fail": ("FAIL", "red")}


@click.command()
@site_option
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


@click.group()
def source() -> None:
    """Set up, examine and report on the source database.

    Example: nightpress source doctor
    """


@source.command()
@site_option
@click.option("--run", "run_now", is_flag=True, help="Execute it instead of printing it.")
@click.option("--example", is_flag=True, help="Add an example's business tables and their rows.")
@click.option("--tables", is_flag=True, help="Make the contract's tables instead of empty views.")
@click.option("--login", default="nightpress_reader", show_default=True, help="Who may read.")
@click.option("--no-login", is_flag=True, help="Make no login: there is one already.")
@click.option("--contained", is_flag=True, help="A user with a password and no login (Azure SQL).")
def install(
    site: Path,
    run_now: bool,
    example: bool,
    tables: bool,
    login: str,
    no_login: bool,
    contained: bool,
) -> None:
    """Print the T-SQL that makes schema web, its views, a login that reads, and the switch.

    With --run it is executed on the server that NIGHTPRESS_ADMIN_SOURCE names, or else
    NIGHTPRESS_SOURCE. The login's password comes from NIGHTPRESS_READER_PASSWORD, or a new
    one is made and shown once.

    Example: nightpress source install > nightpress.sql
    """
    from content_sync.errors import ConfigurationError
    from content_sync.source import install as installing
    from content_sync.source.connect import Limits

    if example and tables:
        raise ConfigurationError("--example and --tables make other objects of the same names.")
    given = os.environ.get("NIGHTPRESS_READER_PASSWORD", "")
    plan = installing.Plan(
        login="" if no_login else login,
        password=given or installing.new_password(),
        kind="example" if example else "tables" if tables else "views",
        contained=contained,
    )
    if not run_now:
        click.echo(installing.script(plan), nl=False)
        return
    admin = os.environ.get("NIGHTPRESS_ADMIN_SOURCE") or os.environ.get("NIGHTPRESS_SOURCE", "")
    if not admin:
        raise ConfigurationError(
            "No server is named.", hint="Set NIGHTPRESS_ADMIN_SOURCE to an ODBC connection string."
        )
    del site
    done = installing.run(admin, plan, limits=Limits(), say=click.echo)
    click.echo(f"{done} made.")
    if not no_login and not given:
        click.echo(
            f"The password of {login}, if it was made now: {plan.password}\n"
            "It is shown this once. Put UID and PWD into NIGHTPRESS_SOURCE."
        )


@source.command()
@site_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each line.")
def doctor(site: Path, as_json: bool) -> None:
    """Connect, check each thing that can be wrong, and say what mends it.

    Exits with 1 if something fails. Nothing is written anywhere.

    Example: nightpress source doctor
    """
    from dataclasses import asdict

    from content_sync.settings import read_settings
    from content_sync.source.doctor import State, examine

    failed = 0
    for line in examine(read_settings(site)):
        failed += line.state is State.BAD
        if as_json:
            click.echo(json.dumps(asdict(line), ensure_ascii=False))
            continue
        mark, colour = _MARKS[line.state]
        click.echo(f"{click.style(mark, fg=colour)}  {line.name}: {line.says}")
        if line.mend and line.state is not State.GOOD:
            click.echo(f"      mend: {line.mend}")
    if failed:
        if not as_json:
            click.echo(f"{failed} to mend.")
        sys.exit(1)


@source.command()
@site_option
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page.")
def report(site: Path, as_json: bool, html: Path | None) -> None:
    """Say what the last sync asked the database: each query, rows, bytes, time, locks.

    Example: nightpress source report --html report.html
    """
    from content_sync.errors import NightpressError
    from content_sync.settings import read_settings
    from content_sync.standalone import render
    from content_sync.sync.report import report_file

    path = report_file(read_settings(site))
    try:
        facts: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise NightpressError("No sync has reported yet.", hint="Run 'nightpress sync'.") from None
    if html:
        html.write_text(render("source_report.html", report=facts), "utf-8")
        click.echo(f"The page: {html}", err=True)
    elif as_json:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        for line in _lines(facts):
            click.echo(line)


def _lines(facts: dict[str, Any]) -> list[str]:
    limits = facts["limits"]
    lines = [
        f"Sync of {facts['started']}, {facts['seconds']} s: {facts['result']}",
        f"Source      {facts['source']}",
        f"Isolation   {facts['isolation'] or '–'}",
        f"Proof       {facts['proof'] or '–'}",
        f"Sent        {facts['sent']:,} statements over {facts['connections']} connections",
        f"Lock waits  {facts['lock_waits']}",
        "Limits      " + ", ".join(f"{name} {seconds} s" for name, seconds in limits.items()),
    ]
    for view, nights in facts["deletions_wait"].items():
        lines.append(f"Window      web.{view}: a deletion waits {nights} nights at most")
    lines += [f"Fault       {fault}" for fault in facts["faults"]]
    lines += [f"Note        {note}" for note in facts["notes"]]
    lines += ["", f"{'view':<22}{'step':<20}{'runs':>6}{'rows':>12}{'kB':>10}{'ms':>10}"]
    for s in facts["statements"]:
        lines.append(
            f"{s['view'] or '–':<22}{s['step']:<20}{s['runs']:>6,}{s['rows']:>12,}"
            f"{s['bytes'] / 1000:>10,.0f}{s['milliseconds']:>10,.0f}"
        )
    return lines
