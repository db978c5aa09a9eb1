"""Headers of every answer, and names that every page shows."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from allauth.idp.oidc.models import Client
from django.conf import settings
from django.http import HttpRequest, HttpResponse

_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:;"
    " script-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none';"
    " form-action {targets}"
)
_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class SafeHeaders:
    """Adds what Django's own middleware does not: policy, permissions, no storing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Content-Security-Policy"] = _POLICY.format(targets=" ".join(_form_targets()))
        response["Permissions-Policy"] = _PERMISSIONS
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        # Keys and metadata are for everyone; all else is about one person.
        if not request.path.startswith("/.well-known/"):
            response["Cache-Control"] = "private, no-store"
        return response


def _form_targets() -> list[str]:
    """Where a form may lead: here, and on to the sites that people sign in to.

    Chromium holds the redirects that follow a form to `form-action` too.
    """
    uris = [settings.SITE_URL]
    for client in Client.objects.all():
        uris += client.get_redirect_uris()
    origins = {f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, uris)}
    return ["'self'", *sorted(origins)]


def names(request: HttpRequest) -> dict[str, object]:
    """Return what every page shows: the site's name and address, and whether it is the demo."""
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "is_demo": settings.IS_DEMO,
    }
