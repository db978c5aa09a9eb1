"""Mails to staff when the state of the builds changes: broken, still broken, mended."""

from __future__ import annotations

from pathlib import Path

from content_sync.agent import queue
from content_sync.agent.queue import Build
from content_sync.agent.store import rows
from content_sync.settings import Settings

BROKEN = frozenset({"failed", "stopped"})


def tell_staff(settings: Settings, before: Build | None, number: int) -> None:
    """Send what there is to say after build `number` ended; usually that is nothing."""
    build = queue.build_of(settings, number)
    if build is None:
        return
    found = what_to_say(
        was_broken=before is not None and before.state in BROKEN,
        is_broken=build.state in BROKEN,
        in_a_row=broken_in_a_row(settings),
        again_after=settings.mail_again_after,
    )
    if found:
        send(settings, f"{settings.sitename}: {found}", _text(settings, build))


def what_to_say(*, was_broken: bool, is_broken: bool, in_a_row: int, again_after: int) -> str:
    """Return the subject of the mail that a build's end calls for, or nothing."""
    if is_broken and not was_broken:
        return "the build failed; the live site is as it was"
    if is_broken and in_a_row == again_after:
        return f"{in_a_row} builds in a row have failed"
    if was_broken and not is_broken:
        return "builds succeed again"
    return ""


def broken_in_a_row(settings: Settings) -> int:
    """Return how many of the last builds failed or were stopped, without one that did not."""
    sql = (
        "SELECT count(*) AS n FROM builds WHERE state IN ('failed', 'stopped') AND id >"
        " coalesce((SELECT max(id) FROM builds WHERE state IN ('live', 'unchanged', 'held')), 0)"
    )
    found = rows(settings, sql)
    return int(found[0]["n"]) if found else 0


def send(settings: Settings, subject: str, text: str) -> str:
    """Mail staff, by the service's outbox and mail server; return what stood in the way.

    A mail server that is down gets it later, from the service's own worker.
    """
    from dynamic.commands import beside_the_night

    return beside_the_night(Path(settings.site), lambda: _queue(subject, text))


def _queue(subject: str, text: str) -> None:
    from flask import current_app

    from dynamic.addresses import mail_address
    from dynamic.database import db
    from dynamic.delivery import deliver
    from dynamic.outbox import queue_mail

    office = current_app.config["SETTINGS"].mailbox_for("")
    if not office or mail_address(office) is None:
        return
    queue_mail(
        office,
        subject,
        text,
        reason="You receive this because STAFF_MAILBOXES names this address.",
    )
    db.session.commit()
    deliver()


def _text(settings: Settings, build: Build) -> str:
    lines = [f"Build {build.id} ended: {build.state}.", ""]
    if build.message:
        lines += [build.message, ""]
    if build.state == "stopped":
        lines += ["A guard stopped it: look at what would change, then approve it or not.", ""]
    lines.append(f"{settings.siteurl}/staff/agent/builds/{build.id}/")
    return "\n".join(lines)
