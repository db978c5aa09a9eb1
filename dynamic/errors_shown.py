"""What a person sees when something goes wrong: a page in words, in the site's own look."""

from __future__ import annotations

import contextlib
import errno
import logging
from typing import Any

from flask import Flask, g, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from werkzeug.exceptions import HTTPException

from dynamic.database import db
from dynamic.errors import Unavailable

log = logging.getLogger("nightpress.errors")

WORDS = {
    400: ("That did not arrive whole", "Go back, look through the form and send it again."),
    401: ("Please sign in", "This page is for people who have signed in."),
    403: ("Not for this account", "Your account may not open this page."),
    404: ("There is nothing here", "The address may be mistyped, or what it named is gone."),
    405: ("Not this way", "This address cannot be used like that."),
    409: ("Changed in the meantime", "Someone else was quicker. Look at it again, then decide."),
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
            "It was open too long, or your browser sent no cookie. Open the form again and send"
            " what you wrote once more.",
        )

    @app.errorhandler(Unavailable)
    def _unavailable(error: Unavailable) -> Any:
        log.error("unavailable")
        headers = {"Retry-After": str(error.retry_after)}
        return _page(503, WORDS[503][0], str(error), headers, can_repeat=True)

    @app.errorhandler(DBAPIError)
    def _database_failed(error: DBAPIError) -> Any:
        if isinstance(error, DataError | IntegrityError | ProgrammingError):
            return _defect(error)
        # Locked, full, gone, shutting down, deadlocked: it may work in a moment.
        log.error("database", extra={"facts": {"error": type(error.orig).__name__}})
        return _page(503, *WORDS[503], {"Retry-After": "30"}, can_repeat=True)

    @app.errorhandler(ObjectDeletedError)
    @app.errorhandler(StaleDataError)
    def _gone_meanwhile(error: Exception) -> Any:
        return _page(409, *WORDS[409])

    @app.errorhandler(TimeoutError)
    @app.errorhandler(PoolTimeout)
    def _too_busy(error: Exception) -> Any:
        log.error("too busy", extra={"facts": {"error": type(error).__name__}})
        return _page(503, *WORDS[503], {"Retry-After": "10"}, can_repeat=True)

    @app.errorhandler(OSError)
    def _disk_failed(error: OSError) -> Any:
        log.error("disk", extra={"facts": {"error": errno.errorcode.get(error.errno or 0, "?")}})
        return _page(503, *WORDS[503], {"Retry-After": "60"}, can_repeat=True)

    @app.errorhandler(HTTPException)
    def _refused(error: HTTPException) -> Any:
        code = error.code or 500
        if code < 400:
            return error  # a redirect of the router
        heading, text = WORDS.get(code, (error.name, "That is not possible here."))
        headers = {n: v for n, v in error.get_headers() if n in {"Retry-After", "Allow"}}
        return _page(code, heading, text, headers)

    @app.errorhandler(Exception)
    def _defect(error: Exception) -> Any:
        log.error("defect", exc_info=error)
        return _page(500, *WORDS[500])


def _page(
    code: int,
    heading: str,
    text: str,
    headers: dict[str, str] | None = None,
    *,
    can_repeat: bool = False,
) -> Any:
    with contextlib.suppress(SQLAlchemyError):
        db.session.rollback()
    page = render_template(
        "error.html",
        code=code,
        heading=heading,
        text=text,
        root="",
        kept=[(name, value, _is_words(name, value)) for name, value in _what_was_written()],
        again=request.path if can_repeat else "",
    )
    return page, code, headers or {}


def _what_was_written() -> list[tuple[str, str]]:
    """Return the fields of the form that could not be taken, so that no words are lost."""
    is_known = g.get("reader") is not None or g.get("form_is_ours", False)
    if request.method != "POST" or not is_known:
        return []  # a stranger's words, sent from a page of theirs, are not shown on ours
    try:
        fields = list(request.form.items(multi=True))
    except Exception:
        return []  # it was the form itself that could not be read
    return [(n, v) for n, v in fields if len(n) <= 100 and v] if len(fields) <= 200 else []


def _is_words(name: str, value: str) -> bool:
    """Tell whether a field holds what a person wrote, rather than what the form brought."""
    is_ours = name in {"csrf_token", "submission", "version"} or name.startswith("was_")
    return not is_ours and ("\n" in value or len(value) > 60)
