"""Restore a backup into a site folder, without bringing back what was taken away since.

The archive is read once and every digest compared before anything changes. The list of withdrawn
CVs and the overlay's list of withdrawn records are joined with those that are there: what either
has stays away. A CV that stands in the list is not even written into the store.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from content_sync.errors import ConfigurationError
from content_sync.lock import lock
from content_sync.operations import overlay
from content_sync.operations.backup import (
    CVS,
    DATABASES,
    DENIED,
    DUMP,
    FILES,
    FOLDERS,
    LIST,
    VERSION,
    BackupError,
    pg_address,
    run_program,
    sqlite_service,
)
from content_sync.settings import Settings, read_settings
from deploy.signin.block import block, blocked
from dynamic.cv.gate import digest_of, read_denied
from dynamic.cv.stores import NAME, Store, open_store
from dynamic.settings import read_service_settings


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    made: str
    members: int
    cvs: int
    kept_away: int
    """CVs of the backup that were withdrawn since and stay away."""


def restore(
    archive: Path, site: Path, *, replace: bool = False, denied: Path | None = None
) -> Restored:
    """Restore `archive` into the folder `site` and return what was done.

    `denied` is a newer list of withdrawn CVs, saved from elsewhere. Raises BackupError or
    ConfigurationError before anything has changed where the archive is not whole, or where the
    folder holds a site and `replace` does not say that its state is to be put away.
    """
    with _opened(archive) as opened:
        facts = _verify(archive, opened)
        names: dict[str, dict[str, Any]] = facts["members"]
        if (site / "var/history.sqlite").exists() and not replace:
            raise ConfigurationError(
                f"{site} holds a site.", hint="Name an empty folder, or say --replace."
            )
        site.mkdir(parents=True, exist_ok=True)
        kept = _before(site, denied)
        if not (site / "pelicanconf.py").is_file():
            _extract(opened, "pelicanconf.py", site / "pelicanconf.py")
        settings = read_settings(site)
        with lock(settings, "restore"):
            for name in sorted(names):
                if not name.startswith(CVS) and name not in (DUMP, "pelicanconf.py"):
                    _extract(opened, name, site / name)
            _join(settings, kept)
            service = read_service_settings(site, answers=False)
            if DUMP in names:
                with tempfile.TemporaryDirectory(dir=settings.var) as folder:
                    dump = Path(folder) / DUMP
                    _extract(opened, DUMP, dump)
                    words = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
                    run_program("pg_restore", *words, f"--dbname={pg_address(service)}", str(dump))
            away = _away(settings) if sqlite_service(service) else set()
            cvs = _bring_cvs(opened, names, open_store(service), away)
    _finish_withdrawals(site)
    return Restored(str(facts["made"]), len(names), cvs, len(away))


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:") as opened:
            yield opened
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{archive} cannot be read: {error}.") from error
    except FileNotFoundError as error:
        if error.filename == str(archive):
            raise BackupError(f"There is no file {archive}.") from error
        raise


def _verify(archive: Path, opened: tarfile.TarFile) -> dict[str, Any]:
    """Return the list of members; raise BackupError unless all are there as they were written."""
    found: dict[str, dict[str, object]] = {}
    facts: dict[str, Any] | None = None
    for member in opened:
        stream = opened.extractfile(member)
        if stream is None or not _is_ours(member.name):
            raise BackupError(f"{archive} holds {member.name!r}, which no backup has.")
        if member.name == LIST:
            facts = json.loads(stream.read())
            continue
        digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        found[member.name] = {"size": member.size, "sha256": digest}
    if facts is None:
        raise BackupError(f"{archive} is cut off.", hint="Take another one.")
    if facts.get("version") != VERSION:
        raise BackupError(f"{archive} is of version {facts.get('version')}, not {VERSION}.")
    if found != facts["members"]:
        wrong = sorted(
            n for n in {*found, *facts["members"]} if found.get(n) != facts["members"].get(n)
        )
        raise BackupError(
            f"{archive} is damaged: {', '.join(wrong[:5])}.", hint="Take another one."
        )
    return facts


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    if path.is_absolute() or {"..", ""} & set(path.parts):
        return False
    if name.startswith(CVS):
        return NAME.fullmatch(name.removeprefix(CVS)) is not None
    known = {*DATABASES, *FILES, DUMP, LIST}
    return name in known or any(name.startswith(f"{folder}/") for folder in FOLDERS)


def _extract(opened: tarfile.TarFile, name: str, target: Path) -> None:
    """Write a member to its place in one step."""
    stream = opened.extractfile(name)
    assert stream is not None
    target.parent.mkdir(parents=True, exist_ok=True)
    if name.startswith("var/secrets"):
        target.parent.chmod(0o700)
    fresh = target.with_name(f".{target.name}.restored")
    with fresh.open("wb") as file:
        shutil.copyfileobj(stream, file)
    private = name.startswith(("var/secrets", CVS)) or name in DATABASES
    fresh.chmod(0o600 if private else 0o644)
    for ending in ("-wal", "-shm", "-journal"):
        target.with_name(target.name + ending).unlink(missing_ok=True)
    fresh.replace(target)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the folder knew before, and must not forget."""

    denied: tuple[str, ...]
    withdrawn: dict[str, str]
    blocked: tuple[str, ...]


def _before(site: Path, denied: Path | None) -> _Kept:
    lines: list[str] = []
    for file in (site / DENIED, denied):
        if file is not None and file.is_file():
            lines += file.read_text("utf-8").splitlines()
        elif file is not None and file is denied:
            raise ConfigurationError(f"There is no file {denied}.")
    withdrawn: dict[str, str] = {}
    if (site / "pelicanconf.py").is_file():
        withdrawn = overlay.withdrawn(read_settings(site))
    return _Kept(tuple(lines), withdrawn, tuple(blocked(site / "var/live")))


def _join(settings: Settings, kept: _Kept) -> None:
    """Let what was withdrawn or blocked, before or in the backup, stay so."""
    file = settings.site / DENIED
    restored = file.read_text("utf-8").splitlines() if file.is_file() else []
    lines = sorted({*restored, *kept.denied})  # each begins with its time
    if lines:
        fresh = file.with_name(f".{file.name}.joined")
        fresh.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        fresh.replace(file)
    for record, reason in kept.withdrawn.items():
        overlay.withdraw(settings, record, reason)
    for subject in kept.blocked:
        block(settings.var / "live", subject)


def _away(settings: Settings) -> set[str]:
    """Return the files of CVs that the restored database has and the list says are withdrawn."""
    database = settings.var / "service.sqlite"
    if not database.is_file():
        return set()
    gone = {
        digest
        for (digest, company), word in read_denied(settings.var).items()
        if word == "withdrawn" and company == "*"
    }
    with contextlib.closing(sqlite3.connect(database)) as connection:
        try:
            rows = connection.execute("SELECT id, object FROM cvs").fetchall()
        except sqlite3.OperationalError:
            return set()  # a service that never took CVs
    return {name for cv_id, name in rows if digest_of(cv_id) in gone}


def _bring_cvs(
    opened: tarfile.TarFile, names: dict[str, dict[str, Any]], store: Store, away: set[str]
) -> int:
    there = {stored.name for stored in store.list()}
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, facts in names.items():
            cv = name.removeprefix(CVS)
            if not name.startswith(CVS) or cv in away or cv in there:
                continue
            copy = Path(folder) / "cv"
            _extract(opened, name, copy)
            store.put(cv, copy, sha256=facts["sha256"])
            count += 1
    return count


def _finish_withdrawals(site: Path) -> None:
    """Have the service remove rows of CVs that were withdrawn since, with their files."""
    from dynamic.commands import beside_the_night
    from dynamic.cv.upkeep import purge_returned

    said = beside_the_night(site, purge_returned)
    if said:
        raise BackupError(
            f"Restored, but not finished: {said}", hint="Run 'nightpress cv tend' before the night."
        )
