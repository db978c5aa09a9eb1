"""What may be kept as a CV: by content, never by name."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest

from dynamic.cv.inspection import inspect
from dynamic.cv.refusals import LARGEST, REFUSALS, Refused
from tests.dynamic.cv import files

HOSTILE = files.hostile()


def _inspect(folder: Path, content: bytes):
    file = folder / "upload"
    file.write_bytes(content)
    return inspect(file)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    make, code = HOSTILE[name]
    with pytest.raises(Refused) as refused:
        _inspect(tmp_path, make())
    assert refused.value.code == code
    assert refused.value.words == REFUSALS[code]


def test_a_pdf_is_taken_with_its_text(tmp_path: Path) -> None:
    found = _inspect(tmp_path, files.pdf(pages=2))
    assert (found.kind, found.pages, found.warnings) == ("pdf", 2, ())
    assert found.text.count(files.TEXT) == 2
    assert not found.is_scanned


def test_a_docx_is_taken_with_its_text(tmp_path: Path) -> None:
    found = _inspect(tmp_path, files.docx("Nguyễn Hạ Miên · 阮夏绵 · عبد · chip cooling 2027"))
    assert (found.kind, found.pages, found.warnings) == ("docx", None, ())
    assert found.text == "Nguyễn Hạ Miên · 阮夏绵 · عبد · chip cooling 2027"


def test_the_usual_links_and_forms_are_no_harm(tmp_path: Path) -> None:
    def usual(made: pikepdf.Pdf) -> None:
        web = pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://example.org/~jane?a=b#c")
        write = pikepdf.Dictionary(S=pikepdf.Name.URI, URI="mailto:jane@example.org")
        made.pages[0].obj["/Annots"] = pikepdf.Array(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Link,
                Rect=pikepdf.Array([0, 0, 9, 9]),
                A=action,
            )
            for action in (web, write)
        )
        page = made.pages[0].obj
        made.Root["/OpenAction"] = pikepdf.Array([page, pikepdf.Name.Fit])
        made.Root["/AcroForm"] = pikepdf.Dictionary(Fields=pikepdf.Array([]))
        made.Root["/PageMode"] = pikepdf.Name.UseOutlines

    assert _inspect(tmp_path, files.pdf(change=usual)).kind == "pdf"
    links = files.relation("hyperlink", "https://example.org") + files.relation(
        "image", "media/a.png", mode="Internal"
    )
    assert _inspect(tmp_path, files.docx(relations=links)).kind == "docx"


def test_a_scan_is_taken_with_a_warning(tmp_path: Path) -> None:
    found = _inspect(tmp_path, files.picture_pdf())
    assert found.warnings == ("no-text",)


def test_ten_megabytes_are_taken_and_one_byte_more_is_not(tmp_path: Path) -> None:
    around = len(files.pdf(padding=LARGEST // 2, compress_streams=False)) - LARGEST // 2
    content = files.pdf(padding=LARGEST - around - 50, compress_streams=False)
    filled = content + b"\n" * (LARGEST - len(content))
    assert len(filled) == LARGEST
    assert _inspect(tmp_path, filled).kind == "pdf"
    with pytest.raises(Refused, match="too-large"):
        _inspect(tmp_path, filled + b"\n")


def test_a_long_text_is_cut_and_says_so(tmp_path: Path) -> None:
    found = _inspect(tmp_path, files.docx("word " * 50_000))
    assert len(found.text) <= 200_000
    assert found.warnings == ("cut",)


def test_text_of_a_file_holds_no_control_characters(tmp_path: Path) -> None:
    found = _inspect(tmp_path, files.docx("a bright idea &#9; tab &#x85; and &#xE000; more of it"))
    assert not [char for char in found.text if ord(char) < 32 and char != "\n"]
    assert "\ue000" not in found.text


def test_the_child_has_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dynamic.cv.children import environment

    monkeypatch.setenv("NIGHTPRESS_PROXY_SECRET", "x" * 40)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x" * 40)
    assert set(environment()) <= {"PATH", "LANG", "SYSTEMROOT"}
