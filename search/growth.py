"""What a night makes of the segments that there are: what stays, what is taken apart.

Beside the base there are up to three younger segments, each some five times as large as the
next. A night's documents come into the smallest. When that is full it stays as it is if there
is room, and else becomes one with the next: so that a night writes little, a reader asks few
segments, and a document is written again a few times only.

A few documents alone come into a segment of their own before these, the tip, so that one record
is searchable at once and not after all that is young was indexed again.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from pathlib import Path

from search.layout import Layout, Segment, partition_folders
from search.partitions import open_partition, read_line
from search.shards import IDS

YOUNGER = 3
"""Segments beside the base and the tip."""
TIP = 32
"""What the tip may grow to. It costs a reader a small file of words."""
SHARES = (0.004, 0.02)
"""What the smallest and the middle one may grow to, of all documents, …"""
YOUNG_SHARE = 0.1
"""… and what all but the base may grow to, and the dead, before there is a new base."""
GONE_SHARE = 0.01
"""What may go in a night before a new base costs less, …"""
FEW_GONE = 100
"""… but so many always may."""


class Outgrown(Exception):
    """Too much has changed: everything should become a new base."""


class Growth:
    """A night's segments.

    Raises Outgrown where there should be a new base instead, and ValueError, LookupError or
    OSError where the index is damaged.
    """

    def __init__(
        self,
        index: Path,
        layout: Layout,
        old: dict[str, bytes],
        new: dict[str, bytes],
        *,
        small: int,
    ) -> None:
        self.index = index
        self.gone = old.keys() - new.keys()
        self.lines = list(new.values())
        """Of the documents that come into a new segment."""
        self._numbers: dict[str, dict[str, int]] = {}
        segments = [self._bury(segment, old) for segment in layout.segments]
        base = segments[0]
        total = sum(segment.living for segment in segments) + len(self.lines)
        if total - base.living > max(YOUNG_SHARE * total, small):
            raise Outgrown
        if len(base.dead) > YOUNG_SHARE * base.documents + small:
            raise Outgrown
        if len(self.gone) > max(GONE_SHARE * total, FEW_GONE):
            raise Outgrown
        smallest, middle = (max(share * total, small) for share in SHARES)
        if self.lines and len(segments) > 1 and segments[-1].living <= TIP:
            self._take_apart(segments.pop())
        while len(self.lines) > TIP and len(segments) > 1:
            if segments[-1].living + len(self.lines) <= smallest:
                self._take_apart(segments.pop())
            elif len(segments) <= YOUNGER:
                break
            else:
                self._take_apart(segments.pop())
                self._take_apart(segments.pop())
                if len(self.lines) > middle:
                    self._take_apart(segments.pop())
                break
        self.kept = [segment for segment in segments if segment.living]
        """The segments that stay."""

    def lines_gone(self, segment: Segment) -> dict[int, bytes]:
        """Return number → line of the documents that are gone, dead versions too."""
        wanted = sorted(
            self._numbers[segment.name][document_id]
            for document_id in self.gone
            if document_id in self._numbers[segment.name]
        )
        found: dict[int, bytes] = {}
        folders = partition_folders(self.index, segment)
        for number in wanted:
            place = bisect_right(segment.firsts, number) - 1
            reader = open_partition(folders[place])
            line = read_line(reader, number - segment.firsts[place])
            reader.close()
            if line is not None:
                found[number] = line
        return found

    def _bury(self, segment: Segment, old: dict[str, bytes]) -> Segment:
        """Return a segment in which what was changed or is gone is dead."""
        text = (self.index / segment.name / IDS).read_text(encoding="utf-8")
        numbers = dict(zip(text.split("\n"), range(segment.documents), strict=True))
        self._numbers[segment.name] = {i: numbers[i] for i in old if i in numbers}
        dead = {*segment.dead, *self._numbers[segment.name].values()}
        return replace(segment, dead=tuple(sorted(dead)))

    def _take_apart(self, segment: Segment) -> None:
        """Let the living documents of a segment come into the new one."""
        dead = set(segment.dead)
        for folder, first in zip(
            partition_folders(self.index, segment), segment.firsts, strict=True
        ):
            reader = open_partition(folder)
            for number in reader.all_doc_ids():
                if first + number not in dead:
                    line = read_line(reader, number)
                    if line is not None:
                        self.lines.append(line)
            reader.close()
