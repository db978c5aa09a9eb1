"""Heavy steps on a real cluster: one scheduler, two workers, each a process of its own."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from content_sync.errors import ConfigurationError
from content_sync.pages import build
from content_sync.processes import Cluster, at_once, processes
from content_sync.release import compress
from content_sync.release.stage import staged
from content_sync.release.verify import check
from content_sync.settings import Settings
from tests.content_sync.pages.conftest import Site, make_site, tree  # noqa: F401

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass
class Running:
    """A cluster and the processes that it is made of."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Running]:
    # Dask's own settings stay in the test's folder, and nothing listens but on loopback.
    env = {**os.environ, "DASK_CONFIG": str(tmp_path / "dask"), "DASK_DISTRIBUTED__DASHBOARD": ""}
    told = tmp_path / "scheduler.json"
    log = (tmp_path / "cluster.log").open("wb")

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, "--scheduler-file", str(told)],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=log,
        )

    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    local = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
    running = [
        start("worker", *local, "--local-directory", str(tmp_path / f"worker-{n}"))
        for n in range(2)
    ]
    try:
        yield Running(_address(told), running)
    finally:
        for process in (*running, scheduler):
            process.kill()
            process.wait()
        log.close()


def _address(told: Path) -> str:
    import json

    for _ in range(600):
        if told.is_file() and told.stat().st_size:
            return str(json.loads(told.read_text())["address"])
        time.sleep(0.1)
    raise AssertionError("the scheduler did not start")


def _wait_for_two(executor: Cluster) -> None:
    for _ in range(600):
        if executor.slots == 2:
            return
        time.sleep(0.1)
    raise AssertionError("the workers did not come")


def test_a_site_built_by_a_cluster_that_loses_a_worker_has_the_same_bytes(
    cluster: Running,
    make_site,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site: Site = make_site()
    site.sync()
    site.build()
    here = staged(site.settings)
    assert here is not None
    expected = tree(here.root)
    here.discard()
    for file in site.settings.var.glob("cache.sqlite*"):
        file.unlink()
    # Small batches, so that many are under way when the worker is lost.
    monkeypatch.setattr(build, "_FEW", 0)
    monkeypatch.setattr(build, "_BATCH", {})
    monkeypatch.setattr(build, "_BATCH_OTHERS", 4)
    monkeypatch.setattr(compress, "_FEW", 0)
    monkeypatch.setattr(compress, "_CHUNK", 10)
    there = dataclasses.replace(site.settings, cluster=cluster.address)
    executor = processes(there)
    assert isinstance(executor, Cluster)
    _wait_for_two(executor)
    assert at_once(executor, there) == 2
    executor.shutdown()
    lost = cluster.workers[0]

    def progress(kind: str, done: int, total: int) -> None:
        if kind == "publication" and lost.poll() is None:
            lost.send_signal(signal.SIGKILL)
            lost.wait()

    report, _ = build_with(there, progress)
    stage = staged(there)
    assert stage is not None
    assert lost.poll() is not None
    assert cluster.workers[1].poll() is None
    assert report.written > 0
    found = tree(stage.root)
    apart = {"release.json", "manifest.sqlite"}
    differ = {p for p in found | expected if found.get(p) != expected.get(p)}
    # The number of the release stands in what the service is told.
    assert {p for p in differ - apart if "service" not in p} == set()
    with processes(there) as checking:
        findings = check(there, stage, full=True, executor=checking).errors
    assert [str(one) for one in findings if "search-index" not in str(one)] == []


def build_with(settings: Settings, progress):
    from content_sync.pages.site import build_site

    return build_site(settings, full=True, progress=progress)


def test_an_address_where_no_cluster_is_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("content_sync.processes._PATIENCE", 1)
    settings = Settings(site=tmp_path, cluster="tcp://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match=r"no cluster .* tcp://127\.0\.0\.1:9"):
        processes(settings)
