"""The pages that the web server shows when it cannot answer: in the theme, with search."""

from __future__ import annotations

from typing import NamedTuple

FOLDER = "errors"
"""Where they lie in a release: beside the trees, so that none has an address of its own."""


class ErrorPage(NamedTuple):
    """What one page says."""

    status: int
    heading: str
    lead: str


ERROR_PAGES = (
    ErrorPage(
        400,
        "The request makes no sense",
        "Your browser, or a program on the way, sent something that cannot be read.",
    ),
    ErrorPage(
        401,
        "Sign in to read this page",
        "It is for members or staff. Sign in with the account that your organisation knows.",
    ),
    ErrorPage(
        403,
        "This page is not open to you",
        "It is for members or staff. If you are one of them, sign in with the account that"
        " your organisation knows; if you have just been admitted, sign out and in again.",
    ),
    ErrorPage(
        404,
        "There is no page at this address",
        "It may have been mistyped, or the link that led here may be wrong. Addresses on this"
        " site do not change.",
    ),
    ErrorPage(
        405,
        "This address can only be read",
        "Something was sent to a page that takes nothing in.",
    ),
    ErrorPage(
        410,
        "This page was removed",
        "What stood here was withdrawn, and it will not come back under this address.",
    ),
    ErrorPage(
        413,
        "What you sent is too large",
        "Nothing was kept of it. Make it smaller and send it again.",
    ),
    ErrorPage(
        500,
        "Something went wrong here",
        "The fault is ours and is written down. Reading and searching work as ever.",
    ),
    ErrorPage(
        503,
        "This part of the site is resting",
        "Registrations, feedback and uploads cannot be taken just now. Nothing that you sent"
        " before is lost. Please try again in half a minute; reading and searching work as ever.",
    ),
)
