"""CVs of a few fictional students, sent in by the same way as real ones."""

from __future__ import annotations

import io
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import select

from dynamic.cv import shelf
from dynamic.cv.companies import companies
from dynamic.cv.inspection import inspect
from dynamic.cv.models import Cv
from dynamic.cv.shelf import Entry
from dynamic.cv.spool import spooled
from dynamic.database import db


@dataclass(frozen=True, slots=True, kw_only=True)
class _Student:
    person: str
    name: str
    degree: str
    field: str
    graduation: str
    topics: tuple[str, ...]
    availability: tuple[str, ...]
    shown_to: str = "all"


_STUDENTS = (
    _Student(
        person="ha-mien-nguyen",
        name="Hạ Miên Nguyễn",
        degree="doctorate",
        field="Electrical engineering",
        graduation="2027-09",
        topics=("Power packaging", "Reliability", "Sintered joints"),
        availability=("full-time",),
    ),
    _Student(
        person="eun-gyeol-ko",
        name="Eun-gyeol Ko",
        degree="doctorate",
        field="Computer engineering",
        graduation="2028-02",
        topics=("Memory test", "Error correction"),
        availability=("internship", "full-time"),
    ),
    _Student(
        person="ananya-vellodi",
        name="Ananya Vellodi",
        degree="master",
        field="Materials science",
        graduation="2027-03",
        topics=("Thin films", "Metrology"),
        availability=("thesis", "internship"),
    ),
    _Student(
        person="ifigenia-vounotrypi",
        name="Ifigenia Vounotrypi",
        degree="master",
        field="Physics",
        graduation="2027-09",
        topics=("Photonics", "Metrology"),
        availability=("thesis",),
        shown_to="chosen",
    ),
    _Student(
        person="yavor-rilovska",
        name="Yavor Rilovska",
        degree="bachelor",
        field="Mechatronics",
        graduation="2026-12",
        topics=("Reliability",),
        availability=("part-time", "internship"),
    ),
)


def send_demo_cvs() -> int:
    """Send the CVs that are not there yet; return how many are there."""
    known = [*companies()]
    settings = current_app.config["SETTINGS"]
    for student in _STUDENTS:
        subject = f"demo-{student.person}"
        email = f"{student.person}@people.example"
        there = select(Cv.id).where((Cv.subject == subject) | (Cv.email == email))
        if db.session.scalars(there).first():
            continue
        entry = Entry(
            name=student.name,
            email=email,
            degree=student.degree,
            field=student.field,
            graduation=student.graduation,
            topics=student.topics,
            availability=student.availability,
            available_from="",
            links=("https://example.org/",),
            shown_to=student.shown_to,
            chosen=tuple(known[:3]) if student.shown_to == "chosen" else (),
            blocked=tuple(known[-1:]) if student.shown_to == "all" else (),
        )
        db.session.rollback()
        with spooled(io.BytesIO(_pdf(student)), settings.var / "cv-spool") as file:
            found = inspect(file.path, clamd=settings.clamd)
            shelf.land(subject, entry, (file, found, "cv.pdf"), queue=lambda cv: None)
    return len(_STUDENTS)


def _pdf(student: _Student) -> bytes:
    """Return one page in a font that every reader has."""
    import pikepdf

    lines = [
        (20, student.name),
        (11, f"{student.field}, {student.degree}, graduating in {student.graduation}"),
        (11, f"{student.person}@people.example"),
        (11, ""),
        (14, "What I work on"),
        *((11, topic) for topic in student.topics),
        (11, ""),
        (11, "This student does not exist: the CV belongs to a demonstration."),
    ]
    content = ["BT 60 780 Td"]
    for size, text in lines:
        content.append(f"/F1 {size} Tf ({_escaped(text)}) Tj 0 -{size * 1.6:.1f} Td")
    content.append("ET")
    with pikepdf.new() as pdf:
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
        page = pikepdf.Page(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Page,
                MediaBox=[0, 0, 595, 842],
                Resources=pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font)),
                Contents=pdf.make_stream("\n".join(content).encode("latin-1")),
            )
        )
        pdf.pages.append(page)
        target = io.BytesIO()
        pdf.save(target, deterministic_id=True)
        return target.getvalue()


def _escaped(text: str) -> str:
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("latin-1", "ignore").decode("latin-1")
    return "".join(f"\\{char}" if char in "()\\" else char for char in plain)
