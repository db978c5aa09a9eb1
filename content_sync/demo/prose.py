"""Titles, abstracts and other texts about the words of one work."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from content_sync.demo.grammar import CONTEXT, Context, Draw, Template, compile_all, fill
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
_OWN_SENTENCES = frozenset({"patent", "dataset", "software"})
_EFFECT = CONTEXT.index("E")
# What an effect is called when it has been named often enough; () keeps its name.
_EFFECTS = ((), (), ("the effect", "The effect"), ("this effect", "This effect"))
_MORE = ("compare", "limit", "result", "mechanism", "setup")


class Prose:
    """Writes texts; the same draws give the same words."""

    def __init__(self, lists: Mapping[str, tuple[str, ...]], publications: int) -> None:
        self.sentences = _compile_sections("abstracts.txt", lists)
        self.titles = _compile_sections("titles.txt", lists)
        self.projects = _compile_sections("projects.txt", lists)
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

    def abstract(self, subject: Subject, kind: str, context: Context, draw: Draw) -> str:
        """Return an abstract of 90 to 220 words, now and then in two paragraphs."""
        if kind in _OWN_SENTENCES:
            return self._description(subject, kind, context, draw)
        plan = self._plans[int(draw() * len(self._plans))]
        used: set[str] = set()
        texts: list[str] = []
        words = 0
        later = subject.later_words(context)
        effect = _EFFECTS[int(draw() * len(_EFFECTS))]
        for part in (*plan, *_MORE):
            if len(texts) >= len(plan) and words >= _SHORTEST:
                break
            templates = self.sentences[part]
            if part == "open" and draw() < 0.3:
                templates = subject.facts
            text = self._fresh(templates, used, context, draw)
            length = text.count(" ") + 1
            if words + length > _LONGEST:
                break
            words += length
            if len(texts) < len(plan):
                texts.append(text)
            else:
                texts.insert(-1, text)
            # A text that goes on calling things by their full names is tiring to read.
            if len(texts) == 2:
                context = later
            elif len(texts) == 4 and effect:
                context = (*context[:_EFFECT], *effect, *context[_EFFECT + 2 :])
        if words > 130 and draw() < 0.15:
            middle = len(texts) // 2
            return " ".join(texts[:middle]) + "\n\n" + " ".join(texts[middle:])
        return " ".join(texts)

    def _description(self, subject: Subject, kind: str, context: Context, draw: Draw) -> str:
        """Return what a patent, a data set or a program is, its sentences in their order."""
        templates = self.sentences[kind]
        left = list(range(1, len(templates)))
        chosen = {0: fill(templates[0], context, draw)}
        later = subject.later_words(context)
        words = 0
        while words < _SHORTEST or len(chosen) < 7:
            i = left.pop(int(draw() * len(left)))
            chosen[i] = fill(templates[i], later, draw)
            words = sum(text.count(" ") + 1 for text in chosen.values())
        return " ".join(chosen[i] for i in sorted(chosen))

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


def _compile_sections(
    name: str, lists: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[Template, ...]]:
    return {part: compile_all(lines, lists) for part, lines in read_sections(name).items()}
