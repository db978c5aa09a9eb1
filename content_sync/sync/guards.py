"""Guards: a sync that would lose much is refused until a person has looked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from content_sync.errors import GuardRefused
from content_sync.settings import Settings

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Loss:
    """What one view would lose: it had `had` rows, has `left`, and `gone` are no longer there."""

    view: str
    had: int
    left: int
    gone: Sequence[str]


def refused_list(settings: Settings) -> Path:
    """Return where the full list of a refused sync is written."""
    return settings.var / "refused.txt"


def check_losses(settings: Settings, losses: Iterable[Loss]) -> None:
    """Raise GuardRefused if a view loses too much; write the list of what would be gone."""
    refused = [loss for loss in losses if _is_too_much(settings, loss)]
    if not refused:
        return
    path = refused_list(settings)
    lines = (f"{loss.view}\t{key}\n" for loss in refused for key in loss.gone)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
    told = "; ".join(_tell(loss) for loss in refused)
    raise GuardRefused(
        f"The sync was refused: {told}.",
        hint=f"The full list is in {path}; if it is right, --accept goes on.",
    )


def _is_too_much(settings: Settings, loss: Loss) -> bool:
    if loss.had and not loss.left:
        return True
    gone = len(loss.gone)
    return gone >= max(settings.guard_minimum, 1) and gone > settings.guard_share * loss.had


def _tell(loss: Loss) -> str:
    gone = len(loss.gone)
    first = ", ".join(loss.gone[:_SHOWN]) + (", …" if gone > _SHOWN else "")
    if not loss.left:
        return f"web.{loss.view} had {loss.had:,} rows and is empty ({first})"
    return f"web.{loss.view} has lost {gone:,} of {loss.had:,} rows ({first})"
