"""`/services/links/<token>`: the one address of all signed links, handed on by purpose.

GET shows what a link is for and changes nothing, since mail scanners open links; the POST
behind the button acts. Who holds the link may act: there is no sign-in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, make_response

from dynamic.identity import without_sign_in
from dynamic.links import Link, find_link

blueprint = Blueprint("links", __name__)

PAGES: dict[str, Callable[[Link], Any]] = {}
"""Purpose → the view of its links, for GET and POST alike."""


@blueprint.route("/services/links/<token>", methods=["GET", "POST"])
@without_sign_in
def open_link(token: str) -> Any:
    """Show what a link is for, or do it; 410 if it is unknown, used up or taken back."""
    link = find_link(token)
    if link is None or link.purpose not in PAGES:
        abort(410)
    answer = make_response(PAGES[link.purpose](link))
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Referrer-Policy"] = "no-referrer"  # the address is a key
    return answer
