"""A bucket below a prefix, through boto3: what is there, what is sent, what is deleted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any, TypeVar

from content_sync.errors import ConfigurationError, NightpressError

_Item = TypeVar("_Item")
_DELETED_AT_ONCE = 1000
_STRANGERS = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)


class MirrorError(NightpressError):
    """The bucket does not answer, or refuses what the mirror needs."""


class Bucket:
    """A bucket of any S3 service. Credentials come from the environment, in boto3's own way."""

    def __init__(self, place: str, *, endpoint: str, workers: int) -> None:
        import boto3
        from botocore.config import Config

        self.place = place
        self.name, _, prefix = place.removeprefix("s3://").partition("/")
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.workers = workers
        self.client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint or None,
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                max_pool_connections=workers,
                retries={"max_attempts": 8, "mode": "standard"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def listing(self) -> dict[str, str]:
        """Return key → ETag of all that lies below the prefix."""
        return dict(self._list(""))

    def keys_below(self, path: str) -> list[str]:
        """Return the keys of an address and of all below it."""
        name = path.rstrip("/")
        found = (key for key, _ in self._list(name))
        return [key for key in found if key == name or key.startswith(f"{name}/")]

    def get(self, key: str) -> bytes | None:
        """Return the bytes of a small object, or None."""
        from botocore.exceptions import ClientError

        with self._told(f"{key} cannot be read"):
            try:
                answer = self.client.get_object(Bucket=self.name, Key=self.prefix + key)
            except ClientError as error:
                if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                    return None
                raise
            return bytes(answer["Body"].read())

    def put(self, key: str, data: bytes, *, type: str, cache: str, stamp: str) -> str:
        """Send an object and return its ETag."""
        with self._told(f"{key} cannot be sent"):
            answer = self.client.put_object(
                Bucket=self.name,
                Key=self.prefix + key,
                Body=data,
                ContentType=type,
                CacheControl=cache,
                Metadata={"nightpress": stamp},
            )
        return str(answer["ETag"])

    def stamp_of(self, key: str) -> str:
        """Return what an object was sent with; nothing if another hand sent it."""
        from botocore.exceptions import ClientError

        with self._told(f"{key} cannot be looked at"):
            try:
                answer = self.client.head_object(Bucket=self.name, Key=self.prefix + key)
            except ClientError as error:
                if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                    return ""
                raise
        return str(answer.get("Metadata", {}).get("nightpress", ""))

    def delete(self, keys: Iterable[str]) -> int:
        """Delete objects, a thousand with each request; return how many."""
        count = 0
        for some in _batches(keys, _DELETED_AT_ONCE):
            self._delete([{"Key": self.prefix + key} for key in some])
            count += len(some)
        return count

    def forget_versions(self) -> int:
        """Delete what a versioned bucket keeps beside the newest versions; return how many."""
        old: list[dict[str, str]] = []
        marks: list[dict[str, str]] = []
        pages = self.client.get_paginator("list_object_versions")
        with self._told("cannot tell its versions"):
            for page in pages.paginate(Bucket=self.name, Prefix=self.prefix):
                old += [_version(v) for v in page.get("Versions", ()) if not v["IsLatest"]]
                marks += [_version(v) for v in page.get("DeleteMarkers", ())]
        # Versions before the marks that hide them: killed in between, nothing comes to light.
        for kind in (old, marks):
            for some in _batches(kind, _DELETED_AT_ONCE):
                self._delete(some)
        return len(old)

    def check_private(self) -> None:
        """Raise ConfigurationError unless the bucket says that strangers may not read it."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            grants = self.client.get_bucket_acl(Bucket=self.name)["Grants"]
        except (BotoCoreError, ClientError) as error:
            raise ConfigurationError(
                f"Whether {self.place} is private cannot be asked: {error}.",
                hint="Grant s3:GetBucketAcl. Nothing of members or staff was sent.",
            ) from error
        is_open = any(grant.get("Grantee", {}).get("URI") in _STRANGERS for grant in grants)
        with contextlib.suppress(BotoCoreError, ClientError):  # no policy, or a server without
            status = self.client.get_bucket_policy_status(Bucket=self.name)
            is_open = is_open or bool(status["PolicyStatus"]["IsPublic"])
        if is_open:
            raise ConfigurationError(
                f"{self.place} can be read by strangers.",
                hint="Members' and staff's pages go to a private bucket only. Nothing was sent.",
            )

    def each(self, work: Any, items: Iterable[Any]) -> Iterator[Any]:
        """Yield what `work` returns of each item, in threads, in no order; stop at an error."""
        with ThreadPoolExecutor(self.workers) as pool:
            running: set[Future[Any]] = set()
            try:
                for item in items:
                    running.add(pool.submit(work, item))
                    if len(running) >= 4 * self.workers:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from (one.result() for one in done)
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (one.result() for one in done)
            finally:
                for one in running:
                    one.cancel()

    def _list(self, start: str) -> Iterator[tuple[str, str]]:
        pages = self.client.get_paginator("list_objects_v2")
        with self._told("cannot be listed"):
            for page in pages.paginate(Bucket=self.name, Prefix=self.prefix + start):
                for entry in page.get("Contents", ()):
                    yield entry["Key"].removeprefix(self.prefix), entry["ETag"]

    def _delete(self, objects: list[dict[str, str]]) -> None:
        with self._told("objects cannot be deleted"):
            answer = self.client.delete_objects(
                Bucket=self.name, Delete={"Objects": objects, "Quiet": True}
            )
        if errors := answer.get("Errors"):
            first = errors[0]
            raise MirrorError(f"{self.place}: {first['Key']} was not deleted: {first['Message']}.")

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        try:
            yield
        except NoCredentialsError as error:
            raise ConfigurationError(
                f"{self.place}: the environment holds no credentials.",
                hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            ) from error
        except (BotoCoreError, ClientError) as error:
            raise MirrorError(
                f"{self.place} {what}: {error}.", hint="Run 'nightpress mirror' again: it goes on."
            ) from error


def _version(found: dict[str, Any]) -> dict[str, str]:
    return {"Key": found["Key"], "VersionId": found["VersionId"]}


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
