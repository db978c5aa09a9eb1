"""The pages of a CV book: one for each CV, lists for each company."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from anyascii import anyascii

from content_sync.cvbook.exported import Cv
from content_sync.pages.access import ROOT
from content_sync.pages.wording import iso_in_words, month_in_words
from content_sync.urls import slug

if TYPE_CHECKING:
    from jinja2 import Environment

Value = tuple[str, str]
"""Key and words of one value of a filter."""

FILTERS: dict[str, tuple[str, Callable[[Cv], Iterable[str]]]] = {
    "degree": ("Degree", lambda cv: [cv.degree]),
    "graduation": ("Graduation", lambda cv: [cv.graduation[:4]]),
    "availability": ("Looking for", lambda cv: cv.availability),
    "topic": ("Topic", lambda cv: cv.topics),
}
"""Name in addresses → heading, and the values of a CV."""


def file_name(cv: Cv) -> str:
    """Return what the file is called when it is saved: `ha-mien-nguyen-cv.pdf`."""
    letters = anyascii(cv.name).lower()
    plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in letters)
    return f"{'-'.join(part for part in plain.split('-') if part)[:60] or 'student'}-cv.{cv.kind}"


def cv_page(environment: Environment, cv: Cv, facts: dict[str, Any]) -> bytes:
    """Return the page of a CV: the same for all companies."""
    return _render(
        environment,
        "cv.html",
        title=cv.name,
        cv=_shown(cv),
        facts=facts,
        uploaded=iso_in_words(cv.uploaded[:10]),
    )


def lists(environment: Environment, company: str, cvs: list[Cv]) -> Iterator[tuple[str, bytes]]:
    """Yield the lists of one company's book, (file, content): all CVs, and each filter's values.

    Each CV stands between two marks, and so does each link to a list, so that the service can
    take a CV out without knowing how pages look.
    """
    values: dict[str, dict[str, list[Cv]]] = {name: defaultdict(list) for name in FILTERS}
    words: dict[tuple[str, str], str] = {}
    for cv in cvs:
        for name, (_, of) in FILTERS.items():
            for value in of(cv):
                key = _key(value)
                words.setdefault((name, key), value)
                values[name][key].append(cv)
    filters = [
        {
            "name": name,
            "heading": heading,
            "values": [
                {"key": key, "text": words[name, key], "path": f"{name}/{key}"}
                for key in sorted(values[name], key=lambda k: words[name, k].casefold())
            ],
        }
        for name, (heading, _) in FILTERS.items()
    ]
    common = {"company": company, "filters": filters}
    yield (
        "index.html",
        _render(
            environment,
            "cvbook.html",
            title="CVs of students",
            up="",
            current="",
            heading="CVs of students",
            cvs=[_shown(cv) for cv in cvs],
            **common,
        ),
    )
    for name, found in values.items():
        for key, some in found.items():
            yield (
                f"{name}/{key}/index.html",
                _render(
                    environment,
                    "cvbook.html",
                    title=f"CVs: {words[name, key]}",
                    up="../../",
                    current=f"{name}/{key}",
                    heading=f"{FILTERS[name][0]}: {words[name, key]}",
                    cvs=[_shown(cv) for cv in some],
                    **common,
                ),
            )


def _shown(cv: Cv) -> dict[str, Any]:
    return {
        "id": cv.id,
        "name": cv.name,
        "email": cv.email,
        "degree": cv.degree,
        "field": cv.field,
        "graduation": month_in_words(cv.graduation),
        "topics": list(cv.topics),
        "availability": list(cv.availability),
        "available_from": month_in_words(cv.available_from) if cv.available_from else None,
        "links": list(cv.links),
        "file": file_name(cv),
        "kind": cv.kind.upper(),
        "size": f"{max(cv.size // 1000, 1):,} kB",
        "pages": cv.pages,
        "keys": json.dumps({name: [_key(v) for v in of(cv)] for name, (_, of) in FILTERS.items()}),
    }


def _key(value: str) -> str:
    return slug("-".join(value.casefold().split()))


def _render(environment: Environment, template: str, **context: Any) -> bytes:
    page = environment.get_template(template).render(
        root=ROOT["members"],
        audience="members",
        section="",
        canonical="",
        description="",
        noindex=True,
        **context,
    )
    return page.encode()
