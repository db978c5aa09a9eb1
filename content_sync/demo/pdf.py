"""A PDF writer for one title page and what runs over: standard fonts, same bytes each time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from anyascii import anyascii

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 72  # A4, in points
_FONTS = ("Times-Roman", "Times-Bold", "Times-Italic")
# Advance widths of Times-Roman from space to tilde, in thousandths of the size.
_ADVANCES = (
    *(250, 333, 408, 500, 500, 833, 778, 180, 333, 333, 500, 564, 250, 333, 250, 278),
    *((500,) * 10),
    *(278, 278, 564, 564, 564, 444, 921, 722, 667, 667, 722, 611, 556, 722, 722, 333, 389),
    *(722, 611, 889, 722, 722, 556, 722, 667, 556, 611, 722, 722, 944, 722, 722, 611, 333),
    *(278, 333, 469, 500, 333, 444, 500, 444, 500, 444, 333, 500, 500, 278, 278, 500, 278),
    *(778, 500, 500, 500, 500, 333, 389, 278, 500, 500, 722, 500, 500, 444, 480, 200, 480, 541),
)
_NOTE = "The Ellmark Consortium does not exist: people, works and figures are invented."
_COMMAND = re.compile(r"\\([A-Za-z]+|.)")
_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
_SYMBOLS = {"times": "×", "Delta": "Delta-", ",": " "}
_DROPPED = frozenset({"mathrm", "left", "right"})
# What folding letter by letter would get wrong.
_FOLDED = {"Ω": "ohm", "−": "–"}


def make_pdf(*, title: str, authors: Sequence[str], imprint: str, abstract: str | None) -> bytes:
    """Return a PDF of one or more pages with what a title page shows."""
    paragraphs = [
        (1, 17, 6, plain_text(title)),
        (0, 11, 4, ", ".join(authors)),
        (2, 10, 18, imprint),
        (1, 11, 4, "Abstract"),
    ]
    for part in (abstract or "This work has no abstract.").split("\n\n"):
        paragraphs.append((0, 11, 6, plain_text(part)))
    pages = list(_lay_out(paragraphs))
    return _assemble(pages, title=plain_text(title), author=", ".join(authors[:3]))


def plain_text(text: str) -> str:
    """Return the text with its LaTeX spelled out as far as plain letters go."""
    if "$" not in text:
        return text

    def command(match: re.Match[str]) -> str:
        name = match[1]
        return "" if name in _DROPPED else _SYMBOLS.get(name, name)

    text = _FRACTION.sub(r"\1/\2", text)
    return re.sub(r"[${}_]", "", _COMMAND.sub(command, text))


def _lay_out(paragraphs: list[tuple[int, int, int, str]]) -> Iterator[bytes]:
    """Yield the content of each page: font, size, space below and text of each paragraph."""
    lines: list[bytes] = []
    y = float(_HEIGHT - _MARGIN)
    for font, size, below, text in paragraphs:
        for line in _wrap(_encode(text), size * (1.06 if font == 1 else 1.0)):
            y -= size * 1.3
            if y < _MARGIN + 20:
                yield _page(lines)
                lines = []
                y = _HEIGHT - _MARGIN - size * 1.3
            lines.append(_line(font, size, y, line))
        y -= below
    yield _page(lines)


def _page(lines: list[bytes]) -> bytes:
    return b"\n".join([*lines, _line(2, 9, _MARGIN - 14, _encode(_NOTE))])


def _line(font: int, size: int, y: float, text: bytes) -> bytes:
    return b"BT /F%d %d Tf %d %.1f Td (%s) Tj ET" % (font, size, _MARGIN, y, _escape(text))


def _wrap(text: bytes, size: float) -> Iterator[bytes]:
    space = 250 * size / 1000
    room = _WIDTH - 2 * _MARGIN
    line: list[bytes] = []
    used = 0.0
    for word in text.split(b" "):
        width = sum(_ADVANCES[c - 32] if 32 <= c < 127 else 500 for c in word) * size / 1000
        if line and used + space + width > room:
            yield b" ".join(line)
            line, used = [], 0.0
        used += width + (space if line else 0)
        line.append(word)
    yield b" ".join(line)


def _encode(text: str) -> bytes:
    """Return WinAnsi bytes; letters that it lacks are folded to those that it has."""
    try:
        return text.encode("cp1252")
    except UnicodeEncodeError:
        folded = (c if _is_winansi(c) else _FOLDED.get(c) or anyascii(c) for c in text)
        return "".join(folded).encode("cp1252", "replace")


def _is_winansi(char: str) -> bool:
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _escape(text: bytes) -> bytes:
    return text.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _assemble(pages: list[bytes], *, title: str, author: str) -> bytes:
    """Return the file: catalogue, page tree, information, fonts, then each page and its text."""
    first = 4 + len(_FONTS)
    kids = b" ".join(b"%d 0 R" % (first + 2 * i) for i in range(len(pages)))
    fonts = b" ".join(b"/F%d %d 0 R" % (i, 4 + i) for i in range(len(_FONTS)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (en) >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
        b"<< /Title %s /Author %s /Producer (Nightpress demo) >>" % (_hex(title), _hex(author)),
    ]
    for name in _FONTS:
        objects.append(
            b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
            % name.encode()
        )
    for i, content in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << /Font << %s >> >>"
            b" /Contents %d 0 R >>" % (_WIDTH, _HEIGHT, fonts, first + 2 * i + 1)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return bytes(out) + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R /Info 3 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (size, table, size, len(out))
    )


def _hex(text: str) -> bytes:
    return b"<" + (b"\xfe\xff" + text.encode("utf-16-be")).hex().encode() + b">"
