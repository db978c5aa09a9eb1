"""The commands `nightpress signin …`: the included provider, its people, and the block list."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from content_sync.commandline import site_option

if TYPE_CHECKING:
    from content_sync.settings import Settings

Command = Callable[..., Any]

_GROUPS = ("student", "researcher", "member", "staff")


@click.group()
def signin() -> None:
    """Run the included sign-in, invite people, block them.

    \b
    Example: nightpress signin invite ada@acme.example --group member --company "Acme Circuits"
    """


def _on_site(command: Command) -> Command:
    """Give the command the settings of the site's folder."""

    @site_option
    @wraps(command)
    def run(site: Path, **values: Any) -> Any:
        from content_sync.errors import NightpressError
        from content_sync.settings import read_settings

        try:
            return command(read_settings(site), **values)
        except NightpressError as error:
            click.echo(f"nightpress: {error}", err=True)
            raise SystemExit(error.exit_code) from error

    return run


def _with_provider(command: Command) -> Command:
    """Make Django ready, its database up to date; static files too where addresses are given."""

    @_on_site
    @wraps(command)
    def run(settings: Settings, **values: Any) -> Any:
        from deploy.signin.start import configure, prepare

        serves = "site_url" in values
        configure(settings, url=values.pop("url", ""), site_url=values.pop("site_url", ""))
        prepare(files=serves)
        return command(settings, **values)

    return run


def _addresses(command: Command) -> Command:
    command = click.option(
        "--site-url", default="", help="The site's public address (default: SITEURL)."
    )(command)
    return click.option(
        "--url", default="", help="The provider's own public address: https, another host name."
    )(command)


_group_option = click.option(
    "--group", type=click.Choice(_GROUPS), required=True, help="What they are."
)
_company_option = click.option(
    "--company", default="", help="Name or slug of a member's company; made if it is new."
)


@signin.command("prepare")
@_addresses
@_with_provider
def prepare_command(settings: Settings) -> None:
    """Make secrets, database, static files and the site's client, or bring them up to date.

    Example: nightpress signin prepare --url https://signin.example.org
    """
    from django.conf import settings as django

    click.echo(f"The sign-in at {django.SIGNIN_URL} is ready, for {django.SITE_URL}.")


@signin.command("run")
@click.option("--port", default=8450, show_default=True, help="Loopback port that Apache asks.")
@_addresses
@_with_provider
def run_command(settings: Settings, port: int) -> None:
    """Answer on a loopback port until the process is ended; prepares first.

    Example: nightpress signin run --port 8450
    """
    from django.conf import settings as django

    from deploy.signin.serve import serve

    click.echo(f"Sign-in for {django.SITE_URL} at {django.SIGNIN_URL}, port {port}", err=True)
    serve(port)


@signin.command("invite")
@click.argument("address")
@_group_option
@_company_option
@_with_provider
def invite_command(settings: Settings, address: str, group: str, company: str) -> None:
    """Admit one address to a group and tell its owner by mail.

    Example: nightpress signin invite ada@acme.example --group member --company "Acme Circuits"
    """
    from deploy.signin.people import invite

    admission = invite(address, group, company)
    of_company = f" of {admission.company}" if admission.company else ""
    click.echo(f"{admission.whose} is invited as {group}{of_company}.")


@signin.command("admit")
@click.argument("domain")
@_group_option
@_company_option
@_with_provider
def admit_command(settings: Settings, domain: str, group: str, company: str) -> None:
    """Admit everyone with a confirmed address of a mail domain to a group.

    Example: nightpress signin admit acme.example --group member --company "Acme Circuits"
    """
    from deploy.signin.people import admit

    admission = admit(domain, group, company)
    click.echo(f"Confirmed addresses of {admission.whose} are {group} from now on.")


@signin.command("dismiss")
@click.argument("whose")
@_with_provider
def dismiss_command(settings: Settings, whose: str) -> None:
    """Take back what an address or a domain was admitted to.

    Example: nightpress signin dismiss acme.example
    """
    from deploy.signin.people import dismiss

    count = dismiss(whose)
    click.echo(f"{whose} is admitted to nothing any more; {count} had accounts.")


@signin.command("groups")
@click.argument("who")
@click.argument("names", nargs=-1, type=click.Choice(_GROUPS))
@_company_option
@_with_provider
def groups_command(settings: Settings, who: str, names: tuple[str, ...], company: str) -> None:
    """Give an account exactly these groups by hand; none takes all away.

    What its address is admitted to comes on top: see 'nightpress signin dismiss'.

    Example: nightpress signin groups ada@acme.example staff
    """
    from deploy.signin.people import find, set_groups

    account = set_groups(find(who), names, company)
    click.echo(f"{account.email}: {', '.join(names) or 'no group by hand'}")


@signin.command("people")
@click.argument("words", default="")
@click.option("--json", "as_json", is_flag=True)
@_with_provider
def people_command(settings: Settings, words: str, as_json: bool) -> None:
    """List accounts: address, groups, company, subject.

    Example: nightpress signin people acme
    """
    import json
    from dataclasses import asdict

    from deploy.signin.people import people

    for person in people(words):
        if as_json:
            click.echo(json.dumps(asdict(person), ensure_ascii=False))
            continue
        marks = [*person.groups, person.company, "" if person.is_active else "closed"]
        marks += ["administrator" if person.is_administrator else ""]
        told = ", ".join(mark for mark in marks if mark) or "no group"
        click.echo(f"{person.email:<32} {told:<32} {person.subject}")


@signin.command("close")
@click.argument("who")
@click.option("--open", "reopen", is_flag=True, help="Open the account again.")
@_with_provider
def close_command(settings: Settings, who: str, reopen: bool) -> None:
    """Close an account: it signs in no more. Sessions end within minutes; 'block' is at once.

    Example: nightpress signin close eve@acme.example
    """
    from deploy.signin.people import find

    account = find(who)
    account.is_active = reopen
    account.save()
    click.echo(f"{account.email} is {'open again' if reopen else 'closed'}.")


@signin.command("administrator")
@click.argument("address")
@click.password_option(help="Asked for if it is not given.")
@_with_provider
def administrator_command(settings: Settings, address: str, password: str) -> None:
    """Make an account that may use the administration at /admin/ of the provider.

    Example: nightpress signin administrator ops@example.org
    """
    from deploy.signin.people import make_administrator

    account = make_administrator(address, password)
    click.echo(f"{account.email} may use the administration. Set up a second factor there.")


@signin.command("purge")
@_with_provider
def purge_command(settings: Settings) -> None:
    """Delete accounts that nobody confirmed, and expired sessions. 'run' does it by itself.

    Example: nightpress signin purge
    """
    from deploy.signin.upkeep import purge

    for name, count in purge().items():
        click.echo(f"{name:<22}{count:>6} deleted")


@signin.command("demo")
@_with_provider
def demo_command(settings: Settings) -> None:
    """Make one account for each group, on the demo site only, and print them.

    Example: nightpress signin demo
    """
    from deploy.signin.people import make_demo_people

    password, made = make_demo_people(_companies(settings))
    for person in made:
        company = f" of {person.company}" if person.company else ""
        click.echo(f"{person.email:<28} {', '.join(person.groups)}{company}")
    click.echo(f"Password of all: {password}")


def _companies(settings: Settings) -> list[tuple[str, str]]:
    """Return slug and name of the member companies that the live release knows."""
    import json

    from content_sync.release.releases import live

    release = live(settings)
    if release is None:
        return []
    try:
        facts = json.loads((release.root / "service" / "records.json").read_bytes())
        return [(one["slug"], one["name"]) for one in facts.get("companies", [])]
    except (OSError, ValueError, KeyError):
        return []


@signin.command("client")
@click.argument("client_id")
@click.argument("site_url")
@click.option("--name", default="", help="What people know the site as (default: the id).")
@_with_provider
def client_command(settings: Settings, client_id: str, site_url: str, name: str) -> None:
    """Register another site that may ask this provider; its secret is printed once.

    Example: nightpress signin client intranet https://intranet.example.org
    """
    import secrets

    from deploy.signin.start import check_address, register

    check_address("The site's address", site_url)
    secret = secrets.token_urlsafe(32)
    register(client_id, name or client_id, site_url.rstrip("/"), secret)
    click.echo(f"Client {client_id}, secret {secret}")


@signin.command("provider")
@click.argument("issuer")
@click.option("--label", default="", help="What people choose it by.")
@click.option("--client-id", default="nightpress", show_default=True, help="As registered there.")
@click.option("--scope", default="openid profile email", show_default=True, help="What is asked.")
@click.option(
    "--groups-in",
    type=click.Choice(["userinfo", "token"]),
    default="userinfo",
    show_default=True,
    help="Where the provider says who is what; from a token, sessions last an hour.",
)
@click.option("--metadata", type=click.File("rb"), help="Its discovery document, in a file.")
@click.option("--remove", "gone", is_flag=True, help="Forget this provider.")
@_on_site
def provider_command(
    settings: Settings,
    issuer: str,
    label: str,
    client_id: str,
    scope: str,
    groups_in: str,
    metadata: Any,
    gone: bool,
) -> None:
    """Let people choose one more provider; 'included' names the one that comes along.

    The client's secret is asked for, or read from NIGHTPRESS_CLIENT_SECRET. Apache reads the
    list when it is reloaded.

    Example: nightpress signin provider https://login.example.org/realms/staff --label "Staff"
    """
    import json
    import os

    from deploy.signin import providers
    from deploy.signin.keys import client_secret, make_session_key

    if gone:
        providers.remove(settings.var, issuer)
        click.echo(f"{issuer} is forgotten.")
        return
    if issuer == "included":
        from deploy.signin.start import SCOPES, configure, own_metadata, prepare

        configure(settings)
        prepare(files=True)
        found, scope = own_metadata(), " ".join(SCOPES)
        issuer, secret = found["issuer"], client_secret(settings.var / "secrets")
        label = label or f"{settings.sitename}: students, researchers and members"
    else:
        make_session_key(settings.var / "secrets")
        found = json.load(metadata) if metadata else providers.discover(issuer)
        secret = os.environ.get("NIGHTPRESS_CLIENT_SECRET") or click.prompt(
            "Client secret", hide_input=True
        )
    in_token = groups_in == "token"
    provider = providers.Provider(
        issuer=issuer,
        label=label or issuer,
        client_id=client_id,
        scope=scope,
        session_seconds=3600 if in_token else 28_800,
        refresh_seconds=0 if in_token else 300,
    )
    providers.add(settings.var, provider, secret, found)
    click.echo(f"People may choose {provider.label!r} once Apache is reloaded.")


@signin.command("keys")
@_on_site
def keys_command(settings: Settings) -> None:
    """Make the key that Apache encrypts sessions with: all that a provider elsewhere needs.

    Example: nightpress signin keys
    """
    from deploy.signin.keys import SESSIONS, make_session_key

    make_session_key(settings.var / "secrets")
    click.echo(f"{settings.var / 'secrets' / SESSIONS} is there.")


@signin.command("block")
@click.argument("who")
@_on_site
def block_command(settings: Settings, who: str) -> None:
    """Keep a person out at once: a subject, or an address that the included provider knows.

    Example: nightpress signin block eve@acme.example
    """
    from deploy.signin.block import block

    subject = _subject(settings, who)
    is_new = block(settings.var / "live", subject)
    click.echo(f"{subject} is blocked{'' if is_new else ' already'}.")


@signin.command("unblock")
@click.argument("who")
@_on_site
def unblock_command(settings: Settings, who: str) -> None:
    """Let a blocked person in again.

    Example: nightpress signin unblock eve@acme.example
    """
    from deploy.signin.block import unblock

    subject = _subject(settings, who)
    was = unblock(settings.var / "live", subject)
    click.echo(f"{subject} {'is let in again' if was else 'was not blocked'}.")


@signin.command("blocked")
@_on_site
def blocked_command(settings: Settings) -> None:
    """List who is blocked.

    Example: nightpress signin blocked
    """
    from deploy.signin.block import blocked

    for subject in blocked(settings.var / "live"):
        click.echo(subject)


def _subject(settings: Settings, who: str) -> str:
    """Return how Apache knows a person: SUBJECT@ISSUER, as it stands in its access log.

    An address or a bare subject is looked up at the included provider; all else that has an @
    is taken for another provider's subject as it is.
    """
    from content_sync.errors import NightpressError
    from deploy.signin.start import configure, prepare

    try:
        configure(settings)
        prepare()
        from django.conf import settings as django

        from deploy.signin.people import find

        return f"{find(who).id}@{django.SIGNIN_URL.removeprefix('https://')}"
    except NightpressError:
        if "@" not in who:
            raise
        return who
