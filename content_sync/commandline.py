"""What the commands have in common: the site's folder, errors in one line, settings, the lock."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from content_sync.errors import NightpressError

if TYPE_CHECKING:
    from content_sync.settings import Settings

Command = Callable[..., Any]

NAMED = 10
"""Findings of one kind that are named one by one; the rest are counted."""


site_option = click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The site's folder, which holds pelicanconf.py (default: this one).",
)


def told(command: Command) -> Command:
    """Turn what can go wrong into one line and an exit code."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except NightpressError as error:
            fail(str(error), error.exit_code)
        except BrokenPipeError:
            # The reader of our output, such as `head`, has seen enough.
            sys.stdout = None
            sys.exit(0)
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            fail(f"{error.strerror or error}{where}. The live site is as it was.", 1)
        except KeyboardInterrupt:
            fail("Interrupted. The live site is as it was.", 1)
        except Exception as error:
            words = _TOLD.get(f"{type(error).__module__}.{type(error).__name__}")
            if words is None:
                raise
            fail(f"{words}: {error}. The live site is as it was.", 1)
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


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong, in the log file too, and exit with the code."""
    import logging

    click.echo(f"nightpress: {message}", err=True)
    log = logging.getLogger("nightpress")
    for handler in log.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(log.makeRecord(log.name, logging.ERROR, "", 0, message, (), None))
    sys.exit(code)


def settings_of(site: Path) -> Settings:
    """Read the settings of a site."""
    from content_sync.settings import read_settings

    return read_settings(site)


def start(site: Path, *, as_json: bool = False) -> Settings:
    """Read the settings and begin to log."""
    from content_sync.terminal import start_logging

    settings = settings_of(site)
    start_logging(settings.var, quiet=False, json=as_json)
    return settings


def locked(settings: Settings, job: str) -> Any:
    """Hold the lock of the site while a job runs."""
    from content_sync.lock import lock

    return lock(settings, job)
