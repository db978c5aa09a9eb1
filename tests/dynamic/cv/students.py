"""A student at work: what the form is sent with, and what is on the page."""

from __future__ import annotations

from typing import Any

import requests

from tests.dynamic.cv.files import pdf
from tests.dynamic.process import Browser, Service

EDIT = "/services/cv/edit"
MINE = "/services/cv/"

ENTRY: dict[str, Any] = {
    "name": "Nguyễn Hạ Miên",
    "degree": "master",
    "field": "Electrical engineering",
    "graduation": "2027-09",
    "topics": "Chip cooling, Reliability",
    "availability": ["internship", "thesis"],
    "available_from": "2027-03",
    "links": "https://example.org/~mien",
    "shown_to": "all",
    "consent": "y",
}


def student(service: Service, subject: str = "s-1", **facts: str) -> Browser:
    """Return a signed-in student."""
    return service.browse(subject, "student", **facts)


def send(
    browser: Browser,
    content: bytes | None = None,
    *,
    name: str = "my-cv.pdf",
    type_: str = "application/pdf",
    **entry: Any,
) -> requests.Response:
    """Send the form; without `content` a good PDF goes with it, with b'' none."""
    content = pdf() if content is None else content
    files = {"file": (name, content, type_)} if content else {"file": ("", b"", type_)}
    return browser.post(EDIT, {**ENTRY, **entry}, files=files)
