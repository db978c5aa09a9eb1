"""Mail on its way out: written in the same transaction as what it tells, sent by a worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from flask import current_app
from sqlalchemy import LargeBinary, Unicode, UnicodeText, func, select
from sqlalchemy.orm import Mapped, mapped_column

from dynamic.addresses import mail_address
from dynamic.database import Base, UtcDateTime, db, now
from dynamic.words import one_line


class Mail(Base):
    """One message, whole, as it will be handed to the SMTP server."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(Unicode(200), unique=True)
    recipient: Mapped[str] = mapped_column(Unicode(320), index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made: Mapped[datetime] = mapped_column(UtcDateTime)
    due: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    """When it is tried next."""
    tries: Mapped[int] = mapped_column(default=0)
    sent: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    refused: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was given up, because the server will never take it."""
    problem: Mapped[str | None] = mapped_column(UnicodeText)


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How it stands with the mails."""

    waiting: int
    refused: int
    """Given up, because the server will never take them."""
    oldest_seconds: int
    """Age of the oldest mail that waits, 0 if none does."""


def can_be_mailed(address: str) -> bool:
    """Tell whether `queue_mail` would take this address."""
    return mail_address(address) is not None


def queue_mail(
    to: str, subject: str, text: str, *, reason: str, calendar: tuple[str, bytes] | None = None
) -> None:
    """Put a text mail into the outbox; it goes out once the session is committed.

    `reason` is the sentence at its foot that says why the reader gets it and how to stop
    it. `calendar` is an iCalendar method and file.
    Raises ValueError for what is no address: see `can_be_mailed`.
    """
    settings = current_app.config["SETTINGS"]
    recipient = mail_address(to)
    if recipient is None:
        raise ValueError("There is no mail address to send to.")
    message = EmailMessage(policy=_POLICY)
    message["From"] = settings.sender
    message["To"] = recipient
    message["Subject"] = one_line(subject, 200)
    message["Date"] = format_datetime(now())
    message["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2].rstrip(">"))
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
            recipient=recipient,
            content=message.as_bytes(),
            made=now(),
            due=now(),
        )
    )


def state_of_outbox() -> OutboxState:
    """Return how many mails wait, how many were given up, and how old the oldest is."""
    waiting, oldest = db.session.execute(
        select(func.count(), func.min(Mail.made)).where(Mail.sent.is_(None), Mail.refused.is_(None))
    ).one()
    refused = db.session.scalar(
        select(func.count()).select_from(Mail).where(Mail.refused.is_not(None))
    )
    seconds = int((now() - oldest).total_seconds()) if oldest else 0
    return OutboxState(waiting, refused or 0, max(0, seconds))


# Every server takes seven bits; long lines and other scripts are encoded.
_POLICY = SMTP.clone(cte_type="7bit")
