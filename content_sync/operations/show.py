"""`nightpress serve --stack`: the stack in a terminal, until Ctrl+C."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

import click

from content_sync.operations.stack import HOST, running_stack
from content_sync.settings import Settings


def show_stack(settings: Settings, *, port: int) -> None:
    """Run the stack and say where it is, until the process is interrupted or ended.

    Raises ChildDied, with its last lines, when a part of the stack ends on its own.
    """
    click.echo("Starting …", err=True)
    with contextlib.suppress(_Ended), _ended(), running_stack(settings, port=port) as stack:
        click.echo(f"{settings.sitename}: {stack.url}/  (Ctrl+C ends it)", err=True)
        if stack.signin_url:
            click.echo(f"Sign-in:  {stack.signin_url}/", err=True)
        else:
            click.echo("Sign-in is not installed: members' pages are closed.", err=True)
        for line in stack.demo:
            click.echo(f"  {line}", err=True)
        click.echo(
            f"The certificate is a throwaway one; browsers warn of it unless they trust\n"
            f"  {stack.authority}\n"
            f"Browsers and curl know that {HOST} is this machine.\n"
            f"Logs: {stack.log}",
            err=True,
        )
        stack.children.watch()


class _Ended(Exception):
    """Somebody asked the process to end."""


@contextlib.contextmanager
def _ended() -> Iterator[None]:
    """Raise _Ended on SIGTERM, SIGHUP and Ctrl+C, so that all children are stopped."""

    def end(number: int, frame: FrameType | None) -> None:
        raise _Ended

    names = [name for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), end) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
