"""Where records live on the site: identifiers to URLs and URLs to files.

A record's URL carries an encoding of its id that is injective, lower-case and safe as a
file name on every system: `EL-2026-0417` becomes `el-2026-0417_u`, `a/b` becomes `a_2fb`.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

PLURALS = {
    "publication": "publications",
    "person": "people",
    "venue": "venues",
    "topic": "topics",
    "project": "projects",
    "institution": "institutions",
    "event": "events",
}
"""Record types that have pages, and the folder of each."""

GROUPS = {"theme": "themes", "programme": "programmes"}
"""What projects belong to by name: groups that have pages and are no records of their own."""

_FOLDERS = PLURALS | GROUPS
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9-]))*")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
# Names of listing pages that stand in the same folder as the records' pages.
_RESERVED = frozenset({"index", "a-z", "all", "feed", "page"})
_LONGEST = 160


@lru_cache(maxsize=1 << 15)
def slug(record_id: str) -> str:
    """Return the part of a URL that stands for `record_id`.

    Lower-case letters, digits, `-` and inner single dots stand for themselves. Every other
    byte of the UTF-8 form is written `_xx`. An id whose letters are all capitals is
    lower-cased and ends in `_u`; one of mixed case ends in `_m` and the positions of its
    capitals in hexadecimal. Ids whose slug would be longer than 160 characters are cut and
    end in `_h` and 32 digits of their SHA-256. No two ids share a slug.
    """
    if _PLAIN.fullmatch(record_id) and len(record_id) <= _LONGEST:
        if record_id in _RESERVED or _DEVICES.fullmatch(record_id):
            return f"_{ord(record_id[0]):02x}{record_id[1:]}"
        return record_id
    lower = record_id.lower()
    if (
        record_id.isascii()
        and record_id == record_id.upper()
        and _PLAIN.fullmatch(lower)
        and len(lower) < _LONGEST - 1
        and lower not in _RESERVED
        and not _DEVICES.fullmatch(lower)
    ):
        return f"{lower}_u"  # the commonest case after the plain one, without the loop
    lowered, suffix = _fold_case(record_id)
    parts: list[str] = []
    for i, char in enumerate(lowered):
        is_plain = char.isascii() and (char.isalnum() or char == "-")
        is_inner_dot = char == "." and 0 < i < len(lowered) - 1 and lowered[i - 1] != "."
        if is_plain or is_inner_dot:
            parts.append(char)
        else:
            parts.append("".join(f"_{byte:02x}" for byte in char.encode()))
    text = "".join(parts)
    if text in _RESERVED or _DEVICES.fullmatch(text) or text.startswith("-"):
        text = f"_{ord(text[0]):02x}{text[1:]}"
    text += suffix
    if len(text) > _LONGEST:
        digest = hashlib.sha256(record_id.encode()).hexdigest()[:32]
        return f"{text[:120].rstrip('._')}_h{digest}"
    return text


def _fold_case(record_id: str) -> tuple[str, str]:
    letters = [c for c in record_id if c.isascii() and c.isalpha()]
    capitals = [c.isupper() for c in letters]
    if not any(capitals):
        return record_id, ""
    lowered = "".join(c.lower() if c.isascii() else c for c in record_id)
    if all(capitals):
        return lowered, "_u"
    mask = sum(1 << i for i, capital in enumerate(capitals) if capital)
    return lowered, f"_m{mask:x}"


_SPACE_AND_DASH = str.maketrans({" ": "-", "-": " "})


def name_slug(name: str) -> str:
    """Return the part of a URL that stands for a name: `design-automation`.

    Space and dash change places before `slug`, so that here too no two share one.
    """
    return slug(name.translate(_SPACE_AND_DASH))


@lru_cache(maxsize=1 << 15)
def record_url(record_type: str, record_id: str) -> str:
    """Return the path of a record's page, such as `/people/ada-lovelace/`.

    The id of a theme or programme is its name.
    """
    part = name_slug(record_id) if record_type in GROUPS else slug(record_id)
    return f"/{_FOLDERS[record_type]}/{part}/"


def page_file(url: str) -> str:
    """Return the file, relative to its tree, that is served at the path `url`.

    A page is one file and not a folder: `/years/2019/` is `years/2019.html`, `/` is
    `index.html`, and the section's own page `/years/` is `years/index.html`.
    """
    if url == "/":
        return "index.html"
    if not url.endswith("/"):
        return url.lstrip("/")
    name = url.strip("/")
    return f"{name}.html" if "/" in name else f"{name}/index.html"
