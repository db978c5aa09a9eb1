"""The block list of the live overlay: who is kept out at once, whatever a provider says.

`var/live/blocked.grp` is an Apache group file with one group, `blocked`. Apache reads it at
each request, so it is replaced in one step. The file always holds the group's name: Apache's
rules let nobody in where it is missing.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from content_sync.errors import NightpressError

FILE = "blocked.grp"
_GROUP = "blocked"
_WORD = re.compile(r"[^\s\"'\\#]{1,400}")


def blocked(live: Path) -> list[str]:
    """Return the blocked subjects. Raises NightpressError where the file is not such a list."""
    file = live / FILE
    if not file.exists():
        return []
    found: list[str] = []
    for line in file.read_text("utf-8").splitlines():
        name, colon, members = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not colon or name.strip() != _GROUP:
            raise NightpressError(
                f"{file} has a line that is not of the group '{_GROUP}': {line!r}.",
                hint="Put it right by hand; until then it closes the door to some.",
            )
        found += members.split()
    return sorted(set(found))


def block(live: Path, subject: str) -> bool:
    """Keep a subject out from now on; return whether it was not kept out before."""
    if not _WORD.fullmatch(subject):
        raise NightpressError(f"{subject!r} is not a subject: it has spaces or quotation marks.")
    before = blocked(live)
    _write(live, [*before, subject])
    return subject not in before


def unblock(live: Path, subject: str) -> bool:
    """Let a subject in again; return whether it was kept out."""
    before = blocked(live)
    _write(live, [one for one in before if one != subject])
    return subject in before


def _write(live: Path, subjects: list[str]) -> None:
    live.mkdir(parents=True, exist_ok=True)
    # One line for each, because Apache's lines have a length; none is "blocked:" alone.
    lines = [f"{_GROUP}: {subject}\n" for subject in sorted(set(subjects))] or [f"{_GROUP}:\n"]
    descriptor, name = tempfile.mkstemp(dir=live, prefix=f".{FILE}.")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out:
            out.writelines(lines)
            out.flush()
            os.fsync(out.fileno())
        new.chmod(0o644)
        new.replace(live / FILE)
    finally:
        new.unlink(missing_ok=True)
