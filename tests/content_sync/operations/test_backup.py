"""Backup and restore: onto a clean machine, and without bringing back what was taken away."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tarfile
from pathlib import Path

import pytest

from content_sync.agent import publishing_acts as acts
from content_sync.errors import NightpressError
from content_sync.operations import overlay
from content_sync.operations.backup import back_up
from content_sync.operations.restore import restore
from content_sync.settings import Settings, read_settings
from deploy.signin.block import block, blocked
from tests.content_sync.agent.conftest import built_site, nightpress, settings
from tests.content_sync.agent.test_agent import a_publication, edit
from tests.postgresql import postgresql_server

__all__ = ["built_site", "settings"]


@pytest.fixture
def with_cvs(settings: Settings) -> Settings:
    nightpress(settings, "cv", "demo")
    assert stored(settings)
    return settings


def stored(settings: Settings) -> dict[str, bytes]:
    folder = settings.var / "cv-store"
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*"))}


def students(settings: Settings) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(settings.var / "service.sqlite")) as connection:
        return connection.execute("SELECT email, object FROM cvs ORDER BY email").fetchall()


def ledger(settings: Settings) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(settings.history)) as connection:
        return connection.execute("SELECT path, record FROM urls ORDER BY path").fetchall()


def test_a_clean_machine_is_as_the_old_one_was(with_cvs: Settings, tmp_path: Path) -> None:
    old = with_cvs
    gone = a_publication(old)
    edit(old, "DELETE FROM publications WHERE id = ?", gone)
    nightpress(old, "nightly", "--accept")
    withdrawn = f"publication:{a_publication(old)}"
    acts.withdraw(old, withdrawn, "legal", "u-1", "Patent pending")
    block(old.var / "live", "a-subject")
    done = back_up(old, tmp_path / "backups")
    assert done.file.stat().st_mode & 0o777 == 0o600
    assert done.cvs == len(stored(old))

    # Another machine: the site's folder is gone, only the source and the backup are left.
    source = tmp_path / "source.sqlite"
    shutil.copyfile(old.demo_source, source)
    clean = tmp_path / "clean"
    said = restore(done.file, clean)
    assert (said.cvs, said.kept_away) == (done.cvs, 0)
    new = read_settings(clean)
    assert stored(new) == stored(old)
    assert students(new) == students(old)
    assert ledger(new) == ledger(old)
    assert overlay.withdrawn(new) == {withdrawn: "legal"}
    assert blocked(new.var / "live") == ["a-subject"]
    assert "Patent pending" in nightpress(new, "audit")
    shutil.copyfile(source, new.demo_source)
    shutil.copytree(old.var / "demo-files", new.var / "demo-files")
    nightpress(new, "nightly")
    nightpress(new, "check", "--full")
    assert gone in (new.output / "current/gone.txt").read_text().upper().replace("_U/", "")
    assert dict(ledger(new)) == dict(ledger(old))


def test_a_withdrawn_cv_does_not_come_back(with_cvs: Settings, tmp_path: Path) -> None:
    archive = back_up(with_cvs, tmp_path / "backups").file
    before = stored(with_cvs)
    (email, name), *others = students(with_cvs)
    nightpress(with_cvs, "privacy", "erase", email, "--yes")
    assert name not in stored(with_cvs)
    newer = tmp_path / "cvbook-denied.txt"
    shutil.copyfile(with_cvs.var / "cvbook-denied.txt", newer)

    # Into the same folder, which knows of the withdrawal.
    with pytest.raises(NightpressError, match="--replace"):
        restore(archive, with_cvs.site)
    said = restore(archive, with_cvs.site, replace=True)
    assert said.kept_away == 1
    assert students(with_cvs) == others
    assert stored(with_cvs) == {n: b for n, b in before.items() if n != name}
    nightpress(with_cvs, "cv", "book")
    assert email not in "".join(
        file.read_text("utf-8") for file in (with_cvs.var / "cvbook").rglob("*.html")
    )

    # Onto a clean machine, with the newer list saved from the old one.
    clean = tmp_path / "clean"
    assert restore(archive, clean, denied=newer).kept_away == 1
    assert students(read_settings(clean)) == others
    assert name not in stored(read_settings(clean))


def test_a_record_that_was_withdrawn_since_stays_withdrawn(
    settings: Settings, tmp_path: Path
) -> None:
    archive = back_up(settings, tmp_path / "backups").file
    record = f"publication:{a_publication(settings)}"
    acts.withdraw(settings, record, "legal", "u-1", "Patent pending")
    restore(archive, settings.site, replace=True)
    assert overlay.withdrawn(settings) == {record: "legal"}


def test_a_damaged_backup_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    archive = back_up(settings, tmp_path / "backups").file
    data = archive.read_bytes()
    with tarfile.open(archive) as opened:
        at = opened.getmember("var/history.sqlite").offset_data + 5000
    cut, bent, foreign = (tmp_path / name for name in ("cut.tar", "bent.tar", "foreign.tar"))
    cut.write_bytes(data[: len(data) * 2 // 3])
    bent.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with tarfile.open(foreign, "w") as archive_:
        archive_.add(settings.pelicanconf, "../outside.py")
    clean = tmp_path / "clean"
    for file in (cut, bent, foreign, tmp_path / "missing.tar"):
        with pytest.raises(NightpressError):
            restore(file, clean)
        assert not clean.exists()
    assert not (tmp_path / "outside.py").exists()


@pytest.mark.needs("postgresql")
def test_a_service_in_postgresql_comes_back_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.content_sync.agent.conftest import ENVIRONMENT

    with postgresql_server() as url:
        monkeypatch.setenv("NIGHTPRESS_SERVICE_DATABASE", url)
        monkeypatch.setitem(ENVIRONMENT, "NIGHTPRESS_SERVICE_DATABASE", url)
        nightpress(settings, "service", "migrate")
        nightpress(settings, "cv", "demo")
        archive = back_up(settings, tmp_path / "backups").file
        email = "ada.lovelace@nowhere.example"
        shutil.rmtree(settings.var / "cv-store")
        said = nightpress(settings, "privacy", "export", email, "--to", str(tmp_path / "a.json"))
        assert said is not None
        restored = restore(archive, settings.site, replace=True)
        assert restored.cvs == len(stored(settings)) > 0
