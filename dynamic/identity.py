"""Who is asking: told by Apache, believed only with the secret that Apache and we share.

Apache signs readers in and passes who they are as request headers, after removing what the
client sent under those names. Any local process could speak to our port, hence the secret.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, request
from werkzeug.local import LocalProxy

F = TypeVar("F", bound=Callable[..., Any])

GROUPS = frozenset({"student", "researcher", "member", "staff"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A signed-in person, as Apache vouches for them in this request."""

    subject: str
    """The provider's name for the account: stable and unique."""
    email: str = ""
    name: str = ""
    groups: frozenset[str] = frozenset()
    company: str = ""
    """Slug of the member company, empty for everyone else."""


def check_identity(app: Flask) -> None:
    """Make every request of the app prove that it came through Apache, and from whom."""
    app.before_request(_identify)


def without_sign_in(view: F) -> F:
    """Mark a view that is reached without signing in (a signed link, a calendar)."""
    view.without_sign_in = True  # type: ignore[attr-defined]
    return view


def without_proxy(view: F) -> F:
    """Mark a view for this machine alone (health, metrics): refused if it came through Apache."""
    view.without_proxy = True  # type: ignore[attr-defined]
    return view


def only(*groups: str) -> Callable[[F], F]:
    """Let only readers of one of these groups reach a view; the others get 403."""
    unknown = set(groups) - GROUPS
    if unknown:
        raise ValueError(f"There are no groups {sorted(unknown)}.")

    def decorate(view: F) -> F:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if reader.groups.isdisjoint(groups):
                abort(403)
            return view(*args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


def _identify() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    g.reader = None
    sent = request.headers.get("X-Proxy-Secret", "")
    if getattr(view, "without_proxy", False):
        if "X-Forwarded-For" in request.headers or request.remote_addr not in {"127.0.0.1", "::1"}:
            abort(404)
        return
    known = current_app.config["SETTINGS"].proxy_secret
    if not hmac.compare_digest(sent.encode("latin-1"), known.encode()):
        abort(403)
    if getattr(view, "without_sign_in", False):
        return
    subject = _header("X-Remote-User")
    if not subject:
        abort(401)
    groups = frozenset(_header("X-Remote-Groups").replace(" ", "").split(",")) & GROUPS
    g.reader = Reader(
        subject=subject,
        email=_header("X-Remote-Email"),
        name=_header("X-Remote-Name"),
        groups=groups,
        company=_header("X-Remote-Company") if "member" in groups else "",
    )


def _header(name: str) -> str:
    """Return a header that Apache set; it sends UTF-8, which WSGI hands on as Latin-1."""
    value = request.headers.get(name, "")
    if value == "(null)":  # Apache's word for an unset variable
        return ""
    try:
        return value.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        abort(400)


def _current() -> Reader:
    found = g.get("reader")
    if found is None:
        abort(401)
    return found  # type: ignore[no-any-return]


reader: Reader = LocalProxy(_current)  # type: ignore[assignment]
"""The reader of the current request; aborts with 401 where nobody is signed in."""
