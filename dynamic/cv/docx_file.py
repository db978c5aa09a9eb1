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
_MAIN_PART = "word/document.xml"
_FIELD_CODES = re.compile(
    r"\b(?:DDE|DDEAUTO|LINK|EMBED|INCLUDE|INCLUDETEXT|INCLUDEPICTURE|IMPORT|RD|DATABASE"
    # These two make the words of other fields, or run a program.
    r"|QUOTE|MACROBUTTON|HTMLACTIVEX)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r'"[^"\s]*[/:#@][^"]*"')
"""What a link leads to, whose words tell nobody to do anything."""
_VML = "{urn:schemas-microsoft-com:vml}"
_VML_SOURCES = ("src", "{urn:schemas-microsoft-com:office:office}href")
_MACROS = re.compile(r"vba|macro", re.IGNORECASE)
_EMBEDDED = re.compile(r"(?:^|/)(?:embeddings|activex|afchunk|oleobject)", re.IGNORECASE)
_KNOWN = (
    *(".xml", ".rels", ".vml", ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib"),
    *(".tif", ".tiff", ".emf", ".wmf", ".emz", ".wmz", ".svg", ".wdp", ".webp", ".ttf", ".otf"),
    *(".odttf", ".fntdata", ".sigs"),
)
"""Endings of what a document is made of: text, pictures, typefaces, signatures."""
_XML = (".xml", ".rels", ".vml", ".svg")
_TEXTS = re.compile(r"word/(?:header\d*|document|footnotes|endnotes|footer\d*)\.xml")
_WORDS = re.compile(
    r"\{http://(?:schemas\.openxmlformats\.org/wordprocessingml/2006/main"
    r"|purl\.oclc\.org/ooxml/wordprocessingml/main)\}\w+"
)
"""Elements of text, in either of the two namespaces in which documents are written."""
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
            names = {member.filename for member in members}
            if not {"[Content_Types].xml", "_rels/.rels", _MAIN_PART} <= names:
                raise Refused("type")
            _check_members(members)
            _check_content_types(_xml(archive, "[Content_Types].xml"))
            _check_main(_xml(archive, "_rels/.rels"))
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
        ) or (name.lower().endswith(_XML) and member.file_size > _LARGEST_XML):
            raise Refused("bomb")
        if _MACROS.search(name):
            raise Refused("macro")
        if _EMBEDDED.search(name) or not name.lower().endswith(("/", *_KNOWN)):
            raise Refused("attachment")


def _check_content_types(types: ElementTree.Element) -> None:
    kinds = [element.get("ContentType", "") for element in types]
    if any("macroEnabled" in kind or "vbaProject" in kind for kind in kinds):
        raise Refused("macro")
    if _MAIN not in kinds:
        raise Refused("type")


def _check_main(relations: ElementTree.Element) -> None:
    """The document that others open is the one that is looked at here."""
    targets = [
        relation.get("Target", "").lstrip("/")
        for relation in relations
        if relation.get("Type", "").rpartition("/")[2] == "officeDocument"
    ]
    if targets != [_MAIN_PART]:
        raise Refused("damaged")


def _check_part(archive: zipfile.ZipFile, name: str) -> None:
    if not name.lower().endswith(_XML):
        for _ in _unpacked(archive, name):  # sizes and checksums hold, or it raises
            pass
        return
    root = _xml(archive, name)
    if name.lower().endswith(".rels"):
        for relation in root:
            _check_relation(relation)
        return
    for code in _field_codes(root):
        if _FIELD_CODES.search(_ADDRESS.sub(" ", code)):
            raise Refused("external")
    for element in root.iter():
        if _local(element) == "altChunk":
            raise Refused("attachment")
        if _local(element) == "script":
            raise Refused("macro")
        if str(element.tag).startswith(_VML) and any(element.get(a) for a in _VML_SOURCES):
            raise Refused("external")


def _field_codes(root: ElementTree.Element) -> Iterator[str]:
    """Yield what each field of a part is told to do.

    A program joins the pieces of a code before it reads it, so that `DD` and `EAUTO` in two
    runs are one word, with or without another field between them.
    """
    open_ones = [""]
    for element in root.iter():
        name = _local(element)
        if name == "fldSimple":
            yield from (v for k, v in element.attrib.items() if k.rpartition("}")[2] == "instr")
        elif name in {"instrText", "delInstrText"}:
            open_ones[-1] += element.text or ""
        elif name == "fldChar":
            kind = next((v for k, v in element.attrib.items() if k.endswith("fldCharType")), "")
            if kind == "begin":
                open_ones.append("")
            elif kind == "end" and len(open_ones) > 1:
                yield open_ones.pop()
    yield from open_ones


def _local(element: ElementTree.Element) -> str:
    """Return an element's name whatever its namespace: documents are written in two of them."""
    return str(element.tag).rpartition("}")[2]


def _check_relation(relation: ElementTree.Element) -> None:
    kind = relation.get("Type", "").rpartition("/")[2]
    if kind in {"oleObject", "package", "aFChunk", "control", "attachedTemplate"}:
        raise Refused("external" if kind == "attachedTemplate" else "attachment")
    if kind in {"vbaProject", "wordVbaData", "keyMapCustomizations", "extensibility"} or (
        kind.startswith("webextension")
    ):
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
        if not _WORDS.fullmatch(str(element.tag)):
            continue
        name = _local(element)
        if name == "t":
            parts.append(element.text or "")
        elif name == "tab":
            parts.append("\t")
        elif name in {"br", "cr", "p"}:
            parts.append("\n")
    return "".join(parts)
