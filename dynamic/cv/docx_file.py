"""Whether a DOCX is only a document: its members, their sizes, what they refer to; its text."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

from dynamic.cv.pdf_file import LONGEST_TEXT
from dynamic.cv.refusals import Refused

_MOST_MEMBERS = 1000
_LARGEST = 60_000_000
"""Bytes that all members may unpack to; a CV's pictures are packed already."""
_LARGEST_XML = 20_000_000
_RATIO = 100
_END = 22
"""Bytes of the record that ends a ZIP archive without a comment."""
_RATIO_MATTERS = 1_000_000

_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FIELD_CODES = re.compile(r"\b(?:DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE|IMPORT)\b", re.IGNORECASE)
_MACROS = re.compile(r"vba|macro", re.IGNORECASE)
_EMBEDDED = re.compile(r"(?:^|/)(?:embeddings|activex|afchunk|oleobject)", re.IGNORECASE)
_TEXTS = re.compile(r"word/(?:header\d*|document|footnotes|endnotes|footer\d*)\.xml")
_ORDER = ("header", "document", "footnotes", "endnotes", "footer")


def check_docx(path: Path) -> None:
    """Return if the file is a whole DOCX without programs; raise Refused for any other."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                raise Refused("type")
            file.seek(-_END, 2)
            if file.read(4) != b"PK\x05\x06":
                raise Refused("damaged")  # something else follows the archive
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if min((member.header_offset for member in members), default=1) != 0:
                raise Refused("damaged")  # something else stands before it
            _check_members(members)
            names = {member.filename for member in members}
            if "[Content_Types].xml" not in names or "word/document.xml" not in names:
                raise Refused("type")
            _check_content_types(_xml(archive, "[Content_Types].xml"))
            for name in sorted(names):
                _check_part(archive, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise Refused("damaged") from error
    except (ElementTree.ParseError, RuntimeError, UnicodeError, ValueError, KeyError) as error:
        raise Refused("damaged") from error


def read_docx(path: Path) -> tuple[str, bool]:
    """Return the text of a DOCX that was checked, and whether it was cut."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if _TEXTS.fullmatch(name)]
        names.sort(key=lambda n: next(i for i, word in enumerate(_ORDER) if word in n))
        text = "\n".join(_text(_xml(archive, name)) for name in names)
    return text[:LONGEST_TEXT], len(text) > LONGEST_TEXT


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > _MOST_MEMBERS or sum(m.file_size for m in members) > _LARGEST:
        raise Refused("bomb")
    seen: set[str] = set()
    for member in members:
        name = member.filename
        if member.flag_bits & 0x1:
            raise Refused("password")
        if name.lower() in seen or name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise Refused("damaged")
        seen.add(name.lower())
        if (
            member.file_size > _RATIO_MATTERS
            and member.file_size > _RATIO * max(member.compress_size, 1)
        ) or (name.lower().endswith((".xml", ".rels")) and member.file_size > _LARGEST_XML):
            raise Refused("bomb")
        if _MACROS.search(name):
            raise Refused("macro")
        if _EMBEDDED.search(name) or name.lower().endswith((".bin", ".exe", ".zip", ".html")):
            raise Refused("attachment")


def _check_content_types(types: ElementTree.Element) -> None:
    kinds = [element.get("ContentType", "") for element in types]
    if any("macroEnabled" in kind or "vbaProject" in kind for kind in kinds):
        raise Refused("macro")
    if _MAIN not in kinds:
        raise Refused("type")


def _check_part(archive: zipfile.ZipFile, name: str) -> None:
    if not name.lower().endswith((".xml", ".rels")):
        for _ in _unpacked(archive, name):  # sizes and checksums hold, or it raises
            pass
        return
    root = _xml(archive, name)
    if name.lower().endswith(".rels"):
        for relation in root:
            _check_relation(relation)
    if name.startswith("word/"):
        for element in root.iter():
            code = element.get(f"{_WORD}instr") or (
                element.text if element.tag == f"{_WORD}instrText" else None
            )
            if code and _FIELD_CODES.search(code):
                raise Refused("external")
            if element.tag == f"{_WORD}altChunk":
                raise Refused("attachment")


def _check_relation(relation: ElementTree.Element) -> None:
    kind = relation.get("Type", "").rpartition("/")[2]
    if kind in {"oleObject", "package", "aFChunk", "control", "attachedTemplate"}:
        raise Refused("external" if kind == "attachedTemplate" else "attachment")
    if kind in {"vbaProject", "keyMapCustomizations"}:
        raise Refused("macro")
    if relation.get("TargetMode", "").lower() == "external":
        if kind != "hyperlink":
            raise Refused("external")
        if urlsplit(relation.get("Target", "").strip()).scheme.lower() not in {
            "http",
            "https",
            "mailto",
            "tel",
        }:
            raise Refused("link")


def _xml(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    content = b"".join(_unpacked(archive, name))
    # Word writes no document types, and without them no entity can be declared.
    flat = content.replace(b"\0", b"")
    if b"<!DOCTYPE" in flat or b"<!ENTITY" in flat:
        raise Refused("damaged")
    return ElementTree.fromstring(content)  # noqa: S314 - no entities, see above


def _unpacked(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield what a member holds; the size that it states is a claim to hold it to."""
    stated = archive.getinfo(name).file_size
    size = 0
    with archive.open(name) as member:
        while piece := member.read(65536):
            size += len(piece)
            if size > stated:
                raise Refused("bomb")
            yield piece


def _text(root: ElementTree.Element) -> str:
    parts: list[str] = []
    for element in root.iter():
        if element.tag == f"{_WORD}t":
            parts.append(element.text or "")
        elif element.tag == f"{_WORD}tab":
            parts.append("\t")
        elif element.tag in {f"{_WORD}br", f"{_WORD}cr", f"{_WORD}p"}:
            parts.append("\n")
    return "".join(parts)
