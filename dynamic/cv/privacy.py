"""What the CV part holds about a person: to hand out, and to erase. See docs/privacy.md."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, or_, select

from dynamic.cv import archive, shelf
from dynamic.cv.models import AccountPerson, Cv
from dynamic.database import begin_writing, db
from dynamic.privacy import Part, Who


def known_as(who: Who) -> Who:
    """Return the accounts and addresses of all CVs that are this person's."""
    found = _cvs(who)
    return Who(
        frozenset(cv.subject for cv in found),
        frozenset(cv.email.lower() for cv in found if cv.email),
    )


def export(who: Who) -> dict[str, Any]:
    """Return all that the tables hold; the file itself is in the student's own archive."""
    return {
        "cvs": [archive.facts(cv) for cv in _cvs(who)],
        "tied_to_people": [
            {"account": tie.subject, "person": tie.person_id, "since": tie.tied.isoformat()}
            for tie in _ties(who)
        ],
    }


def erase(who: Who) -> int:
    """Remove all of it everywhere, books and files included; return how many things went.

    Raises shelf.NotGone if a book could not be reached: nothing is claimed then.
    """
    ties = {tie.subject for tie in _ties(who)}
    gone = 0
    for cv in _cvs(who):
        # Their mails are erased with them: nothing is left to tell them by.
        shelf.withdraw(cv, queue=lambda _: None)
        gone += 1
    db.session.rollback()  # withdrawing has ended the transaction that was given us
    begin_writing()
    if ties:
        db.session.execute(delete(AccountPerson).where(AccountPerson.subject.in_(ties)))
    # What they wrote as staff stays, without their name.
    for tie in db.session.scalars(
        select(AccountPerson).where(AccountPerson.tied_by.in_(who.subjects))
    ):
        tie.tied_by = "erased"
    return gone + len(ties)


def _cvs(who: Who) -> list[Cv]:
    return list(
        db.session.scalars(
            select(Cv)
            .where(or_(Cv.subject.in_(who.subjects), func.lower(Cv.email).in_(who.addresses)))
            .order_by(Cv.id)
        )
    )


def _ties(who: Who) -> list[AccountPerson]:
    return list(
        db.session.scalars(select(AccountPerson).where(AccountPerson.subject.in_(who.subjects)))
    )


PART = Part(known_as=known_as, export=export, erase=erase)
