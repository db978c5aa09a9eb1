"""What staff do to the live site at once: withdraw, bring back, say something, go back."""

from __future__ import annotations

from content_sync.agent.store import audit
from content_sync.errors import NightpressError
from content_sync.lock import lock
from content_sync.operations import overlay
from content_sync.release import switch
from content_sync.release.history import open_history
from content_sync.release.releases import Release, live, releases, releases_folder
from content_sync.release.spare import drop_spare
from content_sync.settings import Settings
from content_sync.snapshot import open_snapshot
from content_sync.urls import PLURALS, page_file, record_url

LONGEST_NOTICE = 300


def withdraw(settings: Settings, record: str, kind: str, who: str, reason: str) -> bool:
    """Withdraw a record for a reason; return False if it was withdrawn already.

    Raises NightpressError without a reason, and for a record that was never published: a
    mistyped id must not pass for a withdrawal.
    """
    if not reason.strip():
        raise NightpressError("A withdrawal needs a reason.", hint="Say why with --reason.")
    if not _is_known(settings, record):
        raise NightpressError(
            f"There is no record {record!r}, and never was a page of it.",
            hint="Nothing was withdrawn. Ids are written as in the source: type:id.",
        )
    done = overlay.withdraw(settings, record, kind)
    audit(settings, who, "withdraw", f"{record} ({kind})", reason)
    _hide_in_mirror(settings)
    return done


def _hide_in_mirror(settings: Settings) -> None:
    if not (settings.mirror or settings.mirror_private):
        return
    from content_sync.mirror.run import hide_withdrawn

    try:
        hide_withdrawn(settings)
    except NightpressError as error:
        raise NightpressError(
            f"Withdrawn here, but the mirror still has it: {error}",
            hint="Withdraw it once more when the bucket answers.",
        ) from error


def bring_back(settings: Settings, record: str, who: str, reason: str) -> bool:
    """Undo a withdrawal; return whether there was one."""
    was = overlay.restore(settings, record)
    if was:
        audit(settings, who, "undo withdrawal", record, reason)
    return was


def set_notice(settings: Settings, text: str, who: str) -> None:
    """Show a line on every page, or none. Raises NightpressError for one that is too long."""
    text = " ".join(text.split())
    if len(text) > LONGEST_NOTICE:
        raise NightpressError(f"A notice has {LONGEST_NOTICE} characters at most.")
    overlay.set_notice(settings, text)
    audit(settings, who, "notice" if text else "take the notice away", text, "")


def roll_back(settings: Settings, who: str, reason: str) -> Release:
    """Take the live site back one release. Raises NightpressError without a reason."""
    if not reason.strip():
        raise NightpressError("Going back needs a reason.", hint="Say why with --reason.")
    with lock(settings, "rollback"):
        release = switch.rollback(settings)
    audit(settings, who, "rollback", f"to release {release.number}", reason)
    return release


def purge(settings: Settings, who: str, reason: str) -> list[int]:
    """Remove kept releases that still hold pages of erased records; return their numbers.

    The mirror, if there is one, follows at once, and keeps no older versions. The live release
    is never removed: NightpressError names the records that it still holds, for which a build
    must come first.
    """
    erased = [r for r, kind in overlay.withdrawn(settings).items() if kind == "erased"]
    with lock(settings, "purge"):
        current = live(settings)
        if current and (held := [r for r in erased if _holds(current, r)]):
            raise NightpressError(
                f"The live release still holds {', '.join(held)} (closed by the overlay).",
                hint="Take them out of the source, run 'nightpress rebuild', then purge.",
            )
        doomed = [
            r
            for r in releases(settings)
            if (current is None or r.number != current.number) and any(_holds(r, e) for e in erased)
        ]
        for release in doomed:
            switch.remove(release)
        drop_spare(releases_folder(settings))  # it may hold files of an earlier release
    gone = ", ".join(f"release {r.number}" for r in doomed)
    if settings.mirror or settings.mirror_private:
        from content_sync.mirror.run import mirror

        mirror(settings, purge=True)
        gone = f"{gone}, the mirror" if gone else "the mirror"
    if gone:
        audit(settings, who, "purge", gone, reason)
    return [r.number for r in doomed]


def _holds(release: Release, record: str) -> bool:
    url = record_url(*record.split(":", 1))
    file = page_file(url)
    if _is_gone(release, url):
        return False  # what stands there is the tombstone
    folder = file.removesuffix(".html")
    return any(
        (release.root / tree / name).exists()
        for tree in ("public", "members")
        for name in (file, folder)
    )


def _is_gone(release: Release, url: str) -> bool:
    try:
        return url in (release.root / "gone.txt").read_text("utf-8").split()
    except FileNotFoundError:
        return False


def _is_known(settings: Settings, record: str) -> bool:
    kind, colon, key = record.partition(":")
    if not colon or kind not in PLURALS or not key:
        return True  # the overlay says what is wrong with it
    if record in overlay.withdrawn(settings):
        return True
    if settings.snapshot.is_file():
        connection = open_snapshot(settings.snapshot)
        try:
            sql = f"SELECT 1 FROM {PLURALS[kind]} WHERE id = ?"  # noqa: S608
            if connection.execute(sql, (key,)).fetchone():
                return True
        finally:
            connection.close()
    with open_history(settings.history) as ledger:
        found = ledger.execute("SELECT 1 FROM urls WHERE record = ? LIMIT 1", (record,)).fetchone()
    return found is not None
