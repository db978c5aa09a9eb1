"""The mails about a CV."""

from __future__ import annotations

from flask import current_app

from dynamic.cv.companies import companies, name_of
from dynamic.cv.models import AVAILABILITY, DEGREES, Cv
from dynamic.cv.refusals import WARNINGS
from dynamic.outbox import queue_mail

_LONGEST_TEXT = 5000


def queue_receipt(cv: Cv) -> None:
    """Say that the file has arrived, and what employers will see."""
    kept = f"{_day(cv)}"
    text = [
        f"Your CV has arrived whole: {cv.kind.upper()}, {cv.size:,} bytes"
        + (f", {cv.pages} pages." if cv.pages and cv.pages > 1 else "."),
        f"SHA-256 of the file: {cv.sha256.hex()}",
        f"Scanned for viruses: {'yes' if cv.is_scanned else 'no scanner is set up'}.",
        "",
        *(WARNINGS[code] + "\n" for code in cv.warnings.split()),
        f"Who sees it from tomorrow morning: {_readers(cv)}",
        f"It is deleted on {kept} unless you renew it; we remind you before.",
        "",
        "What an employer sees:",
        f"  Name          {cv.name}",
        f"  Mail          {cv.email}",
        f"  Degree        {DEGREES[cv.degree]}, {cv.field}",
        f"  Graduation    {cv.graduation}",
        f"  Looking for   {', '.join(AVAILABILITY[key] for key in cv.availability.split())}"
        + (f", from {cv.available_from}" if cv.available_from else ""),
        *([f"  Topics        {', '.join(cv.topics.splitlines())}"] if cv.topics else []),
        *([f"  Links         {' '.join(cv.links.splitlines())}"] if cv.links else []),
        "  Your publications and projects on this site, if they are tied to your account.",
        "  The file itself.",
        "",
        "The text that a program reads in the file:",
        "",
        cv.text[:_LONGEST_TEXT] or "(none)",
        *(["", "… and more: the whole is on your page."] if len(cv.text) > _LONGEST_TEXT else []),
        "",
        f"See, replace or withdraw it: {_page()}",
    ]
    queue_mail(cv.email, "Your CV has arrived", "\n".join(text), reason=_reason())


def queue_reminder(cv: Cv) -> None:
    """Say that the year is nearly over."""
    text = (
        f"Your CV is shown until {_day(cv)}. On that day it is deleted, with all that you"
        f" entered.\n\nTo keep it for another year, open {_page()} and choose Renew.\n"
        "If you do not want that, you need do nothing."
    )
    queue_mail(cv.email, f"Your CV is deleted on {_day(cv)}", text, reason=_reason())


def queue_purged(cv: Cv) -> None:
    """Say that the year is over and everything is gone."""
    text = (
        "Your CV was not renewed, so it has been deleted, with all that you entered. No member"
        f" company sees it any more. You can send a new one at any time: {_page()}"
    )
    queue_mail(cv.email, "Your CV has been deleted", text, reason=_reason())


def queue_withdrawn(cv: Cv) -> None:
    """Say that the CV is gone everywhere."""
    text = (
        "Your CV is withdrawn: it is out of the books of all companies, and the file and all"
        " that you entered are deleted. What a company downloaded before is beyond our reach;"
        " you can ask it to delete that."
    )
    if cv.receipts:
        opened = sorted({name_of(one.company) for one in cv.receipts})
        text += "\n\nCompanies that opened it: " + ", ".join(opened) + "."
    queue_mail(cv.email, "Your CV is withdrawn", text, reason=_reason())


def queue_settled(cv: Cv) -> None:
    """Say that a change that could not be made everywhere now is."""
    text = (
        "What you changed about your CV is now in force everywhere: companies that you left out"
        f" no longer see it.\n\nYour CV: {_page()}"
    )
    queue_mail(cv.email, "Your change to your CV is in force", text, reason=_reason())


def _readers(cv: Cv) -> str:
    if cv.shown_to == "all":
        blocked = [name_of(slug) for slug in cv.named("blocked")]
        but = f", but not {', '.join(blocked)}" if blocked else ""
        return f"all member companies{but}."
    names = [name for slug, name in companies().items() if cv.may_read(slug)]
    return ", ".join(names) + "." if names else "no company."


def _day(cv: Cv) -> str:
    return f"{cv.expires:%d %B %Y}".lstrip("0")


def _page() -> str:
    return f"{current_app.config['SETTINGS'].siteurl}/services/cv/"


def _reason() -> str:
    return (
        "You get this mail because you sent your CV to this site. To end it, withdraw the CV:"
        f" {current_app.config['SETTINGS'].siteurl}/services/cv/withdraw"
    )
