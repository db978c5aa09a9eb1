"""What does the mirror cost on a real S3 server?

    python -m benchmarks.mirror_objects [--size 60000]

A release of so many pages, each of about 4 KB, is copied to Ceph's radosgw on loopback: a first
time, killed half-way and gone on with; then with nothing changed; then with 200 pages changed and
50 gone; at last with the memory of what was sent lost. Needs ceph and radosgw from Debian.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench_site import WORK
from benchmarks.measure import measure, write_result
from benchmarks.report import table
from content_sync.release.manifest import Entry
from content_sync.release.releases import live
from content_sync.release.stage import open_stage, write_file
from content_sync.release.switch import publish
from content_sync.settings import Settings, read_settings
from tests.ceph import ACCESS_KEY, SECRET_KEY, client_of, radosgw

BUCKET = "mirror"
SIZE = 60_000
_TEXT = "<p>Copper drifts along grain boundaries of a line that carries a current.</p>\n" * 45


def run(size: int | None = None) -> None:
    """Measure the runs and write the result."""
    size = size or SIZE
    site = WORK / "mirror-site"
    shutil.rmtree(site, ignore_errors=True)
    given = {"ACCESS_KEY_ID": ACCESS_KEY, "SECRET_ACCESS_KEY": SECRET_KEY}
    os.environ.update({f"AWS_{name}": value for name, value in given.items()})
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    try:
        with radosgw(gigabytes=4) as address:
            client_of(address).create_bucket(Bucket=BUCKET)
            costs, reports = _runs(_make(site, address), size)
    finally:
        shutil.rmtree(site, ignore_errors=True)
    write_result(f"mirror_objects-{size}", costs, size=size, reports=reports)


def _runs(settings: Settings, size: int) -> tuple[list[Any], list[dict[str, Any]]]:
    costs, reports = [], []
    _release(settings, range(size), changed=0)
    _kill_half_way(settings, size)
    for label, prepare in (
        ("first, after a kill", lambda: None),
        ("nothing changed", lambda: None),
        ("200 changed, 50 gone", lambda: _release(settings, range(50, size), changed=200)),
        ("memory lost", lambda: (settings.var / "mirror.sqlite").unlink()),
    ):
        prepare()
        words = ["-m", "content_sync.cli", "mirror", "--json", "--site", str(settings.site)]
        cost = measure(label, [sys.executable, *words])
        assert cost.exit_code == 0, label
        costs.append(cost)
        reports.append(json.loads(cost.output.splitlines()[-1]))
    return costs, reports


def _make(site: Path, address: str) -> Settings:
    (site / "var").mkdir(parents=True)
    (site / "pelicanconf.py").write_text(
        f'SITENAME = "Mirror"\nSITEURL = "https://m.example"\nS3_ENDPOINT_URL = "{address}"\n'
        f'MIRROR = "s3://{BUCKET}"\n'
    )
    return read_settings(site)


def _release(settings: Settings, numbers: range, *, changed: int) -> None:
    """Publish a release of these pages, of which the first `changed` say something new."""
    stage = open_stage(settings)
    stage.begin(full=True)
    stage.add(_pages(stage.root, numbers, changed))
    stage.write_release({"built": "2026-01-01T00:00:00+00:00", "date": "2026-01-01"})
    stage.finish()
    publish(settings, stage)


def _pages(root: Path, numbers: range, changed: int) -> Iterator[Entry]:
    for place, number in enumerate(numbers):
        text = (
            f"<!doctype html>\n<h1>Page {number}{' anew' if place < changed else ''}</h1>\n{_TEXT}"
        )
        yield write_file(root, f"public/publications/p-{number}.html", text.encode(), b"key")


def _kill_half_way(settings: Settings, size: int) -> None:
    command = [sys.executable, "-m", "content_sync.cli", "mirror", "--site", str(settings.site)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    file = settings.var / "mirror.sqlite"
    while process.poll() is None and _sent(file) < size // 2:
        time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert live(settings)


def _sent(file: Path) -> int:
    if not file.is_file():
        return 0
    connection = sqlite3.connect(file, timeout=30)
    try:
        return int(connection.execute("SELECT count(*) FROM objects").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    rows: list[list[object]] = []
    for result in results:
        for cost, report in zip(result["runs"], result["reports"], strict=True):
            rows.append(
                [
                    report["objects"],
                    cost["label"],
                    report["sent"],
                    report["asked"],
                    report["deleted"],
                    cost["cpu_s"],
                    cost["wall_s"],
                    cost["peak_memory"] / 1e6,
                ]
            )
    heads = ["objects", "run", "sent", "asked one by one", "deleted", "CPU s", "wall s", "peak MB"]
    return table(heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mirror_objects")
    parser.add_argument("--size", type=int, help=f"objects (default: {SIZE:,})")
    run(parser.parse_args().size)


if __name__ == "__main__":
    main()
