"""Which release is live: one step forward, one step back.

On POSIX systems `output/current` is a symbolic link, and a fresh one is moved over it. On
Windows, where links need a privilege and Apache keeps folders open, `output/current.conf` is
an include file that defines NIGHTPRESS_RELEASE; Apache follows at its next graceful restart.
`output/current.txt` repeats the number there for scripts and decides nothing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

from content_sync.errors import ReleaseError
from content_sync.release import history, manifest
from content_sync.release.earlier import write_earlier
from content_sync.release.releases import (
    Release,
    is_complete,
    live,
    read_pointer,
    releases,
    releases_folder,
)
from content_sync.release.spare import find_spare, keep_as_spare
from content_sync.release.stage import Stage, staged
from content_sync.settings import Settings


def publish(settings: Settings, stage: Stage) -> Release:
    """Make a finished stage the live release and enter its URLs into the history.

    Raises ReleaseError when the stage is not finished or a step fails; the live site and the
    stage are then as they were. A run killed half-way leaves the old release or the new one
    live, whole in both cases; the next run enters into the history what is missing there.
    """
    stage.close()
    if not is_complete(stage.root):
        raise ReleaseError(
            f"Release {stage.number} is not finished.", hint="Run 'nightpress build' first."
        )
    catch_up(settings)
    before = read_pointer(settings.output)
    release = Release(stage.number, releases_folder(settings) / str(stage.number))
    with _told(f"Release {stage.number} cannot be published"):
        changed = _changed(stage, before)
        if changed is None or len(changed) > _MANY:
            _flush(stage.root)
        else:
            _flush_files(stage.root, changed)
        try:
            stage.root.rename(release.root)
            _flush_folder(release.root.parent)
            with history.open_history(settings.history) as connection:
                history.record(connection, release)
                write_earlier(settings)
                point(settings.output, release)
        except BaseException:
            _take_back(settings, stage, release, before)
            raise
    return release


_MANY = 500
"""So many files are brought to the disk one by one no sooner than all at once."""


def _changed(stage: Stage, before: int | None) -> list[str] | None:
    """The files that may differ from the live release; None where nobody knows them."""
    with manifest.Manifest(stage.manifest_file) as listing:
        is_known = before is not None and listing.upon() == before
        return listing.touched() if is_known else None


def rollback(settings: Settings) -> Release:
    """Go back to the release that was live before, and return it.

    The release left behind is neither built upon nor gone back to later, unless it is named.
    Raises ReleaseError when there is none to go back to.
    """
    current = live(settings)
    if current is None:
        raise ReleaseError("There is no live release to go back from.")
    with _told("The history cannot be read"), history.open_history(settings.history) as connection:
        unfit = history.rolled_back(connection) | history.never_live(connection)
    earlier = [r for r in releases(settings) if r.number < current.number]
    good = [r for r in earlier if r.number not in unfit]
    if not good:
        raise ReleaseError(
            f"There is no earlier release than {current.number} to go back to.",
            hint="Name one with --to." if earlier else "Keep more with RELEASES_KEPT.",
        )
    return _go_back(settings, current, good[-1])


def switch_to(settings: Settings, number: int) -> Release:
    """Make the complete release `number` live, which counts as good from then on.

    When it is an earlier one, the live release counts as rolled back.
    Raises ReleaseError when it is not on disk.
    """
    wanted = next((r for r in releases(settings) if r.number == number), None)
    if wanted is None:
        kept = ", ".join(str(r.number) for r in releases(settings)) or "none"
        raise ReleaseError(f"Release {number} is not on disk.", hint=f"There are: {kept}.")
    current = live(settings)
    if current and number < current.number:
        return _go_back(settings, current, wanted)
    with (
        _told(f"Release {number} cannot be made live"),
        history.open_history(settings.history) as connection,
    ):
        history.clear_rolled_back(connection, number)
        if not history.is_recorded(connection, number):
            history.record(connection, wanted)
        write_earlier(settings)
        point(settings.output, wanted)
    return wanted


def prune(settings: Settings, *, quickly: bool = False) -> list[int]:
    """Remove old releases and return their numbers; the newest of them becomes the spare.

    With `quickly` they stay until the next night where files would have to be taken away, which
    takes minutes for a large site.

    Kept are the live one, the newest good ones before it up to `settings.releases_kept` in
    all, the base of a stage, and what is newer than the live one (rolled back, to be looked at).
    """
    _remove_half_removed(settings)
    current = live(settings)
    if current is None:
        return []
    with history.open_history(settings.history) as connection:
        unfit = history.rolled_back(connection) | history.never_live(connection)
    found = releases(settings)
    good = [r.number for r in found if r.number < current.number and r.number not in unfit]
    kept = {current.number, *good[::-1][: settings.releases_kept - 1]}
    stage = staged(settings)
    if stage and stage.base:
        kept.add(stage.base.number)
    doomed = [r for r in found if r.number < current.number and r.number not in kept]
    if quickly and (len(doomed) > 1 or find_spare(releases_folder(settings))):
        return []
    for release in doomed[:-1]:
        remove(release)
    if doomed and not keep_as_spare(doomed[-1]):
        remove(doomed[-1])
    if doomed:
        write_earlier(settings)
    return [release.number for release in doomed]


def remove(release: Release) -> None:
    """Remove a release that is not live. Killed half-way, the next run removes the rest."""
    # Renamed first: a release that is half removed must not be taken for a whole one.
    going = release.root.with_name(f"{release.number}.removed")
    release.root.rename(going)
    shutil.rmtree(going)


def catch_up(settings: Settings) -> None:
    """Enter the live release into the history where a run was killed before it did."""
    current = live(settings)
    if current is None:
        return
    with (
        _told("The history cannot be written"),
        history.open_history(settings.history) as connection,
    ):
        if not history.is_recorded(connection, current.number):
            history.record(connection, current)


def point(output: Path, release: Release) -> None:
    """Make `release` the one that readers see, in one step."""
    if os.name == "nt":
        point_include(output, release)
    else:
        point_link(output, release)


def point_link(output: Path, release: Release) -> None:
    fresh = output / "current.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path("releases") / str(release.number), target_is_directory=True)
    fresh.replace(output / "current")
    _flush_folder(output)


def point_include(output: Path, release: Release) -> None:
    folder = release.root.resolve().as_posix()
    _replace_text(output / "current.conf", f'Define NIGHTPRESS_RELEASE "{folder}"\n')
    _replace_text(output / "current.txt", f"{release.number}\n")


def _go_back(settings: Settings, current: Release, target: Release) -> Release:
    # The mark comes first: killed in between, the live release is only not built upon.
    # A history that cannot be written (a full disk) must not hold up the way back.
    with (
        contextlib.suppress(sqlite3.Error, OSError),
        history.open_history(settings.history) as connection,
    ):
        if not history.is_recorded(connection, current.number):
            history.record(connection, current)
        history.mark_rolled_back(connection, current.number)
        history.clear_rolled_back(connection, target.number)
    with _told(f"Release {target.number} cannot be made live"):
        point(settings.output, target)
    return target


def _take_back(settings: Settings, stage: Stage, release: Release, before: int | None) -> None:
    """Undo what a failed publication did to the folders, as far as it can be undone."""
    with contextlib.suppress(OSError):
        if before is not None and read_pointer(settings.output) == release.number:
            point(settings.output, Release(before, release.root.with_name(str(before))))
        elif before is None:
            for name in ("current", "current.conf", "current.txt"):
                (settings.output / name).unlink(missing_ok=True)
    if read_pointer(settings.output) != release.number and release.root.exists():
        with contextlib.suppress(OSError):
            release.root.rename(stage.root)


def _remove_half_removed(settings: Settings) -> None:
    """Remove releases whose removal was cut short."""
    for folder in releases_folder(settings).glob("*.removed"):
        shutil.rmtree(folder)


def _replace_text(file: Path, text: str) -> None:
    fresh = file.with_name(file.name + ".new")
    with fresh.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)


def _flush(root: Path) -> None:
    """Bring all that was staged on to the disk before anything points to it."""
    if hasattr(os, "sync"):
        os.sync()  # one call for 200,000 files
        return
    for name in ("manifest.sqlite", "release.json"):  # Windows: pages follow in its own time
        with (root / name).open("r+b") as file:
            os.fsync(file.fileno())


def _flush_files(root: Path, paths: Collection[str]) -> None:
    """Bring a few files, and the folders that name them, on to the disk."""
    folders = {root}
    for path in (*paths, "manifest.sqlite", "release.json"):
        file = root / path
        if not file.exists():
            continue  # one that is gone
        with file.open("rb" if os.name != "nt" else "r+b") as opened:
            os.fsync(opened.fileno())
        folders.add(file.parent)
    for folder in folders:
        _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # NTFS journals its folders; they cannot be opened for this
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn failures of disk and database into one line for the user."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise ReleaseError(f"{what}: {error}.", hint="The live site is as it was.") from error
