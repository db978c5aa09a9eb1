"""What tests of CVs share: students and companies, a virus scanner, S3 servers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.ceph import ACCESS_KEY, SECRET_KEY
from tests.dynamic.cv.files import EICAR
from tests.dynamic.process import Service
from tests.dynamic.releases import Releases


@pytest.fixture(autouse=True)
def _release(release: Releases) -> None:
    """Companies are read from the live release."""


@pytest.fixture
def conf(site_folder: Path):
    """Adds lines to the settings; to be used before the app is asked for."""

    def add(**settings: object) -> None:
        with (site_folder / "pelicanconf.py").open("a") as file:
            file.writelines(f"{name} = {value!r}\n" for name, value in settings.items())

    return add


@pytest.fixture
def serve(site_folder: Path, environment: dict[str, str], release: Releases):
    """Starts the service as a process, once the settings are as the test wants them."""
    started: list[Service] = []

    def start() -> Service:
        service = Service(site_folder, environment)
        service.start()
        started.append(service)
        return service

    yield start
    for service in started:
        service.__exit__(None, None, None)


@pytest.fixture(scope="session")
def clamd_program() -> str:
    return shutil.which("clamd") or "/usr/sbin/clamd"


@pytest.fixture
def clamd(clamd_program: str) -> Iterator[str]:
    """The socket of a clamd that knows the EICAR string and takes streams up to 2 MB."""
    with tempfile.TemporaryDirectory(prefix="clamd-") as name:
        folder = Path(name)
        (folder / "db").mkdir()
        (folder / "db" / "test.ndb").write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n")
        conf = folder / "clamd.conf"
        lines = [
            f"LocalSocket {folder}/socket",
            f"DatabaseDirectory {folder}/db",
            f"PidFile {folder}/pid",
            "Foreground yes",
            "StreamMaxLength 2M",
            "OfficialDatabaseOnly no",
        ]
        if os.geteuid() == 0:
            lines.append("User root")
        conf.write_text("\n".join(lines) + "\n")
        process = subprocess.Popen(
            [clamd_program, f"--config-file={conf}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(folder / "socket", process)
            yield f"{folder}/socket"
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        assert process.poll() is None, "clamd does not start"
        if path.exists():
            with socket.socket(socket.AF_UNIX) as there:
                try:
                    there.connect(str(path))
                except OSError:
                    pass
                else:
                    return
        time.sleep(0.025)
    raise AssertionError("clamd does not answer")


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of an S3 server that keeps state well and checks little."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def credentials(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Credentials of the S3 servers, in the environment as boto3 looks for them."""
    keys = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    environment.update(keys)
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    return keys


@pytest.fixture
def bucket(moto: str, credentials: dict[str, str], conf, tmp_path: Path) -> Iterator[str]:
    """A private, versioned bucket, named in the settings; the service keeps CVs in it."""
    name = f"cvs-{tmp_path.name.replace('_', '-').lower()[-40:]}-{os.getpid()}".strip("-")
    client = boto3.client("s3", endpoint_url=moto)
    make_bucket(client, name)
    conf(CV_STORE=f"s3://{name}/kept", S3_ENDPOINT_URL=moto)
    yield name
    client.close()


def make_bucket(client, name: str) -> None:
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
