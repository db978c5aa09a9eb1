"""The servers that are compared, each started on loopback and stopped again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.real_data import ROOT

NGINX = """\
load_module /usr/lib/nginx/modules/ngx_http_brotli_static_module.so;
daemon off; user root; worker_processes auto; pid {run}/nginx.pid; error_log {run}/error.log;
events {{ worker_connections 4096; }}
http {{
  include /etc/nginx/mime.types; default_type application/octet-stream;
  access_log {run}/access.log; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {run}; proxy_temp_path {run}; fastcgi_temp_path {run};
  uwsgi_temp_path {run}; scgi_temp_path {run};
  gzip_static on; brotli_static on; server_tokens off;
  server {{
    listen 127.0.0.1:{port} ssl http2; listen 127.0.0.1:{plain};
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    root {tree};
    add_header Cache-Control "max-age=300, must-revalidate";
    add_header X-Content-Type-Options nosniff;
    location ~ ^(/[a-z]+/.+)/$ {{ try_files $1.html $uri/index.html =404; }}
    location / {{ index index.html; }}
  }}
}}
"""


@contextmanager
def nginx(run: Path, tree: Path, certificate: Path, key: Path) -> Iterator[tuple[int, int, int]]:
    """Give process id, TLS port and plain port of an nginx that serves the same files."""
    run.mkdir(parents=True, exist_ok=True)
    port, plain = _free_port(), _free_port()
    conf = run / "nginx.conf"
    conf.write_text(
        NGINX.format(run=run, tree=tree, port=port, plain=plain, certificate=certificate, key=key),
        encoding="utf-8",
    )
    with _running(["nginx", "-p", str(run), "-c", str(conf)], port) as pid:
        yield pid, port, plain


@contextmanager
def memcached() -> Iterator[int]:
    """Give the port of a memcached."""
    port = _free_port()
    command = ["memcached", "-l", "127.0.0.1", "-p", str(port), "-m", "256", "-u", "nobody"]
    with _running(command, port):
        yield port


@contextmanager
def peer(module: str, database: Path, cache_port: int = 0) -> Iterator[tuple[int, int]]:
    """Give process id and port of a page rendered per request, behind Waitress."""
    port = _free_port()
    environment = {"NIGHTPRESS_PEER_DATABASE": str(database)}
    if cache_port:
        environment["NIGHTPRESS_PEER_MEMCACHED"] = f"127.0.0.1:{cache_port}"
    command = [sys.executable, "-m", "waitress", f"--listen=127.0.0.1:{port}", "--threads=4"]
    command.append(f"benchmarks.per_request.{module}:app")
    with _running(command, port, environment) as pid:
        yield pid, port


@contextmanager
def _running(
    command: list[str], port: int, environment: dict[str, str] | None = None
) -> Iterator[int]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if process.poll() is not None:
            raise SystemExit(f"{process.args} ended with {process.returncode}")
        with socket.socket() as attempt:
            attempt.settimeout(1)
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"{process.args} does not listen on {port}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
