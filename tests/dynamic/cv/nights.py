"""A small demo site with its service in this process: CVs go in, books come out."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from flask import Flask
from sqlalchemy.orm import close_all_sessions

from content_sync.cli import main
from content_sync.cvbook.book import write_books
from content_sync.settings import read_settings
from dynamic.app import create_app
from dynamic.cv import shelf
from dynamic.cv.inspection import inspect
from dynamic.cv.models import Cv
from dynamic.cv.shelf import Entry
from dynamic.cv.spool import spooled
from dynamic.database import db
from dynamic.service_export import write_export
from dynamic.settings import read_service_settings
from tests.dynamic.cv.files import pdf
from tests.sites import copy_site

TODAY = date(2026, 11, 24)


def make_site(folder: Path) -> Path:
    """Build the demo with few publications; return the site's folder."""
    run("init", str(folder))
    run("demo", "--site", str(folder), "-n", "40")
    run("nightly", "--site", str(folder))
    run("service", "migrate", "--site", str(folder))
    return folder


def run(*command: str) -> str:
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


class Night:
    """A site of one's own, copied from one that was built before."""

    def __init__(self, built: Path, folder: Path, **more: object) -> None:
        copy_site(built, folder)
        with (folder / "pelicanconf.py").open("a") as file:
            file.writelines(f"{name} = {value!r}\n" for name, value in more.items())
        self.site = folder
        self.app: Flask = create_app(read_service_settings(folder, {}, answers=False))
        self.book = folder / "var" / "cvbook"

    def send(self, subject: str = "s-1", content: bytes | None = None, **entry: Any) -> str:
        """Send a CV as the form does; return its id."""
        email = entry.pop("email", f"{subject}@people.example")
        values: dict[str, Any] = {
            "name": "Jane Doe",
            "degree": "master",
            "field": "Physics",
            "graduation": "2027-09",
            "topics": ("Metrology",),
            "availability": ("internship",),
            "available_from": "",
            "links": ("https://example.org/",),
            "shown_to": "all",
            "chosen": (),
            "blocked": (),
            **entry,
        }
        with (
            self.app.app_context(),
            spooled(io.BytesIO(content or pdf()), self.site / "var" / "cv-spool") as file,
        ):
            found = inspect(file.path)
            cv = shelf.land(
                subject,
                Entry(email=email, **values),
                (file, found, "cv.pdf"),
                queue=lambda _: None,
            )
            return cv.id

    def withdraw(self, subject: str = "s-1") -> None:
        with self.app.app_context():
            cv = shelf.cv_of(subject)
            assert cv is not None
            shelf.withdraw(cv, queue=lambda _: None)

    def cv(self, subject: str = "s-1") -> Cv | None:
        with self.app.app_context():
            return shelf.cv_of(subject)

    def export(self) -> None:
        with self.app.app_context():
            write_export()

    def write(self) -> Any:
        """Do what the night does: export, then the books."""
        self.export()
        return write_books(read_settings(self.site), today=TODAY)

    def close(self) -> None:
        with self.app.app_context():
            close_all_sessions()
            db.engine.dispose()

    def holds(self, word: str, *, below: Path | None = None) -> list[str]:
        """Return the files of the books that hold a word, in name or content."""
        folder = below or self.book
        return [
            str(file.relative_to(folder))
            for file in sorted(folder.rglob("*"))
            if word in file.name or (file.is_file() and word.encode() in file.read_bytes())
        ]
