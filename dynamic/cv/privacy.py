"""What the CV part holds about a person: to hand out, and to erase. See docs/privacy.md."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, or_, select

from dynamic.cv import archive, export, mails, shelf
from dynamic.cv.models import AccountPerson, Cv
from dynamic.database import db


def export_person(who: str) -> list[dict[str, Any]]:
    """Return all that is kept about an account or an address, file contents excepted."""
    found: list[dict[str, Any]] = [archive.facts(cv) for cv in _cvs(who)]
    known = {one["account"] for one in found}
    for tie in db.session.scalars(
        select(AccountPerson).where(
            or_(AccountPerson.subject == who, AccountPerson.person_id == _person(who))
        )
    ):
        if tie.subject not in known:
            found.append(
                {
                    "account": tie.subject,
                    "person": {"id": tie.person_id, "since": tie.tied.isoformat()},
                }
            )
    return found


def erase_person(who: str) -> int:
    """Remove all of it everywhere, books included; return how many things went.

    Raises shelf.NotGone if a book could not be reached: nothing is claimed then.
    """
    gone = 0
    for cv in _cvs(who):
        subject = cv.subject
        shelf.withdraw(cv, queue=mails.queue_withdrawn)
        db.session.execute(delete(AccountPerson).where(AccountPerson.subject == subject))
        gone += 1
    result = db.session.execute(
        delete(AccountPerson).where(
            or_(AccountPerson.subject == who, AccountPerson.person_id == _person(who))
        )
    )
    db.session.commit()
    export.update()
    return gone + int(getattr(result, "rowcount", 0))


def _cvs(who: str) -> list[Cv]:
    """Return the CVs of an account, an address or a person (person:id)."""
    tied = select(AccountPerson.subject).where(AccountPerson.person_id == _person(who))
    return list(
        db.session.scalars(
            select(Cv).where(
                or_(
                    Cv.subject == who,
                    func.lower(Cv.email) == who.lower(),
                    Cv.subject.in_(tied),
                )
            )
        )
    )


def _person(who: str) -> str:
    """Return the id in `person:id`; a mere word names an account, never a person."""
    return who.removeprefix("person:") if who.startswith("person:") else ""
