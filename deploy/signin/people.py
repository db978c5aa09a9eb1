"""What administrators do with accounts, from the command line or the administration."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify

from content_sync.errors import NightpressError
from deploy.signin.adapter import groups_of
from deploy.signin.models import GROUPS, MEMBER, Account, Admission, Company


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account as the site sees it."""

    subject: str
    email: str
    name: str
    groups: tuple[str, ...]
    company: str
    is_active: bool
    is_administrator: bool
    second_factor: bool


def people(words: str = "") -> list[Person]:
    """Return the accounts whose address or name contains `words`, by address."""
    found = Account.objects.filter(email__icontains=words) | Account.objects.filter(
        name__icontains=words
    )
    return [_person(account) for account in found.distinct()]


def find(who: str) -> Account:
    """Return the account with this address or subject. Raises NightpressError if there is none."""
    account = Account.objects.filter(email=who.lower()).first()
    if account is None:
        try:
            account = Account.objects.filter(id=who).first()
        except ValidationError:
            account = None
    if account is None:
        raise NightpressError(
            f"No account has the address or subject {who!r}.",
            hint="'nightpress signin people' lists them.",
        )
    return account


@transaction.atomic
def admit(whose: str, group: str, company: str = "") -> Admission:
    """Admit an address or a domain to a group; a company is made if it is new.

    Somebody who was admitted before is admitted anew, and to nothing else. Raises
    NightpressError for what is neither an address nor a domain.
    """
    if company and group != MEMBER:
        raise NightpressError("Only members belong to a company.", hint="Leave --company out.")
    whose = whose.strip().lower().removeprefix("@")
    admission = Admission.objects.filter(whose=whose).first() or Admission(whose=whose)
    admission.group, _ = Group.objects.get_or_create(name=group)
    admission.company = _company(company) if company else None
    try:
        admission.full_clean(exclude=["group", "company"])
    except ValidationError as error:
        raise NightpressError(f"{whose}: {' '.join(error.messages)}") from error
    admission.save()
    return admission


def invite(address: str, group: str, company: str = "") -> Admission:
    """Admit one address and tell its owner by mail."""
    if "@" not in address:
        raise NightpressError(
            f"{address!r} is not an address.", hint="'nightpress signin admit' takes domains."
        )
    admission = admit(address, group, company)
    send_invitation(admission)
    return admission


def dismiss(whose: str) -> int:
    """Take back an admission; return how many accounts it had let in.

    They have lost the group when Apache asks again, after its refresh interval. Raises
    NightpressError if nothing of the kind was admitted.
    """
    whose = whose.strip().lower().removeprefix("@")
    deleted, _ = Admission.objects.filter(whose=whose).delete()
    if not deleted:
        raise NightpressError(f"{whose} was admitted to nothing.")
    ending = whose if "@" in whose else f"@{whose}"
    return EmailAddress.objects.filter(email__iendswith=ending, verified=True).count()


def send_invitation(admission: Admission) -> None:
    """Tell the owner of an address what it was admitted to, and where to register."""
    known = Account.objects.filter(email=admission.whose).exists()
    get_adapter().send_mail(
        "signin/email/invitation",
        admission.whose,
        {
            "group": admission.group.name,
            "company": admission.company,
            "known": known,
            "signin_url": settings.SIGNIN_URL,
        },
    )


def make_administrator(address: str, password: str) -> Account:
    """Make, or promote, an account that may use the administration."""
    account = make_account(address, password)
    account.is_staff = account.is_superuser = True
    account.save()
    return account


@transaction.atomic
def make_account(
    address: str, password: str, *, name: str = "", groups: tuple[str, ...] = (), company: str = ""
) -> Account:
    """Make an account whose address counts as confirmed, or change the one that is there."""
    address = address.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise NightpressError(f"{address!r} is not an address.") from error
    account = Account.objects.filter(email=address).first()
    if account is None:
        account = Account.objects.create_user(address)
    if password:
        account.set_password(password)
    account.name = name or account.name
    if company:
        account.company = _company(company)
    account.save()
    account.groups.add(*Group.objects.filter(name__in=groups))
    EmailAddress.objects.update_or_create(
        user=account, email=address, defaults={"verified": True, "primary": True}
    )
    return account


DEMO_PEOPLE = (
    ("student@demo.example", "Sam Student", "student", ""),
    ("researcher@demo.example", "Rita Researcher", "researcher", ""),
    ("member@demo.example", "Mila Member", "member", "Acme Circuits"),
    ("member-b@demo.example", "Boris Member", "member", "Borealis Devices"),
    ("staff@demo.example", "Stella Staff", "staff", ""),
)


def make_demo_people(companies: Sequence[tuple[str, str]] = ()) -> tuple[str, list[Person]]:
    """Make one account for each group, all with one password, which is made new and returned.

    The members belong to the first two of `companies`, slug and name, so that there are CVs
    for them to read; where the site knows none, to companies that are made up.
    Raises NightpressError on a site with real data.
    """
    if not settings.IS_DEMO:
        raise NightpressError(
            "This site has a source of its own; demo accounts are for the demo only.",
            hint="Invite people with 'nightpress signin invite'.",
        )
    file = settings.SECRETS / "demo-password"
    from deploy.signin.keys import keep

    password = keep(file.parent, file.name, lambda: f"demo-{secrets.token_hex(6)}")
    made = []
    known = iter(companies)
    for address, name, group, invented in DEMO_PEOPLE:
        company = invented
        if invented and (found := next(known, None)):
            company = Company.objects.get_or_create(slug=found[0], defaults={"name": found[1]})[
                0
            ].slug
        account = Account.objects.filter(email=address).first()
        if account is None or not account.check_password(password):
            account = make_account(address, password, name=name, groups=(group,), company=company)
        made.append(_person(account))
    return password, made


def set_groups(account: Account, groups: tuple[str, ...], company: str = "") -> Account:
    """Give an account exactly these groups by hand; admissions add theirs."""
    unknown = set(groups) - set(GROUPS)
    if unknown:
        raise NightpressError(f"There is no group {', '.join(sorted(unknown))}.")
    account.groups.set(Group.objects.filter(name__in=groups))
    account.company = _company(company) if company else None
    account.save()
    return account


def _company(name: str) -> Company:
    """Return the company with this slug or name; a new one gets a slug made from its name."""
    found = Company.objects.filter(slug=name).first() or Company.objects.filter(name=name).first()
    if found:
        return found
    slug = slugify(name)[:60].strip("-")
    if not slug:
        raise NightpressError(
            f"No slug can be made from the company's name {name!r}.",
            hint="Add it in the administration, with a slug of your choice.",
        )
    if Company.objects.filter(slug=slug).exists():
        raise NightpressError(
            f"Another company has the slug {slug!r} already.",
            hint="Add this one in the administration, with another slug.",
        )
    return Company.objects.create(slug=slug, name=name)


def _person(account: Account) -> Person:
    groups, company = groups_of(account)
    return Person(
        subject=str(account.id),
        email=account.email,
        name=account.name,
        groups=tuple(groups),
        company=company,
        is_active=account.is_active,
        is_administrator=account.is_staff,
        second_factor=Authenticator.objects.filter(user=account).exists(),
    )
