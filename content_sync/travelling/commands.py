"""The commands `nightpress edition` and `nightpress proceedings`."""

from __future__ import annotations

from pathlib import Path

import click

from content_sync.commandline import site_option


@click.command("edition")
@site_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--members", is_flag=True, help="With what members see; for members' hands only.")
@click.option("--no-full-texts", is_flag=True, help="Pages only, without PDFs.")
@click.option(
    "--verify",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Check this edition instead of making one.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Public key (PEM) that must have signed it (default: this site's own, if it has one).",
)
def edition(
    site: Path, file: Path | None, members: bool, no_full_texts: bool, verify: Path | None,
    key: Path | None,
) -> None:  # fmt: skip
    """Make one ZIP file of the live site, which opens and searches without a server.

    Unpack it and open start.html in a browser. CVs and withdrawn records are never inside.

    Example: nightpress edition edition-2026.zip
    """
    from content_sync.settings import read_settings
    from content_sync.terminal import Progress
    from content_sync.travelling.edition import KEY_FILE, make_edition, verify_edition

    if verify:
        own = site / "var" / f"{KEY_FILE}.pub"
        known = key or (own if own.is_file() else None)
        result = verify_edition(verify, known.read_bytes() if known else None)
        click.echo(
            f"{verify}: whole. Release {result.release} ({result.audience}),"
            f" {result.files:,} files, signed by the key {result.fingerprint}."
        )
        if not result.is_known_key:
            click.echo(
                "No key was given to compare with: name the maker's with --key, or compare these"
                " digits with those that the maker tells you.",
                err=True,
            )
        return
    settings = read_settings(site)
    audience = "members" if members else "public"
    target = file or settings.site / f"edition-{audience}.zip"
    progress = Progress()
    try:
        made = make_edition(
            settings,
            target,
            members=members,
            full_texts=not no_full_texts,
            progress=lambda done, total: progress("edition", done, total),
        )
    finally:
        progress.close()
    click.echo(
        f"{made.file}: {made.files:,} files, {made.bytes / 1e6:,.1f} MB. Signed by the key"
        f" {made.fingerprint}; its public half is var/{KEY_FILE}.pub."
    )


@click.command("proceedings")
@site_option
@click.argument("event_or_theme")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, .pdf or .epub (default: proceedings.pdf).",
    default=Path("proceedings.pdf"),
)
@click.option("--members", is_flag=True, help="With what members see.")
def proceedings(site: Path, event_or_theme: str, output: Path, members: bool) -> None:
    """Make one PDF or EPUB of an event or a theme.

    An event is named by its id, a theme by its name, or either by the last part of its address.

    It holds title, contents, the agenda, and the abstract of each work with its citation.
    PDF needs WeasyPrint (pip install 'nightpress[proceedings]'), EPUB needs pandoc.

    Example: nightpress proceedings spring-meeting --output spring.pdf
    """
    from content_sync.settings import read_settings
    from content_sync.travelling.proceedings import make_proceedings

    works = make_proceedings(read_settings(site), event_or_theme, output, members=members)
    click.echo(f"{output}: {works:,} work{'' if works == 1 else 's'}.")
