"""Write the CV books: stage each company's, ask once more who may be seen, switch."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from content_sync.cvbook.exported import Cv, read_cvs
from content_sync.cvbook.files import bring_files, copy_pool, pool_file, prune_pool
from content_sync.cvbook.gate import MARK, locked
from content_sync.cvbook.pages import cv_page, file_name, lists
from content_sync.cvbook.records import facts_of
from content_sync.errors import BuildError
from content_sync.settings import Settings

if TYPE_CHECKING:
    from jinja2 import Environment

    from content_sync.pages.reader import Reader

STAGED = ".staged"
_TRIES = 5


@dataclass(slots=True)
class BookReport:
    """What came of the books."""

    companies: int = 0
    cvs: int = 0
    verified: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    """CV id → why its file could not be had; it is in no book tonight."""


def write_books(settings: Settings, *, today: date) -> BookReport | None:
    """Bring the book of every member company up to date, on every node.

    Returns None where the service exports no CVs and there are no books. Raises BuildError;
    books that were not reached stay as they are, without what was withdrawn from them.
    """
    cvs = read_cvs(settings.var)
    books = settings.cv_books
    if cvs is None:
        if any((book / MARK).exists() for book in books):
            raise BuildError(
                "There are CV books, and the service exports no list of CVs any more.",
                hint="Books stay as they are. Run 'nightpress cv tend', or delete the books.",
            )
        return None
    environment, known = _environment(settings)
    for attempt in range(_TRIES):
        if attempt:
            cvs = read_cvs(settings.var) or []
        report = _write(settings, environment, known, cvs, today)
        if report is not None:
            return report
    raise BuildError(
        "CVs were withdrawn or changed each time that the books were being switched.",
        hint="Run 'nightpress cv book' once more.",
    )


def _write(
    settings: Settings,
    environment: Environment,
    known: dict[str, str],
    cvs: list[Cv],
    today: date,
) -> BookReport | None:
    """Write all books from one reading of the export; None if it has changed meanwhile."""
    books = settings.cv_books
    report = BookReport()
    _begin(books)
    report.missing = bring_files(settings, books[0], cvs)
    shown = [cv for cv in cvs if cv.id not in report.missing]
    pages = _cv_pages(settings, environment, shown, today, report)
    companies = {**{slug: slug for cv in shown for slug in cv.companies}, **known}
    report.companies, report.cvs = len(companies), len(shown)
    for book in books:
        if book != books[0]:
            copy_pool(books[0], book, shown)
        for slug, name in companies.items():
            mine = [cv for cv in shown if slug in cv.companies]
            _stage(book, slug, mine, pages, lists(environment, name, mine))
            with locked(settings.var):
                if not _still_allowed(settings, slug, mine):
                    return None
                switch(book / STAGED / slug, book / slug)
        with locked(settings.var):
            _remove_others(book, companies)
            current = {cv.id for cv in read_cvs(settings.var) or []}
            prune_pool(book, [cv for cv in shown if cv.id in current])
            shutil.rmtree(book / STAGED, ignore_errors=True)
    return report


def _still_allowed(settings: Settings, company: str, mine: Iterable[Cv]) -> bool:
    """Tell whether each CV that was staged may still be seen; the caller holds the lock."""
    allowed = {(cv.id, cv.sha256) for cv in read_cvs(settings.var) or [] if company in cv.companies}
    return all((cv.id, cv.sha256) in allowed for cv in mine)


def _cv_pages(
    settings: Settings,
    environment: Environment,
    cvs: list[Cv],
    today: date,
    report: BookReport,
) -> dict[str, bytes]:
    from content_sync.pages.reader import open_reader

    reader: Reader = open_reader(
        settings.snapshot, settings.var / "cache.sqlite", today.isoformat()
    )
    try:
        pages = {}
        for cv in cvs:
            facts = facts_of(reader, cv)
            report.verified += facts["is_verified"]
            pages[cv.id] = cv_page(environment, cv, facts)
        return pages
    finally:
        reader.connection.close()


def _stage(
    book: Path,
    company: str,
    cvs: list[Cv],
    pages: dict[str, bytes],
    files: Iterable[tuple[str, bytes]],
) -> None:
    stage = book / STAGED / company
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    for name, content in files:
        target = stage / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for cv in cvs:
        folder = stage / cv.id
        folder.mkdir()
        (folder / "index.html").write_bytes(pages[cv.id])
        _link(pool_file(book, cv), folder / file_name(cv))


def switch(new: Path, live: Path) -> None:
    """Put a folder in the place of another in one step, and delete what stood there.

    Linux exchanges the two at once. Where the file system cannot, and on Windows, a reader
    finds nothing for the moment between two renames; never a mixture of both.
    """
    if live.exists() and not _exchange(new, live):
        old = new.with_name(f"{new.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        os.replace(live, old)  # noqa: PTH105
        os.replace(new, live)  # noqa: PTH105
        shutil.rmtree(old)
    elif new.exists() and not live.exists():
        os.replace(new, live)  # noqa: PTH105
    else:
        shutil.rmtree(new)  # by now it is the old one


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names with renameat2; False where there is no such thing."""
    if not sys.platform.startswith("linux"):
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.EINVAL, errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP}:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _begin(books: tuple[Path, ...]) -> None:
    for book in books:
        if len(books) > 1 and not book.is_dir():
            raise BuildError(
                f"The CV book's folder {book} is not there.",
                hint="Mount it, or take it out of CV_BOOK_FOLDERS.",
            )
        book.mkdir(parents=True, exist_ok=True)
        (book / MARK).touch()


def _remove_others(book: Path, companies: dict[str, str]) -> None:
    """Remove the books of companies that are no longer members."""
    for folder in book.iterdir():
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in companies:
            shutil.rmtree(folder)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _environment(settings: Settings) -> tuple[Environment, dict[str, str]]:
    """Return the theme's templates as the live release shows them, and the companies."""
    import json

    from content_sync import __version__
    from content_sync.pages.generator import make_environment
    from content_sync.pages.render import prepare_environment
    from content_sync.pages.service_file import SERVICE_FILE
    from content_sync.pages.shown import plain_settings
    from content_sync.release.stage import live

    release = live(settings)
    file = release.root / SERVICE_FILE if release else None
    if file is None or not file.is_file():
        raise BuildError(
            "The CV books look like the live release, and none is live that tells how.",
            hint="Run 'nightpress nightly' first.",
        )
    facts = json.loads(file.read_bytes())
    overrides = {"OUTPUT_PATH": str(settings.output / "preview" / "public")}
    environment = make_environment(str(settings.pelicanconf), overrides)
    values: dict[str, Any] = {
        **plain_settings(_pelican_settings(settings, overrides)),
        "nav": facts["nav"],
        "is_demo": facts["is_demo"],
        "footer_links": facts["footer_links"],
        "assets": facts["assets"],
        "generator": f"Nightpress {__version__}",
    }
    prepare_environment(environment, values)
    return environment, _companies(settings, facts["companies"])


def _pelican_settings(settings: Settings, overrides: dict[str, str]) -> dict[str, Any]:
    from content_sync.pages.generator import read_pelican

    return read_pelican(settings.pelicanconf, overrides)


def _companies(settings: Settings, known: list[dict[str, str]]) -> dict[str, str]:
    """Return slug → name, by the same rule as the service's: see docs/cv.md."""
    names = {one["id"]: one["name"] for one in known}
    renamed = set(settings.cv_companies.values()) & set(names)
    found = {one["slug"]: one["name"] for one in known if one["id"] not in renamed}
    for claim, target in settings.cv_companies.items():
        found[claim] = names.get(target, target)
    return found
