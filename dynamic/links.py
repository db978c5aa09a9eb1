"""Single-purpose links for people who are not signed in, sent by mail.

Only a digest of the token is kept, so the database gives no link away; a token is never
logged. Opening a link shows what it is for; only the POST behind it acts, because mail
scanners follow links.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import LargeBinary, Unicode
from sqlalchemy.orm import Mapped, mapped_column

from dynamic.database import Base, UtcDateTime, db, exact, now


class Link(Base):
    """A link that was given out: what it may do, to what, until when."""

    __tablename__ = "links"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    purpose: Mapped[str] = mapped_column(Unicode(40))
    """The one thing it may do, such as registration.change."""
    target: Mapped[str] = mapped_column(exact(255), index=True)
    """What it may do it to."""
    made: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """None for a calendar, which is revoked and does not expire."""


def give_link(purpose: str, target: str, *, expires: datetime | None) -> str:
    """Return a new token; it becomes valid when the session is committed."""
    token = secrets.token_urlsafe(32)
    db.session.add(
        Link(digest=_digest(token), purpose=purpose, target=target, made=now(), expires=expires)
    )
    return token


def find_link(token: str) -> Link | None:
    """Return what a token stands for, or None if it is unknown, revoked or expired."""
    link = db.session.get(Link, _digest(token))
    if link is None or (link.expires is not None and link.expires <= now()):
        return None
    return link


def revoke_links(purpose: str, target: str) -> int:
    """Take back all links of a purpose to a target; return how many there were."""
    found = db.session.query(Link).filter_by(purpose=purpose, target=target)
    return int(found.delete())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
