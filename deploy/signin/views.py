"""The page of one's own account, and pages for what went wrong."""

from __future__ import annotations

from allauth.account.internal.decorators import login_not_required
from allauth.mfa.models import Authenticator
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from deploy.signin.adapter import groups_of
from deploy.signin.models import Company


@login_not_required  # type: ignore[untyped-decorator]
def front(request: HttpRequest) -> HttpResponse:
    """Send a person to their account, which asks them to sign in."""
    return redirect("account_home")


@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show what the provider knows of the person, and what they can change."""
    user = request.user
    groups, slug = groups_of(user)  # type: ignore[arg-type]
    return render(
        request,
        "account/home.html",
        {
            "groups": groups,
            "company": Company.objects.filter(slug=slug).first(),
            "second_factor": Authenticator.objects.filter(
                user=user, type=Authenticator.Type.TOTP
            ).exists(),
        },
    )


@login_not_required  # type: ignore[untyped-decorator]
def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form came from elsewhere, or from a browser that keeps no cookies."""
    return render(request, "403_csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is no such page."""
    return render(request, "404.html", status=404)
