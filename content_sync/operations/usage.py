"""How often each record was read, from Apache's access log: counted, and nobody followed.

After the COUNTER code of practice: an answer counts when it was given whole (200, 304); what
robots and programs asked for does not, by COUNTER's own list and the longer one of
`crawler-user-agents`; two requests of one reader for one address within 30 seconds are one.
Addresses of readers are compared for those 30 seconds and kept nowhere.
"""

from __future__ import annotations

import functools
import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from content_sync.urls import PLURALS

DOUBLE_CLICK = 30
"""Seconds in which a second request for the same address is the same reading."""
_LINE = re.compile(
    r"(?P<who>\S+) .*?\[(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4})\] "
    r'"(?P<method>[A-Z]+) (?P<path>/[^ "]*) HTTP/[0-9.]+" (?P<status>\d{3}) \S+ \d+'
    r'(?: "(?P<agent>(?:[^"\\]|\\.)*)")?$'
)
_RECORD = re.compile(
    rf"(?P<tree>/members)?(?P<url>/(?:{'|'.join(sorted(PLURALS.values()))})/[^/]+?)"
    r"(?:(?P<page>/)|(?P<file>/[^/]+\.(?:pdf|docx|zip)))"
)


@dataclass(slots=True)
class Usage:
    """What the logs told."""

    pages: Counter[str] = field(default_factory=Counter)
    """How often each record's page was read, by its public path; members' readings included."""
    files: Counter[str] = field(default_factory=Counter)
    """How often each record's full text was fetched, by the path of the record's page."""
    robots: int = 0
    """Readings that were left out because robots or programs asked."""
    unread: int = 0
    """Lines that are not of the site's format."""

    @property
    def records(self) -> list[str]:
        """The paths of all records that were read, the most read first."""
        both = self.pages + self.files
        return sorted(both, key=lambda url: (-both[url], url))


def read_usage(logs: Iterable[Path], first: date | None = None, last: date | None = None) -> Usage:
    """Count what the logs, plain or compressed, hold of the days `first` to `last`.

    Logs are best given oldest first: the order matters to double clicks around a rotation only.
    Raises OSError when one cannot be read.
    """
    usage = Usage()
    seen: dict[tuple[str, str, str], float] = {}
    for log in logs:
        for line in _lines(log):
            _count(line, usage, seen, first, last)
    return usage


def logs_of(folder: Path) -> list[Path]:
    """Return the site's access logs in a folder, rotated ones too, oldest first."""
    return sorted(folder.glob("apache-access.log*"), key=lambda file: file.stat().st_mtime)


def _lines(log: Path) -> Iterator[str]:
    opener = gzip.open if log.suffix == ".gz" else open
    with opener(log, "rt", encoding="utf-8", errors="replace") as file:
        for line in file:
            yield line.rstrip("\n")


def _count(
    line: str,
    usage: Usage,
    seen: dict[tuple[str, str, str], float],
    first: date | None,
    last: date | None,
) -> None:
    found = _LINE.match(line)
    if found is None:
        # A link that stands for a person is logged without its address.
        usage.unread += "/services/(link)" not in line
        return
    if found["method"] != "GET" or found["status"] not in {"200", "304"}:
        return
    record = _RECORD.fullmatch(found["path"])
    if record is None or record["url"].endswith("/index"):
        return
    time = datetime.strptime(found["time"], "%Y-%m-%dT%H:%M:%S%z")
    if (first and time.date() < first) or (last and time.date() > last):
        return
    agent = found["agent"] or ""
    if _is_robot(agent):
        usage.robots += 1
        return
    at, reader = time.timestamp(), (found["who"], agent, found["path"])
    before = seen.get(reader)
    seen[reader] = at
    if before is not None and 0 <= at - before <= DOUBLE_CLICK:
        return
    if len(seen) > 100_000:
        for old in [key for key, then in seen.items() if at - then > DOUBLE_CLICK]:
            del seen[old]
    (usage.pages if record["page"] else usage.files)[record["url"] + "/"] += 1


@functools.lru_cache(maxsize=20_000)
def _is_robot(agent: str) -> bool:
    """Whether a robot or a program asks; who does not say what it is, is one."""
    from counter_robots import is_robot_or_machine
    from crawleruseragents import is_crawler

    listed = is_robot_or_machine(agent)  # type: ignore[no-untyped-call]
    return agent in {"", "-"} or listed or is_crawler(agent)
