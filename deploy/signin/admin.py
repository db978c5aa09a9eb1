"""The administration: accounts, companies, invitations and rules."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from deploy.signin.models import Account, Admission, Company


class _NewAccount(forms.ModelForm):  # type: ignore[type-arg]
    """A new account by its address; the person sets the password by mail."""

    class Meta:
        model = Account
        fields = ("email", "name")

    def save(self, commit: bool = True) -> Any:
        """Return the account, unable to sign in until its owner has set a password."""
        account = super().save(commit=False)
        account.email = account.email.lower()
        account.set_unusable_password()
        if commit:
            account.save()
        return account


class _Addresses(admin.TabularInline):  # type: ignore[type-arg]
    model = EmailAddress
    extra = 0


@admin.register(Account)
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """Accounts: groups, company, and whether they may sign in."""

    add_form = _NewAccount
    add_fieldsets = ((None, {"fields": ("email", "name")}),)
    fieldsets = (
        (None, {"fields": ("email", "name", "subject", "password")}),
        ("What it opens", {"fields": ("is_active", "groups", "company")}),
        ("Administration", {"fields": ("is_staff", "is_superuser", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("subject", "last_login", "date_joined")
    list_display = ("email", "name", "company", "is_active", "is_staff", "last_login")
    list_filter = ("groups", "company", "is_active", "is_staff")
    search_fields = ("email", "name", "id")
    ordering = ("email",)
    filter_horizontal = ("groups", "user_permissions")
    inlines: ClassVar = [_Addresses]

    @admin.display(description="subject")
    def subject(self, account: Account) -> str:
        """Show what the site knows the person by."""
        return str(account.id)

    def get_inlines(self, request: HttpRequest, obj: Account | None) -> Any:
        """Show addresses only where the account is there already."""
        return self.inlines if obj else []


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Member companies."""

    list_display = ("name", "slug")
    search_fields = ("name", "slug")

    def get_readonly_fields(self, request: HttpRequest, obj: Company | None = None) -> Any:
        """A slug is in addresses and folders: it stays."""
        return ("slug",) if obj else ()


@admin.register(Admission)
class AdmissionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Invitations by address, rules by domain."""

    list_display = ("whose", "group", "company", "made")
    list_filter = ("group", "company")
    search_fields = ("whose",)

    def save_model(self, request: HttpRequest, obj: Admission, form: Any, change: bool) -> None:
        """Save, and invite by mail who was named by address and is new."""
        super().save_model(request, obj, form, change)
        if not change and "@" in obj.whose:
            from deploy.signin.people import send_invitation

            send_invitation(obj)
