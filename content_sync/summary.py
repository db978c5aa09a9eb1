"""What the steps did, in words: a line for each, and all of a night."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from content_sync.settings import Settings


def sync_words(report: Any) -> str:
    """Say what a sync read."""
    if report.unchanged:
        return f"{report.rows:,} records read, nothing changed."
    words = (
        f"{report.rows:,} records read: {report.added:,} added, {report.changed:,} changed,"
        f" {report.gone:,} gone, {report.left_out:,} left out"
    )
    if not report.problems:
        return f"{words}."
    noun = "problem" if report.problems == 1 else "problems"
    return f"{words}; {report.problems:,} {noun} in the data."


def build_words(report: Any) -> str:
    """Say what a build made."""
    words = f"{report.pages:,} pages"
    if others := report.written - report.pages:
        words += f" and {others:,} other {'file' if others == 1 else 'files'}"
    words += f" written, {report.shared:,} files as before"
    missing = len(report.full_texts.missing)
    if not missing:
        return f"{words}."
    return f"{words}; {missing:,} full {'text' if missing == 1 else 'texts'} missing."


def index_words(report: Any) -> str:
    """Say what the index holds."""
    return (
        f"{report.documents:,} documents, {report.indexed:,} indexed anew,"
        f" {report.size / 1e6:,.1f} MB."
    )


def check_words(report: Any) -> str:
    """Say what a check found, with its findings."""
    words = (
        f"{report.counts['files']:,} files, {report.counts['pages checked']:,} pages read:"
        f" {len(report.errors):,} errors, {len(report.warnings):,} warnings."
    )
    return "\n".join([words, *(f"  {line}" for line in report.lines())])


def tell_night(
    settings: Settings,
    synced: Any,
    seconds: dict[str, float],
    as_json: bool,
    *,
    built: Any = None,
    indexed: Any = None,
    checked: Any = None,
    skipped: bool = False,
    books: Any = None,
    mirrored: str = "",
    held: str = "",
    part: dict[str, Any] | None = None,
) -> None:
    """Print the summary of a night, or its facts as JSON, and keep them for status and staff."""
    from content_sync.status import night_facts
    from content_sync.terminal import told

    facts = night_facts(settings, synced, built, indexed, checked, seconds, skipped)
    if held:
        facts["held"] = held
    if mirrored:
        facts["mirror"] = mirrored
    if part:
        facts["part"] = part
    told.end(facts=facts)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    click.echo(f"\n{settings.sitename}, release {facts['release']}")
    if held:
        click.echo(f"  {held}")
    if part:
        for name in ("pages", "shards"):
            for line in part[name]:
                click.echo(f"  {name[:-1]:<9} {line}")
    if skipped:
        click.echo("  Nothing has changed since the last release: nothing was built.")
    click.echo(f"  Records   {sync_words(synced)}")
    if built:
        click.echo(f"  Pages     {build_words(built)}")
        click.echo(f"  Search    {index_words(indexed)}")
        click.echo(f"  Check     {check_words(checked)}")
    if books:
        from content_sync.cvbook.commands import words

        click.echo(f"  CV books  {words(books)}")
    if mirrored:
        click.echo(f"  Mirror    {mirrored}")
    steps = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    click.echo(f"  Seconds   {steps}; {sum(seconds.values()):.1f} in all")
    look = "make serve" if (settings.site / "Makefile").is_file() else "nightpress serve"
    click.echo(f"\nLook at the site:  {look}")
