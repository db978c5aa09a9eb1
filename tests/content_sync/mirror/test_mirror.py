"""The mirror, on a real S3 server: what is sent, in what order, and what never is."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from content_sync.agent import publishing_acts as acts
from content_sync.errors import ConfigurationError, NightpressError
from content_sync.mirror.objects import POINTER, cache_of, is_hidden, key_of
from content_sync.mirror.run import mirror
from content_sync.release.releases import live
from content_sync.settings import Settings, read_settings
from content_sync.urls import record_url
from tests.ceph import ACCESS_KEY, SECRET_KEY, client_of
from tests.content_sync.agent.conftest import COMMAND, ENVIRONMENT, built_site, nightpress
from tests.content_sync.agent.test_agent import a_publication, edit
from tests.sites import copy_site

__all__ = ["built_site"]

pytestmark = pytest.mark.needs("ceph")


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"ACCESS_KEY_ID": ACCESS_KEY, "SECRET_ACCESS_KEY": SECRET_KEY}
    for name, value in {**given, "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setitem(ENVIRONMENT, f"AWS_{name}", value)


@pytest.fixture
def client(ceph: str) -> Iterator[Any]:
    found = client_of(ceph)
    yield found
    found.close()


@pytest.fixture
def settings(built_site: Path, tmp_path: Path, ceph: str, client: Any) -> Settings:
    """A copy of the site, with a fresh versioned bucket as its mirror."""
    copy_site(built_site, tmp_path / "site")
    bucket = f"mirror-{random.getrandbits(48):x}"
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with (tmp_path / "site/pelicanconf.py").open("a") as file:
        file.write(f'MIRROR = "s3://{bucket}/pub"\nS3_ENDPOINT_URL = "{ceph}"\n')
        file.write("MIRROR_WORKERS = 8\n")
    return read_settings(tmp_path / "site")


def bucket_of(settings: Settings) -> str:
    return settings.mirror.removeprefix("s3://").partition("/")[0]


def listing(client: Any, settings: Settings) -> dict[str, Any]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket_of(settings))
    return {
        e["Key"].removeprefix("pub/"): e["LastModified"]
        for page in pages
        for e in page.get("Contents", ())
    }


def read(client: Any, settings: Settings, key: str) -> bytes:
    return bytes(client.get_object(Bucket=bucket_of(settings), Key=f"pub/{key}")["Body"].read())


def public_files(settings: Settings) -> dict[str, Path]:
    """Key → file of all that the live release shows everyone."""
    root = settings.output / "current/public"
    found = {}
    for file in root.rglob("*"):
        name = file.relative_to(root).as_posix()
        is_sibling = name.endswith((".br", ".gz")) and (root / name[:-3]).is_file()
        is_gone = (settings.output / "current/gone/public" / name).exists()
        if file.is_file() and not is_sibling and not is_gone:
            page = name.endswith(".html") and "/" in name and not name.endswith("/index.html")
            found[f"{name[:-5]}/index.html" if page else name] = file
    return found


def assert_mirrors(client: Any, settings: Settings, *, but_for: str = "\0") -> None:
    there = listing(client, settings)
    wanted = {k: f for k, f in public_files(settings).items() if not k.startswith(but_for)}
    own = {k for k in there if k.startswith((".nightpress/", "live/"))}
    assert wanted.keys() <= there.keys()
    assert all(cache_of(f"public/{k}").endswith("immutable") for k in there.keys() - wanted - own)
    for key in random.Random(1).sample(sorted(wanted), min(80, len(wanted))):
        assert read(client, settings, key) == wanted[key].read_bytes(), key
    current = live(settings)
    assert current is not None
    assert json.loads(read(client, settings, POINTER))["number"] == current.number


def test_the_public_tree_is_copied_once_with_types_and_lifetimes(
    settings: Settings, client: Any
) -> None:
    [report] = mirror(settings)
    assert report.sent == report.objects == len(public_files(settings))
    assert_mirrors(client, settings)
    before = listing(client, settings)
    assert not [key for key in before if key.startswith(("members/", "staff/", "documents/"))]
    for key in before:
        if key.startswith((".nightpress/", "live/")):
            continue
        head = client.head_object(Bucket=bucket_of(settings), Key=f"pub/{key}")
        if key.endswith(".html"):
            assert head["ContentType"] == "text/html; charset=utf-8"
            assert head["CacheControl"] == "public, max-age=60, must-revalidate"
        if key.startswith("assets/css/"):
            assert head["ContentType"] == "text/css; charset=utf-8"
            assert head["CacheControl"].endswith("immutable")
        assert "ContentEncoding" not in head, key
        assert head["Metadata"]["nightpress"]
    [again] = mirror(settings)
    assert (again.sent, again.deleted, again.asked) == (0, 0, 0)
    # The memory is lost: the objects are asked, and still nothing is sent.
    (settings.var / "mirror.sqlite").unlink()
    [again] = mirror(settings)
    assert (again.sent, again.deleted, again.asked) == (0, 0, again.objects)
    assert listing(client, settings) == before


def test_only_what_differs_is_sent_and_what_went_is_deleted(
    settings: Settings, client: Any
) -> None:
    mirror(settings)
    key = a_publication(settings)
    edit(settings, "UPDATE publications SET title = 'Anew' WHERE id = ?", key)
    said = nightpress(settings, "nightly")  # copies by itself, once the release is live
    assert "Mirror" in said
    page = f"{record_url('publication', key)[1:]}index.html"
    assert b"Anew" in read(client, settings, page)
    assert_mirrors(client, settings)
    client.put_object(Bucket=bucket_of(settings), Key="pub/stray.html", Body=b"stray")
    client.put_object(Bucket=bucket_of(settings), Key=f"pub/{page}", Body=b"meddled with")
    [report] = mirror(settings)
    assert (report.sent, report.deleted) == (1, 1)
    assert_mirrors(client, settings)
    assert "release" in nightpress(settings, "status")


def test_a_run_killed_again_and_again_is_gone_on_with(settings: Settings, client: Any) -> None:
    sent = 0
    slow = [*COMMAND, "mirror", "--site", str(settings.site)]
    with (settings.site / "pelicanconf.py").open("a") as file:
        file.write("MIRROR_WORKERS = 1\n")
    for wait in (0.3, 0.6, 0.9, 1.2):
        process = subprocess.Popen(slow, cwd=settings.site, env=ENVIRONMENT)
        deadline = time.monotonic() + 60
        while len(listing(client, settings)) <= sent and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        sent = len(listing(client, settings))
        assert POINTER not in listing(client, settings)
    [report] = mirror(settings)
    assert report.sent <= report.objects - sent + 1 + 2  # the mark; two may be sent again
    assert_mirrors(client, settings)


def test_a_withdrawn_record_leaves_the_mirror_at_once_and_an_erased_one_for_good(
    settings: Settings, client: Any
) -> None:
    key = a_publication(settings)
    record, page = f"publication:{key}", record_url("publication", key)[1:]
    mirror(settings)
    before = set(listing(client, settings))
    acts.withdraw(settings, record, "erased", "u-1", "Asked for")
    after = set(listing(client, settings))
    went = before - after
    assert f"{page}index.html" in went
    assert all(is_hidden(f"/{k}", (f"/{page}",)) or k.startswith("citations/") for k in went)
    assert any(k.startswith("citations/") for k in went)
    assert record.encode() in read(client, settings, "live/withdrawn.json")
    [report] = mirror(settings)
    assert report.sent == 0
    # Gone from the source, rebuilt, purged: no version of any object has a word of it.
    edit(settings, "UPDATE publications SET title = 'Unheard of' WHERE id = ?", key)
    nightpress(settings, "nightly")
    edit(settings, "DELETE FROM publications WHERE id = ?", key)
    nightpress(settings, "nightly", "--accept")
    acts.purge(settings, "u-1", "Asked for")
    bucket = bucket_of(settings)
    found = client.list_object_versions(Bucket=bucket)
    assert not found["IsTruncated"]
    assert not found.get("DeleteMarkers")
    assert len(found["Versions"]) == len(listing(client, settings))
    for version in found["Versions"]:
        body = client.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])[
            "Body"
        ].read()
        assert b"Unheard of" not in body, version["Key"]


def test_the_maps_at_the_edge_name_nothing_that_was_for_members_alone(
    settings: Settings, client: Any
) -> None:
    for access in ("public", "members"):
        edit(
            settings,
            "DELETE FROM publications WHERE id = (SELECT min(id) FROM publications"
            " WHERE access = ? AND status = 'current')",
            access,
        )
    nightpress(settings, "nightly", "--accept")
    mirror(settings)
    for name in ("redirects.txt", "gone.txt"):
        lines = (settings.output / "current" / name).read_bytes().splitlines(keepends=True)
        strangers = [line for line in lines if not line.startswith(b"/members/")]
        assert 0 < len(strangers) < len(lines), name
        assert read(client, settings, f".nightpress/{name}") == b"".join(strangers)


def test_members_and_staff_go_to_a_private_bucket_or_nowhere(
    settings: Settings, client: Any
) -> None:
    public = bucket_of(settings)
    with pytest.raises(ConfigurationError, match="bucket of their own"):
        mirror(settings, private=f"s3://{public}/members")
    open_bucket = f"{public}-open"
    client.create_bucket(Bucket=open_bucket, ACL="public-read")
    with pytest.raises(ConfigurationError, match="read by strangers"):
        mirror(settings, private=f"s3://{open_bucket}")
    assert client.list_objects_v2(Bucket=open_bucket)["KeyCount"] == 0
    closed = f"{public}-closed"
    client.create_bucket(Bucket=closed)
    _, report = mirror(settings, private=f"s3://{closed}")
    keys = {e["Key"] for e in client.list_objects_v2(Bucket=closed)["Contents"]}
    trees = {k.partition("/")[0] for k in keys if not k.startswith(".nightpress/")}
    assert trees == {"members", "staff"}
    head = client.head_object(Bucket=closed, Key="staff/index.html")
    assert head["CacheControl"] == "private, no-store"
    assert report.sent == report.objects
    assert not [k for k in listing(client, settings) if k.startswith(("members/", "staff/"))]


def test_a_place_that_holds_other_things_is_left_alone(settings: Settings, client: Any) -> None:
    client.put_object(Bucket=bucket_of(settings), Key="pub/payroll.csv", Body=b"theirs")
    with pytest.raises(ConfigurationError, match="no mirror"):
        mirror(settings)
    assert read(client, settings, "payroll.csv") == b"theirs"
    [report] = mirror(settings, adopt=True)
    assert report.deleted == 1


def test_a_bucket_that_does_not_answer_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(NightpressError, match="again"):
        mirror(replace(settings, mirror="s3://no-such-bucket"))
    with pytest.raises(NightpressError, match="MIRROR"):
        mirror(replace(settings, mirror=""))


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("/", "index.html"),
        ("/people/", "people/index.html"),
        ("/people/ada/", "people/ada/index.html"),
        ("/data/publications.jsonl.gz", "data/publications.jsonl.gz"),
        ("/404.html", "404.html"),
    ],
)
def test_keys_are_where_website_hosting_looks(url: str, key: str) -> None:
    assert key_of(url) == key
