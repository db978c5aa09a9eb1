"""What breaks while a CV arrives: a process, a disk, a store, a scanner, a database."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import boto3
import pytest
import requests
from sqlalchemy import create_engine, text
from sqlalchemy.orm import close_all_sessions

from content_sync.operations.children import free_port
from dynamic.app import create_app
from dynamic.cv import stores, upkeep
from dynamic.cv.stores import S3Store
from dynamic.database import db
from dynamic.errors import Unavailable
from dynamic.health import Stuck
from dynamic.settings import read_service_settings
from tests.ceph import client_of
from tests.dynamic.cv import files
from tests.dynamic.cv.conftest import make_bucket
from tests.dynamic.cv.students import EDIT, MINE, send, student
from tests.dynamic.process import Service

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

KILLS = int(os.environ.get("NIGHTPRESS_KILLS", "4"))
"""Times that a process is killed in mid-upload; `make soak` sets 200."""


@ON_SQLITE
def test_a_process_killed_in_mid_upload_leaves_nothing_half_done(
    site_folder: Path, environment: dict[str, str], database_url: str, release: object
) -> None:
    chance = random.Random(4)
    acknowledged: dict[str, bytes] = {}
    number = itertools.count()
    for kill in range(KILLS):
        service = Service(site_folder, environment)
        service.start()
        browsers = {}
        for _ in range(3):
            subject = f"s-{next(number)}"
            browsers[subject] = student(service, subject)
            browsers[subject].token(EDIT)

        def go(subject: str, browser, content: bytes) -> None:
            try:
                if send(browser, content).status_code == 303:
                    acknowledged[subject] = content
            except OSError:
                pass  # the process was killed while it had the request

        threads = [
            threading.Thread(
                target=go, args=(s, b, files.pdf(f"CV of {s}, who studies much", padding=300_000))
            )
            for s, b in browsers.items()
        ]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.02, 1.5))
        service.kill()
        for thread in threads:
            thread.join()
        assert kill < KILLS
    _age(site_folder / "var")
    app = create_app(read_service_settings(site_folder, environment))
    with app.app_context():
        upkeep.sweep()
        close_all_sessions()
        db.engine.dispose()
    engine = create_engine(database_url)
    with engine.connect() as connection:
        rows = dict(connection.execute(text("SELECT subject, object FROM cvs")).all())
    engine.dispose()
    store = site_folder / "var" / "cv-store"
    on_disk = {file.name for file in store.iterdir()} if store.exists() else set()
    assert on_disk == set(rows.values())
    assert acknowledged.keys() <= rows.keys()
    for subject, content in acknowledged.items():
        assert (store / rows[subject]).read_bytes() == content
    spool = site_folder / "var" / "cv-spool"
    assert not spool.exists() or list(spool.iterdir()) == []


def _age(var: Path) -> None:
    """Make what lies there two hours old."""
    old = time.time() - 7200
    for folder in ("cv-store", "cv-spool"):
        for file in (var / folder).glob("*"):
            os.utime(file, (old, old))


@ON_SQLITE
def test_a_sweep_leaves_what_is_just_arriving(service: Service, environment) -> None:
    send(student(service))
    store = service.site / "var" / "cv-store"
    orphan, arriving = (store / f"{letter * 43}.pdf" for letter in "ab")
    other = store / "README"
    for file in (orphan, arriving, other):
        file.write_bytes(b"x")
    old = time.time() - 7200
    os.utime(orphan, (old, old))
    os.utime(other, (old, old))
    app = create_app(read_service_settings(service.site, environment))
    with app.app_context():
        assert upkeep.sweep() == 1
        close_all_sessions()
        db.engine.dispose()
    assert not orphan.exists()
    assert arriving.exists()
    assert other.exists()
    assert student(service).get("/services/cv/file").status_code == 200


@ON_SQLITE
def test_a_full_disk_is_told_and_leaves_nothing(
    site_folder: Path, environment: dict[str, str], release: object
) -> None:
    # A limit on the size of any file: writing more fails as on a full disk.
    service = Service(site_folder, environment)
    with service:
        mien = student(service)
        mien.token(EDIT)
        # Small enough for the server to keep the request in memory: our own writing fails.
        _limit_files(service, 40_000)
        answer = send(mien, files.pdf(padding=50_000, compress_streams=False))
        assert answer.status_code in {503, 507}
        # Our own word, not the minute or hour after which requests are counted anew.
        assert int(answer.headers["Retry-After"]) in {60, 600}
        assert "again" in answer.text
        _limit_files(service, -1)
        assert list((site_folder / "var").glob("cv-store/*")) == []
        assert list((site_folder / "var").glob("cv-spool/*")) == []
        assert send(mien).status_code == 303


def _limit_files(service: Service, size: int) -> None:
    import resource

    assert service.process is not None
    limit = resource.RLIM_INFINITY if size < 0 else size
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


@ON_SQLITE
def test_a_store_that_cannot_be_written_keeps_the_forms_text(service: Service) -> None:
    mien = student(service)
    store = service.site / "var" / "cv-store"
    store.write_text("a file where the folder should be")
    answer = send(mien)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    for word in ("does not answer", "Chip cooling, Reliability", "Nguyễn Hạ Miên"):
        assert word in answer.text
    store.unlink()
    assert "Send your CV" in mien.get(MINE).text
    assert send(mien).status_code == 303


@ON_SQLITE
def test_a_locked_database_is_told_and_leaves_no_cv(service: Service, database_url: str) -> None:
    mien = student(service)
    mien.token(EDIT)
    file = database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = send(mien)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        other.execute("ROLLBACK")
    assert "Send your CV" in mien.get(MINE).text
    assert send(mien).status_code == 303


@ON_SQLITE
def test_s3_holds_the_file_encrypted_versioned_and_until_it_is_withdrawn(
    bucket: str, moto: str, service: Service
) -> None:
    mien = student(service)
    content = files.pdf()
    assert send(mien, content).status_code == 303
    client = boto3.client("s3", endpoint_url=moto)
    (one,) = client.list_objects_v2(Bucket=bucket)["Contents"]
    head = client.head_object(Bucket=bucket, Key=one["Key"])
    assert one["Key"].startswith("kept/")
    assert head["ServerSideEncryption"] == "AES256"
    assert head["ContentDisposition"] == "attachment"
    assert head["VersionId"]
    assert mien.get("/services/cv/file").content == content
    assert send(mien, files.pdf("a second version of the text")).status_code == 303
    token = mien.token("/services/cv/withdraw")
    answer = mien.post("/services/cv/withdraw", {"csrf_token": token})
    assert answer.status_code == 303, answer.text
    left = client.list_object_versions(Bucket=bucket)
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")
    client.close()


@ON_SQLITE
def test_an_s3_service_that_does_not_answer_keeps_the_forms_text(
    conf,
    serve,
    credentials: dict[str, str],
) -> None:
    conf(CV_STORE="s3://nowhere", S3_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}")
    service = serve()
    mien = student(service)
    began = time.monotonic()
    answer = send(mien)
    assert time.monotonic() - began < 40
    assert answer.status_code == 503
    assert "Chip cooling, Reliability" in answer.text
    assert "Send your CV" in mien.get(MINE).text


@ON_SQLITE
@pytest.mark.needs("ceph")
def test_a_strict_s3_server_agrees(
    ceph: str,
    conf,
    credentials: dict[str, str],
    serve,
) -> None:
    client = client_of(ceph)
    make_bucket(client, "cvs")
    conf(CV_STORE="s3://cvs/kept", S3_ENDPOINT_URL=ceph)
    service = serve()
    mien = student(service)
    content = files.pdf(padding=9_000_000, compress_streams=False)
    assert send(mien, content).status_code == 303
    assert mien.get("/services/cv/file").content == content
    (one,) = client.list_objects_v2(Bucket="cvs")["Contents"]
    # Nobody reads it without a signature.
    assert requests.get(f"{ceph}/cvs/{one['Key']}", timeout=60).status_code == 403
    assert send(mien, files.pdf("the second text of this student")).status_code == 303
    token = mien.token("/services/cv/withdraw")
    assert mien.post("/services/cv/withdraw", {"csrf_token": token}).status_code == 303
    left = client.list_object_versions(Bucket="cvs")
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")
    client.close()


@ON_SQLITE
@pytest.mark.needs("ceph")
def test_a_name_in_a_bucket_is_written_once(
    ceph: str, credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # This server, of 2021, looks at the condition only in a bucket without versions; where
    # there are versions, the first bytes stay below what is written over them.
    stores._client.cache_clear()
    client = client_of(ceph)
    client.create_bucket(Bucket="plain")
    store = S3Store("plain", "", endpoint=ceph, encryption="AES256")
    name = stores.new_name("pdf")
    for number in range(2):
        (tmp_path / str(number)).write_bytes(str(number).encode())
    store.put(name, tmp_path / "0", sha256="0")
    with pytest.raises(Unavailable):
        store.put(name, tmp_path / "1", sha256="1")
    with contextlib.closing(store.open(name)) as kept:
        assert kept.read() == b"0"
    store.delete(name)
    with pytest.raises(FileNotFoundError):
        store.open(name)
    client.close()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    stores._client.cache_clear()
    with pytest.raises(Unavailable):
        store.put(name, tmp_path / "0", sha256="0")
    with pytest.raises(Unavailable):
        store.check()
    stores._client.cache_clear()


@ON_SQLITE
@pytest.mark.needs("clamav")
def test_a_virus_is_refused_and_what_was_not_scanned_too(
    clamd: str,
    conf,
    serve,
) -> None:
    conf(CLAMD=clamd)
    service = serve()
    mien = student(service)
    infected = files.pdf(change=_carry_eicar, compress_streams=False)
    assert files.EICAR in infected
    answer = send(mien, infected)
    assert answer.status_code == 422
    assert "virus scanner found something" in answer.text
    # Inside a DOCX, too, which is an archive.
    answer = send(mien, files.docx(more={"word/media/image1.png": files.EICAR}))
    assert "virus scanner found something" in answer.text
    # More than clamd takes: it resets the connection, which is no "clean".
    answer = send(mien, files.pdf(padding=3_000_000, compress_streams=False))
    assert answer.status_code == 503
    assert "not scanned" in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert send(mien).status_code == 303
    page = mien.get(MINE).text
    assert "none found" in page
    health = service.browse("boss", "staff").get("/services/health")
    assert health.json()["parts"]["virus scanner"]["answers"] is True


@ON_SQLITE
def test_without_its_scanner_nothing_is_taken(
    conf,
    serve,
    tmp_path: Path,
) -> None:
    conf(CLAMD=str(tmp_path / "no-such-socket"))
    service = serve()
    mien = student(service)
    answer = send(mien)
    assert answer.status_code == 503
    assert "virus scanner does not answer" in answer.text
    assert "Chip cooling, Reliability" in answer.text
    assert list((service.site / "var").glob("cv-store/*")) == []
    assert "Send your CV" in mien.get(MINE).text


def _carry_eicar(made) -> None:
    made.pages[0].obj["/PieceInfo"] = made.make_stream(files.EICAR)


def test_a_folder_that_is_nearly_full_is_no_good_health(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stores.FolderStore(tmp_path / "store")
    assert "MB free" in store.check()
    monkeypatch.setattr(stores, "_LEAST_FREE", 1 << 62)
    with pytest.raises(Stuck, match="MB free"):
        store.check()
