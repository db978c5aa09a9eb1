"""What is kept of feedback: the message, its corrections, and each step of its way."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Unicode, UnicodeText, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dynamic.database import Base, UtcDateTime, exact


class State(StrEnum):
    """Where feedback stands."""

    RECEIVED = "received"
    WORKING = "working"
    PUBLISHED = "published"
    DECLINED = "declined"


OPEN = (State.RECEIVED, State.WORKING)

RATINGS = {
    4: "Very useful",
    3: "Useful",
    2: "A little useful",
    1: "Not useful",
}


class Feedback(Base):
    """One message of one reader about one record."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("subject", "submission"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    submission: Mapped[str] = mapped_column(exact(64))
    """Made with the form: the same form sent twice is one message."""
    subject: Mapped[str] = mapped_column(exact(200), index=True)
    email: Mapped[str] = mapped_column(Unicode(320), index=True)
    name: Mapped[str] = mapped_column(Unicode(200))
    record_type: Mapped[str] = mapped_column(Unicode(20), index=True)
    record_id: Mapped[str] = mapped_column(exact(400))
    record_title: Mapped[str] = mapped_column(Unicode(2000))
    record_url: Mapped[str] = mapped_column(Unicode(1000))
    rating: Mapped[int | None]
    text: Mapped[str] = mapped_column(UnicodeText)
    wants_copy: Mapped[bool]
    release: Mapped[int]
    """The release that the reader had before them."""
    mailbox: Mapped[str] = mapped_column(Unicode(320))
    """Where it was sent; empty if no mailbox is named."""
    state: Mapped[str] = mapped_column(Unicode(20), index=True)
    note: Mapped[str] = mapped_column(UnicodeText)
    """What staff tell the sender of the state, such as the reason."""
    build: Mapped[int | None]
    """The release that shows what was asked for."""
    version: Mapped[int]
    """Raised with each change, so that two of staff do not overwrite each other."""
    made: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    changed: Mapped[datetime] = mapped_column(UtcDateTime)

    corrections: Mapped[list[Correction]] = relationship(
        order_by="Correction.id", cascade="all, delete-orphan", back_populates="feedback"
    )
    steps: Mapped[list[Step]] = relationship(
        order_by="Step.id", cascade="all, delete-orphan", back_populates="feedback"
    )

    @property
    def reference(self) -> str:
        """What people call it in mails and on the telephone."""
        return f"F-{self.id}"


class Correction(Base):
    """What one field of the record should say."""

    __tablename__ = "feedback_corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    feedback_id: Mapped[int] = mapped_column(ForeignKey("feedback.id"), index=True)
    field: Mapped[str] = mapped_column(Unicode(40))
    was: Mapped[str] = mapped_column(UnicodeText)
    proposed: Mapped[str] = mapped_column(UnicodeText)
    shown: Mapped[str | None] = mapped_column(UnicodeText)
    """What a later release showed instead; None while it shows what it did."""
    shown_in: Mapped[int | None]
    """The first release that showed it."""

    feedback: Mapped[Feedback] = relationship(back_populates="corrections")


class Step(Base):
    """One change of state."""

    __tablename__ = "feedback_steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    feedback_id: Mapped[int] = mapped_column(ForeignKey("feedback.id"), index=True)
    state: Mapped[str] = mapped_column(Unicode(20))
    note: Mapped[str] = mapped_column(UnicodeText)
    build: Mapped[int | None]
    by: Mapped[str] = mapped_column(exact(200), index=True)
    """Account of the one of staff who set it; empty if the service did."""
    made: Mapped[datetime] = mapped_column(UtcDateTime)

    feedback: Mapped[Feedback] = relationship(back_populates="steps")


def state_in_words(state: str, build: int | None = None) -> str:
    """Return a state as readers read it."""
    if state == State.WORKING:
        return "being worked on"
    if state == State.PUBLISHED and build:
        return f"published in build {build}"
    return str(state)
