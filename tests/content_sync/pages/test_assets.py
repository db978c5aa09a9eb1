"""Assets carry a hash of their content in their names."""

from __future__ import annotations

from pathlib import Path

from content_sync.pages.assets import read_assets


def _theme(root: Path, sheet: str = "a{src:url(../fonts/x.woff2)}") -> tuple[Path, Path]:
    for name, content in (
        ("static/css/press.css", sheet),
        ("static/fonts/x.woff2", "font"),
        ("client/main.js", "import './query.js'"),
        ("client/query.js", "export {}"),
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


def test_modules_of_the_search_client_find_each_other(tmp_path: Path) -> None:
    paths, files = read_assets(*_theme(tmp_path))
    folder, _, name = paths["search/main.js"].rpartition("/")
    assert name == "main.js"
    assert f"{folder}/query.js".removeprefix("/assets/") in files
