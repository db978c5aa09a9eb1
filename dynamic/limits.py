"""How much and how often a reader may send, and proof that a form was ours."""

from __future__ import annotations

from flask import Flask, Response, abort, g, request
from flask_limiter import Limiter
from flask_wtf import CSRFProtect

MEGABYTE = 1024 * 1024
PER_MINUTE = "300 per minute"
SENDING = "30 per minute; 300 per hour"
"""For views that keep something: more than a person with both hands can fill in."""


def _who() -> str:
    """Requests are counted for each signed-in reader: a whole university has one address.

    Whoever follows a signed link is counted by the address that Apache saw; what a client
    sends under that name stands before it in the list.
    """
    if g.get("reader"):
        return f"reader:{g.reader.subject}"
    seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return f"address:{seen or request.remote_addr or 'unknown'}"


csrf = CSRFProtect()
limiter = Limiter(
    _who,
    default_limits=[PER_MINUTE],
    headers_enabled=True,
    # A memcached that does not answer must not close the service.
    in_memory_fallback_enabled=True,
)


def limit(app: Flask) -> None:
    """Count the app's requests, and refuse what another site makes a browser send."""

    @app.after_request
    def _wait_only_if_asked_to(response: Response) -> Response:
        # The library says with each answer when counting begins anew: that is for those who
        # asked too often, and not for those who are told how long something will be down.
        if response.status_code != 429:
            response.headers.pop("Retry-After", None)
            if g.get("retry_after"):
                response.headers["Retry-After"] = g.retry_after
        return response

    limiter.init_app(app)

    @app.after_request
    def _remember_our_own(response: Response) -> Response:
        g.retry_after = response.headers.get("Retry-After")
        return response

    csrf.init_app(app)

    @app.before_request
    def _refuse_cross_site() -> None:
        # Browsers say so themselves; the form's token refuses it where they do not.
        is_safe = request.method in {"GET", "HEAD", "OPTIONS"}
        if not is_safe and request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
            abort(403)
        # Here the token has been looked at: what was sent comes from a form of ours.
        g.form_is_ours = not is_safe
