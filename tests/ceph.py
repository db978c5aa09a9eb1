"""A real S3 server on loopback: one Ceph monitor, one memory store, radosgw.

Up in some 13 seconds and 150 MB, as whoever runs the tests. It refuses what Amazon's would:
bad signatures, conditional writes over what is there, deletes by those who may not.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from content_sync.operations.children import free_port

ACCESS_KEY, SECRET_KEY = "TESTKEY123", "testsecret1234567890"

_CONF = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon}]
ms bind ipv4 = true
public addr = 127.0.0.1
ms bind port min = {low}
ms bind port max = {high}
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
run dir = {d}/run
admin socket = {d}/run/$name.asok
log file = {d}/log/$name.log
pid file = {d}/run/$name.pid
keyring = {d}/keyring
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
osd pool default pg autoscale mode = off
mon max pg per osd = 2000
auth allow insecure global id reclaim = false
[mon.a]
mon data = {d}/mon
mon addr = 127.0.0.1:{mon}
[osd]
osd data = {d}/osd0
osd objectstore = memstore
memstore device bytes = {bytes}
osd class load list = *
osd class default list = *
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw dns name = localhost
rgw crypt require ssl = false
rgw enable usage log = false
"""


class NotUp(Exception):
    """The server did not come up: a port was taken, or the machine is very busy."""


@contextlib.contextmanager
def radosgw(*, gigabytes: int = 1) -> Iterator[str]:
    """Start the server; yield its address; stop every process of it.

    Ports are free when they are chosen and may be taken a moment later, so that a server
    that does not come up is started anew on others, three times at most.
    """
    for last in (False, False, True):
        folder = Path(tempfile.mkdtemp(prefix="ceph-"))
        processes: list[subprocess.Popen[bytes]] = []
        try:
            try:
                address = _start(folder, processes, gigabytes)
            except (NotUp, OSError, subprocess.SubprocessError):
                if last:
                    raise
                continue
            yield address
            return
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGKILL)  # its memory is all that it holds
                process.wait(30)
            shutil.rmtree(folder, ignore_errors=True)


def client_of(address: str) -> Any:
    """Return a client of the server that does not depend on the environment."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=address,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
    )


def _start(folder: Path, processes: list[subprocess.Popen[bytes]], gigabytes: int) -> str:
    port, mon, low = free_port(), free_port(), free_port()
    for name in ("run", "mon", "osd0", "log"):
        (folder / name).mkdir()
    conf = folder / "ceph.conf"
    fsid = str(uuid.uuid4())
    conf.write_text(
        _CONF.format(
            d=folder,
            fsid=fsid,
            mon=mon,
            port=port,
            low=low,
            high=min(low + 60, 65500),
            bytes=gigabytes << 30,
        )
    )
    environment = {**os.environ, "CEPH_CONF": str(conf)}

    def run(*command: str) -> None:
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=180)

    def keep(*command: str) -> None:
        processes.append(
            subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    c, keyring, monmap = str(conf), str(folder / "keyring"), str(folder / "monmap")
    run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{mon}]", monmap)
    run("ceph-authtool", "-C", "-g", keyring, "-n", "mon.", "--cap", "mon", "allow *")
    for name, caps in {
        "client.admin": {"mon": "allow *", "osd": "allow *", "mds": "allow *", "mgr": "allow *"},
        "client.rgw": {"mon": "allow rwx", "osd": "allow rwx"},
        "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
    }.items():
        more = [part for cap, value in caps.items() for part in ("--cap", cap, value)]
        run("ceph-authtool", "-g", keyring, "-n", name, *more)
    run("ceph-mon", "-c", c, "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
    keep("ceph-mon", "-f", "-c", c, "-i", "a")
    run("ceph", "-c", c, "--connect-timeout", "60", "osd", "create")
    subprocess.run(
        ["ceph-osd", "-c", c, "-i", "0", "--mkfs", "--osd-uuid", str(uuid.uuid4())],
        env=environment,
        capture_output=True,
        timeout=120,
    )
    run("ceph", "-c", c, "osd", "crush", "add", "osd.0", "1.0", "root=default")
    keep("ceph-osd", "-f", "-c", c, "-i", "0")
    # The user first: made while the server sets itself up, it is now and then in a zone of its own.
    run(
        *("radosgw-admin", "-c", c, "-n", "client.rgw", "user", "create", "--uid=test"),
        *("--display-name=test", f"--access-key={ACCESS_KEY}", f"--secret={SECRET_KEY}"),
    )
    keep("radosgw", "-f", "-c", c, "-n", "client.rgw")
    _wait(f"http://localhost:{port}", processes)
    return f"http://localhost:{port}"


def _wait(address: str, processes: list[subprocess.Popen[bytes]]) -> None:
    """Wait until the server knows the user, which is later than that it answers."""
    end = time.monotonic() + 180
    client = client_of(address)
    try:
        while time.monotonic() < end:
            if any(process.poll() is not None for process in processes):
                raise NotUp("a process of the server ended")
            try:
                client.list_buckets()
            except (BotoCoreError, ClientError):
                time.sleep(0.2)
            else:
                return
    finally:
        client.close()
    raise NotUp("radosgw does not answer")
