"""Titles, abstracts and other texts about the words of one work."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from content_sync.demo.grammar import Context, Draw, Template, compile_all, fill
from content_sync.demo.topics import Subject
from content_sync.demo.words import read_sections

_SHORTEST, _LONGEST = 92, 218  # words of an abstract
_LINES_UP = (
    "open approach setup result result mechanism close",
    "open gap approach result result mechanism limit close",
    "open gap approach setup result compare close",
    "open approach setup result result result limit",
    "open approach result mechanism result compare close",
    "open gap approach setup result mechanism result limit close",
    "open approach setup result compare mechanism limit",
    "approach setup result result mechanism compare limit",
    "gap approach setup result mechanism result close",
    "open gap approach result mechanism compare close",
    "open setup result result mechanism compare limit close",
    "approach open setup result compare result limit close",
)
_MORE = ("compare", "limit", "result", "mechanism", "setup")


class Prose:
    """Writes texts; the same draws give the same words."""

    def __init__(self, lists: Mapping[str, tuple[str, ...]], publications: int) -> None:
        self.sentences = {
            part: compile_all(lines, lists)
            for part, lines in read_sections("abstracts.txt").items()
        }
        self.titles = {
            kind: compile_all(lines, lists) for kind, lines in read_sections("titles.txt").items()
        }
        self.projects = {
            part: compile_all(lines, lists) for part, lines in read_sections("projects.txt").items()
        }
        self._plans = [tuple(line.split()) for line in _LINES_UP]
        # A bit for each title's checksum: enough to notice nearly every repetition.
        bits = max(16, (publications * 40).bit_length())
        self._mask = (1 << bits) - 1
        self._seen = bytearray(1 << (bits - 3))

    def title(self, subject: Subject, kind: str, draw: Draw) -> tuple[str, Context]:
        """Return a title that was not returned before, and the words it was made of."""
        templates = self.titles[kind]
        for _ in range(12):
            context = subject.draw_context(draw)
            title = fill(templates[int(draw() * len(templates))], context, draw)
            if not self.is_seen(title):
                break
        return title, context

    def abstract(self, subject: Subject, context: Context, draw: Draw) -> str:
        """Return an abstract of 92 to 218 words, now and then in two paragraphs."""
        plan = self._plans[int(draw() * len(self._plans))]
        used: set[str] = set()
        texts: list[str] = []
        words = 0
        for part in plan:
            templates = self.sentences[part]
            if part == "open" and draw() < 0.3:
                templates = subject.facts
            text = self._fresh(templates, used, context, draw)
            length = text.count(" ") + 1
            if words + length > _LONGEST:
                break
            words += length
            texts.append(text)
        for part in _MORE:
            if words >= _SHORTEST:
                break
            text = self._fresh(self.sentences[part], used, context, draw)
            words += text.count(" ") + 1
            texts.insert(-1, text)
        if words > 130 and draw() < 0.15:
            middle = len(texts) // 2
            return " ".join(texts[:middle]) + "\n\n" + " ".join(texts[middle:])
        return " ".join(texts)

    def _fresh(
        self, templates: tuple[Template, ...], used: set[str], context: Context, draw: Draw
    ) -> str:
        """Fill a template that this text has not used yet."""
        i = int(draw() * len(templates))
        while templates[i][0] in used:
            i = (i + 1) % len(templates)
        used.add(templates[i][0])
        return fill(templates[i], context, draw)

    def is_seen(self, title: str) -> bool:
        """Whether the title was, almost surely, returned before; remembers it."""
        bit = zlib.crc32(title.encode()) & self._mask
        byte, mask = bit >> 3, 1 << (bit & 7)
        if self._seen[byte] & mask:
            return True
        self._seen[byte] |= mask
        return False
