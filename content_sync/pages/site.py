"""Build a whole site into a stage: Pelican's own pages and the pages of records."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from content_sync import __version__
from content_sync.errors import ConfigurationError
from content_sync.pages.build import Build, BuildReport, Progress, today_in
from content_sync.pages.scope import look_at
from content_sync.pages.service_file import SERVICE_FILE
from content_sync.pages.staff import write_staff
from content_sync.release.compress import RECIPE, compress_pages, compressing_ahead
from content_sync.release.departed import settle
from content_sync.release.stage import Stage, live, open_stage, write_file
from content_sync.settings import Settings

Prove = Callable[[Path, str], dict[str, Any]]
"""Given the folder of a release and its date, tells whether it shows what the source holds."""


def build_site(
    settings: Settings,
    *,
    full: bool = False,
    progress: Progress | None = None,
    prove: Prove | None = None,
) -> tuple[BuildReport, int]:
    """Build a new release that is not live yet; return the report and its number.

    Without `full` only pages are looked at that the syncs since the last release touched.
    `prove` is asked, when all pages are there, whether they show what the source holds; what
    it returns stands in release.json and on the staff's page.
    Raises BuildError; the unfinished release is removed, the live one is as it was.
    """
    from content_sync.pages.generator import run_pelican

    inputs = inputs_of(settings)
    stage = open_stage(settings)
    try:
        build = _begin(settings, stage, full=full, progress=progress)
        if not settings.siteurl and not build.is_demo:
            raise ConfigurationError(
                "SITEURL is not set, and the records are real.",
                hint="Set it in pelicanconf.py to the public address of the site.",
            )
        run_pelican(settings.pelicanconf, {"OUTPUT_PATH": str(stage.root / "public")}, build)
        _finish(settings, stage, build, inputs, prove or not_compared)
    except BaseException:
        stage.discard()
        raise
    return build.report, stage.number


def why_not_in_part(settings: Settings) -> str:
    """Return why a build of a few pages alone is impossible; nothing if it is possible."""
    release = live(settings)
    if release is None:
        return "nothing is published yet"
    if release.info().get("inputs") != inputs_of(settings):
        return "settings, prose, theme or program have changed"
    return ""


def build_part(
    settings: Settings, records: Sequence[tuple[str, str]], *, progress: Progress | None = None
) -> tuple[BuildReport, Stage]:
    """Build the pages that the syncs since the live release touched, and nothing else.

    `records` are those that this is for. What machines read, dumps and feeds, stays as it was
    until the next whole build, which is told so. Raises WholeBuildNeeded where only that can
    tell what changed, BuildError or ReleaseError; nothing is then left of it.
    """
    from content_sync.pages.generator import run_records

    inputs = inputs_of(settings)
    stage = open_stage(settings, part=True)
    try:
        build = _begin(settings, stage, progress=progress)
        build.files_of = tuple(one for kind, one in records if kind == "publication")
        run_records(settings.pelicanconf, {"OUTPUT_PATH": str(stage.root / "public")}, build)
        shutil.rmtree(stage.root / "public/assets")  # as they are in the copy
        _finish_part(settings, stage, build, inputs)
    except BaseException:
        stage.discard()
        raise
    return build.report, stage


def _begin(
    settings: Settings, stage: Stage, *, full: bool = False, progress: Progress | None = None
) -> Build:
    trees = {audience: stage.root / audience for audience in ("public", "members")}
    for tree in trees.values():
        tree.mkdir()
    return Build(
        settings,
        stage=stage,
        trees=trees,
        today=today_in(settings.timezone),
        full=full,
        progress=progress,
    )


def _finish_part(settings: Settings, stage: Stage, build: Build, inputs: str) -> None:
    assert stage.base is not None
    assert build.scope is not None
    before = stage.base.info()
    shared = stage.share()
    build.report.shared = shared.linked + shared.copied
    stage.add([write_file(stage.root, SERVICE_FILE, build.service_file())])
    if any((entry is None) is stage.base_has(path) for path, entry in stage.touched()):
        settle(  # what is there is not what was there
            settings,
            stage,
            build.render_gone,
            gone_key=build.gone_key(),
            also_gone=build.withdrawn_urls(),
        )
    compress_pages(settings, stage)
    behind = before.get("machines_behind", {})
    stage.write_release(
        {
            **before,
            "built": datetime.now(UTC).isoformat(timespec="seconds"),
            "sync": int(build.state["sync"]),
            "date": build.today,
            "inputs": inputs,
            "state": build.state,
            "counts": build.counts(),
            "machines_behind": {
                kind: sorted({*behind.get(kind, ()), *ids})
                for kind, ids in build.scope.items()
                if ids and kind != "section"
            },
        }
    )
    stage.finish()
    build.close()


def not_compared(root: Path, date: str) -> dict[str, Any]:
    """Return what stands where nobody asked the source again."""
    return {
        "state": "not compared",
        "says": "Not compared with the source: only 'nightpress nightly' does that.",
        "at": "",
        "sampled": 0,
        "views": [],
        "findings": [],
        "not_shown": [],
    }


def _finish(settings: Settings, stage: Stage, build: Build, inputs: str, prove: Prove) -> None:
    from content_sync.machines.write import write_machines  # which a part does not need

    shared = stage.share()
    build.report.shared = shared.linked + shared.copied
    completeness = prove(stage.root, build.today)
    write_staff(build, stage.root / "staff", completeness)
    stage.add([write_file(stage.root, SERVICE_FILE, build.service_file())])
    # What Pelican wrote: upon a base, sharing has found it already.
    stage.adopt("staff" if stage.is_incremental else "")
    is_compressed = "compressed" not in settings.left_out
    with compressing_ahead(settings, stage) if is_compressed else nullcontext():
        if "machines" not in settings.left_out:
            write_machines(settings, stage, build)
    build.write_server_files()
    departed = settle(
        settings,
        stage,
        build.render_gone,
        gone_key=build.gone_key(),
        also_gone=build.withdrawn_urls(),
    )
    build.report.redirects_refused = [
        f"{refused.old_path}: {refused.reason}" for refused in departed.refused
    ]
    if is_compressed:
        compress_pages(settings, stage)
    stage.write_release(
        {
            "compressed": RECIPE if is_compressed else "",
            "built": datetime.now(UTC).isoformat(timespec="seconds"),
            "sync": int(build.state["sync"]),
            "date": build.today,
            "is_demo": build.is_demo,
            "sitename": settings.sitename,
            "siteurl": settings.siteurl,
            "engine": __version__,
            "service_file": 1,
            "inputs": inputs,
            "state": build.state,
            "counts": build.counts(),
            "completeness": completeness,
        }
    )
    stage.finish()
    build.close()


def nothing_to_do(settings: Settings) -> bool:
    """Tell whether a build would make the live release again, byte for byte.

    So it is when the snapshot, the settings, the prose, the theme and the code are the same,
    no full text came or went, and no date has passed that a page speaks of.
    """
    release = live(settings)
    if release is None:
        return False
    info = release.info()
    if info.get("inputs") != inputs_of(settings):
        return False
    build = Build(settings, stage=None, trees={}, today=today_in(settings.timezone))
    try:
        state = info.get("state", {})
        if state.get("snapshot") != build.snapshot_id or state.get("sync") != build.sync_number:
            return False
        scope = look_at(
            build.reader,
            since_sync=int(state["sync"]),
            since_day=state["today"],
            files_changed=build.bring_full_texts().changed,
            registrations_changed=state.get("registrations") != build.registrations_id,
        )
    finally:
        build.close()
    return scope is not None and not any(ids for kind, ids in scope.items() if kind != "section")


def inputs_of(settings: Settings) -> str:
    """Return a digest of the files, beside the snapshot, that pages are made from."""
    code = Path(__file__).resolve().parent.parent.parent
    digest = hashlib.blake2b(digest_size=16)
    digest.update(settings.pelicanconf.read_bytes())
    for folder in (
        settings.site / "content",
        settings.site / "theme",
        code / "theme",
        code / "content_sync",
        code / "search",
    ):
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"{file.relative_to(folder)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
