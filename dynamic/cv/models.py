"""The tables of CVs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Unicode,
    UnicodeText,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dynamic.database import Base, UtcDateTime, exact

DEGREES = {
    "bachelor": "Bachelor",
    "master": "Master",
    "doctorate": "Doctorate",
    "other": "Another degree",
}
AVAILABILITY = {
    "internship": "Internship",
    "thesis": "Thesis in a company",
    "part-time": "Work beside study",
    "full-time": "Full-time position",
}


class Cv(Base):
    """One student's CV: what was entered, the file, and for how long. One for each account."""

    __tablename__ = "cvs"
    __table_args__ = (Index("ix_cvs_expires", "expires"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Random; stands in the addresses of the CV book and tells nothing."""
    subject: Mapped[str] = mapped_column(exact(255), unique=True)
    name: Mapped[str] = mapped_column(Unicode(200))
    email: Mapped[str] = mapped_column(Unicode(320))
    degree: Mapped[str] = mapped_column(String(20))
    field: Mapped[str] = mapped_column(Unicode(120))
    graduation: Mapped[str] = mapped_column(String(7))
    """Month, such as 2027-09."""
    topics: Mapped[str] = mapped_column(UnicodeText)
    """One a line."""
    availability: Mapped[str] = mapped_column(String(80))
    """Keys of AVAILABILITY, separated by spaces."""
    available_from: Mapped[str] = mapped_column(String(7))
    """Month, or empty."""
    links: Mapped[str] = mapped_column(UnicodeText)
    """One a line."""
    shown_to: Mapped[str] = mapped_column(String(10))
    """`all` member companies, or the `chosen` ones."""
    consent: Mapped[str] = mapped_column(String(20))
    """Version of the text that was agreed to, see consent.py."""
    consented: Mapped[datetime] = mapped_column(UtcDateTime)
    object: Mapped[str] = mapped_column(exact(60), unique=True)
    """Name of the file in the store."""
    kind: Mapped[str] = mapped_column(String(4))
    file_name: Mapped[str] = mapped_column(Unicode(200))
    """What the student called it, for the student only."""
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    size: Mapped[int]
    pages: Mapped[int | None]
    text: Mapped[str] = mapped_column(UnicodeText)
    warnings: Mapped[str] = mapped_column(String(80))
    is_scanned: Mapped[bool]
    uploaded: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the file came: the year runs from here, or from the last renewal."""
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    reminders: Mapped[int] = mapped_column(default=0)
    changed: Mapped[datetime] = mapped_column(UtcDateTime)
    leaving: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when it is being withdrawn: shown to nobody, until every copy is gone."""
    unsettled: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when the books may still show it to a company that may no longer see it."""

    companies: Mapped[list[CvCompany]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="CvCompany.company"
    )
    receipts: Mapped[list[CvReceipt]] = relationship(
        cascade="all, delete-orphan", order_by="CvReceipt.opened.desc()"
    )

    def named(self, choice: str) -> list[str]:
        """Return the companies that are `chosen` or `blocked`."""
        return [one.company for one in self.companies if one.choice == choice]

    def may_read(self, company: str) -> bool:
        """Tell whether a company may see this CV."""
        if self.leaving is not None or company in self.named("blocked"):
            return False
        return self.shown_to == "all" or company in self.named("chosen")


class CvCompany(Base):
    """A company that a student chose or blocked."""

    __tablename__ = "cv_companies"

    cv_id: Mapped[str] = mapped_column(ForeignKey("cvs.id"), primary_key=True)
    company: Mapped[str] = mapped_column(String(170), primary_key=True)
    """Slug, the same as in the claim of its people."""
    choice: Mapped[str] = mapped_column(String(10))
    """`chosen` or `blocked`."""


class CvReceipt(Base):
    """A company opened a CV: its page in the book, or the file. Read from Apache's log."""

    __tablename__ = "cv_receipts"
    __table_args__ = (
        UniqueConstraint("cv_id", "company", "opened", "what", name="uq_cv_receipts_once"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cv_id: Mapped[str] = mapped_column(ForeignKey("cvs.id"), index=True)
    company: Mapped[str] = mapped_column(String(170))
    opened: Mapped[datetime] = mapped_column(UtcDateTime)
    what: Mapped[str] = mapped_column(String(4))
    """`page` or `file`."""


class CvLog(Base):
    """How far a log of Apache has been read, so that the next night reads on from there."""

    __tablename__ = "cv_logs"

    file: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Digest of its first line: a log keeps it when it is renamed."""
    offset: Mapped[int] = mapped_column(BigInteger)
    read: Mapped[datetime] = mapped_column(UtcDateTime)


class AccountPerson(Base):
    """An account that staff tied to a person of the records."""

    __tablename__ = "account_people"

    subject: Mapped[str] = mapped_column(exact(255), primary_key=True)
    person_id: Mapped[str] = mapped_column(exact(255), index=True)
    tied_by: Mapped[str] = mapped_column(exact(255))
    tied: Mapped[datetime] = mapped_column(UtcDateTime)
