"""Mail on its way out: written in the same transaction as what it tells, sent by a worker."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from flask import current_app
from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from dynamic.database import Base, UtcDateTime, db, now


class Mail(Base):
    """One message, whole, as it will be handed to the SMTP server."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    recipient: Mapped[str] = mapped_column(String(320), index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made: Mapped[datetime] = mapped_column(UtcDateTime)
    due: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """When it is tried next."""
    tries: Mapped[int] = mapped_column(default=0)
    sent: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    refused: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was given up, because the server will never take it."""
    problem: Mapped[str | None] = mapped_column(Text)


def queue_mail(
    to: str, subject: str, text: str, *, reason: str, calendar: tuple[str, bytes] | None = None
) -> None:
    """Put a text mail into the outbox; it goes out once the session is committed.

    `reason` is the sentence at its foot that says why the reader gets it and how to stop
    it. `calendar` is an iCalendar method and file.
    Raises ValueError for a recipient or subject that would break out of its header.
    """
    settings = current_app.config["SETTINGS"]
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.sender
    message["To"] = to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(now())
    message["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{text.rstrip()}\n\n-- \n{settings.sitename}\n{reason}\n")
    if calendar:
        method, file = calendar
        message.add_attachment(
            file,
            maintype="text",
            subtype="calendar",
            filename="event.ics",
            params={"method": method, "charset": "utf-8"},
        )
    db.session.add(
        Mail(
            message_id=message["Message-ID"],
            recipient=to,
            content=message.as_bytes(),
            made=now(),
            due=now(),
        )
    )
