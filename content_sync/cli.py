"""The command line: parses, calls one function for each step, prints one summary.

This is the only module that knows the order of the steps. Heavy imports stand inside the
commands, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from content_sync import __version__
from content_sync.agent.commands import agent_commands
from content_sync.cvbook.commands import book
from content_sync.errors import NightpressError
from content_sync.importing.commands import import_command
from content_sync.mirror.commands import mirror
from content_sync.operations.commands import backup, restore, usage
from content_sync.source.commands import diff, source
from content_sync.travelling.commands import edition, proceedings
from deploy.signin.commands import signin
from dynamic.commands import after_release, before_build, privacy, service
from dynamic.cv.commands import cv
from search.commands import bench

if TYPE_CHECKING:
    from content_sync.settings import Settings

Command = Callable[..., Any]

_NAMED = 10
"""Findings of one kind that are named one by one; the rest are counted."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nightpress")
def main() -> None:
    """Nightpress turns a database of publications into a static site with search, every night.

    The whole job is one command:

    \b
        nightpress nightly     sync, build, index, check, publish
        nightpress serve       look at the result
    """


def _site_option(command: Command) -> Command:
    return click.option(
        "--site",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        help="The site's folder, which holds pelicanconf.py (default: this one).",
    )(command)


def _told(command: Command) -> Command:
    """Turn what can go wrong into one line and an exit code."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except NightpressError as error:
            _fail(str(error), error.exit_code)
        except BrokenPipeError:
            # The reader of our output, such as `head`, has seen enough.
            sys.stdout = None
            sys.exit(0)
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            _fail(f"{error.strerror or error}{where}. The live site is as it was.", 1)
        except KeyboardInterrupt:
            _fail("Interrupted. The live site is as it was.", 1)
        except Exception as error:
            told = _TOLD.get(f"{type(error).__module__}.{type(error).__name__}")
            if told is None:
                raise
            _fail(f"{told}: {error}. The live site is as it was.", 1)
        finally:
            _stop_logging()

    return run


# By name, because most commands do not load these modules.
_TOLD = {
    "sqlite3.OperationalError": "A database file in var/ or output/ cannot be used",
    "concurrent.futures.process.BrokenProcessPool": "A worker process died, of too little memory",
}


def _stop_logging() -> None:
    # Commands that log nothing have not loaded the module.
    terminal = sys.modules.get("content_sync.terminal")
    if terminal:
        terminal.stop_logging()


def _fail(message: str, code: int) -> None:
    import logging

    click.echo(f"nightpress: {message}", err=True)
    log = logging.getLogger("nightpress")
    for handler in log.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(log.makeRecord(log.name, logging.ERROR, "", 0, message, (), None))
    sys.exit(code)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", default="Your institute", show_default=True, help="Name of the site.")
@click.option("--url", default="", help="Public address, such as https://publications.example.")
@_told
def init(folder: Path, name: str, url: str) -> None:
    """Make a site folder: settings with every choice explained, and sample prose.

    Example: nightpress init publications --name "Institute of Tides" --url https://tides.example
    """
    from content_sync.new_site import make_site

    make_site(folder, name=name, url=url)
    click.echo(f"Made a site in {folder}. Next:\n  cd {folder}\n  nightpress nightly")


@main.command()
@_site_option
@click.option(
    "--publications", "-n", default=600, show_default=True, type=click.IntRange(1, 1_000_000)
)
@click.option("--seed", default=1994, show_default=True, help="Same seed, same bytes.")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Database file to write.")
@_told
def demo(site: Path, publications: int, seed: int, target: Path | None) -> None:
    """Make the demo source: a fictional research consortium in an SQLite database.

    Example: nightpress demo --publications 50000 --seed 7
    """
    settings = _settings(site)
    _make_demo(settings, publications=publications, seed=seed, target=target)


def _make_demo(
    settings: Settings, *, publications: int = 600, seed: int = 1994, target: Path | None = None
) -> None:
    from content_sync.demo import write_demo
    from content_sync.terminal import Progress

    target = target or settings.demo_source
    files = target.with_name(f"{target.stem}-files")
    progress = Progress()
    report = write_demo(
        target,
        files,
        publications=publications,
        seed=seed,
        progress=lambda done, total: progress("demo", done, total),
    )
    progress.close()
    click.echo(f"Demo source: {report.publications:,} publications in {target}", err=True)


@main.command()
@_site_option
@click.option("--accept", is_flag=True, help="Land what a guard refused, as it was read then.")
@_told
def sync(site: Path, accept: bool) -> None:
    """Read what is new, changed or gone in the source into the snapshot.

    Example: NIGHTPRESS_SOURCE="Driver=ODBC Driver 18 for SQL Server;Server=…" nightpress sync
    """
    settings = _start(site)
    with _lock(settings, "sync"):
        click.echo(_sync_words(_sync(settings, accept)))


def _sync(settings: Settings, accept: bool) -> Any:
    from content_sync.sync import sync as run_sync
    from content_sync.terminal import Progress, log

    is_demo = not settings.source and not settings.own_source.is_file()
    if is_demo and not settings.demo_source.is_file():
        _make_demo(settings)
    progress = Progress()
    try:
        report = run_sync(settings, accept=accept, progress=progress)
    finally:
        progress.close()
    for note in report.notes:
        log.info("Note: %s", note)
    return report


@main.command()
@_site_option
@click.option("--full", is_flag=True, help="Look at every page, not only at what was touched.")
@_told
def build(site: Path, full: bool) -> None:
    """Render the pages of the snapshot into a new release, not yet live.

    Example: nightpress build --full
    """
    settings = _start(site)
    with _lock(settings, "build"):
        report, number = _build(settings, full)
        click.echo(f"Release {number}: {_build_words(report)}")


def _build(settings: Settings, full: bool, *, prove: bool = False) -> tuple[Any, int]:
    from content_sync.pages.site import build_site
    from content_sync.terminal import Progress, log

    progress = Progress()
    try:
        report, number = build_site(
            settings, full=full, progress=progress, prove=_prove(settings) if prove else None
        )
    finally:
        progress.close()
    for publication, path, reason in report.full_texts.missing[:_NAMED]:
        log.info("Full text of %s is missing: %s: %s", publication, path, reason)
    for refused in report.redirects_refused[:_NAMED]:
        log.info("Redirect not followed: %s", refused)
    return report, number


def _prove(settings: Settings) -> Callable[[Path, str], dict[str, Any]]:
    """Return what compares a finished build with the source, and tells what it found."""
    from content_sync.sync.proof import prove
    from content_sync.terminal import log

    def compare(root: Path, date: str) -> dict[str, Any]:
        found = prove(settings, root, date)
        if found["state"] != "complete":
            log.warning("Is everything shown? %s", found["says"])
        return found

    return compare


@main.command()
@_site_option
@_told
def index(site: Path) -> None:
    """Build the search index of the release that was built last.

    Example: nightpress index
    """
    settings = _start(site)
    with _lock(settings, "index"):
        click.echo(_index_words(_index(settings)))


def _index(settings: Settings) -> Any:
    from content_sync.indexing import index_release
    from content_sync.release.stage import staged
    from content_sync.terminal import Progress

    progress = Progress()
    try:
        return index_release(settings, staged(settings), progress)
    finally:
        progress.close()


@main.command()
@_site_option
@click.option("--full", is_flag=True, help="Read every file again and compare its hash.")
@_told
def check(site: Path, full: bool) -> None:
    """Verify the release that was built last, or else the live one.

    Example: nightpress check --full
    """
    settings = _start(site)
    with _lock(settings, "check"):
        report = _check(settings, full)
    click.echo(_check_words(report))
    if report.errors:
        sys.exit(1)


def _check(settings: Settings, full: bool = False) -> Any:
    from content_sync.errors import ReleaseError
    from content_sync.processes import processes
    from content_sync.release.stage import live, staged
    from content_sync.release.verify import check as verify

    release = staged(settings) or live(settings)
    if release is None:
        raise ReleaseError("There is no release to check.", hint="Run 'nightpress build' first.")
    with processes(settings) as executor:
        return verify(settings, release, full=full, executor=executor)


@main.command()
@_site_option
@_told
def publish(site: Path) -> None:
    """Switch the release that was built last live, if it verifies.

    Example: nightpress publish
    """
    settings = _start(site)
    with _lock(settings, "publish"):
        report = _check(settings)
        if report.errors:
            click.echo(_check_words(report))
            _fail("The release does not verify; the live site is as it was.", 1)
        number = _publish(settings)
        click.echo(f"Release {number} is live.")


def _publish(settings: Settings) -> int:
    from content_sync.agent.publishing import check_may_publish
    from content_sync.errors import ReleaseError
    from content_sync.lock import check_held
    from content_sync.release.stage import staged
    from content_sync.release.switch import prune
    from content_sync.release.switch import publish as switch

    stage = staged(settings)
    if stage is None:
        raise ReleaseError("No release is staged.", hint="Run 'nightpress build' first.")
    check_may_publish(settings)
    check_held(settings)
    release = switch(settings, stage)
    prune(settings)
    return release.number


@main.command()
@_site_option
@click.option("--reason", default="", help="For the audit log.")
@_told
def rollback(site: Path, reason: str) -> None:
    """Take the live site back to the release before.

    Example: nightpress rollback
    """
    settings = _start(site)
    with _lock(settings, "rollback"):
        from content_sync.release.switch import rollback as go_back

        release = go_back(settings)
        click.echo(f"Release {release.number} is live again.")
    from content_sync.agent.commands import this_user
    from content_sync.agent.store import audit

    audit(settings, this_user(), "rollback", f"release {release.number}", reason)


@main.command()
@_site_option
@click.option("--full", is_flag=True, help="Look at every page, not only at what was touched.")
@click.option("--accept", is_flag=True, help="Go on although more is gone than the guard allows.")
@click.option("--record", multiple=True, help="Bring this record alone, as type:id, in seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@_told
def nightly(site: Path, full: bool, accept: bool, record: tuple[str, ...], as_json: bool) -> None:
    """Run the whole job: sync, build, index, check, publish.

    A failure at any step leaves the live site as it was. With --record only that record is read,
    and its pages made and indexed; where that cannot be, the whole job is run and says why.

    Example: nightpress nightly --site /srv/publications
    """
    from content_sync.terminal import timed

    settings = _start(site, as_json=as_json)
    seconds: dict[str, float] = {}
    with _lock(settings, "nightly"):
        from content_sync.pages.site import nothing_to_do
        from content_sync.terminal import log

        if record and not full and not accept and _fast(settings, record, seconds, as_json):
            return
        _tell_service(before_build(site))
        log.info("Reading the source")
        with timed(seconds, "sync"):
            synced = _sync(settings, accept)
        if not full and synced.unchanged and nothing_to_do(settings):
            _tell_service(after_release(site))
            books = _cv_books(settings, seconds)
            mirrored = _mirror(settings, seconds)
            _summary(
                *(settings, synced, seconds, as_json),
                skipped=True,
                books=books,
                mirrored=mirrored,
            )
            return
        log.info("Building the pages")
        with timed(seconds, "build"):
            built, number = _build(settings, full, prove=True)
        log.info("Building the search index")
        with timed(seconds, "index"):
            indexed = _index(settings)
        log.info("Checking release %s", number)
        with timed(seconds, "check"):
            checked = _check(settings)
        if checked.errors:
            click.echo(_check_words(checked), err=True)
            _fail(
                f"Release {number} does not verify; the live site is as it was."
                " The list is in var/check-report.txt.",
                1,
            )
        if locked := _publishing_lock(settings):
            _summary(
                *(settings, synced, seconds, as_json),
                built=built,
                indexed=indexed,
                checked=checked,
                held=f"Release {number} stands ready and is not live. {locked}.",
            )
            return
        with timed(seconds, "publish"):
            _publish(settings)
        _tell_service(after_release(site))
        books = _cv_books(settings, seconds)
        mirrored = _mirror(settings, seconds)
        _summary(
            settings,
            synced,
            seconds,
            as_json,
            mirrored=mirrored,
            built=built,
            indexed=indexed,
            checked=checked,
            books=books,
        )


def _fast(
    settings: Settings, records: tuple[str, ...], seconds: dict[str, float], as_json: bool
) -> bool:
    """Bring some records alone to the live site; return False where the whole job is needed."""
    from content_sync.fast_lane import NotInPart, parse, publish_records
    from content_sync.terminal import Progress, log

    wanted = parse(records)
    if locked := _publishing_lock(settings):
        log.info("A whole build: %s.", locked)
        return False
    progress = Progress()
    try:
        done = publish_records(settings, wanted, seconds, progress)
    except NotInPart as error:
        log.info("A whole build: %s", error)
        return False
    finally:
        progress.close()
    if done.checked and done.checked.errors:
        click.echo(_check_words(done.checked), err=True)
        _fail("The release does not verify; the live site is as it was.", 1)
    _summary(
        *(settings, done.synced, seconds, as_json),
        built=done.built,
        indexed=done.indexed,
        checked=done.checked,
        skipped=done.release is None,
        part=done.facts(),
    )
    return True


def _publishing_lock(settings: Settings) -> Any:
    from content_sync.agent.publishing import publishing_lock

    return publishing_lock(settings)


def _tell_service(said: str) -> None:
    """Log what the service could not do beside the night, which is no failure of the night."""
    from content_sync.terminal import log

    if said:
        log.warning(said)


def _mirror(settings: Settings, seconds: dict[str, float]) -> str:
    """Bring the mirror up to date, if there is one, and say what came of it.

    The release is live by now: a bucket that does not answer is no failure of the night.
    """
    from content_sync.terminal import Progress, log, timed

    if not settings.mirror:
        return ""
    from content_sync.mirror.run import mirror as copy

    log.info("Copying to the mirror")
    progress = Progress()
    try:
        with timed(seconds, "mirror"):
            reports = copy(settings, progress=progress)
    except NightpressError as error:
        log.warning("The mirror is as it was, or half-way: %s", error)
        return f"not up to date: {error}"
    finally:
        progress.close()
    return "; ".join(f"{r.place}: {r.sent:,} sent, {r.deleted:,} deleted" for r in reports)


def _cv_books(settings: Settings, seconds: dict[str, float]) -> Any:
    """Bring receipts and books of CVs up to date, if the service takes any.

    The release is live by now, whatever becomes of the books.
    """
    from content_sync.cvbook import commands, has_cvs
    from content_sync.terminal import log, timed
    from dynamic.cv.commands import before_books

    if not has_cvs(settings):
        return None
    log.info("Writing the CV books")
    with timed(seconds, "CVs"):
        if problem := before_books(settings.site):
            log.warning("%s", problem)
        return commands.write(settings)


@main.command()
@_site_option
@_told
def spare(site: Path) -> None:
    """Make a copy of the live release ready, from which the next one takes its files.

    With it one record goes live in seconds. The agent does it whenever nothing else runs. It
    costs no space: files are hard links.

    Example: nightpress spare
    """
    from content_sync.release.spare import make_spare

    settings = _start(site)
    with _lock(settings, "spare"):
        made = make_spare(settings)
    click.echo("A copy of the live release stands ready." if made else "There was nothing to do.")


@main.command()
@_site_option
@click.option("--port", type=int, help="Default: 8000, and 8443 for the stack.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--stack", is_flag=True, help="Start Apache with sign-in and all that is behind it.")
@_told
def serve(site: Path, host: str, port: int | None, stack: bool) -> None:
    """Show the live release's public pages on this machine.

    With --stack, members' pages, sign-in and the service too, on loopback and with a
    throwaway certificate.

    Example: nightpress serve --port 8080
    """
    if stack:
        from content_sync.operations.show import show_stack

        show_stack(_settings(site), port=port or 8443)
        return
    port = port or 8000
    from content_sync.release.preview import serve as preview
    from content_sync.release.stage import live

    settings = _settings(site)
    if live(settings) is None:
        _fail("Nothing is published yet. Run 'nightpress nightly' first.", 1)
    click.echo(f"{settings.sitename}: http://{host}:{port}/  (Ctrl+C ends it)", err=True)
    preview(settings, host=host, port=port)


@main.command()
@_site_option
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000))
@click.option("--members", is_flag=True, help="Search members' records too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each result.")
@_told
def search(site: Path, query: tuple[str, ...], limit: int, members: bool, as_json: bool) -> None:
    """Search the live release from the terminal.

    Words, "phrases", -word, and fields: author: title: venue: year:2019..2023 topic: doi:

    Example: nightpress search author:brzękowicz copper drift
    """
    from content_sync.indexing import search_release

    results = search_release(_settings(site), " ".join(query), limit=limit, members=members)
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
@_site_option
@click.option("--json", "as_json", is_flag=True)
@_told
def status(site: Path, as_json: bool) -> None:
    """Say what is live, how old its data is, and what stands ready.

    Example: nightpress status --json
    """
    from content_sync.agent.told import read_facts

    facts = read_facts(_settings(site))
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    for name, value in facts.items():
        if not isinstance(value, dict | list):
            click.echo(f"{name.replace('_', ' '):<18}{'–' if value is None else value}")


main.add_command(signin)


def _settings(site: Path) -> Settings:
    from content_sync.settings import read_settings

    return read_settings(site)


def _start(site: Path, *, as_json: bool = False) -> Settings:
    """Read the settings and begin to log."""
    from content_sync.terminal import start_logging

    settings = _settings(site)
    start_logging(settings.var, quiet=False, json=as_json)
    return settings


def _lock(settings: Settings, job: str) -> Any:
    from content_sync.lock import lock

    return lock(settings, job)


def _sync_words(report: Any) -> str:
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


def _build_words(report: Any) -> str:
    words = f"{report.written:,} pages written, {report.shared:,} files as before"
    missing = len(report.full_texts.missing)
    if not missing:
        return f"{words}."
    return f"{words}; {missing:,} full {'text' if missing == 1 else 'texts'} missing."


def _index_words(report: Any) -> str:
    return (
        f"{report.documents:,} documents, {report.indexed:,} indexed anew,"
        f" {report.size / 1e6:,.1f} MB."
    )


def _check_words(report: Any) -> str:
    words = (
        f"{report.counts['files']:,} files, {report.counts['pages checked']:,} pages read:"
        f" {len(report.errors):,} errors, {len(report.warnings):,} warnings."
    )
    return "\n".join([words, *(f"  {line}" for line in report.lines())])


def _summary(
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
    click.echo(f"  Records   {_sync_words(synced)}")
    if built:
        click.echo(f"  Pages     {_build_words(built)}")
        click.echo(f"  Search    {_index_words(indexed)}")
        click.echo(f"  Check     {_check_words(checked)}")
    if books:
        from content_sync.cvbook.commands import words

        click.echo(f"  CV books  {words(books)}")
    if mirrored:
        click.echo(f"  Mirror    {mirrored}")
    steps = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    click.echo(f"  Seconds   {steps}; {sum(seconds.values()):.1f} in all")
    look = "make serve" if (settings.site / "Makefile").is_file() else "nightpress serve"
    click.echo(f"\nLook at the site:  {look}")


def _add(command: click.Command) -> click.Command:
    """Let what a command of another module raises end in one line, too."""
    if command.callback and not isinstance(command, click.Group):
        command.callback = _told(command.callback)
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
