"""Whether a PDF is only a document: structure and text, without running anything in it."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dynamic.cv.refusals import LONGEST, Refused

LONGEST_TEXT = 200_000
"""Characters of text that are kept."""

_MOST_PARTS = 1_000_000
_LARGEST_LAYER = 20_000_000
_LARGEST_STREAM = 100_000_000
"""Bytes; a picture of 30 megapixels without loss has 90 million."""
_LARGEST_TOTAL = 300_000_000
_PIECE = 1 << 20
_HARMLESS_ACTIONS = frozenset({"/GoTo", "/URI", "/Named"})
_ACTIONS = {
    "/JavaScript": "script",
    "/Launch": "action",
    "/SubmitForm": "action",
    "/ImportData": "action",
    "/ResetForm": "action",
    "/GoToR": "action",
    "/GoToE": "attachment",
    "/Rendition": "action",
    "/Movie": "action",
    "/Sound": "action",
    "/RichMediaExecute": "action",
    "/GoTo3DView": "action",
    "/Hide": "action",
}
_KEYS = {
    "/JS": "script",
    "/JavaScript": "script",
    "/AA": "action",
    "/XFA": "script",
    "/EmbeddedFile": "attachment",
    "/EmbeddedFiles": "attachment",
    "/EF": "attachment",
    "/RichMediaContent": "attachment",
    "/Ref": "external-pdf",
    "/OPI": "external-pdf",
}
_SUBTYPES = {
    "/FileAttachment": "attachment",
    "/RichMedia": "attachment",
    "/3D": "attachment",
    "/Screen": "action",
    "/Movie": "action",
    "/Sound": "action",
    "/PS": "script",
}
_SCHEMES = frozenset({"http", "https", "mailto", "tel", ""})


def check_pdf(path: Path) -> int:
    """Return the number of pages of a harmless, whole PDF; raise Refused for any other."""
    with path.open("rb") as file:
        if file.read(5) != b"%PDF-":
            # Something else in front, such as a web page that is also a PDF.
            raise Refused("type")
    pages = _check_with_pikepdf(path)
    _check_with_pypdf(path)
    return pages


def read_pdf(path: Path) -> tuple[str, bool]:
    """Return the text of a PDF that was checked, and whether it was cut."""
    import pypdfium2

    parts: list[str] = []
    length = 0
    try:
        with pypdfium2.PdfDocument(path) as document:
            for page in document:
                text = page.get_textpage().get_text_range(errors="replace")
                parts.append(text)
                length += len(text)
                page.close()
                if length > LONGEST_TEXT:
                    break
    except pypdfium2.PdfiumError as error:
        raise Refused("damaged") from error
    return "\n\n".join(parts)[:LONGEST_TEXT], length > LONGEST_TEXT


def _check_with_pikepdf(path: Path) -> int:
    import pikepdf

    try:
        with pikepdf.open(path, suppress_warnings=True, attempt_recovery=False) as pdf:
            if pdf.is_encrypted:
                raise Refused("password")
            for code in _harms(pdf):
                raise Refused(code)
            if pdf.attachments:
                raise Refused("attachment")
            pages = len(pdf.pages)
            if pages == 0:
                raise Refused("no-pages")
            if pages > LONGEST:
                raise Refused("too-long")
            _check_sizes(pdf)
            if pdf.check_pdf_syntax() or pdf.get_warnings():
                raise Refused("damaged")
            return pages
    except pikepdf.PasswordError as error:
        raise Refused("password") from error
    except (
        pikepdf.PdfError,
        zlib.error,
        ValueError,
        RuntimeError,
        RecursionError,
        KeyError,
    ) as error:
        raise Refused("damaged") from error


def _check_sizes(pdf: Any) -> None:
    """Refuse streams that unpack to far more than a page of pictures holds."""
    import pikepdf

    total = 0
    for thing in pdf.objects:
        if not isinstance(thing, pikepdf.Stream):
            continue
        filters = thing.get("/Filter")
        names = [filters] if isinstance(filters, pikepdf.Name) else list(filters or ())
        layers = 0
        while layers < len(names) and str(names[layers]) in {"/FlateDecode", "/Fl"}:
            layers += 1
        if layers:
            total += _unpacked_size(thing.read_raw_bytes(), layers)
        if total > _LARGEST_TOTAL:
            raise Refused("bomb")


def _unpacked_size(packed: bytes, layers: int) -> int:
    """Return how much a stream unpacks to; all but the last layer must fit in memory."""
    for _ in range(layers - 1):
        unpacking = zlib.decompressobj()
        packed = unpacking.decompress(packed, _LARGEST_LAYER)
        if unpacking.unconsumed_tail:
            raise Refused("bomb")
    unpacking = zlib.decompressobj()
    size = len(unpacking.decompress(packed, _PIECE))
    while unpacking.unconsumed_tail:
        size += len(unpacking.decompress(unpacking.unconsumed_tail, _PIECE))
        if size > _LARGEST_STREAM:
            raise Refused("bomb")
    return size


def _harms(pdf: Any) -> Iterator[str]:
    """Yield a reason for each thing in the file that a mere document does not need.

    Objects are walked one by one, inline dictionaries and arrays with their owner: an
    action that hides inside an annotation is no object of its own.
    """
    import pikepdf

    seen = 0
    for owner in (*pdf.objects, pdf.trailer):
        waiting = [owner]
        while waiting:
            seen += 1
            if seen > _MOST_PARTS:
                yield "too-complex"
                return
            thing = waiting.pop()
            if isinstance(thing, pikepdf.Array):
                waiting.extend(one for one in thing if _is_inline(one))
            elif isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
                yield from _harms_of(thing)
                waiting.extend(one for _, one in thing.items() if _is_inline(one))


def _is_inline(thing: Any) -> bool:
    import pikepdf

    return (
        isinstance(thing, pikepdf.Array | pikepdf.Dictionary | pikepdf.Stream)
        and not thing.is_indirect
    )


def _harms_of(thing: Any) -> Iterator[str]:
    import pikepdf

    for key in thing.keys():  # noqa: SIM118 - iterating a stream would read its content
        if key in _KEYS:
            yield _KEYS[key]
    if isinstance(thing, pikepdf.Stream) and "/F" in thing:
        yield "external-pdf"  # its bytes are in another file, of whatever machine
    kind = _name(thing.get("/S"))
    if kind in _ACTIONS:
        yield _ACTIONS[kind]
    elif _name(thing.get("/Type")) == "/Action" and kind not in _HARMLESS_ACTIONS:
        yield "action"
    if _name(thing.get("/Type")) == "/EmbeddedFile":
        yield "attachment"
    if _name(thing.get("/Subtype")) in _SUBTYPES and ("/Rect" in thing or "/Type" in thing):
        yield _SUBTYPES[_name(thing.get("/Subtype"))]
    for key in ("/A", "/OpenAction", "/Next"):
        action = thing.get(key)
        if (
            isinstance(action, pikepdf.Dictionary)
            and "/S" in action
            and _name(action.get("/S")) not in _HARMLESS_ACTIONS
            and (key != "/A" or "/Subtype" in thing or "/Title" in thing)
        ):
            yield _ACTIONS.get(_name(action.get("/S")), "action")
    base = thing.get("/URI")
    if isinstance(base, pikepdf.Dictionary) and not _is_web(base.get("/Base", "")):
        yield "link"
    if kind == "/URI" and not _is_web(thing.get("/URI")):
        yield "link"


def _name(value: Any) -> str:
    import pikepdf

    return str(value) if isinstance(value, pikepdf.Name) else ""


def _is_web(value: Any) -> bool:
    text = "".join(char for char in str(value) if char > " ")
    try:
        return urlsplit(text).scheme.lower() in _SCHEMES
    except ValueError:
        return False


def _check_with_pypdf(path: Path) -> None:
    """Read the file a second time, with a parser that forgives other things."""
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(path, strict=True)
        if reader.is_encrypted:
            raise Refused("password")
        for page in reader.pages:
            page.mediabox  # noqa: B018 - reading it is the check
    except Refused:
        raise
    except Exception as error:  # whatever it stumbles over, it is not a sound PDF
        raise Refused("damaged") from error
