"""Assets carry a hash of their content in their names."""

from __future__ import annotations

import re
from pathlib import Path

from content_sync.pages.assets import read_assets


def _theme(root: Path, sheet: str = "a{src:url(../fonts/x.woff2)}") -> tuple[Path, Path]:
    for name, content in (
        ("static/css/press.css", sheet),
        ("static/fonts/x.woff2", "font"),
        ("client/main.js", 'import { query } from "./query.js";\nquery();\n'),
        ("client/query.js", "export function query() { globalThis.asked = 1; }\n"),
        ("client/worker.js", 'import { query } from "./query.js";\n'),
        ("client/saving.js", "globalThis.save = 1;\n"),
    ):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root / "static", root / "client"


def test_names_change_with_content_and_only_then(tmp_path: Path) -> None:
    one, _ = read_assets(*_theme(tmp_path / "one"))
    same, _ = read_assets(*_theme(tmp_path / "same"))
    other, _ = read_assets(*_theme(tmp_path / "other", "b{}"))
    assert one == same
    assert one["css/press.css"] != other["css/press.css"]
    assert one["fonts/x.woff2"] == other["fonts/x.woff2"]


def test_a_stylesheet_names_fonts_by_their_published_names(tmp_path: Path) -> None:
    paths, files = read_assets(*_theme(tmp_path))
    sheet = files[paths["css/press.css"].removeprefix("/assets/")].decode()
    assert sheet == f"a{{src:url({paths['fonts/x.woff2']})}}"


def test_the_search_client_is_published_as_scripts_without_imports(tmp_path: Path) -> None:
    paths, files = read_assets(*_theme(tmp_path))
    for name in ("search", "engine", "saving"):
        path = paths[f"search/{name}.js"]
        assert re.fullmatch(rf"/assets/search/{name}\.[0-9a-f]{{10}}\.js", path)
        assert b"import" not in files[path.removeprefix("/assets/")]
    assert b"globalThis.asked=1" in files[paths["search/search.js"].removeprefix("/assets/")]


def test_sheets_of_the_theme_are_small_and_a_sites_own_are_as_they_are(tmp_path: Path) -> None:
    static, client = _theme(tmp_path, "/* ink */ a { color : #000000 }\n")
    own = tmp_path / "own"
    (own / "css").mkdir(parents=True)
    (own / "css/site.css").write_text("/* ours */ b { color : red }\n")
    paths, files = read_assets(static, client, own)
    sheets = [
        files[paths[f"css/{name}.css"].removeprefix("/assets/")] for name in ("press", "site")
    ]
    assert sheets == [b"a{color:#000}", b"/* ours */ b { color : red }\n"]
