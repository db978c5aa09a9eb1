"""Rules over text: keys, titles, names, prose, forms, paths."""

from __future__ import annotations

import json
import re
from typing import Any

from content_sync.source.checks.cleaning import (
    clean_text,
    clean_word,
    cut,
    shown,
    without_code,
    without_tags,
)
from content_sync.source.checks.findings import Mended

LONGEST_KEY = 400


LONGEST_TITLE = 2_000


LONGEST_LINE = 1_000


LONGEST_PROSE = 100_000


LONGEST_FORM = 200_000


def key(value: Any) -> Mended:
    """A key is text of at most 400 characters without control characters, or a number."""
    text = yield from clean_text(value)
    if text is None:
        return None
    text = _BREAKS.sub(" ", text).strip()
    if len(text) > LONGEST_KEY:
        yield f"longer than {LONGEST_KEY} characters"
        return None
    return text or None


def role(value: Any) -> Mended:
    """A role is a word; case and blanks around it do not matter."""
    text = yield from key(value)
    return text and text.casefold()


def title(value: Any) -> Mended:
    """A title is one line of plain text: no HTML, and at most 2,000 characters."""
    return (yield from _plain_line(value, LONGEST_TITLE))


def name(value: Any) -> Mended:
    """A name is one line of plain text: no HTML, and at most 1,000 characters."""
    return (yield from _plain_line(value, LONGEST_LINE))


def line(value: Any) -> Mended:
    """A short value is one line of text of at most 1,000 characters."""
    text = yield from clean_text(value)
    if text is None:
        return None
    return (yield from cut(" ".join(text.split()), LONGEST_LINE)) or None


def prose(value: Any) -> Mended:
    """Running text keeps its line breaks, carries no script or style, and has an end."""
    text = yield from clean_text(value)
    if text is None:
        return None
    text = yield from without_code(_LINE_ENDS.sub("\n", text))
    return (yield from cut(text.strip(), LONGEST_PROSE)) or None


def file_path(value: Any) -> Mended:
    """A file path stays below its root: relative, no drive, no `..`; `\\` counts as `/`."""
    text = yield from clean_text(value)
    if text is None or not text.strip():
        return None
    path = text.strip().replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or not parts or ":" in parts[0]:
        yield f"{shown(text)} leads out of the folder of full texts"
        return None
    if len(path) > LONGEST_LINE:
        yield f"longer than {LONGEST_LINE} characters"
        return None
    return "/".join(parts)


def form(value: Any) -> Mended:
    """A form is JSON of at most 200,000 characters."""
    text = yield from clean_text(value)
    if text is None or not text.strip():
        return None
    if len(text) > LONGEST_FORM:
        yield f"longer than {LONGEST_FORM} characters"
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        yield f"no JSON: {error}"
        return None
    return text.strip()


def old_path(value: Any) -> Mended:
    """An old path begins with one slash and carries no blanks or control characters."""
    text = yield from clean_word(value)
    if text is None:
        return None
    if not text.startswith("/") or text.startswith("//"):
        yield f"{shown(text)} is no path"
        return None
    if not text.isprintable() or " " in text:
        yield f"{shown(text)} holds blanks or control characters"
        return None
    return text


def target(value: Any) -> Mended:
    """A redirect leads to a path of this site or to `type:id` of a record."""
    text = yield from clean_word(value)
    if text is None:
        return None
    is_path = text.startswith("/") and not text.startswith(("//", "/\\"))
    if not (is_path or _RECORD.fullmatch(text)) or not text.isprintable():
        yield f"{shown(text)} is neither a path of this site nor type:id"
        return None
    return text


_BREAKS = re.compile("[\t-\r]+")


_LINE_ENDS = re.compile("\r\n?|\x0b|\x0c")


_RECORD = re.compile(r"(?:publication|person|venue|topic|project|institution|event):.+")


def _plain_line(value: Any, longest: int) -> Mended:
    text = yield from clean_text(value)
    if text is None:
        return None
    if "<" in text:
        text = yield from without_code(text)
        text = yield from without_tags(text)
    return (yield from cut(" ".join(text.split()), longest)) or None
