"""Full texts: files that publications name, brought from a folder or an S3 bucket.

A file is read when the store says that it is new or changed, kept once under its hash in
`var/files/`, and linked from there into the tree that may show it. Nothing outside the one
root that the settings name is ever read.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from content_sync.errors import BuildError
from content_sync.settings import Settings

_BLOCK = 1 << 20
_MAGIC = {".pdf": b"%PDF-"}


@dataclass(slots=True)
class FullTextReport:
    """What became of the files that publications name."""

    present: int = 0
    brought: int = 0
    """New or changed files that were read."""
    missing: list[tuple[str, str, str]] = field(default_factory=list)
    """(publication id, file path, reason) of files that are not published."""
    changed: set[str] = field(default_factory=set)
    """Ids of the publications whose file came, changed or went."""


class Store(Protocol):
    """Where full texts come from."""

    def stamps(self, paths: Iterable[str]) -> Iterator[tuple[str, str | None, str]]:
        """Yield (path, stamp, reason): a stamp changes with the file, None if there is none."""

    def copy(self, path: str, target: IO[bytes]) -> None:
        """Write the file's bytes to `target`."""


def bring_full_texts(
    settings: Settings,
    snapshot: sqlite3.Connection,
    cache: sqlite3.Connection,
    only: Iterable[str] | None = None,
) -> FullTextReport:
    """Bring new and changed files into `var/files/` and note them in the cache.

    Given `only`, the files of these publications are looked at, and all others stay.
    A missing file is reported and does not stop the build. Raises BuildError where the store
    itself cannot be reached.
    """
    report = FullTextReport()
    asked = None if only is None else sorted(set(only))
    known = {
        row[0]: row[1:]
        for row in _rows(cache, "SELECT publication_id, file_path, stamp FROM full_texts", asked)
    }
    wanted: dict[str, list[str]] = {}
    refused: list[tuple[str, str, str]] = []
    for publication_id, path in _rows(
        snapshot,
        "SELECT id, file_path FROM publications WHERE file_path IS NOT NULL",
        asked,
        "id",
    ):
        if ending(path) in settings.full_text_types:
            wanted.setdefault(path, []).append(publication_id)
        else:
            refused.append((publication_id, path, "its type may not be published"))
    report.missing.extend(refused)
    present: set[str] = set()
    if wanted:
        store = _open_store(settings)
        for path, stamp, reason in store.stamps(wanted):
            for publication_id in wanted[path]:
                if stamp is None:
                    report.missing.append((publication_id, path, reason))
                elif known.get(publication_id) == (path, stamp) or _bring(
                    settings, store, cache, publication_id, path, stamp, report
                ):
                    present.add(publication_id)
    gone = known.keys() - present
    cache.executemany("DELETE FROM full_texts WHERE publication_id = ?", ((i,) for i in gone))
    report.changed |= gone
    report.present = len(present)
    report.missing.sort()
    return report


def _rows(
    connection: sqlite3.Connection,
    sql: str,
    asked: list[str] | None,
    key: str = "publication_id",
) -> list[Any]:
    """Return the rows of all publications, or of those asked for, ordered by id."""
    if asked is None:
        return connection.execute(f"{sql} ORDER BY {key}").fetchall()
    word = "AND" if "WHERE" in sql else "WHERE"
    rows: list[Any] = []
    for one in asked:
        rows += connection.execute(f"{sql} {word} {key} = ?", (one,)).fetchall()
    return rows


def stored_file(settings: Settings, sha256: bytes) -> Path:
    """Return where the file with this content is kept."""
    name = sha256.hex()
    return settings.var / "files" / name[:2] / name


def ending(path: str) -> str:
    """Return the ending that says what a file is."""
    return PurePosixPath(path).suffix.lower()


def _bring(
    settings: Settings,
    store: Store,
    cache: sqlite3.Connection,
    publication_id: str,
    path: str,
    stamp: str,
    report: FullTextReport,
) -> bool:
    folder = settings.var / "files"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        temporary = Path(file.name)
        try:
            store.copy(path, file)
        except OSError as error:
            temporary.unlink()
            report.missing.append((publication_id, path, f"it cannot be read: {error.strerror}"))
            return False
        except BaseException:
            temporary.unlink()
            raise
    digest = hashlib.sha256()
    with temporary.open("rb") as content:
        head = content.read(8)
        content.seek(0)
        while block := content.read(_BLOCK):
            digest.update(block)
    kind = ending(path)
    if not head.startswith(_MAGIC.get(kind, b"")):
        temporary.unlink()
        report.missing.append((publication_id, path, f"its content is not {kind[1:].upper()}"))
        return False
    target = stored_file(settings, digest.digest())
    target.parent.mkdir(exist_ok=True)
    temporary.chmod(0o644)
    size = temporary.stat().st_size
    temporary.replace(target)
    cache.execute(
        "INSERT OR REPLACE INTO full_texts VALUES (?, ?, ?, ?, ?, ?)",
        (publication_id, path, kind, stamp, size, digest.digest()),
    )
    report.brought += 1
    report.changed.add(publication_id)
    return True


def _open_store(settings: Settings) -> Store:
    if not settings.full_texts:
        has_demo = settings.reads_demo and settings.demo_files.is_dir()
        return _Folder(settings.demo_files) if has_demo else _NoStore()
    if settings.full_texts.startswith("s3://"):
        bucket, _, prefix = settings.full_texts.removeprefix("s3://").partition("/")
        return _Bucket(bucket, prefix.strip("/"), settings.s3_endpoint_url)
    root = settings.site / settings.full_texts
    if not root.is_dir():
        raise BuildError(
            f"The folder of full texts {root} does not exist.",
            hint="Set FULL_TEXTS in pelicanconf.py to the folder that holds them.",
        )
    return _Folder(root)


class _NoStore:
    def stamps(self, paths: Iterable[str]) -> Iterator[tuple[str, str | None, str]]:
        for path in paths:
            yield path, None, "FULL_TEXTS names no place for files"

    def copy(self, path: str, target: IO[bytes]) -> None:
        raise FileNotFoundError(path)


class _Folder:
    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def stamps(self, paths: Iterable[str]) -> Iterator[tuple[str, str | None, str]]:
        for path in paths:
            try:
                file = (self.root / path).resolve()
                if not file.is_relative_to(self.root):
                    yield path, None, "it lies outside the folder of full texts"
                elif not file.is_file():
                    yield path, None, "there is no such file"
                else:
                    facts = file.stat()
                    yield path, f"{facts.st_mtime_ns}:{facts.st_size}", ""
            except (OSError, ValueError) as error:
                yield path, None, f"it cannot be read: {error}"

    def copy(self, path: str, target: IO[bytes]) -> None:
        with (self.root / path).resolve().open("rb") as source:
            shutil.copyfileobj(source, target, _BLOCK)


class _Bucket:
    def __init__(self, bucket: str, prefix: str, endpoint: str) -> None:
        import boto3

        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.client: Any = boto3.client("s3", endpoint_url=endpoint or None)

    def stamps(self, paths: Iterable[str]) -> Iterator[tuple[str, str | None, str]]:
        from botocore.exceptions import BotoCoreError, ClientError

        missing = dict.fromkeys(paths)
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.prefix
        )
        try:
            for page in pages:
                for entry in page.get("Contents", ()):
                    path = entry["Key"].removeprefix(self.prefix)
                    if path in missing:
                        del missing[path]
                        yield path, f"{entry['ETag']}:{entry['Size']}", ""
        except (BotoCoreError, ClientError) as error:
            raise BuildError(
                f"The bucket {self.bucket} with full texts cannot be read: {error}",
                hint="Check FULL_TEXTS, S3_ENDPOINT_URL and the AWS_… variables.",
            ) from error
        for path in missing:
            yield path, None, "there is no such object"

    def copy(self, path: str, target: IO[bytes]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self.client.download_fileobj(self.bucket, self.prefix + path, target)
        except (BotoCoreError, ClientError) as error:
            raise OSError(0, str(error)) from error


def link(source: Path, target: Path) -> None:
    """Make `target` another name of `source`, or a copy where links are impossible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
