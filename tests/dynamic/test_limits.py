"""Requests are counted together by several processes, and by each if memcached is gone."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from dynamic.app import create_app
from dynamic.limits import limiter
from dynamic.settings import ServiceSettings
from tests.dynamic.apache_says import signed_in
from tests.dynamic.process import free_port

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ask(app: Flask, times: int) -> list[int]:
    client = app.test_client()
    headers = signed_in("eager", "member")
    return [client.get("/services/", headers=headers).status_code for _ in range(times)]


@pytest.mark.needs("memcached")
def test_two_processes_count_together(settings: ServiceSettings) -> None:
    port = free_port()
    program = shutil.which("memcached") or "memcached"
    server = subprocess.Popen([program, "-l", "127.0.0.1", "-p", str(port), "-u", "nobody"])
    try:
        time.sleep(0.5)
        shared = replace(settings, service_limits=f"memcached://127.0.0.1:{port}")
        first, second = create_app(shared), create_app(shared)
        assert set(ask(first, 200)) == {200}
        assert ask(second, 110).count(200) == 100
    finally:
        limiter.storage.storage.close()
        server.terminate()
        server.wait()


def test_a_memcached_that_is_gone_closes_nothing(
    settings: ServiceSettings, site_folder: Path
) -> None:
    app = create_app(replace(settings, service_limits=f"memcached://127.0.0.1:{free_port()}"))
    assert set(ask(app, 20)) == {200}
