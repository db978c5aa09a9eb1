"""The commands `nightpress service …`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.group()
def service() -> None:
    """Run the service for feedback, event registration and CVs.

    Example: nightpress service run
    """


_site = click.option(
    "--site",
    default=".",
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The site's folder.",
)


@service.command()
@_site
def run(site: Path) -> None:
    """Serve on the loopback address and port that the settings name, behind Apache.

    Example: NIGHTPRESS_PROXY_SECRET=… nightpress service run --site /srv/site
    """
    import waitress

    app = _app(site)
    settings = app.config["SETTINGS"]
    waitress.serve(
        app,
        host=settings.service_host,
        port=settings.service_port,
        threads=settings.service_threads,
        ident=None,
        max_request_body_size=13 * 1024 * 1024,
        channel_timeout=60,
        clear_untrusted_proxy_headers=True,
    )


@service.command()
@_site
def migrate(site: Path) -> None:
    """Bring the tables of the service's database up to date.

    Example: nightpress service migrate --site /srv/site
    """
    from flask_migrate import upgrade

    app = _app(site)
    app.config["SETTINGS"].var.mkdir(parents=True, exist_ok=True)
    with app.app_context():
        upgrade(revision="heads")
    click.echo("The service's tables are up to date.")


def _app(site: Path) -> Any:
    from dynamic.app import create_app
    from dynamic.errors import ServiceError
    from dynamic.settings import read_service_settings

    try:
        return create_app(read_service_settings(site))
    except ServiceError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(error.exit_code) from None
