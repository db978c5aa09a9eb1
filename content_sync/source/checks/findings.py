"""What rules say: a reason over a value, a finding over a row, a problem of a record."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

Mended = Generator[str, None, Any]


Rule = Callable[[Any], Mended]


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that one row of the source breaks."""

    view: str
    key: str
    column: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule over a row found; `leaves_out` says that the row cannot be shown."""

    column: str
    reason: str
    leaves_out: bool = False
