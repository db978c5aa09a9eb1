"""The one field that registration asks for beside address and password."""

from __future__ import annotations

from typing import Any

from django import forms

from deploy.signin.models import one_line


class WithName(forms.Form):
    """The person's name, as they write it."""

    name = forms.CharField(
        max_length=200,
        label="Your name",
        help_text="As it should appear on name tags and lists.",
        validators=[one_line],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ("name", "email", "password1", "password2")

    def signup(self, request: Any, user: Any) -> None:
        """Do nothing more: the account adapter has saved the name."""
