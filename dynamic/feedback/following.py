"""After each release: whose corrections does it show?"""

from __future__ import annotations

from sqlalchemy import select

from dynamic.database import begin_writing, db, locked, now
from dynamic.feedback import mails
from dynamic.feedback.fields import FIELDS, shown_values
from dynamic.feedback.models import OPEN, Correction, Feedback, State, Step
from dynamic.records import find_record
from dynamic.service_export import want_export
from dynamic.site import Site, current_site
from dynamic.words import same_words


def follow_corrections() -> int:
    """Mark the corrections that the live release shows and tell their senders.

    A field counts as corrected when it no longer says what it said; whether it says what
    was proposed is told too. When all corrections of a message are done, so is the message.
    Returns the number of corrections. Each message is one transaction, and safe to repeat.
    """
    site = current_site()
    if not site.release:
        return 0
    open_ones = db.session.scalars(
        select(Feedback.id)
        .join(Correction)
        .where(
            Correction.shown_in.is_(None),
            Feedback.state.in_(OPEN),
            Feedback.release < site.release,
        )
        .distinct()
        .order_by(Feedback.id)
    ).all()
    db.session.rollback()
    done = sum(_follow(number, site) for number in open_ones)
    if done:
        want_export()
    return done


def _follow(number: int, site: Site) -> int:
    begin_writing()
    feedback = db.session.scalar(locked(select(Feedback).where(Feedback.id == number), Feedback))
    changed = _corrected(feedback, site) if feedback and feedback.state in OPEN else []
    if feedback is None or not changed:
        db.session.rollback()
        return 0
    if all(one.shown_in for one in feedback.corrections):
        feedback.state, feedback.build = State.PUBLISHED, site.release
        feedback.version += 1
        feedback.changed = now()
        feedback.steps.append(
            Step(state=State.PUBLISHED, note="", build=site.release, by="", made=now())
        )
    mails.tell_published(feedback, changed, site.release)
    db.session.commit()
    return len(changed)


def _corrected(feedback: Feedback, site: Site) -> list[Correction]:
    record = find_record(feedback.record_type, feedback.record_id, for_members=True, site=site)
    if record is None or record.type not in FIELDS:
        return []
    shown = shown_values(record)
    changed = []
    for one in feedback.corrections:
        if one.shown_in or one.field not in shown or same_words(shown[one.field], one.was):
            continue
        is_as_proposed = same_words(shown[one.field], one.proposed)
        one.shown = one.proposed if is_as_proposed else shown[one.field]
        one.shown_in = site.release
        changed.append(one)
    return changed
