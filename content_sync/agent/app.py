"""The agent's pages: reached through Apache below /staff/agent/, by staff only.

A Flask application of its own, in the service's frame: the same proof that a request came
through Apache, the same form tokens, headers and error pages.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import jinja2
from flask import Flask, Response, abort, g, request

from content_sync.agent import feeds, views
from content_sync.settings import Settings
from dynamic import errors_shown, headers, limits, site
from dynamic.identity import check_identity
from dynamic.settings import ServiceSettings

_HERE = Path(__file__).parent


def create_agent_app(settings: Settings, service: ServiceSettings) -> Flask:
    """Return the application of the agent of one site."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SETTINGS=service,
        NIGHTPRESS=settings,
        SECRET_KEY=service.secret_key,
        RATELIMIT_STORAGE_URI="memory://",
        MAX_CONTENT_LENGTH=64 * 1024,
        # The cookie of the service: Apache passes no other, and both sign with one key.
        SESSION_COOKIE_NAME="__Host-nightpress-service",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_SSL_STRICT=False,
        PREFERRED_URL_SCHEME="https",
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_loader = jinja2.ChoiceLoader(
        [
            jinja2.FileSystemLoader(_HERE / "templates"),
            jinja2.FileSystemLoader(Path(site.__file__).parent / "templates"),
        ]
    )
    check_identity(app)
    app.before_request(_only_staff)
    app.before_request(_same_origin)
    limits.limit(app)
    headers.add_headers(app)
    app.after_request(_live_bits)
    errors_shown.show_errors(app)
    site.add_site(app)
    app.context_processor(lambda: {"reader": g.get("reader")})
    app.register_blueprint(views.blueprint)
    app.register_blueprint(feeds.blueprint)
    return app


def _only_staff() -> None:
    """Refuse everybody else; what needs no sign-in has its own token, or is for loopback."""
    reader = g.get("reader")
    if reader is None:
        view = feeds.WITHOUT_READER.get(request.endpoint or "")
        if view is None:
            abort(404 if request.url_rule is None else 403)
        return
    if "staff" not in reader.groups:
        abort(403)


def _live_bits(response: Response) -> Response:
    """Let the pages' own script ask the agent, and nobody else."""
    policy = f"{headers.HEADERS['Content-Security-Policy']}; connect-src 'self'"
    response.headers.setdefault("Content-Security-Policy", policy)
    return response


def _same_origin() -> None:
    """Refuse what a page of another origin makes a browser send."""
    origin = request.headers.get("Origin")
    if request.method in {"GET", "HEAD", "OPTIONS"} or origin is None:
        return
    if urlsplit(origin).netloc != request.headers.get("Host", ""):
        abort(403)
