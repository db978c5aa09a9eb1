"""What a person sees when something goes wrong: a page in words, in the site's own look."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, render_template
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from dynamic.errors import Unavailable

log = logging.getLogger(__name__)

WORDS = {
    400: ("That did not arrive whole", "Go back, look through the form and send it again."),
    401: ("Please sign in", "This page is for people who have signed in."),
    403: ("Not for this account", "Your account may not open this page."),
    404: ("There is nothing here", "The address may be mistyped, or what it named is gone."),
    405: ("Not this way", "This address cannot be used like that."),
    410: ("No longer valid", "This link has been used, taken back or has expired."),
    413: ("Too large", "What you sent is larger than we accept."),
    429: ("One moment", "That was too much in a short time. Wait a minute and try again."),
    500: (
        "Something went wrong",
        "It is our fault and has been noted. Please try again later.",
    ),
    503: ("Not now", "Something that this page needs does not answer. Nothing was lost."),
}


def show_errors(app: Flask) -> None:
    """Answer every error with a page; nothing of the program shows in it."""

    @app.errorhandler(CSRFError)
    def _form_is_old(error: CSRFError) -> Any:
        return _page(
            400,
            "This form has grown old",
            "It was open too long. Go back, reload it and send it again.",
        )

    @app.errorhandler(Unavailable)
    def _unavailable(error: Unavailable) -> Any:
        log.error("unavailable: %s", error)
        return _page(503, WORDS[503][0], str(error), {"Retry-After": str(error.retry_after)})

    @app.errorhandler(OperationalError)
    def _database_is_gone(error: OperationalError) -> Any:
        # SQLAlchemy's message carries the statement's values: personal data stay out of the log.
        log.error("database: %s", type(error.orig).__name__)
        return _page(503, *WORDS[503], {"Retry-After": "30"})

    @app.errorhandler(HTTPException)
    def _refused(error: HTTPException) -> Any:
        code = error.code or 500
        heading, text = WORDS.get(code, (error.name, "That is not possible here."))
        headers = {n: v for n, v in error.get_headers() if n in {"Retry-After", "Allow"}}
        return _page(code, heading, text, headers)

    @app.errorhandler(Exception)
    def _defect(error: Exception) -> Any:
        log.exception("defect")
        return _page(500, *WORDS[500])


def _page(code: int, heading: str, text: str, headers: dict[str, str] | None = None) -> Any:
    return render_template("error.html", heading=heading, text=text), code, headers or {}
