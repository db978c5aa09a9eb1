"""What do more workers bring? All pages built by a cluster of 1, 2 and 4 workers.

    python -m benchmarks.cluster [--size 5000] [--workers 1 2 4]

A real scheduler of dask.distributed and workers of one thread each, all on this machine, so
that more workers than cores share them. Measured is `nightpress build --full`: the CPU of the
process that leads it, the CPU of the workers, and wall time; beside it the same build with
processes of this machine. The files of all builds are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.bench_site import make_site, nightpress, source_of
from benchmarks.measure import write_result
from benchmarks.real_data import ROOT
from benchmarks.report import table
from content_sync.release import manifest

SIZE = 5000


def run(size: int | None, workers: tuple[int, ...] = (1, 2, 4)) -> None:
    """Measure each number of workers and write the result."""
    source = source_of(size)
    site = make_site(f"cluster-{size or 'all'}")
    nightpress("sync", site, source, "sync")
    found: list[dict[str, Any]] = []
    reference: dict[str, bytes] = {}
    for number in (0, *workers):
        (site / "var/cache.sqlite").unlink(missing_ok=True)
        with _cluster(number) as (address, processes):
            os.environ["NIGHTPRESS_CLUSTER"] = address
            before = sum(map(_cpu, processes))
            cost = nightpress(f"{number} workers", site, source, "build", "--full")
            theirs = sum(map(_cpu, processes)) - before
        (stage,) = (site / "output/releases").glob("*.staged")
        with manifest.Manifest(stage / manifest.NAME) as listing:
            digests = {e.path: e.sha256 for e in listing.entries() if e.key is not None}
        reference = reference or digests
        found.append(
            {
                "workers": number,
                "leader_cpu_s": round(cost.cpu_s, 2),
                "workers_cpu_s": round(theirs, 2),
                "wall_s": round(cost.wall_s, 2),
                "load": round(cost.load, 1),
                "files": len(digests),
                "files_otherwise": sum(
                    reference.get(path) != digests.get(path) for path in reference | digests
                ),
            }
        )
    os.environ.pop("NIGHTPRESS_CLUSTER", None)
    write_result(f"cluster-{size or 'all'}", found, size=size)


@contextmanager
def _cluster(workers: int) -> Iterator[tuple[str, list[psutil.Process]]]:
    if not workers:
        yield "", []
        return
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "scheduler.json"

        def start(*arguments: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "dask", *arguments, "--scheduler-file", str(told)]
            log = subprocess.DEVNULL
            return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

        running = [start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
        local = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        for number in range(workers):
            running.append(start("worker", *local, "--local-directory", f"{folder}/{number}"))
        try:
            while not (told.is_file() and told.stat().st_size):
                time.sleep(0.1)
            address = json.loads(told.read_text(encoding="utf-8"))["address"]
            _wait(address, workers)
            yield address, [psutil.Process(one.pid) for one in running]
        finally:
            for one in running:
                one.kill()
                one.wait()


def _wait(address: str, workers: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=120)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    rows = [
        [
            result["size"] or "all",
            run["workers"] or "none: processes here",
            run["leader_cpu_s"],
            run["workers_cpu_s"],
            run["wall_s"],
            run["load"],
            run["files"],
            run["files_otherwise"],
        ]
        for result in results
        for run in result["runs"]
    ]
    heads = ["publications", "workers", "leader, CPU s", "scheduler and workers, CPU s", "wall s"]
    return table([*heads, "load", "files with a key", "with other bytes"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster")
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    given = parser.parse_args()
    run(given.size, tuple(given.workers))


if __name__ == "__main__":
    main()
