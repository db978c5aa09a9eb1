"""Mails leave the outbox: to the SMTP server, or into a folder where none is named.

Each mail goes out at least once, always with the Message-ID that it got in the outbox. A
worker first claims a mail, which moves its next try into the future, then sends it, then
notes that it was sent; if it dies in between, the next try sends it again. What the server
refuses for good is given up and told to staff. Of a mail that has left, or never will, only
the head is kept: links that open something are nowhere but with the one they were sent to.
"""

from __future__ import annotations

import contextlib
import logging
import os
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Protocol, cast

from flask import current_app
from sqlalchemy import CursorResult, select, update

from dynamic.database import begin_writing, db, now
from dynamic.outbox import Mail, can_be_mailed, queue_mail
from dynamic.settings import ServiceSettings

log = logging.getLogger("nightpress.mail")

CLAIM = timedelta(minutes=15)
"""For so long claimed mails belong to their worker: longer than sending a round takes."""
LONGEST_PAUSE = timedelta(minutes=30)
"""The first pause is 30 seconds; each is twice as long as the one before, up to this."""
AGAIN = timedelta(seconds=5)
"""When mails are tried again that were not handed on, because the server went away."""
PER_ROUND = 20
TIMEOUT = 30
"""Seconds that a server may take for one answer."""


class Refused(Exception):
    """The server will never take this mail."""


class Postponed(Exception):
    """The server does not take this mail now."""


@dataclass(slots=True)
class Round:
    """What came of one round of sending."""

    sent: int = 0
    refused: int = 0
    postponed: int = 0
    is_down: bool = False
    """Whether the server could not be spoken to at all."""

    @property
    def did_anything(self) -> bool:
        return bool(self.sent or self.refused)


class Way(Protocol):
    """A way for mails to leave."""

    def send(self, mail: Mail) -> None:
        """Hand one mail on. Raises Refused or Postponed; OSError if nothing answers."""


def deliver(*, most: int = PER_ROUND) -> Round:
    """Send mails that are due, the oldest first; return what came of it.

    Commits after each mail. Needs an application context.
    """
    settings: ServiceSettings = current_app.config["SETTINGS"]
    done = Round()
    waiting = db.session.scalars(
        select(Mail.id)
        .where(Mail.sent.is_(None), Mail.refused.is_(None), Mail.due <= now())
        .order_by(Mail.due, Mail.id)
        .limit(most)
    ).all()
    db.session.rollback()
    if not waiting:
        return done
    claimed = _claim(list(waiting))
    try:
        with _way_out(settings) as way:
            while claimed:
                _deliver_one(way, claimed.pop(0), settings, done)
    except (OSError, smtplib.SMTPException) as error:
        # Nobody listens, or the connection broke: what was claimed is tried again soon.
        db.session.rollback()
        done.is_down = True
        _note(claimed, due=now() + AGAIN)
        log.warning("mail server does not answer", extra={"facts": {"error": type(error).__name__}})
    return done


def _deliver_one(way: Way, mail: Mail, settings: ServiceSettings, done: Round) -> None:
    try:
        way.send(mail)
    except Refused as refused:
        _give_up(mail, str(refused), settings)
        done.refused += 1
    except Postponed as postponed:
        _note([mail], due=now() + _pause(mail.tries), problem=str(postponed))
        done.postponed += 1
    except (OSError, smtplib.SMTPException) as error:
        pause = min(_pause(mail.tries), timedelta(minutes=5))
        _note([mail], due=now() + pause, problem=type(error).__name__)
        raise
    else:
        _note([mail], sent=now(), problem=None, content=_head(mail.content))
        done.sent += 1


def _claim(numbers: list[int]) -> list[Mail]:
    """Take mails for this worker, except those for which another was quicker.

    No transaction stays open while mails are on their way.
    """
    mails = []
    begin_writing()
    for number in numbers:
        taken = cast(
            "CursorResult[object]",
            db.session.execute(
                update(Mail)
                .where(
                    *(Mail.id == number, Mail.due <= now()),
                    *(Mail.sent.is_(None), Mail.refused.is_(None)),
                )
                .values(tries=Mail.tries + 1, due=now() + CLAIM)
            ),
        )
        mail = db.session.get(Mail, number, populate_existing=True) if taken.rowcount else None
        if mail is not None:
            db.session.expunge(mail)
            mails.append(mail)
    db.session.commit()
    return mails


def _note(mails: list[Mail], **facts: Any) -> None:
    if not mails:
        return
    begin_writing()
    numbers = [mail.id for mail in mails]
    db.session.execute(update(Mail).where(Mail.id.in_(numbers)).values(**facts))
    db.session.commit()


def _give_up(mail: Mail, problem: str, settings: ServiceSettings) -> None:
    begin_writing()
    db.session.execute(
        update(Mail)
        .where(Mail.id == mail.id)
        .values(refused=now(), problem=problem, content=_head(mail.content))
    )
    office = settings.mailbox_for("")
    log.error("mail given up", extra={"facts": {"mail": mail.id, "answer": problem[:3]}})
    if can_be_mailed(office) and mail.recipient != office:
        queue_mail(
            office,
            "A mail could not be delivered",
            f"The mail server refuses a mail for good:\n\n  to: {mail.recipient}\n"
            f"  from: {mail.made:%Y-%m-%d %H:%M} UTC\n  the server says: {problem}\n\n"
            "It will not be tried again. Please find out the right address.",
            reason="You receive this because STAFF_MAILBOXES names this address.",
        )
    db.session.commit()


def _head(content: bytes) -> bytes:
    """Return a mail without its text, which holds links and what somebody wrote."""
    return content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def _pause(tries: int) -> timedelta:
    return min(timedelta(seconds=30 * 2 ** min(tries - 1, 12)), LONGEST_PAUSE)


@contextlib.contextmanager
def _way_out(settings: ServiceSettings) -> Iterator[Way]:
    if not settings.mail_server:
        yield _Folder(settings.mail_folder)
        return
    host, _, port = settings.mail_server.partition(":")
    context = ssl.create_default_context()
    if settings.mail_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, int(port or 465), timeout=TIMEOUT, context=context
        )
    else:
        server = smtplib.SMTP(host, int(port or 587), timeout=TIMEOUT)
    try:
        if settings.mail_security == "starttls":
            server.starttls(context=context)
        if settings.mail_user:
            server.login(settings.mail_user, settings.smtp_password)
        yield _Smtp(server, parseaddr(settings.sender)[1])
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


class _Smtp:
    """One connection to the SMTP server."""

    def __init__(self, server: smtplib.SMTP, sender: str) -> None:
        self._server, self._sender = server, sender

    def send(self, mail: Mail) -> None:
        try:
            self._server.sendmail(self._sender, [mail.recipient], mail.content)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = error.recipients[mail.recipient]
            _judge(code, words)
        except smtplib.SMTPDataError as error:
            _judge(error.smtp_code, error.smtp_error)
        except smtplib.SMTPSenderRefused as error:
            # It is our sender that is wrong, which staff can put right: nothing is given up.
            raise Postponed(_answer(error.smtp_code, error.smtp_error)) from error


def _judge(code: int, words: bytes | str) -> None:
    raise (Refused if 500 <= code < 600 else Postponed)(_answer(code, words))


def _answer(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(text.split())}"[:300]


class _Folder:
    """A folder of .eml files, each whole or not there; the same mail is the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def send(self, mail: Mail) -> None:
        target = self._folder / file_name(mail)
        fresh = target.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(mail.content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(target)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise


def file_name(mail: Mail) -> str:
    """Return the name of a mail's file in the folder."""
    return f"{mail.made:%Y-%m-%d-%H%M%S}-{mail.id:08d}.eml"
