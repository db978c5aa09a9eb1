"""From a site's settings to a provider that is ready to answer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from content_sync.errors import ConfigurationError
from content_sync.settings import Settings
from deploy.signin.keys import client_secret, make_secrets

SITE_CLIENT = "nightpress"
"""The client id of the site's own Apache."""
SCOPES = ("openid", "profile", "email", "groups")


def configure(settings: Settings, *, url: str = "", site_url: str = "") -> None:
    """Make Django ready for this site; the environment outranks what is given here.

    Raises ConfigurationError where the extra `signin` is not installed or an address is wrong.
    """
    try:
        import allauth.idp.oidc  # noqa: F401
        import environ  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(
            "The included sign-in needs packages that are not installed.",
            hint="Install them with 'pip install nightpress[signin]'.",
        ) from error
    values = {
        "NIGHTPRESS_SIGNIN_VAR": str(settings.var),
        "NIGHTPRESS_SIGNIN_URL": url,
        "NIGHTPRESS_SITE_URL": site_url or settings.siteurl,
        "NIGHTPRESS_SITE_NAME": settings.sitename,
        "NIGHTPRESS_TIMEZONE": settings.timezone,
        "NIGHTPRESS_SIGNIN_DEMO": "" if settings.source else "1",
    }
    for name, value in values.items():
        if value:
            os.environ.setdefault(name, value)
    os.environ["DJANGO_SETTINGS_MODULE"] = "deploy.signin.settings"
    for name in ("NIGHTPRESS_SIGNIN_URL", "NIGHTPRESS_SITE_URL"):
        check_address(name, os.environ.get(name, ""))
    folder = Path(os.environ["NIGHTPRESS_SIGNIN_VAR"])
    (folder / "signin").mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "mail").mkdir(mode=0o700, exist_ok=True)
    make_secrets(folder / "secrets")

    import django

    django.setup()


def check_address(name: str, value: str) -> None:
    """Raise ConfigurationError for a value that is not the address of an https host."""
    parts = urlsplit(value)
    if value and (parts.scheme != "https" or not parts.hostname or parts.path.strip("/")):
        raise ConfigurationError(
            f"{name} is {value!r}, which is not an https address without a path.",
            hint="It must look like https://signin.example.org.",
        )


def prepare(*, files: bool = False) -> None:
    """Bring database, groups and the site's client up to date, and static files. Repeatable."""
    from django.conf import settings
    from django.contrib.auth.models import Group
    from django.core.management import call_command

    from deploy.signin.models import GROUPS

    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    if files:
        call_command("collectstatic", interactive=False, verbosity=0)
    for name in GROUPS:
        Group.objects.get_or_create(name=name)
    register(SITE_CLIENT, settings.SITE_NAME, settings.SITE_URL, client_secret(settings.SECRETS))


def own_metadata() -> dict[str, Any]:
    """Return the provider's own discovery document, without asking it over the network."""
    import json

    from allauth.idp.oidc.views import configuration
    from django.conf import settings
    from django.test import RequestFactory

    host = settings.SIGNIN_URL.removeprefix("https://")
    request = RequestFactory().get("/", secure=True, headers={"host": host})
    answer: Any = configuration(request)
    found: dict[str, Any] = json.loads(answer.content)
    return found


def register(client_id: str, name: str, site_url: str, secret: str) -> None:
    """Let the Apache of `site_url` ask for sign-ins: one code flow, two exact addresses."""
    from allauth.idp.oidc.models import Client

    client = Client.objects.filter(id=client_id).first() or Client(id=client_id, secret="")
    before = _facts(client)
    client.name = name
    client.type = Client.Type.CONFIDENTIAL
    client.skip_consent = True
    client.set_scopes(list(SCOPES))
    client.set_redirect_uris([f"{site_url}/oidc/callback"])
    client.set_post_logout_redirect_uris([f"{site_url}/", f"{site_url}/signin/"])
    if not client.check_secret(secret):
        client.set_secret(secret)
    if _facts(client) != before or client._state.adding:
        client.save()


def _facts(client: object) -> dict[str, object]:
    return {name: value for name, value in vars(client).items() if not name.startswith("_")}
