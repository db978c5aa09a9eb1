"""What the last check found: links to nothing and other faults, for staff to mend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from content_sync.release.verify import REPORT_FILE
from content_sync.settings import Settings


class Line(NamedTuple):
    """One fault."""

    page: str
    link: str
    reason: str


@dataclass(frozen=True, slots=True)
class LinkReport:
    """The report of the release that was checked last."""

    says: str
    errors: tuple[Line, ...] = ()
    warnings: tuple[Line, ...] = ()


def read_report(settings: Settings) -> LinkReport:
    """Return what `var/check-report.txt` says; nothing where no release was checked yet."""
    try:
        says, *lines = (settings.var / REPORT_FILE).read_text("utf-8").splitlines()
    except (FileNotFoundError, ValueError):
        return LinkReport("")
    found: dict[str, list[Line]] = {"error": [], "warning": []}
    for line in lines:
        kind, colon, rest = line.partition(": ")
        if colon and kind in found:
            found[kind].append(_parse(rest))
    return LinkReport(says, tuple(found["error"]), tuple(found["warning"]))


def _parse(text: str) -> Line:
    """Take a finding apart: page, link and reason, of which page or link may be missing."""
    place, _, reason = text.rpartition(": ")
    page, _, link = place.partition(": ")
    return Line(page, link, reason)
