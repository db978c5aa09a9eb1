"""Stylesheets, fonts and scripts, published under names that carry a hash of the content."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from search.bundle import bundle_client
from search.minified import minified

_CSS_URL = re.compile(rb'url\((["\']?)([^)"\':]+)\1\)')


def read_assets(
    static: Path, client: Path, own: Path | None = None, kept: Path | None = None
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return where templates find each asset, and the files to publish.

    The first maps names such as `css/press.css` to paths such as
    `/assets/css/press.0a1b2c3d4e.css`; the second maps files below `assets/` to their bytes.
    Stylesheets name their fonts by the published names. The search client's modules become
    a few scripts, such as `search/engine.js`. Scripts and stylesheets of the program are
    minified, which the file `kept` remembers. Files of the site's `own` folder stand in for
    the theme's of the same name, or join them.
    """
    paths: dict[str, str] = {}
    files: dict[str, bytes] = {}
    found = _read(static)
    sheets = {name: text.decode() for name, text in found.items() if name.endswith(".css")}
    small = minified({**bundle_client(client), **sheets}, kept)
    found |= {name: small[name].encode() for name in sheets}
    if own is not None:
        found |= _read(own)
    for name in sorted(found, key=lambda n: (n.endswith(".css"), n)):
        content = found[name]
        if name.endswith((".md", ".txt")):
            published = name
        else:
            if name.endswith(".css"):
                content = _with_published_names(name, content, paths)
            stem, _, ending = name.rpartition(".")
            published = f"{stem}.{_hash(content)}.{ending}"
        paths[name] = f"/assets/{published}"
        files[published] = content
    for name in sorted(small.keys() - sheets.keys()):
        content = small[name].encode()
        stem, _, ending = name.rpartition(".")
        published = f"search/{stem}.{_hash(content)}.{ending}"
        paths[f"search/{name}"] = f"/assets/{published}"
        files[published] = content
    return paths, files


def _read(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    }


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=5).hexdigest()


def _with_published_names(sheet: str, content: bytes, paths: dict[str, str]) -> bytes:
    folder = Path(sheet).parent

    def published(match: re.Match[bytes]) -> bytes:
        parts: list[str] = []
        for part in (folder / match[2].decode()).parts:
            if part == "..":
                parts.pop()
            else:
                parts.append(part)
        target = paths.get("/".join(parts))
        return b"url(" + target.encode() + b")" if target else match[0]

    return _CSS_URL.sub(published, content)
