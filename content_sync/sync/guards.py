"""Guards: a sync that would lose or change much is refused until a person has looked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from content_sync.errors import GuardRefused
from content_sync.settings import Settings

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Loss:
    """What one view would lose: it had `had` rows, has `left`.

    `gone` are no longer there, `changed` are not as they were.
    """

    view: str
    had: int
    left: int
    gone: Sequence[str]
    changed: Sequence[str]


def refused_list(settings: Settings) -> Path:
    """Return where the full list of a refused sync is written."""
    return settings.var / "refused.txt"


def check_losses(settings: Settings, losses: Iterable[Loss]) -> None:
    """Raise GuardRefused if a view loses or changes too much; write the list of its keys."""
    told = []
    lines: list[str] = []
    for loss in losses:
        if _loses_too_much(settings, loss):
            told.append(_tell_loss(loss))
            lines += (f"{loss.view}\t{key}\n" for key in loss.gone)
        if _is_too_much(settings.guard_changed_share, settings, len(loss.changed), loss.had):
            told.append(
                f"web.{loss.view} has changed in {len(loss.changed):,} of {loss.had:,} rows "
                f"({_first(loss.changed)})"
            )
            lines += (f"{loss.view}\t{key}\tchanged\n" for key in loss.changed)
    if not told:
        return
    path = refused_list(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
    raise GuardRefused(
        f"The sync was refused: {'; '.join(told)}.",
        hint=f"Look with 'nightpress diff' (all keys are in {path}); "
        "if it is right, 'nightpress sync --accept' lands it.",
    )


def _loses_too_much(settings: Settings, loss: Loss) -> bool:
    if loss.had and not loss.left:
        return True
    return _is_too_much(settings.guard_share, settings, len(loss.gone), loss.had)


def _is_too_much(share: float, settings: Settings, rows: int, had: int) -> bool:
    return rows >= max(settings.guard_minimum, 1) and rows > share * had


def _tell_loss(loss: Loss) -> str:
    if not loss.left:
        return f"web.{loss.view} had {loss.had:,} rows and is empty ({_first(loss.gone)})"
    return f"web.{loss.view} has lost {len(loss.gone):,} of {loss.had:,} rows ({_first(loss.gone)})"


def _first(keys: Sequence[str]) -> str:
    return ", ".join(keys[:_SHOWN]) + (", …" if len(keys) > _SHOWN else "")
