"""Accounts, companies, and who is admitted to which group.

An account's groups are those that an administrator gave it and those that its confirmed
addresses are admitted to. The latter are looked up each time somebody asks, never copied:
whoever loses the address, or whose admission is deleted, has lost the group.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import DomainNameValidator, RegexValidator, validate_email
from django.db import models

STUDENT, RESEARCHER, MEMBER, STAFF = GROUPS = ("student", "researcher", "member", "staff")


one_line = RegexValidator(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]",
    "Write this in one line, without control characters.",
    inverse_match=True,
)
"""Names are shown in lists and sent in headers: nothing may begin a line or turn text round."""


class Company(models.Model):
    """A member company. Its slug is what the service and the CV book know it by."""

    slug = models.CharField(
        max_length=60,
        primary_key=True,
        validators=[
            RegexValidator(
                r"\A[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z",
                "Small letters, digits and hyphens only, as in acme-circuits.",
            )
        ],
        help_text="As in /cvs/<slug>/: small letters, digits, hyphens. It stays for good.",
    )
    name = models.CharField(max_length=200, unique=True, validators=[one_line])

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "companies"

    def __str__(self) -> str:
        return self.name


class Accounts(BaseUserManager["Account"]):
    """Makes accounts; only `create_superuser` makes an administrator."""

    def create_user(self, email: str, password: str | None = None, **values: Any) -> Account:
        """Return a new account; without a password it cannot sign in until it sets one."""
        account = self.model(email=email.lower(), **values)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(self, email: str, password: str | None = None, **values: Any) -> Account:
        """Return a new account that may use the administration."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **values)


class Account(AbstractBaseUser, PermissionsMixin):
    """A person who can sign in. `id` is the subject that the site knows them by, for good."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True, validators=[one_line])
    company = models.ForeignKey(
        Company,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        help_text="For members; an admission by address or domain names one too.",
    )
    is_active = models.BooleanField(
        default=True, help_text="Untick instead of deleting: the person can no longer sign in."
    )
    is_staff = models.BooleanField(
        "administrator",
        default=False,
        help_text="May sign in to this administration. The group staff is something else.",
    )
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = Accounts()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = []

    class Meta:
        ordering: ClassVar = ["email"]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """Return the person's name as they wrote it."""
        return self.name

    def admissions(self) -> list[Admission]:
        """Return what the account's confirmed addresses are admitted to, addresses first."""
        addresses = [
            address.lower()
            for address in EmailAddress.objects.filter(user=self, verified=True).values_list(
                "email", flat=True
            )
        ]
        whose = [*addresses, *(address.rpartition("@")[2] for address in addresses)]
        found = Admission.objects.filter(whose__in=whose).select_related("group", "company")
        return sorted(found, key=lambda admission: "@" not in admission.whose)


class Admission(models.Model):
    """An address, or all of a mail domain, admitted to a group: an invitation or a rule."""

    whose = models.CharField(
        "address or domain",
        max_length=254,
        unique=True,
        help_text="person@acme.example invites one person; acme.example admits every confirmed"
        " address of exactly this domain.",
    )
    group = models.ForeignKey(Group, on_delete=models.PROTECT)
    company = models.ForeignKey(Company, null=True, blank=True, on_delete=models.PROTECT)
    made = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["whose"]

    def __str__(self) -> str:
        return f"{self.whose}: {self.group.name}"

    def clean(self) -> None:
        """Refuse what is neither an address nor a domain, and a company where none belongs."""
        self.whose = self.whose.strip().lower().removeprefix("@")
        check = validate_email if "@" in self.whose else DomainNameValidator()
        try:
            check(self.whose)
        except ValidationError as error:
            raise ValidationError({"whose": "Neither an address nor a mail domain."}) from error
        if "@" not in self.whose and "." not in self.whose:
            raise ValidationError({"whose": "A whole domain is needed, such as acme.example."})
        if self.company and self.group.name != MEMBER:
            raise ValidationError({"company": "Only members belong to a company."})
