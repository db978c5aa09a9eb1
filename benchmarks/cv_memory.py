"""What 20 CVs of 10 MB at once cost the service: memory of its process, of all, and time.

    python -m benchmarks.cv_memory

The service runs as `nightpress service run` starts it, over a folder as CV store. Memory of
the process is the kernel's own high-water mark, so no peak is missed; that of the processes
that look into the files is sampled every 20 ms.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pikepdf
import psutil
import requests

from benchmarks.measure import write_result
from benchmarks.report import table

AT_ONCE = 20
SIZE = 10 * 1024 * 1024
GOAL_MB = 120
_ROOT = Path(__file__).resolve().parent.parent


def run(size: int | None = None) -> None:
    """Measure and write the result; `size` is the number of uploads at once."""
    count = size or AT_ONCE
    rows = [measure(count, store) for store in ("folder", "S3")]
    write_result(f"cv_memory-{count}", [], size=count, rows=rows)


def measure(count: int, store: str) -> dict[str, Any]:
    """Return the figures of `count` uploads at once into a `folder` or into `S3`."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _s3(store) as endpoint,
        _service(Path(folder), endpoint) as (url, secret, pid),
    ):
        process = psutil.Process(pid)
        bodies = [_form(number) for number in range(count)]
        clients = [_Client(url, secret, number) for number in range(count)]
        idle = process.memory_info().rss
        tree = _Tree(process)
        started = time.perf_counter()
        threads = [
            threading.Thread(target=client.send, args=body)
            for client, body in zip(clients, bodies, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - started
        answers = [client.status for client in clients]
        return {
            "store": store,
            "uploads": count,
            "taken": answers.count(303),
            "refused_for_now": answers.count(503),
            "idle_mb": idle / 1e6,
            "peak_mb": _high_water(pid) / 1e6,
            "peak_of_children_mb": tree.stop() / 1e6,
            "seconds": seconds,
            "slowest_s": max(client.seconds for client in clients),
        }


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    return table(
        [
            "store",
            "uploads of 10 MB at once",
            "taken",
            "seconds, all",
            "slowest, s",
            "service, idle, MB",
            f"service, peak, MB (goal {GOAL_MB})",
            "processes that look into files, peak, MB",
        ],
        [
            [
                r["store"],
                r["uploads"],
                r["taken"],
                r["seconds"],
                r["slowest_s"],
                r["idle_mb"],
                r["peak_mb"],
                r["peak_of_children_mb"],
            ]
            for result in results
            for r in result["rows"]
        ],
    )


class _Client:
    def __init__(self, url: str, secret: str, number: int) -> None:
        self._url = f"{url}/services/cv/edit"
        self._headers = {
            "X-Proxy-Secret": secret,
            "X-Remote-User": f"s-{number}",
            "X-Remote-Email": f"s-{number}@example.org",
            "X-Remote-Name": "Student",
            "X-Remote-Groups": "student",
        }
        page = requests.get(self._url, headers=self._headers, timeout=60)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found, page.text
        self._token = found[1]
        self._cookies = "; ".join(f"{c.name}={c.value}" for c in page.cookies)
        self.status = 0
        self.seconds = 0.0

    def send(self, body: bytes, boundary: str) -> None:
        started = time.perf_counter()
        body = body.replace(b"@TOKEN@", self._token.encode())
        answer = requests.post(
            self._url,
            data=body,
            headers={
                **self._headers,
                "Cookie": self._cookies,
                "Content-Type": f"multipart/form-data; boundary={boundary}",
            },
            allow_redirects=False,
            timeout=600,
        )
        self.status = answer.status_code
        self.seconds = time.perf_counter() - started


class _Tree:
    """The memory of a process's children, sampled until it is stopped."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._done = threading.Event()
        self.peak = 0
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()

    def stop(self) -> int:
        self._done.set()
        self._thread.join()
        return self.peak

    def _sample(self) -> None:
        while not self._done.wait(0.02):
            total = 0
            for child in self._process.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total)


def _high_water(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def _form(number: int) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    fields = {
        "csrf_token": "@TOKEN@",
        "name": f"Student {number}",
        "degree": "master",
        "field": "Physics",
        "graduation": "2027-09",
        "availability": "internship",
        "shown_to": "all",
        "consent": "y",
    }
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="cv.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n".encode()
    )
    parts += [_pdf(), f"\r\n--{boundary}--\r\n".encode()]
    return b"".join(parts), boundary


def _pdf() -> bytes:
    """Return a PDF of nearly 10 MB, most of it a picture that does not compress."""
    with pikepdf.new() as pdf:
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        image = pdf.make_stream(os.urandom(SIZE - 4000))
        image.Type, image.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        image.Width, image.Height = SIZE - 4000, 1
        image.ColorSpace, image.BitsPerComponent = pikepdf.Name.DeviceGray, 8
        text = (
            b"BT /F1 12 Tf 60 700 Td (The curriculum vitae of somebody with a large picture) Tj ET"
        )
        page = pikepdf.Dictionary(
            Type=pikepdf.Name.Page,
            MediaBox=[0, 0, 595, 842],
            Resources=pikepdf.Dictionary(
                Font=pikepdf.Dictionary(F1=font), XObject=pikepdf.Dictionary(I=image)
            ),
            Contents=pdf.make_stream(text),
        )
        pdf.pages.append(pikepdf.Page(page))
        target = io.BytesIO()
        pdf.save(target, compress_streams=False)
        return target.getvalue()


@contextmanager
def _s3(store: str) -> Iterator[str]:
    """Yield the address of an S3 server with a bucket, or nothing for a folder."""
    if store == "folder":
        yield ""
        return
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        requests.put(f"http://127.0.0.1:{port}/cvs", timeout=30).raise_for_status()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _service(folder: Path, endpoint: str) -> Iterator[tuple[str, str, int]]:
    """Run the service over an empty site; yield its address, its secret and its process."""
    conf = 'SITENAME = "x"\nSITEURL = "https://x.example"\n'
    if endpoint:
        conf += f'CV_STORE = "s3://cvs"\nS3_ENDPOINT_URL = "{endpoint}"\n'
    (folder / "pelicanconf.py").write_text(conf)
    secret = secrets.token_urlsafe(48)
    port = _free_port()
    environment = {
        **os.environ,
        "NIGHTPRESS_PROXY_SECRET": secret,
        "PYTHONPATH": str(_ROOT),
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, "-m", "content_sync.cli", "service"]
    site = ["--site", str(folder)]
    subprocess.run([*command, "migrate", *site], env=environment, cwd=_ROOT, check=True)
    process = subprocess.Popen(
        [*command, "run", *site, "--port", str(port)],
        env=environment,
        cwd=_ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}", secret, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as there:
            if there.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nothing answers on port {port}")


if __name__ == "__main__":
    print(tables([{"rows": [measure(AT_ONCE, store) for store in ("folder", "S3")]}]))
