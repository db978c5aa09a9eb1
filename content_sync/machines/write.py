"""Write all that machines read into a stage whose pages are complete."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from content_sync.machines.catalogue import Catalogue, bring_up_to_date
from content_sync.machines.changes import find_changes
from content_sync.machines.changes_pages import write_changes
from content_sync.machines.corpus import citation_years, write_corpus
from content_sync.machines.dumps import checksums, write_dumps
from content_sync.machines.feeds import write_feeds
from content_sync.machines.files import Files
from content_sync.machines.oai import write_oai
from content_sync.machines.sitemaps import robots, write_sitemaps
from content_sync.pages.wording import iso_in_words, size_in_words
from content_sync.release.history import STAMPS_FILE
from content_sync.release.stage import Stage, write_file
from content_sync.settings import Settings
from content_sync.sync.touch import neighbours
from content_sync.urls import page_file

if TYPE_CHECKING:
    from content_sync.pages.build import Build

DATA_URL = "/data/"


def write_machines(settings: Settings, stage: Stage, build: Build) -> None:
    """Write dumps, feeds, OAI-PMH and sitemaps; feeds and the like only with a SITEURL.

    To be called when all pages are in the stage, and before `settle`, which must know every
    address that there is.
    """
    reader = build.reader
    reader.shared = {"siteurl": settings.siteurl}
    looked_at = None if build.scope is None else list(build.scope["publication"])
    if looked_at is not None and stage.base is not None:
        looked_at += _behind(stage).get("publication", ())
    today = datetime.now(UTC).date().isoformat()
    catalogue = bring_up_to_date(settings, reader, looked_at, today)
    _hand_over(stage, catalogue)
    files = Files(stage)
    if settings.siteurl:
        contact = settings.security_contact.removeprefix("mailto:")
        write_oai(
            files,
            reader,
            catalogue,
            siteurl=settings.siteurl,
            sitename=settings.sitename,
            mail=settings.admin_email or (contact if "@" in contact else ""),
        )
        write_feeds(
            files,
            reader,
            catalogue,
            _with_neighbours(build, catalogue),
            siteurl=settings.siteurl,
            sitename=settings.sitename,
        )
    else:
        files.put("maps/oai.txt", [""], lambda: b"")  # Apache does not start without it
    data_time = str(reader.rows("SELECT max(finished) AS at FROM syncs")[0]["at"] or "")
    write_changes(
        files,
        reader,
        find_changes(settings, stage, reader, catalogue, today),
        build.render_for,
        siteurl=settings.siteurl,
        sitename=settings.sitename,
        data_time=data_time,
        built=build.today,
    )
    citations = write_corpus(files, stage, reader)
    dumps = write_dumps(files, stage, reader, catalogue)
    sums = checksums(dumps)
    files.put("public/data/SHA256SUMS", [sums], sums.encode)
    page = build.render_public(
        DATA_URL,
        "data.html",
        {
            "title": "Data for machines",
            "section": "",
            "whole": [
                d._asdict() | {"size": size_in_words(d.size)}
                for d in dumps
                if not d.day and not d.name.startswith("citations/")
            ],
            "citations": citation_years(citations),
            "changes": [
                d._asdict() | {"size": size_in_words(d.size), "day": iso_in_words(d.day)}
                for d in dumps
                if d.day
            ],
            "siteurl": settings.siteurl,
        },
    )
    files.put(f"public/{page_file(DATA_URL)}", [page], lambda: page)
    text = robots(settings.siteurl)
    files.put("public/robots.txt", [text], text.encode)
    files.finish("oai/")
    if settings.siteurl:
        write_sitemaps(
            files, stage, catalogue, siteurl=settings.siteurl, gone=build.withdrawn_urls()
        )
        files.finish("public/sitemaps/")


def _behind(stage: Stage) -> dict[str, list[str]]:
    """Return what builds of single records looked at, by kind, and left to this one."""
    info = stage.base.info() if stage.base else {}
    behind: dict[str, list[str]] = info.get("machines_behind", {})
    return behind


def _with_neighbours(build: Build, catalogue: Catalogue) -> dict[str, set[str]] | None:
    """Return what may have changed, with all that a changed work is listed under.

    What is exported of a work may change with a person, and then stands in the feeds of all
    its people. None means that everything may have changed.
    """
    if build.scope is None or build.stage is None:
        return None
    behind = _behind(build.stage)
    scope = {kind: {*ids, *behind.get(kind, ())} for kind, ids in build.scope.items()}
    changed = [("publication", stamp.id) for stamp in catalogue.changed]
    for kind, one in neighbours(build.reader.connection, changed):
        scope.setdefault(kind, set()).add(one)
    build.reader.connection.commit()  # of the temporary tables alone
    return scope


def _hand_over(stage: Stage, catalogue: Catalogue) -> None:
    """Write down what the history takes over when the release goes live."""
    lines = "".join(
        json.dumps([s.id, s.digest.hex(), s.day, s.kind, s.page, int(s.deleted)]) + "\n"
        for s in catalogue.changed
    )
    stage.add([write_file(stage.root, STAMPS_FILE, lines.encode())])
