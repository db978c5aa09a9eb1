"""What the provider says about a person, and the few choices that allauth leaves open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.http import HttpRequest

from deploy.signin.models import GROUPS, MEMBER, STUDENT, Account


class Claims(DefaultOIDCAdapter):
    """Claims of this site: `groups`, `email`, `name`, `company`, in userinfo and nowhere else.

    The id_token keeps only the subject. A relying party that finds groups in both believes
    the id_token, which is as old as the session; userinfo is asked again and again.
    """

    def get_issuer(self) -> str:
        """Return the one name of this provider, whatever host a request asked for."""
        return str(settings.SIGNIN_URL)

    def get_claims(
        self,
        purpose: Literal["id_token", "userinfo"],
        user: Any,
        client: Client,
        scopes: Iterable[str],
        email: str | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return the claims; groups need the scope `groups`, which a person cannot choose."""
        claims: dict[str, Any] = {"sub": self.get_user_sub(client, user)}
        if purpose != "userinfo":
            return claims
        address = EmailAddress.objects.get_primary(user)
        if "email" in scopes and address and address.verified:
            claims["email"] = address.email
            claims["email_verified"] = True
        if "profile" in scopes and user.name:
            claims["name"] = user.name
        if "groups" in scopes:
            claims["groups"], company = groups_of(user)
            if company:
                claims["company"] = company
        return claims


def groups_of(account: Account) -> tuple[list[str], str]:
    """Return the groups of an account, and the slug of a member's company or ''.

    No group without a confirmed address. A student is who is nothing else, where the site
    lets anyone register.
    """
    if not EmailAddress.objects.filter(user=account, verified=True).exists():
        return [], ""
    admissions = account.admissions()
    found = set(account.groups.values_list("name", flat=True))
    found.update(admission.group.name for admission in admissions)
    groups = [name for name in GROUPS if name in found]
    if not groups and settings.STUDENTS == "anyone":
        groups = [STUDENT]
    company = ""
    if MEMBER in groups:
        slugs = [account.company_id, *(a.company_id for a in admissions if a.group.name == MEMBER)]
        company = next((str(slug) for slug in slugs if slug), "")
    return groups, company


def display(account: Account) -> str:
    """Return what a page calls the person who is signed in."""
    return account.email


class Accounts(DefaultAccountAdapter):
    """Registration, and mails that say whose they are."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return true: anyone may have an account; what it opens is a matter of its groups."""
        return True

    def clean_email(self, email: str) -> str:
        """Return the address in small letters, as admissions are kept."""
        return str(super().clean_email(email)).lower()

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        """Fill a new account from the form: address, name and password, and nothing else."""
        user.name = form.cleaned_data["name"]
        return super().save_user(request, user, form, commit)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Return the site's home page."""
        return f"{settings.SITE_URL}/"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail; unlike allauth's own, also where no request is at hand."""
        self.render_mail(template_prefix, email, {"email": email, **context}).send()

    def render_mail(
        self,
        template_prefix: str,
        email: Any,
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Return the mail; its templates know the site's name and address."""
        names = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
        marks = {"Auto-Submitted": "auto-generated", **(headers or {})}
        return super().render_mail(template_prefix, email, {**context, **names}, marks)
