"""Where CV files are kept: a private folder, or a private bucket of any S3 service.

A store knows names and bytes and nothing else. A name is random, written once and never
again; whose it is stands in the database. `put` returns when the bytes are safe.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from dynamic.cv.inspection import MIME
from dynamic.errors import ServiceConfigurationError, Unavailable
from dynamic.health import Stuck
from dynamic.memory import give_back

if TYPE_CHECKING:
    from dynamic.settings import ServiceSettings

NAME = re.compile(r"[A-Za-z0-9_-]{43}\.(?:pdf|docx)")
"""What the name of a file in a store looks like."""
_PART = ".part"
_LEAST_FREE = 100_000_000
"""Bytes of room for a few CVs, while somebody makes more."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in a store."""

    name: str
    changed: float
    """When it arrived, in seconds since 1970."""


class Store(Protocol):
    """What the service asks of a store. Each call raises Unavailable if it does not answer."""

    def put(self, name: str, file: Path, *, sha256: str) -> None:
        """Keep a copy of the file under a name that is not taken."""

    def open(self, name: str) -> BinaryIO:
        """Return the file for reading; raises FileNotFoundError if there is none."""

    def delete(self, name: str) -> None:
        """Forget the file and every version of it; one that is not there is no error."""

    def list(self) -> Iterator[Stored]:
        """Yield all files, those that were left half-written included."""

    def check(self) -> str:
        """Return a few words on the store; raise Unavailable, or Stuck if it is full."""


def new_name(kind: str) -> str:
    """Return a name that nobody can guess."""
    return f"{secrets.token_urlsafe(32)}.{kind}"


def open_store(settings: ServiceSettings) -> Store:
    """Return the store that the settings name."""
    where = settings.cv_store
    if where.startswith("s3://"):
        bucket, _, prefix = where.removeprefix("s3://").partition("/")
        return S3Store(
            bucket,
            f"{prefix.strip('/')}/" if prefix.strip("/") else "",
            endpoint=settings.s3_endpoint_url,
            encryption=settings.cv_store_encryption,
        )
    return FolderStore(settings.site / where if where else settings.var / "cv-store")


class FolderStore:
    """A folder of this machine that only the service's own user may enter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, file: Path, *, sha256: str) -> None:
        part = self._path(name).with_suffix(_PART)
        try:
            self._make()
            with _new_file(part) as target, file.open("rb") as source:
                shutil.copyfileobj(source, target, 1 << 16)
                target.flush()
                os.fsync(target.fileno())
            # The name is random and the file new: a second one of the same name is a defect.
            if self._path(name).exists():
                raise FileExistsError(name)
            os.replace(part, self._path(name))  # noqa: PTH105
            _sync_folder(self.folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise _unavailable() from error

    def open(self, name: str) -> BinaryIO:
        try:
            return self._path(name).open("rb")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _unavailable() from error

    def delete(self, name: str) -> None:
        try:
            self._path(name).unlink(missing_ok=True)
            if self.folder.is_dir():
                _sync_folder(self.folder)
        except OSError as error:
            raise _unavailable() from error

    def list(self) -> Iterator[Stored]:
        if not self.folder.is_dir():
            return
        for file in sorted(self.folder.iterdir()):
            with contextlib.suppress(FileNotFoundError):
                if NAME.fullmatch(file.name) or file.suffix == _PART:
                    yield Stored(file.name, file.stat().st_mtime)

    def check(self) -> str:
        try:
            self._make()
            if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise _unavailable() from error
        state = f"folder, {free // 1_000_000:,} MB free"
        if free < _LEAST_FREE:
            raise Stuck(state)
        return state

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name != "nt" and stat.S_IMODE(self.folder.stat().st_mode) & 0o077:
            self.folder.chmod(0o700)

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name) and not re.fullmatch(r"[A-Za-z0-9_-]{43}\.part", name):
            raise ValueError("This is not the name of a stored file.")
        return self.folder / name


class S3Store:
    """A bucket: private, versioned and encrypted by whoever runs it; see docs/cv.md.

    Credentials come from the environment, in boto3's own way.
    """

    def __init__(self, bucket: str, prefix: str, *, endpoint: str, encryption: str) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self.endpoint = endpoint
        self.encryption = encryption

    def put(self, name: str, file: Path, *, sha256: str) -> None:
        more = {"ServerSideEncryption": self.encryption} if self.encryption else {}
        with file.open("rb") as content, _told():
            self._client().put_object(
                Bucket=self.bucket,
                Key=self._key(name),
                Body=content,
                ContentType=MIME[name.rpartition(".")[2]],
                ContentDisposition="attachment",
                CacheControl="private, no-store",
                Metadata={"sha256": sha256},
                IfNoneMatch="*",
                **more,
            )

    def open(self, name: str) -> BinaryIO:
        with _told():
            answer = self._client().get_object(Bucket=self.bucket, Key=self._key(name))
        return answer["Body"]  # type: ignore[no-any-return]

    def delete(self, name: str) -> None:
        """Forget the file: in a versioned bucket a plain delete would only hide it."""
        with _told():
            key = self._key(name)
            client = self._client()
            for page in client.get_paginator("list_object_versions").paginate(
                Bucket=self.bucket, Prefix=key
            ):
                for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    if version["Key"] == key:
                        client.delete_object(
                            Bucket=self.bucket, Key=key, VersionId=version["VersionId"]
                        )

    def list(self) -> Iterator[Stored]:
        with _told():
            for page in (
                self._client()
                .get_paginator("list_object_versions")
                .paginate(Bucket=self.bucket, Prefix=self.prefix)
            ):
                for version in page.get("Versions", ()):
                    name = version["Key"].removeprefix(self.prefix)
                    if NAME.fullmatch(name):
                        yield Stored(name, version["LastModified"].timestamp())

    def check(self) -> str:
        with _told():
            self._client().head_bucket(Bucket=self.bucket)
        return "S3"

    def _key(self, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError("This is not the name of a stored file.")
        return f"{self.prefix}{name}"

    def _client(self) -> Any:
        return _client(self.endpoint)


@cache
def _client(endpoint: str) -> Any:
    import boto3
    from botocore.config import Config

    # A session of its own: the default one is shared and not safe between threads.
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint or None,
        config=Config(
            connect_timeout=3,
            read_timeout=15,
            retries={"max_attempts": 3, "mode": "standard"},
            # Streams the body once, without a second pass for a checksum of its own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    give_back()  # the description of S3 was read and is large
    return client


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn what boto3 raises into an answer for a person, without names of buckets."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in {"NoSuchKey", "404"}:
            raise FileNotFoundError(code) from error
        raise _unavailable() from error
    except NoCredentialsError as error:
        raise ServiceConfigurationError(
            "CV_STORE names an S3 bucket, and the environment holds no credentials for it."
        ) from error
    except (BotoCoreError, OSError) as error:
        raise _unavailable() from error


def sweep(store: Store, listed: list[Stored], known: set[str], *, older_than: float) -> int:
    """Delete those of the listed files that no row names and that are not just arriving.

    `known` is read after the listing: a file whose row came in between is then known.
    Returns how many went.
    """
    limit = time.time() - older_than
    orphans = {one.name for one in listed if one.name not in known and one.changed < limit}
    for name in sorted(orphans):
        store.delete(name)
    return len(orphans)


def _new_file(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unavailable() -> Unavailable:
    return Unavailable(
        "The place where CVs are kept does not answer. Nothing of what you sent was kept."
        " Please try again in a few minutes.",
        retry_after=120,
    )
