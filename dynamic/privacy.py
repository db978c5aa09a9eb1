"""What the service knows of a person: told and erased on request, in every part at once.

Each part that keeps personal data registers itself when it is imported:

    PARTS["feedback"] = Part(known_as=…, export=…, erase=…)

`known_as(who)` returns every account and address that the part knows to be the same person's;
the registry asks all parts until nobody knows more. `export(who)` returns what is kept, as
plain values that JSON can hold. `erase(who)` deletes it in the session (database) or at once
(files, storage) and returns how many things went; the registry gives each part a transaction
that may write and commits it, asks for a new export for the build, and only then reports
success. Whatever fails in between can be done again. docs/privacy.md lists every
field; a test compares that list with the tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from flask import current_app
from sqlalchemy import delete, select

from dynamic.addresses import mail_address
from dynamic.database import begin_writing, db
from dynamic.delivery import file_name
from dynamic.errors import ServiceError
from dynamic.outbox import Mail
from dynamic.service_export import write_export


@dataclass(frozen=True, slots=True)
class Who:
    """One person, by all accounts and addresses that are known to be theirs."""

    subjects: frozenset[str] = frozenset()
    """Names of accounts, as Apache tells them."""
    addresses: frozenset[str] = frozenset()
    """E-mail addresses in lower case."""

    def also(self, other: Who) -> Who:
        """Return this person with what another account of them adds."""
        return Who(self.subjects | other.subjects, self.addresses | other.addresses)


@dataclass(frozen=True, slots=True)
class Part:
    """How one part of the service tells and erases what it keeps of a person."""

    known_as: Callable[[Who], Who]
    export: Callable[[Who], Any]
    erase: Callable[[Who], int]


PARTS: dict[str, Part] = {}
"""Name of the part → how it does it."""


def find_person(person: str) -> Who:
    """Return everything that a person, named by account or address, is known as."""
    person = person.strip()
    if not person:
        raise ServiceError("Name a person by account or e-mail address.")
    address = mail_address(person)
    who = Who(frozenset({person}), frozenset({address.lower()} if address else ()))
    while True:
        more = who
        for part in PARTS.values():
            more = more.also(part.known_as(more))
        if more == who:
            return who
        who = more


def export_person(person: str) -> dict[str, Any]:
    """Return all that is kept of a person, by part of the service."""
    who = find_person(person)
    kept = {name: part.export(who) for name, part in sorted(PARTS.items())}
    return {
        "person": {"accounts": sorted(who.subjects), "addresses": sorted(who.addresses)},
        **kept,
    }


def erase_person(person: str) -> dict[str, int]:
    """Erase all that is kept of a person; return how many things went in each part.

    The build's export is written anew before this returns, so that the next release knows
    nothing of them.
    """
    who = find_person(person)
    gone = {}
    for name, part in sorted(PARTS.items()):
        db.session.rollback()
        begin_writing()
        gone[name] = part.erase(who)
        db.session.commit()
    write_export()
    return gone


def _mails_to(who: Who) -> list[Mail]:
    if not who.addresses:
        return []
    query = select(Mail).order_by(Mail.id)
    # Hosts are kept in lower case, names as given: few rows are left to be compared here.
    return [m for m in db.session.scalars(query) if m.recipient.lower() in who.addresses]


def _export_mails(who: Who) -> list[dict[str, Any]]:
    return [
        {
            "to": mail.recipient,
            "made": mail.made.isoformat(),
            "sent": mail.sent.isoformat() if mail.sent else None,
            "content": mail.content.decode("utf-8", "replace"),
        }
        for mail in _mails_to(who)
    ]


def _erase_mails(who: Who) -> int:
    """Delete mails to the person, and what the office was or is to be told of them."""
    folder = current_app.config["SETTINGS"].mail_folder
    office = {a.lower() for a in current_app.config["SETTINGS"].staff_mailboxes.values()}
    told = [m for m in db.session.scalars(select(Mail)) if m.recipient.lower() in office]
    mails = _mails_to(who) + [m for m in told if _speaks_of(m.content, who)]
    for mail in mails:
        db.session.execute(delete(Mail).where(Mail.id == mail.id))
        (folder / file_name(mail)).unlink(missing_ok=True)
    gone = len(mails)
    for file in folder.glob("*.eml") if folder.is_dir() else ():
        message = message_from_bytes(file.read_bytes(), policy=default)
        to = str(message["To"]).lower()
        if to in who.addresses or (to in office and _speaks_of(message, who)):
            file.unlink(missing_ok=True)
            gone += 1
    return gone


def _speaks_of(mail: bytes | EmailMessage, who: Who) -> bool:
    """Tell whether a mail's text names one of the person's accounts or addresses."""
    message = message_from_bytes(mail, policy=default) if isinstance(mail, bytes) else mail
    body = message.get_body(("plain",))
    text = body.get_content().casefold() if body else ""
    names = {name.casefold() for name in (*who.addresses, *who.subjects)}
    return any(re.search(rf"(?<![\w.+-]){re.escape(name)}(?![\w-])", text) for name in names)


PARTS["mails"] = Part(known_as=lambda who: Who(), export=_export_mails, erase=_erase_mails)
