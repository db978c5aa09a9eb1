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

from dynamic.settings import GROUPS
from dynamic.words import one_line

F = TypeVar("F", bound=Callable[..., Any])

LONGEST = {
    "X-Remote-User": 200,
    "X-Remote-Email": 320,
    "X-Remote-Name": 200,
    "X-Remote-Groups": 1000,
    "X-Remote-Company": 200,
}
"""Characters kept of what Apache tells; a longer subject is refused, not cut."""


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
    """Mark a view for this machine alone (metrics): not there for what came through Apache."""
    view.without_proxy = True  # type: ignore[attr-defined]
    return view


def also_without_proxy(view: F) -> F:
    """Mark a view that this machine may ask without Apache (health), and readers through it."""
    view.also_without_proxy = True  # type: ignore[attr-defined]
    return view


def came_through_apache() -> bool:
    """Tell whether a request carries what only a proxy adds, rightly or not."""
    return any(name in request.headers for name in ("X-Proxy-Secret", "X-Forwarded-For", "Via"))


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
    if request.remote_addr not in {"127.0.0.1", "::1"}:
        abort(403)
    if getattr(view, "without_proxy", False):
        if came_through_apache():
            abort(404)
        return
    if getattr(view, "also_without_proxy", False) and not came_through_apache():
        return
    known = current_app.config["SETTINGS"].proxy_secret
    if not hmac.compare_digest(sent.encode("latin-1", "replace"), known.encode()):
        abort(403)
    if getattr(view, "without_sign_in", False):
        return
    subject = _header("X-Remote-User")
    if not subject:
        abort(401)
    if len(request.headers["X-Remote-User"]) > LONGEST["X-Remote-User"]:
        abort(400)  # two accounts must not become one by cutting
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
        return one_line(value.encode("latin-1").decode("utf-8"), LONGEST[name])
    except UnicodeError:
        abort(400)


def _current() -> Reader:
    found = g.get("reader")
    if found is None:
        abort(401)
    return found  # type: ignore[no-any-return]


reader: Reader = LocalProxy(_current)  # type: ignore[assignment]
"""The reader of the current request; aborts with 401 where nobody is signed in."""
