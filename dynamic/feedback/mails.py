"""The mails about feedback: receipt, the office's copy, and what came of it."""

from __future__ import annotations

from flask import current_app

from dynamic.feedback.fields import label_of
from dynamic.feedback.models import RATINGS, Correction, Feedback, State, state_in_words
from dynamic.outbox import can_be_mailed, queue_mail

_REASON = (
    "You receive this because you sent feedback while signed in. You get one mail as a receipt"
    " and one when it is settled; there is no list to leave."
)


def send_receipt(feedback: Feedback) -> bool:
    """Tell the sender what arrived; False if there is no address to tell it to."""
    if not can_be_mailed(feedback.email):
        return False
    text = (
        f"Thank you. Your feedback arrived as {feedback.reference}.\n\n"
        f"{_about(feedback)}\n\n{_content(feedback)}\n\n"
        f"What came of it, at any time:\n{_address(f'/services/feedback/{feedback.id}')}"
    )
    queue_mail(feedback.email, f"Your feedback {feedback.reference}", text, reason=_REASON)
    return True


def tell_staff(feedback: Feedback) -> bool:
    """Send the feedback to the mailbox for its type of record; False if none is named."""
    if not can_be_mailed(feedback.mailbox):
        return False
    sender = f"{feedback.name} <{feedback.email}>" if feedback.email else feedback.name
    text = (
        f"{feedback.reference} from {sender or feedback.subject}\n\n"
        f"{_about(feedback)}\n\n{_content(feedback)}\n\n"
        f"Deal with it:\n{_address(f'/services/staff/feedback/{feedback.id}')}"
    )
    queue_mail(
        feedback.mailbox,
        f"{feedback.reference}: {feedback.record_title}",
        text,
        reason=(
            f"You receive this because STAFF_MAILBOXES names this address for feedback on"
            f" {feedback.record_type} records."
        ),
    )
    return True


def tell_state(feedback: Feedback) -> bool:
    """Tell the sender that feedback is settled, or open again."""
    if not can_be_mailed(feedback.email):
        return False
    words = state_in_words(feedback.state, feedback.build)
    text = f"Your feedback {feedback.reference} is now: {words}.\n\n{_about(feedback)}"
    if feedback.note:
        heading = "The reason" if feedback.state == State.DECLINED else "The office says"
        text += f"\n\n{heading}:\n\n{_indented(feedback.note)}"
    text += f"\n\n{_address(f'/services/feedback/{feedback.id}')}"
    queue_mail(feedback.email, f"{feedback.reference}: {words}", text, reason=_REASON)
    return True


def tell_published(feedback: Feedback, corrections: list[Correction], release: int) -> bool:
    """Tell the sender which of their corrections the site shows since last night."""
    if not can_be_mailed(feedback.email):
        return False
    lines = []
    for one in corrections:
        label = label_of(feedback.record_type, one.field)
        if one.shown == one.proposed:
            lines.append(f"{label} reads as you proposed:\n\n{_indented(one.proposed)}")
        else:
            lines.append(
                f"{label} was changed, but reads otherwise than you proposed:\n\n"
                f"{_indented(one.shown or '(nothing)')}\n\n  You proposed:\n\n"
                f"{_indented(one.proposed or '(nothing)')}"
            )
    text = (
        f"The site shows corrections that you sent ({feedback.reference}), since build"
        f" {release}.\n\n{_about(feedback)}\n\n"
        + "\n\n".join(lines)
        + f"\n\nAll of it:\n{_address(f'/services/feedback/{feedback.id}')}"
    )
    queue_mail(
        feedback.email, f"{feedback.reference}: published in build {release}", text, reason=_REASON
    )
    return True


def _about(feedback: Feedback) -> str:
    return (
        f"About: {feedback.record_title}\n"
        f"       {_address(feedback.record_url)}\n"
        f"       ({feedback.record_type} {feedback.record_id})"
    )


def _content(feedback: Feedback) -> str:
    parts = []
    if feedback.rating:
        parts.append(f"Rating: {RATINGS[feedback.rating]}")
    if feedback.text:
        parts.append(_indented(feedback.text))
    if feedback.wants_copy:
        parts.append("A copy of the full text is asked for.")
    for one in feedback.corrections:
        label = label_of(feedback.record_type, one.field)
        parts.append(
            f"{label} should read:\n\n{_indented(one.proposed or '(nothing)')}\n\n"
            f"  instead of:\n\n{_indented(one.was or '(nothing)')}"
        )
    return "\n\n".join(parts)


def _indented(text: str) -> str:
    return "\n".join(f"  > {line}" for line in text.split("\n"))


def _address(path: str) -> str:
    return f"{current_app.config['SETTINGS'].siteurl}{path}"
