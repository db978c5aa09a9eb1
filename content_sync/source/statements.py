"""What a sync sent to the source: each query with its rows, bytes and milliseconds.

`nightpress source report` shows it to the database's administrator.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_SAMPLED = 40


@dataclass(slots=True, kw_only=True)
class Statement:
    """All runs of one statement: `step` says what it was for, `bytes` are estimated."""

    view: str
    step: str
    text: str
    runs: int = 0
    rows: int = 0
    bytes: int = 0
    milliseconds: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time that the block takes: the server's and the network's, not ours."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.milliseconds += (time.perf_counter() - began) * 1000

    def took(self, rows: Sequence[Sequence[Any]]) -> None:
        """Count `rows`; their bytes are estimated from a few of them."""
        count = len(rows)
        self.rows += count
        some = rows[:: count // _SAMPLED + 1]
        if some:
            self.bytes += sum(map(_size, some)) * count // len(some)


@dataclass(slots=True)
class StatementLog:
    """Everything that one run sent, over all its connections."""

    statements: dict[tuple[str, str], Statement] = field(default_factory=dict)
    sent: int = 0
    """How many statements were sent, those that set up a connection included."""
    connections: int = 0
    isolation: str = ""
    proof: str = ""
    """How it was made sure that one state was read."""
    faults: list[str] = field(default_factory=list)
    lock_waits: str = "The server was not asked."
    deletions_wait: dict[str, int] = field(default_factory=dict)
    """Views read in a window: after how many nights a deletion is noticed at the latest."""

    def of(self, view: str, step: str, text: str) -> Statement:
        """Return the entry of a statement, made on its first run."""
        known = self.statements.get((view, step))
        if known is None:
            known = self.statements[view, step] = Statement(view=view, step=step, text=text)
        known.runs += 1
        return known

    def as_facts(self) -> dict[str, Any]:
        """Return the log as plain values, the slowest statement first."""
        facts = asdict(self)
        order = sorted(self.statements.values(), key=lambda s: (-s.milliseconds, s.view, s.step))
        facts["statements"] = [asdict(statement) for statement in order]
        return facts


def write_log(path: Path, facts: dict[str, Any]) -> None:
    """Put `facts` in place of what the last run wrote."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8")
    new.replace(path)


def _size(row: Sequence[Any]) -> int:
    return sum(
        len(value) if value.__class__ is str or value.__class__ is bytes else 8
        for value in row
        if value is not None
    )
