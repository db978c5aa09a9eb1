"""Long lists in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import request
from sqlalchemy import Select, func, select

from dynamic.database import db

T = TypeVar("T")
PER_PAGE = 50
LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, and the addresses of its neighbours."""

    items: Sequence[T]
    total: int
    page: int
    pages: int
    prev: str = ""
    next: str = ""


def page_of(query: Select[Any], *, per_page: int = PER_PAGE) -> Page[Any]:
    """Return the page that the request asks for with ?page=; what is no page is the first."""
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    pages = max(1, -(-(total or 0) // per_page))
    asked = request.args.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 8 else 1
    number = min(max(number, 1), pages)
    items = db.session.scalars(query.limit(per_page).offset((number - 1) * per_page)).all()
    return Page(
        items,
        total or 0,
        number,
        pages,
        _address(number - 1) if number > 1 else "",
        _address(number + 1) if number < pages else "",
    )


def _address(number: int) -> str:
    kept: list[tuple[str, Any]] = [(k, v) for k, v in request.args.items() if k != "page"]
    return f"{request.path}?{urlencode([*kept, ('page', number)])}"
