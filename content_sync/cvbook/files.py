"""Bring the files of CVs out of the store, each once, into a pool beside the books."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from content_sync.cvbook.exported import Cv
from content_sync.settings import Settings

POOL = ".files"


def pool_file(book: Path, cv: Cv) -> Path:
    """Return where a CV's file lies in the pool of a book."""
    return book / POOL / f"{cv.id}.{cv.sha256[:16]}.{cv.kind}"


def bring_files(settings: Settings, book: Path, cvs: Iterable[Cv]) -> dict[str, str]:
    """Fetch the files that the pool lacks; return CV id → why it could not be had.

    A file counts only if it has the size and the SHA-256 that the service stated.
    """
    missing = {}
    (book / POOL).mkdir(parents=True, exist_ok=True)
    client: list[Any] = []
    for cv in cvs:
        target = pool_file(book, cv)
        if target.is_file() and target.stat().st_size == cv.size:
            continue
        part = target.with_suffix(".part")
        try:
            with _open(settings, cv.object, client) as source, part.open("wb") as file:
                digest = hashlib.sha256()
                for piece in _pieces(source):
                    digest.update(piece)
                    file.write(piece)
            if digest.hexdigest() != cv.sha256:
                missing[cv.id] = "its bytes are not those that arrived"
                part.unlink()
                continue
            os.replace(part, target)  # noqa: PTH105
        except Exception as error:  # one file must not keep all companies from their books
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            missing[cv.id] = f"the store gives {type(error).__name__}"
    return missing


def copy_pool(source: Path, target: Path, cvs: Iterable[Cv]) -> None:
    """Bring another node's pool up to what the first one holds."""
    (target / POOL).mkdir(parents=True, exist_ok=True)
    for cv in cvs:
        file = pool_file(target, cv)
        if not file.is_file() or file.stat().st_size != cv.size:
            part = file.with_suffix(".part")
            shutil.copyfile(pool_file(source, cv), part)
            os.replace(part, file)  # noqa: PTH105


def prune_pool(book: Path, cvs: Iterable[Cv]) -> None:
    """Delete from the pool what no CV names any more."""
    wanted = {pool_file(book, cv).name for cv in cvs}
    for file in (book / POOL).iterdir():
        if file.name not in wanted:
            file.unlink(missing_ok=True)


@contextlib.contextmanager
def _open(settings: Settings, name: str, client: list[Any]) -> Iterator[BinaryIO]:
    where = settings.cv_store
    if not where.startswith("s3://"):
        folder = settings.site / where if where else settings.var / "cv-store"
        with (folder / name).open("rb") as file:
            yield file
        return
    if not client:
        import boto3
        from botocore.config import Config

        client.append(
            boto3.client(
                "s3",
                endpoint_url=settings.s3_endpoint_url or None,
                config=Config(
                    connect_timeout=5,
                    read_timeout=30,
                    retries={"max_attempts": 3, "mode": "standard"},
                ),
            )
        )
    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    key = f"{prefix.strip('/')}/{name}" if prefix.strip("/") else name
    with contextlib.closing(client[0].get_object(Bucket=bucket, Key=key)["Body"]) as body:
        yield body


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    while piece := source.read(1 << 16):
        yield piece
