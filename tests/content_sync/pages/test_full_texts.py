"""Full texts come from a folder or a bucket, and nothing else comes with them."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from content_sync.errors import BuildError
from content_sync.pages.cache import Cache
from content_sync.pages.full_texts import FullTextReport, bring_full_texts, stored_file
from content_sync.settings import Settings

PDF = b"%PDF-1.4 a paper"


class Library:
    """A snapshot of publications that name files, and a cache."""

    def __init__(self, settings: Settings, paths: dict[str, str]) -> None:
        self.settings = settings
        self.snapshot = sqlite3.connect(":memory:")
        self.snapshot.execute("CREATE TABLE publications (id TEXT, file_path TEXT)")
        self.snapshot.executemany("INSERT INTO publications VALUES (?, ?)", paths.items())
        self.cache = Cache(settings.var / "cache.sqlite")

    def bring(self) -> FullTextReport:
        return bring_full_texts(self.settings, self.snapshot, self.cache.connection)

    def content(self, publication_id: str) -> bytes:
        (digest,) = self.cache.connection.execute(
            "SELECT sha256 FROM full_texts WHERE publication_id = ?", (publication_id,)
        ).fetchone()
        return stored_file(self.settings, digest).read_bytes()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "papers").mkdir()
    return Settings(site=tmp_path, full_texts="papers")


def test_a_file_is_brought_once_and_again_when_it_changes(settings: Settings) -> None:
    paper = settings.site / "papers/a.pdf"
    paper.write_bytes(PDF)
    library = Library(settings, {"a": "a.pdf"})
    assert library.bring().changed == {"a"}
    assert library.bring().changed == set()
    paper.write_bytes(PDF + b", second edition")
    os.utime(paper, ns=(1, 1))
    assert library.bring().changed == {"a"}
    assert library.content("a") == PDF + b", second edition"


def test_a_missing_file_is_reported_and_the_rest_comes(settings: Settings) -> None:
    (settings.site / "papers/a.pdf").write_bytes(PDF)
    report = Library(settings, {"a": "a.pdf", "b": "b.pdf"}).bring()
    assert report.present == 1
    assert report.missing == [("b", "b.pdf", "there is no such file")]


def test_a_file_that_went_is_forgotten(settings: Settings) -> None:
    paper = settings.site / "papers/a.pdf"
    paper.write_bytes(PDF)
    library = Library(settings, {"a": "a.pdf"})
    library.bring()
    paper.unlink()
    report = library.bring()
    assert (report.present, report.changed) == (0, {"a"})


def test_nothing_outside_the_root_is_read(settings: Settings) -> None:
    secret = settings.site / "secret.pdf"
    secret.write_bytes(PDF)
    (settings.site / "papers/link.pdf").symlink_to(secret)
    report = Library(
        settings,
        {"a": "../secret.pdf", "b": str(secret), "c": "link.pdf", "d": "x/../../secret.pdf"},
    ).bring()
    assert report.present == 0
    assert {reason for _, _, reason in report.missing} == {
        "it lies outside the folder of full texts"
    }


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.html", b"<script>", "its type may not be published"),
        ("a.pdf.exe", PDF, "its type may not be published"),
        ("a.pdf", b"<html>%PDF-", "its content is not PDF"),
        ("a.pdf", b"", "its content is not PDF"),
    ],
)
def test_only_allowed_types_are_published(
    settings: Settings, name: str, content: bytes, reason: str
) -> None:
    (settings.site / "papers" / name).write_bytes(content)
    report = Library(settings, {"a": name}).bring()
    assert [r for _, _, r in report.missing] == [reason]


def test_a_folder_that_is_not_there_stops_the_build(tmp_path: Path) -> None:
    library = Library(Settings(site=tmp_path, full_texts="nowhere"), {"a": "a.pdf"})
    with pytest.raises(BuildError, match="nowhere"):
        library.bring()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=address)
    client.create_bucket(Bucket="papers")
    client.put_object(Bucket="papers", Key="texts/2020/a.pdf", Body=PDF)
    client.put_object(Bucket="papers", Key="secret.pdf", Body=PDF)
    yield address
    server.stop()


def test_files_come_from_a_bucket_too(tmp_path: Path, bucket: str) -> None:
    settings = Settings(site=tmp_path, full_texts="s3://papers/texts", s3_endpoint_url=bucket)
    library = Library(settings, {"a": "2020/a.pdf", "b": "2020/b.pdf", "c": "../secret.pdf"})
    report = library.bring()
    assert report.changed == {"a"}
    assert library.content("a") == PDF
    assert {one for one, _, _ in report.missing} == {"b", "c"}
    assert library.bring().brought == 0


def test_a_bucket_that_cannot_be_read_stops_the_build(tmp_path: Path, bucket: str) -> None:
    settings = Settings(site=tmp_path, full_texts="s3://nobody", s3_endpoint_url=bucket)
    with pytest.raises(BuildError, match="nobody"):
        Library(dataclasses.replace(settings), {"a": "a.pdf"}).bring()
