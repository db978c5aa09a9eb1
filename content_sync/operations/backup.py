"""Backup: what cannot be made again, in one file that is whole or not there.

A tar archive whose last member, `backup.json`, lists all others with their digests: an archive
that was cut off has none. Databases are copied as of one moment each, while they are in use. The
lists that only grow (withdrawn CVs, the overlay) come last, so that what was withdrawn while the
backup ran is withdrawn in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from content_sync import __version__
from content_sync.errors import ConfigurationError, NightpressError
from content_sync.settings import Settings
from dynamic.cv.stores import NAME, Store, open_store
from dynamic.settings import ServiceSettings, read_service_settings

VERSION = 1
LIST = "backup.json"
CVS = "cv-store/"
DUMP = "service.pgdump"
DENIED = "var/cvbook-denied.txt"
DATABASES = (
    "var/history.sqlite",
    "var/agent.sqlite",
    "var/service.sqlite",
    "var/signin/signin.sqlite",
)
"""SQLite databases that cannot be made again; those that are not there are left out."""
FOLDERS = ("content", "templates", "theme", "var/secrets", "var/live")
"""Copied as they stand, without hidden files; the overlay last."""
FILES = ("pelicanconf.py", "var/publishing-locked.json", DENIED)


class BackupError(NightpressError):
    """A backup cannot be made, or cannot be restored."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What was put into a backup."""

    file: Path
    size: int
    members: int
    cvs: int


def back_up(settings: Settings, target: Path) -> Backup:
    """Write a backup into the folder `target`, readable by its owner alone.

    Raises BackupError; there is then no file. Builds may run meanwhile.
    """
    service = read_service_settings(settings.site, answers=False)
    name = datetime.now(UTC).strftime("nightpress-%Y%m%dT%H%M%SZ.tar")
    file = target / name
    part = target / f"{name}.part"
    try:
        target.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
                writer = _Writer(archive)
                cvs = _fill(settings, service, writer)
                writer.finish(settings)
            stream.flush()
            os.fsync(stream.fileno())
        part.rename(file)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise BackupError(f"The backup {file} cannot be made: {error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return Backup(file, file.stat().st_size, len(writer.members), cvs)


def sqlite_service(service: ServiceSettings) -> bool:
    """Tell whether the service keeps its data in `var/service.sqlite`."""
    return service.database_url == f"sqlite:///{(service.var / 'service.sqlite').as_posix()}"


def pg_address(service: ServiceSettings) -> str:
    """Return the service's database as PostgreSQL's own programs take it.

    Raises BackupError for a database of another kind, which has a backup of its own.
    """
    scheme, _, rest = service.database_url.partition("://")
    if not scheme.startswith("postgresql"):
        raise BackupError(
            f"The service's database ({scheme}) is none that Nightpress can back up.",
            hint="Use the server's own backup for it, and copy the rest of var/.",
        )
    return f"postgresql://{rest}"


class _Writer:
    def __init__(self, archive: tarfile.TarFile) -> None:
        self.archive = archive
        self.members: dict[str, dict[str, object]] = {}

    def add(self, name: str, stream: IO[bytes], size: int, changed: float) -> None:
        """Add a member; its bytes are hashed on their way."""
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, int(changed), 0o600
        hashed = _Hashed(stream)
        self.archive.addfile(member, hashed)
        self.members[name] = {"size": size, "sha256": hashed.digest.hexdigest()}

    def add_file(self, name: str, file: Path) -> None:
        with file.open("rb") as stream:
            facts = os.fstat(stream.fileno())
            self.add(name, stream, facts.st_size, facts.st_mtime)

    def finish(self, settings: Settings) -> None:
        facts = {
            "version": VERSION,
            "engine": __version__,
            "site": settings.sitename,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "members": self.members,
        }
        data = json.dumps(facts, indent=1, ensure_ascii=False).encode()
        member = tarfile.TarInfo(LIST)
        member.size, member.mode, member.mtime = len(data), 0o600, int(time.time())
        self.archive.addfile(member, io.BytesIO(data))


class _Hashed:
    """A stream that is hashed while tarfile reads it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        return data


def _fill(settings: Settings, service: ServiceSettings, writer: _Writer) -> int:
    with tempfile.TemporaryDirectory(dir=_scratch(settings), prefix="backup-") as temporary:
        for name in DATABASES:
            file = settings.site / name
            if file.is_file() and (name != "var/service.sqlite" or sqlite_service(service)):
                copy = Path(temporary) / "copy.sqlite"
                _copy_database(file, copy)
                writer.add_file(name, copy)
                copy.unlink()
        if not sqlite_service(service):
            dump = Path(temporary) / DUMP
            run_program("pg_dump", "--format=custom", f"--file={dump}", pg_address(service))
            writer.add_file(DUMP, dump)
        cvs = _add_cvs(open_store(service), writer, Path(temporary))
    for folder in FOLDERS:
        for file in _files(settings.site / folder):
            writer.add_file(file.relative_to(settings.site).as_posix(), file)
    for name in FILES:
        if (settings.site / name).is_file():
            writer.add_file(name, settings.site / name)
    return cvs


def _scratch(settings: Settings) -> Path:
    settings.var.mkdir(parents=True, exist_ok=True)
    return settings.var


def _copy_database(file: Path, copy: Path) -> None:
    """Copy an SQLite database as of one moment, and see that the copy is sound."""
    with (
        contextlib.closing(sqlite3.connect(file, timeout=60)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        (said,) = target.execute("PRAGMA quick_check").fetchone()
    if said != "ok":
        raise BackupError(f"{file} is damaged: {said}.", hint="Restore it from an older backup.")


def _add_cvs(store: Store, writer: _Writer, scratch: Path) -> int:
    count = 0
    for stored in store.list():
        if not NAME.fullmatch(stored.name):
            continue  # one that is just arriving
        copy = scratch / "cv"
        try:
            with contextlib.closing(store.open(stored.name)) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
        except FileNotFoundError:
            continue  # withdrawn in this moment
        writer.add_file(f"{CVS}{stored.name}", copy)
        count += 1
    return count


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.is_file() and not file.is_symlink() and not hidden:
            yield file


def run_program(program: str, *words: str) -> None:
    """Run a program of PostgreSQL. Raises BackupError with the last line that it says."""
    if shutil.which(program) is None:
        raise ConfigurationError(
            f"{program} is not installed.", hint="It comes with PostgreSQL's client programs."
        )
    done = subprocess.run([program, *words], capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise BackupError(f"{program}: {lines[-1]}")
