"""The commands `nightpress service …`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from content_sync.commandline import site_option


@click.group()
def service() -> None:
    """Run the service for feedback, event registration and CVs.

    Example: nightpress service run
    """


@service.command()
@site_option
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of SERVICE_PORT.")
@click.option("--no-worker", is_flag=True, help="Leave mails and the rest to 'service worker'.")
def run(site: Path, port: int | None, no_worker: bool) -> None:
    """Serve on the loopback address and port that the settings name, behind Apache.

    Example: NIGHTPRESS_PROXY_SECRET=… nightpress service run --site /srv/site
    """
    from dynamic.serving import serve

    app = _app(site)
    _need_tables(app)
    serve(app, port=port, with_worker=not no_worker)


@service.command()
@site_option
@click.option("--sql", is_flag=True, help="Print the statements for an empty database instead.")
def migrate(site: Path, sql: bool) -> None:
    """Make the tables of the service's database, or bring them up to date.

    Example: nightpress service migrate --site /srv/site
    """
    from dynamic.migrating import migrate_database, migration_sql

    if sql:
        _told(lambda: migration_sql(_app(site, answers=False)))
        return
    _told(lambda: migrate_database(_app(site, answers=False)))
    click.echo("The service's tables are up to date.")


@service.command()
@site_option
@click.option("--once", is_flag=True, help="Do what is due now, and stop.")
def worker(site: Path, once: bool) -> None:
    """Send mails, follow releases, write the export and tidy up, in a process of its own.

    Example: nightpress service worker --site /srv/site
    """
    from dynamic.serving import until_stopped
    from dynamic.worker import Worker

    app = _app(site, answers=False)
    _need_tables(app)
    work = Worker(app)
    if once:
        while work.round() == 0.0:
            pass
        return
    work.start()
    until_stopped(work.stop)


@service.command("follow-up")
@site_option
def follow_up(site: Path) -> None:
    """Tell senders whose corrections the live release shows. The nightly job does it too.

    Example: nightpress service follow-up --site /srv/site
    """
    from dynamic.worker import follow_release

    count = _within(site, follow_release)
    click.echo(f"{count} corrections are published." if count else "Nothing to tell.")


@service.command()
@site_option
def prune(site: Path) -> None:
    """Delete what has expired: links, old mails, and what is kept for a time only.

    Example: nightpress service prune --site /srv/site
    """
    from dynamic.worker import prune as prune_all

    click.echo(f"{_within(site, prune_all)} expired things deleted.")


@service.command()
@site_option
def export(site: Path) -> None:
    """Write var/service-export.sqlite, which the build reads. The worker does it too.

    Example: nightpress service export --site /srv/site
    """
    from dynamic.service_export import write_export

    is_new = _within(site, write_export)
    click.echo("Written." if is_new else "The export was up to date.")


@click.group()
def privacy() -> None:
    """Tell or erase what the service keeps of a person.

    Example: nightpress privacy export someone@example.org
    """


@privacy.command("export")
@click.argument("person")
@site_option
@click.option("--to", "target", type=click.Path(path_type=Path), help="File to write.")
def export_personal_data(person: str, site: Path, target: Path | None) -> None:
    """Print all that is kept of PERSON (an e-mail address or account) as JSON.

    Example: nightpress privacy export someone@example.org --to someone.json
    """
    import json
    import os

    from dynamic.privacy import export_person

    kept = _within(site, lambda: export_person(person))
    text = json.dumps(kept, ensure_ascii=False, indent=2, default=str) + "\n"
    if target is None:
        click.echo(text, nl=False)
        return
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    click.echo(f"Written to {target}.")


@privacy.command("erase")
@click.argument("person")
@site_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase_personal_data(person: str, site: Path, yes: bool) -> None:
    """Erase all that is kept of PERSON (an e-mail address or account), and say what went.

    Example: nightpress privacy erase someone@example.org
    """
    from dynamic.privacy import erase_person, find_person

    if not yes:
        who = _within(site, lambda: find_person(person))
        known = ", ".join(sorted(who.subjects | who.addresses))
        click.confirm(f"Erase everything of {known}? It cannot be taken back.", abort=True)
    gone = _within(site, lambda: erase_person(person))
    for name, count in gone.items():
        click.echo(f"{name:<16}{count:>6} erased")
    click.echo("The next night's pages know nothing of it: run 'nightpress nightly'.")


def after_release(site: Path) -> str:
    """Do what the service does when a release went live; return a line to tell, or nothing.

    The nightly job calls this. A site without a service, or a service that fails, is no
    failure of the night.
    """

    def work() -> None:
        from dynamic.worker import follow_release, prune

        follow_release()
        prune()

    return beside_the_night(site, work)


def before_build(site: Path) -> str:
    """Write what the build reads of the service; return a line to tell, or nothing."""

    def work() -> None:
        from dynamic.service_export import write_export

        write_export()

    return beside_the_night(site, work)


def beside_the_night(site: Path, work: Any) -> str:
    """Do some work of the service in the nightly job; return a line to tell, or nothing."""
    from dynamic.errors import ServiceError
    from dynamic.settings import read_service_settings

    try:
        if not read_service_settings(site, answers=False).has_database:
            return ""  # Flask and all that comes with it take a second to load
        from dynamic.database import working
        from dynamic.migrating import is_migrated

        app = _make(site, answers=False)
        with working(app):
            if is_migrated(app):
                work()
    except ServiceError as error:
        return f"The service: {error}"
    except Exception as error:
        return f"The service: {type(error).__name__}; run 'nightpress service worker --once'."
    return ""


def _within(site: Path, work: Any) -> Any:
    """Do some work in the context of the app, for which tables must be up to date."""
    from dynamic.database import working

    app = _app(site, answers=False)
    _need_tables(app)

    def do() -> Any:
        with working(app):
            return work()

    return _told(do)


def _told(work: Any) -> Any:
    """Turn what can go wrong into one line and an exit code."""
    from sqlalchemy.exc import SQLAlchemyError

    from dynamic.errors import ServiceError

    try:
        return work()
    except ServiceError as error:
        _fail(str(error), error.exit_code)
    except SQLAlchemyError as error:
        original = getattr(error, "orig", None) or type(error).__name__
        _fail(f"The service's database: {' '.join(str(original).split())[:300]}", 1)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{where}", 1)


def _app(site: Path, *, answers: bool = True) -> Any:
    from dynamic.logs import set_up_logs

    set_up_logs()
    return _told(lambda: _make(site, answers=answers))


def _make(site: Path, *, answers: bool) -> Any:
    from dynamic.app import create_app
    from dynamic.settings import read_service_settings

    return create_app(read_service_settings(site, answers=answers))


def _need_tables(app: Any) -> None:
    from dynamic.migrating import is_migrated

    if not _told(lambda: is_migrated(app)):
        site = app.config["SETTINGS"].site
        _fail(
            "The service's tables are not there or of another version."
            f" Run 'nightpress service migrate --site {site}'.",
            1,
        )


def _fail(message: str, code: int) -> None:
    click.echo(f"nightpress: {message}", err=True)
    raise SystemExit(code)
