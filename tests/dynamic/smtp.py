"""A real SMTP server that keeps what it takes and refuses what it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from content_sync.operations.children import free_port


class Postbox:
    """What arrived, and the answers to give: recipient → an SMTP answer."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answers: dict[str, str] = {}
        self.port = 0
        self.on_mail: Callable[[], None] | None = None
        """Is called when a mail is taken, before the sender is told so."""
        self._lock = threading.Lock()

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        with self._lock:
            self.mails.append(mail)
            self.recipients += envelope.rcpt_tos
        if self.on_mail:
            self.on_mail()
        return "250 Taken"

    def wait_for(self, count: int, *, seconds: float = 30) -> list[EmailMessage]:
        """Return the mails once there are so many; fails after some seconds."""
        until = time.monotonic() + seconds
        while len(self.mails) < count:
            assert time.monotonic() < until, f"{len(self.mails)} of {count} mails arrived"
            time.sleep(0.05)
        return list(self.mails)


@contextmanager
def smtp_server(postbox: Postbox | None = None, port: int = 0) -> Iterator[Postbox]:
    """Run a server on a port of the loopback address."""
    postbox = postbox or Postbox()
    postbox.port = port or postbox.port or free_port()
    controller = Controller(postbox, hostname="127.0.0.1", port=postbox.port)
    controller.start()
    try:
        yield postbox
    finally:
        controller.stop()
