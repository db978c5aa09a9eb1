"""The Django application of the provider."""

from __future__ import annotations

from django.apps import AppConfig


class SignInConfig(AppConfig):
    """Accounts, companies, and who is admitted to which group."""

    name = "deploy.signin"
    label = "signin"
    verbose_name = "Sign-in"
