"""The live overlay `var/live/`: what outranks every release, on every node, at once.

Apache reads these files itself, without a reload: `withdrawn.txt` (a map from the path of a
page to the reason), `withdrawn.json` and `notice.json` (for the search in the browser),
`blocked.grp` (a group file; `deploy/signin/block.py` writes its names). Each is replaced in
one step; a missing `blocked.grp` closes the members' door.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from content_sync.errors import NightpressError
from content_sync.settings import Settings
from content_sync.urls import PLURALS, record_url, slug

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

REASONS = ("withdrawn", "erased", "legal")
CITATIONS = ("bib", "ris", "json")
"""Endings of the files that hold a publication's citation."""
_FILES = {
    "withdrawn.txt": "",
    "withdrawn.json": '{"version":1,"withdrawn":[]}\n',
    "notice.json": '{"version":1,"text":"","since":""}\n',
    "blocked.grp": "blocked:\n",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A line that every page shows: its text, and since when (UTC, ISO 8601)."""

    text: str = ""
    since: str = ""


def live_folder(settings: Settings) -> Path:
    return settings.var / "live"


def make_overlay(settings: Settings) -> Path:
    """Make the files that are missing, empty; return the folder.

    What is there stays as it is: a file that cannot be read closes the door, and only a person
    may open it.
    """
    folder = live_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _FILES.items():
        if not (folder / name).exists():
            _replace(folder / name, text)
    return folder


def withdrawn(settings: Settings) -> dict[str, str]:
    """Return the withdrawn records, such as `publication:x`, with the reason of each.

    Raises NightpressError when the file is not as it was written.
    """
    file = live_folder(settings) / "withdrawn.json"
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise _broken(file, str(error)) from error
    if not isinstance(found, dict) or found.get("version") != 1:
        raise _broken(file, "it is not of version 1")
    records = found.get("withdrawn")
    if not isinstance(records, list) or not all(isinstance(r, str) and ":" in r for r in records):
        raise _broken(file, "it holds no list of records")
    # Why somebody's work is gone is nothing for the public file.
    lines = (live_folder(settings) / "withdrawn.txt").read_text("utf-8").splitlines()
    reasons = dict(line.split(" ", 1) for line in lines if " " in line)
    return {r: reasons.get(record_url(*r.split(":", 1)), REASONS[0]) for r in records}


def addresses_of(record: str) -> tuple[str, ...]:
    """Return what a withdrawal of `type:id` closes: its page, with all below it, its citations.

    All end in a slash, those of files too, as Apache looks them up.
    """
    record_type, record_id = record.split(":", 1)
    page = record_url(record_type, record_id)
    if record_type != "publication":
        return (page,)
    return (page, *(f"/citations/{slug(record_id)}.{ending}/" for ending in CITATIONS))


def withdraw(settings: Settings, record: str, reason: str = REASONS[0]) -> bool:
    """Answer 410 for a record's page and all below it from now on; False: it was so already.

    `record` is `type:id`. Raises NightpressError for a type that has no pages or an unknown
    reason.
    """
    _check(record, reason)
    with _alone(settings):
        records = withdrawn(settings)
        if records.get(record) == reason:
            spread(settings, "withdrawn.txt", "withdrawn.json")  # a node may have missed it
            return False
        _write(settings, {**records, record: reason})
        return True


def restore(settings: Settings, record: str) -> bool:
    """Take a record's withdrawal back; return whether there was one."""
    with _alone(settings):
        records = withdrawn(settings)
        was = records.pop(record, None) is not None
        _write(settings, records)
        return was


def notice(settings: Settings) -> Notice:
    """Return the site's notice; an empty text means none."""
    file = live_folder(settings) / "notice.json"
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        return Notice()
    except ValueError as error:
        raise _broken(file, str(error)) from error
    return Notice(str(found.get("text", "")), str(found.get("since", "")))


def set_notice(settings: Settings, text: str) -> Notice:
    """Show a line on every page from now on; an empty one takes it away."""
    since = datetime.now(UTC).isoformat(timespec="seconds") if text else ""
    make_overlay(settings)
    facts = {"version": 1, "text": text, "since": since}
    _replace(live_folder(settings) / "notice.json", json.dumps(facts, ensure_ascii=False) + "\n")
    spread(settings, "notice.json")
    return Notice(text, since)


def spread(settings: Settings, *names: str) -> None:
    """Bring files of the overlay to all nodes that LIVE_FOLDERS names.

    Raises NightpressError that names the nodes which could not be reached, after the others.
    """
    missed = []
    for place in settings.live_folders:
        folder = settings.site / place
        try:
            if not folder.is_dir():  # not mounted: nothing may be written beside it
                raise FileNotFoundError(f"{folder} is not there")
            for name in names:
                _replace(folder / name, (live_folder(settings) / name).read_text("utf-8"))
        except OSError as error:
            missed.append(f"{folder} ({error})")
    if missed:
        raise NightpressError(
            f"Done here, but not on every node: {'; '.join(missed)}.",
            hint="Run the same command again when the node is back.",
        )


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Wait until nobody else changes the overlay. A night's own lock does not matter here."""
    folder = make_overlay(settings)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _check(record: str, reason: str) -> None:
    record_type, colon, record_id = record.partition(":")
    if not colon or record_type not in PLURALS or not record_id:
        raise NightpressError(
            f"{record!r} names no record that has a page.",
            hint=f"Write it as type:id; the types are {', '.join(PLURALS)}.",
        )
    if reason not in REASONS:
        raise NightpressError(f"{reason!r} is no reason: {', '.join(REASONS)} are.")


def _write(settings: Settings, records: Mapping[str, str]) -> None:
    folder = make_overlay(settings)
    lines = sorted((url, why) for record, why in records.items() for url in addresses_of(record))
    # The map comes first: it closes the page, the other only hides it from the search.
    _replace(folder / "withdrawn.txt", "".join(f"{url} {why}\n" for url, why in lines))
    facts = {"version": 1, "withdrawn": sorted(records)}
    _replace(folder / "withdrawn.json", json.dumps(facts, ensure_ascii=False) + "\n")
    spread(settings, "withdrawn.txt", "withdrawn.json")


def _replace(file: Path, text: str) -> None:
    """Replace a file in one step, with a time of change later than the one before.

    Apache keeps what it looked up until the file's time is later; two changes within one tick
    of the file system's clock would look the same.
    """
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.chmod(0o644)
        with contextlib.suppress(FileNotFoundError):
            before = file.stat().st_mtime_ns
            if fresh.stat().st_mtime_ns <= before:
                os.utime(fresh, ns=(before + 1_000_000, before + 1_000_000))
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def _broken(file: Path, why: str) -> NightpressError:
    return NightpressError(f"{file} cannot be used: {why}.", hint="Put it right by hand.")
