"""The application: what it is made of."""

from __future__ import annotations

from flask import Flask, g

from dynamic import (
    cv,
    errors_shown,
    headers,
    health,
    home,
    limits,
    link_pages,
    logs,
    metrics,
    registration,
    site,
)
from dynamic.database import connect
from dynamic.feedback import add_feedback
from dynamic.identity import check_identity
from dynamic.limits import MEGABYTE
from dynamic.settings import ServiceSettings


def create_app(settings: ServiceSettings) -> Flask:
    """Return the application, ready to be served behind Apache.

    Nothing is created in the database: `nightpress service migrate` does that.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        RATELIMIT_STORAGE_URI=settings.service_limits,
        MAX_CONTENT_LENGTH=MEGABYTE,
        MAX_FORM_MEMORY_SIZE=MEGABYTE,
        SESSION_COOKIE_NAME="__Host-nightpress-service",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        # Some readers' networks strip the Referer; the token and Sec-Fetch-Site do its work.
        WTF_CSRF_SSL_STRICT=False,
        PREFERRED_URL_SCHEME="https",
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    metrics.add_metrics(app)
    logs.log_requests(app)
    connect(app)
    check_identity(app)
    limits.limit(app)
    headers.add_headers(app)
    errors_shown.show_errors(app)
    site.add_site(app)
    app.context_processor(lambda: {"reader": g.get("reader")})
    app.register_blueprint(health.blueprint)
    app.register_blueprint(link_pages.blueprint)
    app.register_blueprint(registration.blueprint)
    app.register_blueprint(home.blueprint)
    add_feedback(app)
    cv.add(app)
    return app
